/* The three measurements, and what they share with gauge.c. */
#ifndef MEASURE_H
#define MEASURE_H

#include "gauge.h"

extern struct plan plan;
extern const char *peer; /* the name in the figures */

const void *gauge_numbered(uint64_t n);      /* the data of message n; valid until the next call */
void gauge_round_trip(void);                 /* the next request */
void gauge_be(enum role role, int index);    /* be a replier or consumer, for ever */

void measure_round_trips(void);
void measure_throughput(void);
void measure_memory(int clients);

#endif

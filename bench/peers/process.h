/* Processes: those of the clients, started and ended here, and those of the bus, only looked at. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

struct used {
	uint64_t at;              /* ns */
	uint64_t clients, broker; /* processor time, ns */
};

uint64_t clock_ns(void);
int process_start(void);           /* as fork: 1 in the new process, which dies with this one */
int process_start_broker(void);    /* the same, for a process of the bus */
void process_end_all(void);        /* ends all that were started */
struct used process_used(void);
long process_memory(const char *key); /* KiB held by the bus, by a key of /proc/PID/smaps_rollup */
void process_brokers(const char *list);

#endif

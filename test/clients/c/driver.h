/* The driver of the client scripts for C: one Ksock, through one of the two doors of the library. main.c reads the
 * operations and has each performed in a thread of its own, for several may be open at a time; a door performs them. */
#ifndef CLIENTS_DRIVER_H
#define CLIENTS_DRIVER_H

#include <stdint.h>

#include "kbus/kbus_bus.h"

/* One operation, as its line says. */
struct op {
	char     label[32], verb[32];
	char    *argument; /* a name, a path or a number */
	uint32_t flags, to, data_len;
	uint32_t request[2]; /* the id that a Reply is to */
	unsigned char *data;
	int      timeout_ms; /* -1: none */
	int      keep;       /* an answer that comes too late is wanted */
};

/* What an operation may end in. Each writes one line. */
void ends(const struct op *o);
void ends_with(const struct op *o, uint32_t number);
void has_sent(const struct op *o, int pending, const kbus_bus_sent_t *sent);
void gets(const struct op *o, const kbus_bus_msg_t *m);
void gets_nothing(const struct op *o);
void gives_up(const struct op *o);
void fails(const struct op *o, int err, const char *why);

/* Performs an operation. Returns 0 if the door has no such one. */
int perform_modern(const struct op *o);
int perform_compatible(const struct op *o);

#endif

/* The handle of the modern functions. */
#ifndef KB_BUS_H
#define KB_BUS_H

#include "ksock.h"

struct kbus_bus {
	struct link    link;
	int            claimed;   /* the message received last lies in the window */
	int            again;     /* it is to be received once more: it did not fit */
	kbus_bus_msg_t last;
	unsigned char *held;      /* where it lies otherwise: the buffer that was the link's */
	size_t         held_size;
};

/* Whatever was posted travels before what follows. Notes that the bus is lost, if it is: -ENOTCONN. */
int kb_begin(kbus_bus_t *b);

/* Sees to the descriptor, and returns result. */
int kb_end(kbus_bus_t *b, int result);

/* Puts a message into what is to be sent. 0 or -errno; nothing is put then. */
int kb_put_bus_msg(kbus_bus_t *b, int op, int flags, const kbus_bus_msg_t *msg, uint32_t *seq);

/* Keeps the message in l->in until the next call that receives. */
void kb_hold(kbus_bus_t *b, const kbus_bus_msg_t *m);

#endif

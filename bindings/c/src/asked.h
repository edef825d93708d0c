/* The bus promises one Reply or Status to each Request. A daemon can die, so we keep the ids of the Requests that it
 * still owes an answer to. If it is lost we give the answers: each gets the Status $.KBUS.Bus.GoneAway, in the order
 * of sending. Answers mostly come in that order, so looking for one from the front is quick. */
#ifndef KB_ASKED_H
#define KB_ASKED_H

#include <stddef.h>

#include "kbus/kbus_defns.h"

struct asked {
	kbus_msg_id_t *ids; /* those that count are from first to first + count */
	size_t         first, count, size;
};

/* -ENOMEM if there is no memory for one more; kb_asked_room makes sure before it matters. */
int  kb_asked_room(struct asked *a);
void kb_asked_add(struct asked *a, kbus_msg_id_t id);
void kb_asked_remove(struct asked *a, kbus_msg_id_t id);

/* Takes the oldest. 0 if there is none. */
int  kb_asked_pop(struct asked *a, kbus_msg_id_t *id);
void kb_asked_free(struct asked *a);

#endif

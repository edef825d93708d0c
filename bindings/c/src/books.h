/* The books of Requests that are owed an answer: those that are asked (asked.h), and one that waits for room. */
#ifndef KB_BOOKS_H
#define KB_BOOKS_H

#include "link.h"

/* What a send has brought, what sending again has, and a message that has come. */
void kb_book_sent(struct link *l, int request, unsigned condition, kbus_msg_id_t id);
void kb_book_resent(struct link *l, unsigned condition);
void kb_book_came(struct link *l, const kbus_bus_msg_t *m);

#endif

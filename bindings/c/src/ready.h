/* Keeps the descriptor of a Ksock readable exactly while a message waits. See ready.c. */
#ifndef KB_READY_H
#define KB_READY_H

#include "link.h"

/* Makes fd of a link one to be polled. 0 or -errno. */
int kb_make_pollable(struct link *l);

/* Call it when a function of the library is done with a pollable link. looked means that the function has just
 * returned "no message", so fd should not be readable. */
void kb_sync(struct link *l, int looked);

/* Whether a message waits, as far as can be told without asking. */
int kb_readable(const struct link *l);

#endif

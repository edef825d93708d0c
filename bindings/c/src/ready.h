/* Keeps the descriptor of a Ksock readable exactly while a message waits. See ready.c. */
#ifndef KB_READY_H
#define KB_READY_H

#include "link.h"

/* Makes fd of a link one to be polled. 0 or -errno. */
int kb_make_pollable(struct link *l);

/* To be called when a function of the library is done with a pollable link. looked says that the program was told just
 * now that there is no message, so fd should not be readable. */
void kb_settle(struct link *l, int looked);

/* Whether a message waits, as far as can be told without asking. */
int kb_readable(const struct link *l);

/* Says in the segment that we sleep; notes that the daemon has rung since. */
void kb_arm(struct link *l);
void kb_note_bell(struct link *l);

#endif

/* Bells, by which the daemon wakes us: bytes in the socket, or one of our own. Why there are two kinds is in ready.c. */
#ifndef KB_BELL_H
#define KB_BELL_H

#include "link.h"

/* How long a bell that was rung may be on its way. */
enum { BELL_MS = 50 };

/* What a program can poll. */
int kb_poll_fd(const struct link *l);

/* With a bell of our own: waits for it, as kb_sleep; and has it watch the socket (op is of epoll_ctl), and be readable or
 * not. 0 or -errno. */
int kb_wait_bell(struct link *l, int timeout_ms);
int kb_light(struct link *l, int op, int on);

/* Says in the segment that we sleep; notes that the daemon has rung since. */
void kb_arm(struct link *l);
void kb_note_bell(struct link *l);

#endif

/* Results that come after their time. A function that ends at its time limit does not wait for the result of its
 * request: the daemon may be standing still. The request is noted here, and its result is dealt with when it comes:
 * a message that the daemon has handed out is kept for the next call that receives, and the books of a Request are
 * made up. */
#ifndef KB_LATE_H
#define KB_LATE_H

#include "link.h"

enum {
	LATE_REQUEST = 1, /* of a message: it is a Request */
	LATE_KEEP = 2     /* of a Call: its answer is wanted even now */
};

/* Notes that the result of a request is still to come. */
void kb_late(struct link *l, uint32_t seq, int op, unsigned flags);

/* Whether a frame is such a result; then it has been dealt with. */
int kb_late_came(struct link *l, const struct frame *f);

/* Keeps a copy of a message for the next call that receives. 0 or -ENOMEM. */
int kb_keep(struct link *l, const kbus_bus_msg_t *m);

/* Takes the first message kept. The caller frees it. NULL if there is none. */
struct kept *kb_kept(struct link *l);

void kb_late_free(struct lates *t);

#endif

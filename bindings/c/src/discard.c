#include <string.h>

#include "ksock.h"

/* Dropping the message that is written or waits for room. If it is a Request, nobody owes an answer to it any more. */

int kb_discard(struct link *l)
{
	struct frame f;
	int          waits = 0;
	if (l->unsent.network_id || l->unsent.serial_num) { /* a Request that is dropped gets no answer; was it still there? */
		int err = kb_ask(l, OP_POLL, 0, NULL, 0, &f);
		if (err)
			return err;
		waits = !(f.arg & KBUS_BUS_WRITE);
	}
	int err = kb_ask(l, OP_DISCARD, 0, NULL, 0, &f);
	if (err)
		return err;
	if (waits)
		kb_asked_remove(&l->asked, l->unsent);
	memset(&l->unsent, 0, sizeof l->unsent);
	l->shared->sending = 0;
	return 0;
}

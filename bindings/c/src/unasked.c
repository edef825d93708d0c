#include "late.h"

/* What comes and nobody waits for: results of posted messages, of requests that were given up, and events. */

/* One result may stand for many messages that were accepted one after the other, and have reached as many. */
static void posted(struct link *l, const struct frame *f)
{
	struct posts   *p = &l->posts;
	kbus_bus_sent_t sent;
	if (kb_get_sent(l->in, f, &sent)) {
		kb_lose(l);
		return;
	}
	const uint64_t  count = f->condition == CONDITION_OK ? (uint64_t)f->arg + 1 : 1;
	if (f->arg > 0 && count > p->posted - p->done) {
		kb_lose(l);
		return;
	}
	p->done += count;
	if (f->condition == CONDITION_OK) {
		p->totals.accepted += count;
		p->totals.reached += count * sent.reached;
		p->totals.skipped += sent.skipped;
		return;
	}
	if (p->totals.first_error == 0)
		p->totals.first_error = -kb_errno(f->condition);
	p->totals.failed++;
}

void kb_other(struct link *l, const struct frame *f)
{
	if (l->late.count > 0 && kb_late_came(l, f))
		return;
	switch (f->op) {
	case OP_WAIT_READABLE:
		l->shared->watching = 0;
		break;
	case OP_WAIT_SENT:
		if (f->seq == l->shared->wait_sent) {
			l->shared->wait_sent = 0;
			l->shared->sending = 0;
		}
		break;
	case OP_SEND_MESSAGE:
		posted(l, f);
		break;
	default: /* Stopping, or the result of something that was given up */
		break;
	}
}

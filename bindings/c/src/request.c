#include "late.h"

#include <errno.h>

/* Requests and their results. At most one result is waited for at a time, beside those of messages that were posted;
 * results come in order, so whatever comes before it is for nobody who waits (kb_other). */

enum { MOMENT_MS = 50, LONG_MOMENT_MS = 1000, GIVE_UP_MS = 60 };

int kb_request(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq)
{
	int err = kb_put(l, op, 0, arg, parts, count, seq);
	return err ? err : kb_push(l);
}

int kb_result(struct link *l, uint32_t seq, struct frame *f)
{
	for (;;) {
		int n = kb_take(l, f, 1);
		if (n < 0)
			return n;
		if (n == 0)
			return kb_fail(l, ETIMEDOUT, "the daemon has not answered in time");
		if (f->seq == seq && f->op != OP_STOPPING)
			return 0;
		kb_other(l, f);
	}
}

int kb_ask(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, struct frame *f)
{
	uint32_t seq;
	if (l->gone)
		return kb_lose(l);
	const int64_t deadline = l->deadline;
	if (deadline) /* this takes no time; but the daemon may need a moment to say so */
		kb_at_least(l, deadline == AT_ONCE ? LONG_MOMENT_MS : MOMENT_MS);
	int err = kb_request(l, op, arg, parts, count, &seq);
	if (err == 0)
		err = kb_result(l, seq, f);
	else
		seq = 0;
	l->deadline = deadline;
	if (seq == 0)
		return err;
	if (err == -ETIMEDOUT)
		kb_late(l, seq, op, 0);
	return err ? err : kb_failed(l, f);
}

int kb_give_up(struct link *l, uint32_t seq, int *op, struct frame *f)
{
	uint32_t cancel = 0;
	kb_limit(l, GIVE_UP_MS);
	int n = kb_request(l, *op, seq, NULL, 0, &cancel);
	if (n == -ETIMEDOUT)
		n = kb_later(l, *op, seq);
	while (n == 0 && (n = kb_take(l, f, 1)) > 0 && (f->seq != seq || f->op == OP_STOPPING)) {
		n = 0;
		if (f->seq == cancel && f->op == OP_GIVE_UP && f->condition == CONDITION_UNKNOWN_OPERATION) {
			*op = OP_CANCEL;
			n = kb_request(l, OP_CANCEL, seq, NULL, 0, &cancel);
		} else {
			kb_other(l, f);
		}
	}
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : n;
}

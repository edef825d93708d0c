#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

/* Requests and their results. At most one result is waited for at a time, beside those of messages that were posted;
 * results come in order, so whatever comes before it is for nobody who waits (kb_other). */

int64_t kb_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int kb_left_ms(int64_t began, int timeout_ms)
{
	if (timeout_ms <= 0)
		return timeout_ms;
	int64_t left = began + timeout_ms - kb_now_ms();
	return left > 0 ? (int)left : 0;
}

int kb_fail(struct link *l, int error, const char *why)
{
	snprintf(l->why, sizeof l->why, "%s", why);
	return -error;
}

int kb_lose(struct link *l)
{
	l->gone = 1;
	return kb_fail(l, ENOTCONN, kb_text(39));
}

uint64_t kb_largest(const struct link *l)
{
	uint64_t n = (uint64_t)l->most + 4096;
	return n < INT32_MAX ? n : INT32_MAX;
}

int kb_request(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq)
{
	int err = kb_put(l, op, 0, arg, parts, count, seq);
	return err ? err : kb_push(l);
}

int kb_result(struct link *l, uint32_t seq, struct frame *f)
{
	for (;;) {
		int n = kb_take(l, f, -1);
		if (n < 0)
			return n;
		if (f->seq == seq && f->op != OP_STOPPING)
			return 0;
		kb_other(l, f);
	}
}

static void posted(struct posts *p, const struct frame *f, const unsigned char *payload)
{
	kbus_bus_sent_t sent;
	p->done++;
	if (f->condition == CONDITION_OK) {
		kb_get_sent(payload, f->bytes, &sent);
		p->totals.accepted++;
		p->totals.reached += sent.reached;
		p->totals.skipped += sent.skipped;
		return;
	}
	if (p->totals.first_error == 0)
		p->totals.first_error = -kb_errno(f->condition);
	p->totals.failed++;
}

void kb_other(struct link *l, const struct frame *f)
{
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
		posted(&l->posts, f, l->in);
		break;
	default: /* Stopping, or the result of something that was given up */
		break;
	}
}

int kb_ask(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, struct frame *f)
{
	uint32_t seq;
	if (l->gone)
		return kb_lose(l);
	int err = kb_request(l, op, arg, parts, count, &seq);
	if (err == 0)
		err = kb_result(l, seq, f);
	if (err || f->condition == CONDITION_OK)
		return err;
	if (f->bytes > 0 && f->condition != CONDITION_PENDING) {
		snprintf(l->why, sizeof l->why, "%.*s", (int)(f->bytes < sizeof l->why ? f->bytes : sizeof l->why), (char *)l->in);
		return -kb_errno(f->condition);
	}
	return kb_fail(l, kb_errno(f->condition), kb_text(f->condition));
}

#include "link.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

/* What all functions of a link stand on: how long one may wait, and why something failed. */

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

int kb_left_until(int64_t end)
{
	const int64_t left = end - kb_now_ms();
	return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

int kb_left(const struct link *l)
{
	return l->deadline == 0 ? -1 : kb_left_until(l->deadline);
}

void kb_limit(struct link *l, int timeout_ms) { l->deadline = timeout_ms < 0 ? 0 : kb_now_ms() + timeout_ms; }

void kb_at_least(struct link *l, int ms)
{
	int64_t until = kb_now_ms() + ms;
	if (l->deadline && l->deadline < until)
		l->deadline = until;
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

int kb_too_long(struct link *l, uint64_t bytes)
{
	snprintf(l->why, sizeof l->why, "%s: it has more than %llu bytes, and none may have more than %lu, "
	         "settings limits.message-bytes and limits.message-bytes-ceiling",
	         kb_text(17), (unsigned long long)bytes, (unsigned long)l->most);
	return -EMSGSIZE;
}

uint64_t kb_largest(const struct link *l)
{
	uint64_t n = (uint64_t)l->most + 4096;
	return n < INT32_MAX ? n : INT32_MAX;
}

int kb_failed(struct link *l, const struct frame *f)
{
	if (f->condition == CONDITION_OK)
		return 0;
	if (f->bytes > 0 && f->condition != CONDITION_PENDING && f->condition != CONDITION_CANCELED) {
		snprintf(l->why, sizeof l->why, "%.*s", (int)(f->bytes < sizeof l->why ? f->bytes : sizeof l->why), (char *)l->in);
		return -kb_errno(f->condition);
	}
	return kb_fail(l, kb_errno(f->condition), kb_text(f->condition));
}

#include "ready.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "bell.h"
#include "own.h"

/* A program polls the socket of its Ksock. Poll looks at the socket's own bytes and at nothing else, so the bytes in
 * it must say whether a message waits. They come from the daemon only; what we can do is to have it send one, and to
 * take them out or to leave them.
 *
 * With rings, bytes in the socket are bells. Between two calls we always say in the segment that we sleep (armed), so
 * the first message rings. While messages wait we take no byte out. A call that waits for a result therefore cannot
 * wait for "readable"; it waits for the next byte, with an edge-triggered epoll. When no message waits any more we
 * arm again, look once more, and take out exactly the bells that were rung before: we know how many, because the
 * side that rings first clears the word that says that we sleep. A bell for a message that comes in between is not among
 * them and stays. If a message waits and there is no bell, because it came while we were awake, we ask the daemon for
 * anything: the result rings.
 *
 * With a bell of our own that is what the program polls, and it is simpler: the bell is an epoll, and can be made
 * readable by having it watch for room in the socket too, which there always is, since nothing goes through it. Again
 * the first message rings, because we say that we sleep between two calls (armed). We say it anew only when the ring
 * before has come, so there is never more than one on its way.
 *
 * Without rings, bytes in the socket are results. One WaitReadable is always unanswered or its result unread; every
 * call that reads over such a result asks again, with a Reset behind it, and looks which result comes first. If it is
 * that of the WaitReadable, a message waits, and both are left where they are. */

enum { KEPT_BELLS = 16, MOMENT_MS = 30 };

int kb_readable(const struct link *l)
{
	if (l->gone)
		return l->asked.count > 0;
	if (l->seg.mem)
		return l->mode & KBUS_BUS_READ && (!kb_window_empty(&l->seg) || kb_window_more(&l->seg));
	return 0;
}

int kb_make_pollable(struct link *l)
{
	if (l->seg.mem && l->own_bell < 0 && l->edge < 0) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
		sigset_t           signals;
		kb_hold_forks(&signals);
		l->edge = epoll_create1(EPOLL_CLOEXEC);
		const int err = l->edge < 0 || epoll_ctl(l->edge, EPOLL_CTL_ADD, l->fd, &e) < 0 ? -errno : 0;
		kb_let_forks(&signals);
		if (err)
			return err;
	}
	l->pollable = 1;
	kb_sync(l, 1);
	return 0;
}

/* Takes n bells out of the socket. One that was rung a moment ago may still be on its way. */
static void take_bells(struct link *l, uint32_t n)
{
	char trash[64];
	while (n > 0) {
		ssize_t got = recv(l->fd, trash, n < sizeof trash ? n : sizeof trash, MSG_DONTWAIT);
		if (got == 0)
			return; /* the end, which the next request finds */
		if (got > 0) {
			n -= (uint32_t)got;
			l->shared->bells -= (uint32_t)got;
			continue;
		}
		struct pollfd p = {l->fd, POLLIN, 0};
		if (errno != EINTR && (errno != EAGAIN || poll(&p, 1, BELL_MS) <= 0)) {
			l->shared->bells = 0; /* it stood for another one */
			return;
		}
	}
}

static void sync_rings(struct link *l, int looked)
{
	struct frame f;
	kb_arm(l);
	uint32_t rung = l->shared->bells;
	if (!kb_readable(l)) {
		take_bells(l, rung);
		kb_note_bell(l);
		if (looked && l->shared->armed) { /* whatever is there still rang for no reason */
			char trash[64];
			if (recv(l->fd, trash, sizeof trash, MSG_DONTWAIT) > 0 && kb_readable(l)) { /* no, for a message */
				l->shared->bells = 0;
				kb_arm(l);
				kb_ask(l, OP_RESET, 0, NULL, 0, &f);
			}
		}
		return;
	}
	if (rung == 0)
		kb_ask(l, OP_RESET, 0, NULL, 0, &f);
	else if (rung > KEPT_BELLS)
		take_bells(l, rung - 1);
}

static void sync_bell(struct link *l, int looked)
{
	for (;;) {
		if (kb_readable(l)) {
			if (!l->shared->lit)
				kb_light(l, EPOLL_CTL_MOD, 1);
			return;
		}
		int n = 0, rung = l->shared->armed && kb_load(kb_down_asleep(&l->seg)) == 0;
		if (rung || looked || l->shared->lit || !l->shared->armed)
			n = kb_wait_bell(l, rung ? BELL_MS : 0);
		if (n == -ENOTCONN) {
			l->hung_up = 1;
			return;
		}
		if (rung) /* whether or not it was heard */
			l->shared->armed = 0;
		if (l->shared->armed)
			return;
		looked = 0;
		kb_arm(l);
	}
}

static void sync_socket(struct link *l)
{
	unsigned char head[FRAME_BYTES];
	struct frame  f;
	uint32_t      seq, reset;
	if (l->shared->watching || !(l->mode & KBUS_BUS_READ) || l->got > 0)
		return;
	l->shared->watching = 1;
	if (kb_put(l, OP_WAIT_READABLE, 0, 0, NULL, 0, &seq) || kb_request(l, OP_RESET, 0, NULL, 0, &reset))
		return;
	for (;;) {
		if (l->deadline && kb_sleep(l, kb_left(l)) == 0)
			return;
		ssize_t n = recv(l->fd, head, sizeof head, l->deadline ? MSG_PEEK | MSG_DONTWAIT : MSG_PEEK | MSG_WAITALL);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n > 0 && n < (ssize_t)sizeof head && l->deadline)
			return;
		if (n < (ssize_t)sizeof head) {
			kb_lose(l);
			return;
		}
		kb_get_frame(head, &f);
		if (f.seq == seq && f.op == OP_WAIT_READABLE && f.condition == CONDITION_OK)
			return;
		if (kb_take(l, &f, 1) <= 0 || (f.seq == reset && f.op == OP_RESET))
			return;
		kb_other(l, &f);
	}
}

void kb_sync(struct link *l, int looked)
{
	if (!l->pollable || l->gone)
		return;
	const int64_t deadline = l->deadline;
	if (deadline) /* it may be over; the daemon has a moment all the same */
		kb_at_least(l, MOMENT_MS);
	if (l->own_bell >= 0)
		sync_bell(l, looked);
	else if (l->seg.mem)
		sync_rings(l, looked);
	else
		sync_socket(l);
	l->deadline = deadline;
}

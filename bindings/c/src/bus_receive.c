#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "handle.h"

/* Receiving the modern way. With rings the message is handed out where it lies in the window, and its place is given
 * back when the next one is received. */

void kb_hold(kbus_bus_t *b, const kbus_bus_msg_t *m)
{
	unsigned char *in = b->link.in;
	size_t         size = b->link.in_size;
	b->last = *m;
	b->link.in = b->held;
	b->link.in_size = b->held_size;
	b->held = in;
	b->held_size = size;
}

/* Hands out a message that came late. */
static int hand_out(kbus_bus_t *b, struct kept *k, kbus_bus_msg_t *m)
{
	const size_t bytes = sizeof *k + (size_t)k->msg.name_len + k->msg.data_len;
	free(b->held);
	b->held = (unsigned char *)k;
	b->held_size = bytes;
	*m = b->last = k->msg;
	return 1;
}

void kb_release(kbus_bus_t *b)
{
	b->again = 0;
	if (b->taken) {
		b->taken = 0;
		kb_release_shown(&b->link);
	}
}

void kbus_bus_release(kbus_bus_t *bus)
{
	if (kb_turn(bus, __atomic_load_n(&bus->patience, __ATOMIC_RELAXED)))
		return;
	kb_release(bus);
	kb_leave_turn(bus, 0);
}

/* Waits until there may be something. 1, 0 after the time, or -errno. */
static int await_message(struct link *l, int timeout_ms)
{
	struct frame f;
	if (l->pollable) {
		kb_sync(l, 1);
		struct pollfd p = {kb_poll_fd(l), POLLIN, 0};
		int           n = poll(&p, 1, timeout_ms);
		if (n > 0 && p.revents & (POLLHUP | POLLERR))
			l->hung_up = 1;
		return n < 0 ? -errno : n;
	}
	kb_doze(l);
	int woken = 1;
	if (!kb_readable(l) && kb_ring_available(&l->seg, &l->shared->at) == 0)
		woken = kb_sleep(l, timeout_ms);
	kb_awake(l);
	if (woken == -ENOTCONN) {
		l->hung_up = 1;
		return 1;
	}
	if (woken > 0)
		while (kb_ring_available(&l->seg, &l->shared->at) > 0 && kb_take(l, &f, 0) > 0)
			kb_other(l, &f);
	return woken;
}

/* Takes the next frame, unless a signal comes first. */
static int await_frame(struct link *l, struct frame *f)
{
	l->interruptible = 1;
	int n = kb_take(l, f, 1);
	l->interruptible = 0;
	return n;
}

/* Without rings, and if the program does not poll: asks the bus to answer when there is a message. */
static int ask_and_wait(kbus_bus_t *b, kbus_bus_msg_t *m)
{
	struct link *l = &b->link;
	struct frame f;
	uint32_t     seq;
	int          n, op = OP_CANCEL, err = kb_request(l, OP_NEXT_WAIT, 1, NULL, 0, &seq);
	if (err)
		return l->gone ? kb_status(l, m) : err == -ETIMEDOUT ? 0 : err;
	while ((n = await_frame(l, &f)) > 0 && (f.seq != seq || f.op != OP_NEXT_WAIT))
		kb_other(l, &f);
	if (n <= 0 && !l->gone) {
		err = kb_give_up(l, seq, &op, &f);
		if (err == -ETIMEDOUT) {
			kb_late(l, seq, OP_NEXT_WAIT, 0);
			return n;
		}
	}
	if (l->gone)
		return kb_status(l, m);
	if (err || f.condition == CONDITION_CANCELED)
		return err ? err : n;
	if (f.condition)
		return kb_fail(l, kb_errno(f.condition), kb_text(f.condition));
	if (kb_get_message(l->in, f.bytes, m, &l->found))
		return kb_lose(l);
	kb_book_came(l, m);
	return 1;
}

/* Waits first for the requests that a time limit left unanswered. 1, 0 after the time, or -errno. */
static int await_late(struct link *l)
{
	struct frame f;
	int          n = kb_push(l);
	if (n == 0 && (n = await_frame(l, &f)) > 0)
		kb_other(l, &f);
	return l->gone ? 1 : n;
}

static int take(kbus_bus_t *b, kbus_bus_msg_t *m, int timeout_ms)
{
	struct link *l = &b->link;
	struct kept *k;
	int          n;
	if ((l->posts.collected || l->rest) && !l->gone)
		kb_push(l);
	if (!(l->mode & KBUS_BUS_READ))
		return kb_fail(l, EBADF, kb_text(27));
	for (;;) {
		if ((k = kb_kept(l)) != NULL)
			return hand_out(b, k, m);
		if (l->late.next && !l->gone) {
			n = await_late(l);
			if (n <= 0)
				return n;
			continue;
		}
		if (!l->seg.mem && !l->pollable && timeout_ms != 0 && !l->gone) {
			n = ask_and_wait(b, m);
			if (n > 0 && !l->gone)
				kb_hold(b, m);
			return n;
		}
		n = kb_take_shown(l, m);
		if (n != 0) {
			b->taken = n > 0 ? n : 0;
			return n > 0 ? 1 : n;
		}
		/* A window that shows nothing is asked only when there is no time to wait, or when there is more. */
		if (timeout_ms == 0 || l->gone || l->hung_up || !l->seg.mem || kb_window_more(&l->seg)) {
			n = kb_next(l, m, &b->taken);
			if (n > 0 && !b->taken && !l->gone)
				kb_hold(b, m);
			if (n != 0)
				return n == -ETIMEDOUT ? 0 : n;
		}
		int left = timeout_ms == 0 ? 0 : kb_left(l);
		if (left == 0)
			return 0;
		n = await_message(l, left < 0 ? INT_MAX : left);
		if (n == -EINTR)
			return n;
	}
}

int kb_receive(kbus_bus_t *b, kbus_bus_msg_t *m, int timeout_ms)
{
	if (b->again) {
		b->again = 0;
		*m = b->last;
		return 1;
	}
	kb_release(b);
	int n = take(b, m, timeout_ms);
	return n == -EINTR ? kb_fail(&b->link, EINTR, "interrupted by a signal") : n;
}

int kb_end_receive(kbus_bus_t *b, int n)
{
	if (n == 0 && !__atomic_load_n(&b->closing, __ATOMIC_SEQ_CST))
		kb_sync(&b->link, 1);
	return n == 0 ? kb_leave_turn(b, 0) : kb_end(b, n);
}

int kbus_bus_receive(kbus_bus_t *bus, kbus_bus_msg_t *msg, int timeout_ms)
{
	int n = kb_turn(bus, timeout_ms);
	if (n)
		return n == -ETIMEDOUT ? 0 : n;
	return kb_end_receive(bus, kb_receive(bus, msg, timeout_ms));
}

/* The caller has the turn. */
static int receive_into(kbus_bus_t *b, kbus_bus_msg_t *msg, char *to, size_t size, int timeout_ms)
{
	int n = kb_receive(b, msg, timeout_ms);
	if (n <= 0)
		return n;
	b->last = *msg;
	if ((uint64_t)msg->name_len + msg->data_len > size) {
		b->again = 1;
		return kb_fail(&b->link, ENOBUFS, "the buffer is too small for name and data");
	}
	memcpy(to, msg->name, msg->name_len);
	if (msg->data_len > 0)
		memcpy(to + msg->name_len, msg->data, msg->data_len);
	msg->name = to;
	msg->data = to + msg->name_len;
	kb_release(b);
	return 1;
}

int kbus_bus_receive_into(kbus_bus_t *bus, kbus_bus_msg_t *msg, void *buffer, size_t size, int timeout_ms)
{
	int n = kb_turn(bus, timeout_ms);
	if (n)
		return n == -ETIMEDOUT ? 0 : n;
	return kb_end_receive(bus, receive_into(bus, msg, buffer, size, timeout_ms));
}

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"

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

void kbus_bus_release(kbus_bus_t *bus)
{
	bus->again = 0;
	if (bus->claimed) {
		bus->claimed = 0;
		kb_took(&bus->link);
	}
}

/* Waits until there may be something. 1, 0 after the time, or -errno. */
static int await_message(struct link *l, int timeout_ms)
{
	struct frame f;
	if (l->pollable) {
		kb_settle(l, 1);
		struct pollfd p = {l->fd, POLLIN, 0};
		int           n = poll(&p, 1, timeout_ms);
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

/* Without rings, and with nobody who polls: the bus is asked to answer when there is a message. */
static int ask_and_wait(kbus_bus_t *b, kbus_bus_msg_t *m, int timeout_ms)
{
	struct link *l = &b->link;
	struct frame f;
	uint32_t     seq, cancel;
	int          canceled = 0, err = kb_request(l, OP_NEXT_WAIT, 1, NULL, 0, &seq);
	const int64_t began = kb_now_ms();
	while (err == 0) {
		int n = kb_take(l, &f, canceled ? -1 : timeout_ms < 0 ? INT_MAX : kb_left_ms(began, timeout_ms));
		if (n > 0 && f.seq == seq && f.op == OP_NEXT_WAIT)
			break;
		if (n > 0) {
			kb_other(l, &f);
		} else if (l->gone) {
			return kb_status(l, m);
		} else if (!canceled && (n < 0 || timeout_ms >= 0)) {
			canceled = n < 0 ? n : 1;
			err = kb_request(l, OP_CANCEL, seq, NULL, 0, &cancel);
		}
	}
	if (l->gone)
		return kb_status(l, m);
	if (err || f.condition == CONDITION_CANCELED)
		return err ? err : canceled < 0 ? canceled : 0;
	if (f.condition)
		return kb_fail(l, kb_errno(f.condition), kb_text(f.condition));
	if (kb_get_message(l->in, f.bytes, m))
		return kb_lose(l);
	kb_book_came(l, m);
	return 1;
}

/* Takes from the window what it shows, without asking. */
static int claim(kbus_bus_t *b, kbus_bus_msg_t *m)
{
	struct link         *l = &b->link;
	const unsigned char *p;
	size_t               n;
	int                  got = l->seg.mem ? kb_window_claim(&l->seg, &l->shared->at, &p, &n) : 0;
	if (got < 0 || (got > 0 && kb_get_message(p, n, m)))
		return kb_lose(l);
	if (got > 0) {
		b->claimed = 1;
		kb_book_came(l, m);
	}
	return got;
}

static int take(kbus_bus_t *b, kbus_bus_msg_t *m, int timeout_ms)
{
	struct link  *l = &b->link;
	const int64_t began = timeout_ms > 0 ? kb_now_ms() : 0;
	if (l->posts.collected && !l->gone)
		kb_push(l);
	if (!(l->mode & KBUS_BUS_READ))
		return kb_fail(l, EBADF, kb_text(27));
	if (!l->seg.mem && !l->pollable && timeout_ms != 0 && !l->gone) {
		int n = ask_and_wait(b, m, timeout_ms);
		if (n > 0 && !l->gone)
			kb_hold(b, m);
		return n;
	}
	for (;;) {
		int n = claim(b, m);
		if (n != 0)
			return n;
		/* A window that shows nothing is asked only when there is no time to wait, or when there is more. */
		if (timeout_ms == 0 || l->gone || l->hung_up || !l->seg.mem || kb_window_more(&l->seg)) {
			n = kb_next(l, m, &b->claimed);
			if (n > 0 && !b->claimed && !l->gone)
				kb_hold(b, m);
			if (n != 0)
				return n;
		}
		int left = timeout_ms < 0 ? INT_MAX : kb_left_ms(began, timeout_ms);
		if (left == 0)
			return 0;
		n = await_message(l, left);
		if (n == -EINTR)
			return kb_fail(l, EINTR, "interrupted by a signal");
	}
}

int kbus_bus_receive(kbus_bus_t *bus, kbus_bus_msg_t *msg, int timeout_ms)
{
	if (bus->again) {
		bus->again = 0;
		*msg = bus->last;
		return 1;
	}
	kbus_bus_release(bus);
	return kb_end(bus, take(bus, msg, timeout_ms));
}

int kbus_bus_receive_into(kbus_bus_t *bus, kbus_bus_msg_t *msg, void *buffer, size_t size, int timeout_ms)
{
	int n = kbus_bus_receive(bus, msg, timeout_ms);
	if (n <= 0)
		return n;
	bus->last = *msg;
	if ((uint64_t)msg->name_len + msg->data_len > size) {
		bus->again = 1;
		return kb_fail(&bus->link, ENOBUFS, "the buffer is too small for name and data");
	}
	char *to = buffer;
	memcpy(to, msg->name, msg->name_len);
	if (msg->data_len > 0)
		memcpy(to + msg->name_len, msg->data, msg->data_len);
	msg->name = to;
	msg->data = to + msg->name_len;
	kbus_bus_release(bus);
	return 1;
}

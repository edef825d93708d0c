#include <errno.h>
#include <poll.h>

#include "device.h"
#include "ksock.h"

/* Waiting for a message, or for room. For a message the descriptor is enough (ready.c). While a message of ours waits
 * for room the Ksock is not writable; then a WaitSent is sent, whose result is a byte in the socket like anything
 * else. */

enum { SHARED_MS = 100 };

static int readable(struct link *l)
{
	struct frame f;
	if (l->gone || (l->seg.mem && l->mode & KBUS_BUS_READ))
		return kb_readable(l);
	int err = kb_ask(l, OP_POLL, 0, NULL, 0, &f);
	if (err)
		return l->gone ? kb_readable(l) : err;
	return (f.arg & KBUS_BUS_READ) != 0;
}

/* Whether a message can be sent. If not, and it is waited for, the bus will tell when. */
static int writable(struct link *l, int waited)
{
	struct frame f;
	if (!(l->mode & KBUS_BUS_WRITE) || l->gone)
		return 0;
	if (!l->shared->sending)
		return 1;
	int err = kb_ask(l, OP_POLL, 0, NULL, 0, &f);
	if (err || f.arg & KBUS_BUS_WRITE) {
		if (err == 0)
			l->shared->sending = 0;
		return err ? err : 1;
	}
	if (waited && !l->shared->wait_sent)
		err = kb_request(l, OP_WAIT_SENT, 0, NULL, 0, &l->shared->wait_sent);
	return err;
}

static int ready(struct link *l, int wait_for)
{
	struct frame f;
	int          n = 0, can = 0, will = 0;
	while (!l->gone && (l->seg.mem || l->shared->wait_sent) && (n = kb_take(l, &f, 0)) > 0)
		kb_other(l, &f);
	if (wait_for & KBUS_KSOCK_WRITABLE)
		will = writable(l, 1);
	if (wait_for & KBUS_KSOCK_READABLE) /* last: sending may have brought a Status */
		can = readable(l);
	if (can > 0 || will > 0)
		return (can > 0 ? KBUS_KSOCK_READABLE : 0) | (will > 0 ? KBUS_KSOCK_WRITABLE : 0);
	if (l->gone)
		return -ENOTCONN;
	return can < 0 ? can : will;
}

/* Waits without the lock, which is all of it in which a thread can be cancelled. 0 or -errno. */
static int await_unlocked(struct ksock *k, struct pollfd *p, int slice)
{
	int n;
	pthread_cleanup_push(kb_abandon, k);
	n = poll(p, 1, slice);
	pthread_cleanup_pop(0);
	return n < 0 ? -errno : 0;
}

/* Waits for the descriptor. A close by another thread ends the socket, which wakes us; but not if other processes use it
 * too, so then we look now and then. 0, or -errno for a reason to give up. */
static int await_descriptor(struct ksock *k, int wait_for)
{
	struct frame  f;
	struct pollfd p = {k->link.fd, POLLIN, 0};
	int           slice = kb_link_own(&k->link) ? -1 : SHARED_MS;
	int           err = kb_leave_to_wait(k) ? 0 : await_unlocked(k, &p, slice);
	int           back = kb_come_back(k);
	if (back)
		return back;
	if (err == 0 && p.revents & POLLHUP) /* the next operation says why */
		kb_ask(&k->link, OP_RESET, 0, NULL, 0, &f);
	int n = err == 0 && p.revents & POLLNVAL ? -EBADF : err;
	if (n == 0)
		n = ready(&k->link, wait_for);
	return n == 0 ? 0 : kb_leave(k, n, 0);
}

int kbus_wait_for_message(kbus_ksock_t ksock, int wait_for)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_device_wait(ksock, wait_for, -1);
	int n = ready(&k->link, wait_for);
	if (n != 0)
		return kb_leave(k, n, 0);
	while (n == 0)
		n = await_descriptor(k, wait_for);
	return n;
}

int kbus_ksock_poll(kbus_ksock_t ksock)
{
	struct frame  f;
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_device_wait(ksock, KBUS_KSOCK_READABLE | KBUS_KSOCK_WRITABLE, 0);
	int err = kb_ask(&k->link, OP_POLL, 0, NULL, 0, &f);
	if (k->link.gone)
		return kb_leave(k, kb_readable(&k->link) ? KBUS_KSOCK_READABLE : -ENOTCONN, 0);
	if (err == 0)
		k->link.shared->sending = k->link.mode & KBUS_BUS_WRITE && !(f.arg & KBUS_BUS_WRITE);
	return kb_leave(k, err ? err : (int)f.arg, err == 0 && !(f.arg & KBUS_BUS_READ));
}

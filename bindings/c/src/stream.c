#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bell.h"

/* Bytes to the daemon and back, through the rings or the socket. Sending may have to wait for room; meanwhile results
 * are taken, because the daemon may be waiting for us to do so. */

enum { COLLECTED_BYTES = 32 << 10, LARGEST_RESULT = 1 << 30 };

void kb_ring_bell(const struct link *l)
{
	const uint64_t one = 1;
	uint64_t       rung;
	if (write(l->bell, &one, sizeof one) >= 0 || errno != EAGAIN)
		return;
	/* It is full. The daemon sees that it is rung, and never empties it. With the ones of a program it lasts for ever;
	 * but an emulator that turns the bytes of what it passes on makes each a large number, which fit 255 times. */
	(void)!read(l->bell, &rung, sizeof rung);
	(void)!write(l->bell, &one, sizeof one);
}

void kb_doze(struct link *l)
{
	if (l->pollable)
		kb_arm(l);
	else
		kb_store(kb_down_asleep(&l->seg), 1);
}

void kb_awake(struct link *l)
{
	if (l->pollable)
		kb_note_bell(l);
	else
		kb_store(kb_down_asleep(&l->seg), 0);
}

int kb_sleep(struct link *l, int timeout_ms)
{
	char trash[64];
	if (l->own_bell >= 0)
		return kb_wait_bell(l, timeout_ms);
	if (l->edge >= 0) {
		struct epoll_event e;
		int                n = epoll_wait(l->edge, &e, 1, timeout_ms);
		if (n < 0)
			return -errno;
		return n > 0 && e.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? -ENOTCONN : n;
	}
	if (timeout_ms >= 0 || !l->seg.mem) {
		struct pollfd p = {l->fd, POLLIN, 0};
		int           n = poll(&p, 1, timeout_ms);
		if (n <= 0 || !l->seg.mem)
			return n < 0 ? -errno : n;
	}
	ssize_t n = recv(l->fd, trash, sizeof trash, 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -EINTR;
	return n > 0 ? 1 : -ENOTCONN;
}

/* Keeps what could not be sent in time. -ETIMEDOUT, or that the bus is lost if there is no memory for it. */
static int keep_rest(struct link *l, const struct iovec *parts, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += parts[i].iov_len;
	l->rest = malloc(bytes);
	if (!l->rest)
		return kb_lose(l);
	l->rest_bytes = 0;
	for (size_t i = 0; i < count; i++)
		if (parts[i].iov_len > 0) {
			memcpy(l->rest + l->rest_bytes, parts[i].iov_base, parts[i].iov_len);
			l->rest_bytes += parts[i].iov_len;
		}
	return -ETIMEDOUT;
}

/* If nothing of bytes has gone, it is forgotten: -ETIMEDOUT. Else the rest will go: 0. */
static int begun(struct link *l, int err, size_t bytes)
{
	if (err != -ETIMEDOUT)
		return err;
	if (l->rest_bytes < bytes)
		return 0;
	free(l->rest);
	l->rest = NULL;
	return kb_fail(l, ETIMEDOUT, "the daemon has taken nothing in time");
}

static int send_all(struct link *l, struct iovec *parts, size_t count)
{
	while (count > 0) {
		const struct msghdr m = {.msg_iov = parts, .msg_iovlen = count};
		ssize_t             n = sendmsg(l->fd, &m, MSG_NOSIGNAL | (l->deadline ? MSG_DONTWAIT : 0));
		if (n < 0 && errno == EAGAIN && l->deadline) {
			struct pollfd p = {l->fd, POLLOUT, 0};
			int           left = kb_left(l);
			if (left == 0)
				return keep_rest(l, parts, count);
			poll(&p, 1, left);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kb_lose(l);
		for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--)
			n -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static void strand(struct link *l, int on)
{
	uint32_t *word = kb_up_stranded(&l->seg);
	if (on)
		kb_store(word, 1);
	else if (kb_swap(word, 0) == 0 && l->pollable && l->own_bell < 0)
		l->shared->bells++;
}

/* Waits until the ring has room. -ETIMEDOUT at the deadline. */
static int make_room(struct link *l)
{
	struct frame f;
	for (;;) {
		int err = kb_push(l), full = err ? err : kb_ring_full(&l->seg, &l->shared->at);
		if (full <= 0)
			return full < 0 ? kb_lose(l) : 0;
		int n = kb_take(l, &f, 0);
		if (n < 0)
			return n;
		if (n > 0) {
			kb_other(l, &f);
			continue;
		}
		int left = kb_left(l);
		if (left == 0)
			return -ETIMEDOUT;
		strand(l, 1);
		kb_doze(l);
		n = 0;
		if (kb_ring_full(&l->seg, &l->shared->at) == 1 && kb_ring_available(&l->seg, &l->shared->at) == 0)
			n = kb_sleep(l, left);
		kb_awake(l);
		strand(l, 0);
		if (n == -ENOTCONN)
			return kb_lose(l);
	}
}

static int put_ring(struct link *l, struct iovec *parts, size_t count)
{
	while (count > 0) {
		if (parts->iov_len == 0) {
			parts++;
			count--;
			continue;
		}
		int64_t put = kb_ring_append(&l->seg, &l->shared->at, parts->iov_base, parts->iov_len);
		if (put < 0)
			return kb_lose(l);
		parts->iov_base = (char *)parts->iov_base + put;
		parts->iov_len -= (size_t)put;
		if (parts->iov_len == 0)
			continue;
		int err = make_room(l);
		if (err)
			return err == -ETIMEDOUT ? keep_rest(l, parts, count) : err;
	}
	return 0;
}

/* Sends what is left of a frame. 0, or -ETIMEDOUT if something still is. */
static int send_rest(struct link *l)
{
	unsigned char *rest = l->rest;
	struct iovec   part = {rest, l->rest_bytes};
	l->rest = NULL;
	int err = l->seg.mem ? put_ring(l, &part, 1) : send_all(l, &part, 1);
	free(rest);
	return err;
}

static int put_socket(struct link *l, const unsigned char *head, const struct iovec *parts, int count, size_t bytes)
{
	struct posts *p = &l->posts;
	if (!p->buf && !(p->buf = malloc(COLLECTED_BYTES)))
		return kb_fail(l, ENOMEM, kb_text(30));
	if (p->held + bytes > COLLECTED_BYTES) {
		int err = kb_push(l);
		if (err || l->rest)
			return err ? err : kb_fail(l, ETIMEDOUT, "the daemon has taken nothing in time");
	}
	if (bytes > COLLECTED_BYTES) {
		struct iovec all[8] = {{(void *)(uintptr_t)head, FRAME_BYTES}};
		memcpy(all + 1, parts, (size_t)count * sizeof *parts);
		return begun(l, send_all(l, all, (size_t)count + 1), bytes);
	}
	memcpy(p->buf + p->held, head, FRAME_BYTES);
	p->held += FRAME_BYTES;
	for (int i = 0; i < count; i++)
		if (parts[i].iov_len > 0) {
			memcpy(p->buf + p->held, parts[i].iov_base, parts[i].iov_len);
			p->held += parts[i].iov_len;
		}
	return 0;
}

int kb_put(struct link *l, int op, int flags, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq)
{
	unsigned char head[FRAME_BYTES];
	uint64_t      bytes = 0;
	for (int i = 0; i < count; i++)
		bytes += parts[i].iov_len;
	if (bytes > kb_largest(l))
		return kb_too_long(l, bytes);
	int err = l->rest ? send_rest(l) : 0;
	if (err)
		return err == -ETIMEDOUT ? kb_fail(l, ETIMEDOUT, "the daemon has taken nothing in time") : err;
	if (++l->shared->seq == 0)
		l->shared->seq = 1;
	*seq = l->shared->seq;
	const struct frame f = {(uint32_t)bytes, (uint8_t)op, (uint8_t)flags, 0, *seq, arg};
	kb_put_frame(head, &f);
	l->posts.collected += FRAME_BYTES + (size_t)bytes;
	if (!l->seg.mem)
		return put_socket(l, head, parts, count, FRAME_BYTES + (size_t)bytes);
	struct iovec all[8] = {{head, FRAME_BYTES}};
	for (int i = 0; i < count; i++)
		all[i + 1] = parts[i];
	return begun(l, put_ring(l, all, (size_t)count + 1), FRAME_BYTES + (size_t)bytes);
}

int kb_later(struct link *l, int op, uint32_t arg)
{
	unsigned char *rest = realloc(l->rest, (l->rest ? l->rest_bytes : 0) + FRAME_BYTES);
	if (!rest)
		return kb_lose(l);
	if (!l->rest)
		l->rest_bytes = 0;
	const struct frame f = {.op = (uint8_t)op, .seq = ++l->shared->seq, .arg = arg};
	kb_put_frame(rest + l->rest_bytes, &f);
	l->rest = rest;
	l->rest_bytes += FRAME_BYTES;
	return 0;
}

int kb_push(struct link *l)
{
	l->posts.collected = 0;
	l->posts.unsent = 0;
	if (l->rest) {
		int err = send_rest(l);
		if (err && err != -ETIMEDOUT)
			return err;
	}
	if (l->seg.mem) {
		kb_ring_announce(&l->seg, &l->shared->at);
		if (kb_load(kb_up_asleep(&l->seg)) && kb_swap(kb_up_asleep(&l->seg), 0))
			kb_ring_bell(l);
		return 0;
	}
	struct iovec part = {l->posts.buf, l->posts.held};
	if (l->rest || part.iov_len == 0)
		return 0;
	l->posts.held = 0;
	int err = send_all(l, &part, 1);
	return err == -ETIMEDOUT ? 0 : err;
}

/* Waits until at least n bytes are in the ring. 1, 0 after the time, or -errno. */
static int await_ring(struct link *l, size_t n, int wait)
{
	for (;;) {
		int64_t there = kb_ring_available(&l->seg, &l->shared->at);
		if (there < 0 || (l->hung_up && (size_t)there < n))
			return kb_lose(l);
		if ((size_t)there >= n)
			return 1;
		int left = wait ? kb_left(l) : 0, woken = 1;
		if (left == 0)
			return 0;
		kb_doze(l);
		if (kb_ring_available(&l->seg, &l->shared->at) == there)
			woken = kb_sleep(l, left);
		kb_awake(l);
		if (woken == -ENOTCONN)
			l->hung_up = 1;
		else if (woken == -EINTR && l->interruptible)
			return woken;
	}
}

/* Reads bytes from the socket, and adds how many have come to *got. */
static int read_socket(struct link *l, unsigned char *p, size_t n, uint64_t *got, int wait)
{
	for (size_t here = 0; here < n;) {
		const int at_once = !wait && *got == 0;
		if (l->deadline && !at_once) {
			int woken = kb_sleep(l, kb_left(l));
			if (woken == 0)
				return 0;
			if (woken == -EINTR && l->interruptible && *got == 0)
				return woken;
			if (woken < 0)
				continue;
		}
		ssize_t more = recv(l->fd, p + here, n - here, at_once || l->deadline ? MSG_DONTWAIT : MSG_WAITALL);
		if (more > 0) {
			here += (size_t)more;
			*got += (uint64_t)more;
		} else if (more == 0 || (errno != EINTR && errno != EAGAIN)) {
			return kb_lose(l);
		} else if (errno == EAGAIN ? at_once : l->interruptible && *got == 0) {
			return errno == EAGAIN ? 0 : -EINTR;
		}
	}
	return 1;
}

/* Takes bytes of a frame, from a ring all n or none, and counts them. */
static int take_bytes(struct link *l, unsigned char *p, size_t n, int wait)
{
	if (!l->seg.mem)
		return read_socket(l, p, n, &l->got, wait);
	int there = await_ring(l, n, wait);
	if (there == 1) {
		l->got += n;
		kb_ring_take(&l->seg, &l->shared->at, p, n);
		if (kb_load(kb_down_stranded(&l->seg)) && kb_swap(kb_down_stranded(&l->seg), 0))
			kb_ring_bell(l);
	}
	return there;
}

int kb_take(struct link *l, struct frame *f, int wait)
{
	int n = 1;
	if (l->got < FRAME_BYTES)
		n = take_bytes(l, l->head + l->got, FRAME_BYTES - (size_t)l->got, wait);
	if (n <= 0)
		return n;
	kb_get_frame(l->head, f);
	if (f->bytes > LARGEST_RESULT)
		return kb_lose(l);
	if (f->bytes > l->in_size) {
		unsigned char *in = realloc(l->in, f->bytes);
		if (!in)
			return kb_lose(l); /* what follows cannot be read any more */
		l->in = in;
		l->in_size = f->bytes;
	}
	const int interruptible = l->interruptible;
	l->interruptible = 0;
	while (l->got < FRAME_BYTES + (uint64_t)f->bytes && n > 0) { /* more than a ring holds comes in pieces */
		size_t at = (size_t)(l->got - FRAME_BYTES), left = f->bytes - at;
		n = take_bytes(l, l->in + at, l->seg.mem && left > 4096 ? 4096 : left, 1);
	}
	l->interruptible = interruptible;
	if (n > 0)
		l->got = 0;
	return n;
}

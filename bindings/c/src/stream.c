#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"
#include "ready.h"

/* Bytes to the daemon and back, through the rings or the socket. Sending may have to wait for room; meanwhile results
 * are taken, because the daemon may be waiting for us to do so. */

enum { COLLECTED_BYTES = 32 << 10, LARGEST_RESULT = 1 << 30 };

void kb_ring_bell(const struct link *l)
{
	const uint64_t one = 1;
	(void)!write(l->bell, &one, sizeof one); /* it only fails when it is rung already */
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

static int send_all(struct link *l, struct iovec *parts, size_t count)
{
	while (count > 0) {
		const struct msghdr m = {.msg_iov = parts, .msg_iovlen = count};
		ssize_t             n = sendmsg(l->fd, &m, MSG_NOSIGNAL);
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
	else if (kb_swap(word, 0) == 0 && l->pollable)
		l->shared->bells++;
}

/* Waits until the ring has room. */
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
		strand(l, 1);
		kb_doze(l);
		n = 0;
		if (kb_ring_full(&l->seg, &l->shared->at) == 1 && kb_ring_available(&l->seg, &l->shared->at) == 0)
			n = kb_sleep(l, -1);
		kb_awake(l);
		strand(l, 0);
		if (n == -ENOTCONN)
			return kb_lose(l);
	}
}

static int put_ring(struct link *l, const void *p, size_t n)
{
	for (const unsigned char *at = p; n > 0;) {
		int64_t put = kb_ring_append(&l->seg, &l->shared->at, at, n);
		if (put < 0)
			return kb_lose(l);
		at += put;
		n -= (size_t)put;
		int err = n > 0 ? make_room(l) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int put_socket(struct link *l, const unsigned char *head, const struct iovec *parts, int count, size_t bytes)
{
	struct posts *p = &l->posts;
	if (!p->buf && !(p->buf = malloc(COLLECTED_BYTES)))
		return kb_fail(l, ENOMEM, kb_text(30));
	if (p->held + bytes > COLLECTED_BYTES) {
		int err = kb_push(l);
		if (err)
			return err;
	}
	if (bytes > COLLECTED_BYTES) {
		struct iovec all[8] = {{(void *)(uintptr_t)head, FRAME_BYTES}};
		memcpy(all + 1, parts, (size_t)count * sizeof *parts);
		return send_all(l, all, (size_t)count + 1);
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
		return kb_fail(l, EMSGSIZE, kb_text(17));
	if (++l->shared->seq == 0)
		l->shared->seq = 1;
	*seq = l->shared->seq;
	const struct frame f = {(uint32_t)bytes, (uint8_t)op, (uint8_t)flags, 0, *seq, arg};
	kb_put_frame(head, &f);
	l->posts.collected += FRAME_BYTES + (size_t)bytes;
	if (!l->seg.mem)
		return put_socket(l, head, parts, count, FRAME_BYTES + (size_t)bytes);
	int err = put_ring(l, head, sizeof head);
	for (int i = 0; i < count && err == 0; i++)
		err = put_ring(l, parts[i].iov_base, parts[i].iov_len);
	return err;
}

int kb_push(struct link *l)
{
	l->posts.collected = 0;
	l->posts.unsent = 0;
	if (l->seg.mem) {
		kb_ring_announce(&l->seg, &l->shared->at);
		if (kb_load(kb_up_asleep(&l->seg)) && kb_swap(kb_up_asleep(&l->seg), 0))
			kb_ring_bell(l);
		return 0;
	}
	struct iovec part = {l->posts.buf, l->posts.held};
	l->posts.held = 0;
	return part.iov_len > 0 ? send_all(l, &part, 1) : 0;
}

/* Waits until at least n bytes are in the ring. 1, 0 after the time, or -errno. */
static int await_ring(struct link *l, size_t n, int timeout_ms)
{
	int64_t began = timeout_ms > 0 ? kb_now_ms() : 0;
	for (;;) {
		int64_t there = kb_ring_available(&l->seg, &l->shared->at);
		if (there < 0 || (l->hung_up && (size_t)there < n))
			return kb_lose(l);
		if ((size_t)there >= n)
			return 1;
		int left = kb_left_ms(began, timeout_ms), woken = 1;
		if (left == 0)
			return 0;
		kb_doze(l);
		if (kb_ring_available(&l->seg, &l->shared->at) == there)
			woken = kb_sleep(l, left);
		kb_awake(l);
		if (woken == -ENOTCONN)
			l->hung_up = 1;
		else if (woken == -EINTR && timeout_ms != -1)
			return woken;
	}
}

/* The same for the socket, which is then read to exactly that many bytes. */
static int read_socket(struct link *l, unsigned char *p, size_t n, int timeout_ms)
{
	if (timeout_ms > 0) {
		int woken = kb_sleep(l, timeout_ms);
		if (woken <= 0)
			return woken;
	}
	for (size_t got = 0; got < n;) {
		ssize_t more = recv(l->fd, p + got, n - got, timeout_ms == 0 && got == 0 ? MSG_DONTWAIT : MSG_WAITALL);
		if (more > 0) {
			got += (size_t)more;
			continue;
		}
		if (more < 0 && errno == EAGAIN && got == 0)
			return 0;
		if (more < 0 && errno == EINTR) {
			if (got == 0 && timeout_ms > 0)
				return -EINTR;
			continue;
		}
		return kb_lose(l);
	}
	return 1;
}

static int take_bytes(struct link *l, void *p, size_t n, int timeout_ms)
{
	if (!l->seg.mem)
		return read_socket(l, p, n, timeout_ms);
	int there = await_ring(l, n, timeout_ms);
	if (there == 1) {
		kb_ring_take(&l->seg, &l->shared->at, p, n);
		if (kb_load(kb_down_stranded(&l->seg)) && kb_swap(kb_down_stranded(&l->seg), 0))
			kb_ring_bell(l);
	}
	return there;
}

int kb_take(struct link *l, struct frame *f, int timeout_ms)
{
	unsigned char head[FRAME_BYTES];
	int           n = take_bytes(l, head, sizeof head, timeout_ms);
	if (n <= 0)
		return n;
	kb_get_frame(head, f);
	if (f->bytes > LARGEST_RESULT)
		return kb_lose(l);
	if (f->bytes > l->in_size) {
		unsigned char *in = realloc(l->in, f->bytes);
		if (!in)
			return kb_lose(l); /* what follows cannot be read any more */
		l->in = in;
		l->in_size = f->bytes;
	}
	for (size_t got = 0; got < f->bytes && n > 0;) { /* more than a ring holds comes in pieces */
		size_t piece = l->seg.mem && f->bytes - got > 4096 ? 4096 : f->bytes - got;
		n = take_bytes(l, l->in + got, piece, -1);
		got += piece;
	}
	return n;
}

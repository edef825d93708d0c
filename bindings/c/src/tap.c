#include "kbus/kbus_tap.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link.h"
#include "own.h"
#include "tapwire.h"
#include "trace.h"

/* A tap's connection: nothing goes through it but what the tap is shown. So it asks once and then listens, and reads as
 * many bytes as have come, of which several events are made. */

enum { BUFFER_BYTES = 64 << 10, LARGEST_BYTES = 1 << 30, ANSWER_MS = 5000 };

struct kbus_tap {
	struct link    link;
	unsigned char *buf;
	size_t         size, from, to; /* bytes from..to of buf are not looked at yet */
};

/* Makes room behind what is there for a frame of n bytes. */
static int make_room(kbus_tap_t *t, size_t n)
{
	if (t->from > 0) {
		memmove(t->buf, t->buf + t->from, t->to - t->from);
		t->to -= t->from;
		t->from = 0;
	}
	if (n <= t->size)
		return 0;
	unsigned char *more = realloc(t->buf, n);
	if (!more)
		return kb_fail(&t->link, ENOMEM, kb_text(30));
	t->buf = more;
	t->size = n;
	return 0;
}

/* Reads what has come. 1, 0 at the deadline, or -errno. */
static int read_more(kbus_tap_t *t)
{
	for (;;) {
		ssize_t n = recv(t->link.fd, t->buf + t->to, t->size - t->to, MSG_DONTWAIT);
		if (n > 0) {
			t->to += (size_t)n;
			return 1;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return kb_lose(&t->link);
		if (errno == EINTR)
			continue;
		struct pollfd p = {t->link.fd, POLLIN, 0};
		int           left = kb_left(&t->link);
		if (left == 0)
			return 0;
		if (poll(&p, 1, left) < 0 && t->link.interruptible)
			return kb_fail(&t->link, errno, "a signal handler has run");
	}
}

/* Gives the next frame, whose payload is valid until the next call. 1, 0 at the deadline, or -errno. */
static int next_frame(kbus_tap_t *t, struct frame *f, const unsigned char **payload)
{
	for (;;) {
		size_t there = t->to - t->from, wanted = FRAME_BYTES;
		if (there >= FRAME_BYTES) {
			kb_get_frame(t->buf + t->from, f);
			if (f->bytes > LARGEST_BYTES)
				return kb_lose(&t->link);
			wanted += f->bytes;
		}
		if (there >= wanted && there >= FRAME_BYTES) {
			*payload = t->buf + t->from + FRAME_BYTES;
			t->from += wanted;
			return 1;
		}
		int n = make_room(t, wanted);
		if (n == 0)
			n = read_more(t);
		if (n <= 0)
			return n;
	}
}

/* Says what is wanted, and waits for the answer. */
static int begin(kbus_tap_t *t, const kbus_tap_filter_t *filter)
{
	struct frame         f;
	const unsigned char *payload;
	unsigned char       *asked;
	uint32_t             seq;
	size_t               n;
	int                  err = kb_put_tap_filter(filter, &asked, &n);
	if (err)
		return err;
	struct iovec part = {asked, n};
	kb_limit(&t->link, ANSWER_MS);
	err = kb_put(&t->link, OP_TAP, 0, 0, &part, 1, &seq);
	if (err == 0)
		err = kb_push(&t->link);
	free(asked);
	if (err)
		return err;
	int got = next_frame(t, &f, &payload);
	if (got <= 0)
		return got < 0 ? got : -ETIMEDOUT;
	if (f.condition)
		return -kb_errno(f.condition);
	return f.op == OP_TAP && f.seq == seq ? 0 : -EPROTO;
}

static int open_at(kbus_tap_t **tap, const char *path, const kbus_tap_filter_t *filter)
{
	kbus_tap_t *t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	kb_link_init(&t->link);
	int err = kb_link_open(&t->link, path, KBUS_BUS_OBSERVE, FEATURE_TRACE, 0, NULL);
	if (err == 0) {
		t->buf = malloc(BUFFER_BYTES);
		t->size = BUFFER_BYTES;
		err = t->buf ? begin(t, filter) : -ENOMEM;
	}
	if (err) {
		kbus_tap_close(t);
		return err;
	}
	*tap = t;
	return 0;
}

int kbus_tap_open_at(kbus_tap_t **tap, const char *path, const kbus_tap_filter_t *filter)
{
	const int cancel = kb_hold_cancel();
	const int err = open_at(tap, path, filter);
	kb_let_cancel(cancel);
	return err;
}

int kbus_tap_open(kbus_tap_t **tap, uint32_t number, const kbus_tap_filter_t *filter)
{
	char path[4096];
	int  err = kb_socket_path(path, sizeof path, number);
	return err ? err : kbus_tap_open_at(tap, path, filter);
}

int kbus_tap_next(kbus_tap_t *tap, kbus_tap_event_t *event, int timeout_ms)
{
	struct frame         f;
	const unsigned char *payload;
	if (!kb_link_own(&tap->link))
		return kb_fail(&tap->link, EBADF, "this tap is another process's: open one after fork");
	if (tap->link.gone)
		return kb_fail(&tap->link, ENOTCONN, kb_text(39));
	kb_limit(&tap->link, timeout_ms);
	tap->link.interruptible = 1;
	for (;;) {
		int n = next_frame(tap, &f, &payload);
		if (n <= 0)
			return n;
		if (f.op != OP_TAPPED)
			continue; /* the bus is ending, in order */
		tap->link.found.bytes = 0;
		return kb_get_tap_event(&f, payload, event, &tap->link.found) ? kb_lose(&tap->link) : 1;
	}
}

int kbus_tap_trace(kbus_tap_t *tap, kbus_bus_trace_t *trace)
{
	if (tap->link.found.bytes == 0)
		return 0;
	kb_give_trace(&tap->link.found, trace);
	return 1;
}

int kbus_tap_fd(kbus_tap_t *tap)
{
	if (!kb_link_own(&tap->link))
		return kb_fail(&tap->link, EBADF, "this tap is another process's: open one after fork");
	return tap->link.fd;
}

const char *kbus_tap_why(const kbus_tap_t *tap) { return tap->link.why; }

void kbus_tap_close(kbus_tap_t *tap)
{
	if (!tap)
		return;
	kb_link_close(&tap->link, 0);
	free(tap->buf);
	free(tap);
}

#include <errno.h>
#include <string.h>

#include "handle.h"
#include "trace.h"

/* Sending the modern way. A message that is posted goes into the ring, or a buffer, with others; the daemon hears of
 * them when they are 64 or 16 KiB, or when anything else is done with the handle. Results of posts are lazy: they
 * are in the ring when we next look, and wake no process. At most 256 of them are outstanding; to have them all, ask
 * for something whose result comes behind theirs. */

enum { POSTS_TOGETHER = 64, BYTES_TOGETHER = 16 << 10, POSTS_OPEN = 256 };

int kb_put_bus_msg(struct link *l, int op, int flags, const kbus_bus_msg_t *msg, uint32_t *seq)
{
	unsigned char  head[MESSAGE_BYTES];
	kbus_bus_msg_t m = *msg;
	if (!m.name)
		return kb_fail(l, EINVAL, "the message has no name");
	if (m.name_len == 0) {
		size_t n = strlen(m.name);
		m.name_len = n <= KBUS_MAX_NAME_LEN ? (uint32_t)n : KBUS_MAX_NAME_LEN + 1;
	}
	if (m.name_len > KBUS_MAX_NAME_LEN)
		return kb_fail(l, ENAMETOOLONG, kb_text(16));
	if (m.data_len >= l->most)
		return kb_too_long(l, m.data_len);
	if (m.data_len > 0 && !m.data)
		return kb_fail(l, EINVAL, "the message has a length of data and no data");
	const int traced = (l->granted & FEATURE_TRACE) != 0 && l->sends.bytes > 0;
	if (l->granted & FEATURE_TRACE) /* else the flag is the program's own */
		m.flags = traced ? m.flags | MESSAGE_TRACE : m.flags & ~(uint32_t)MESSAGE_TRACE;
	kb_put_message(head, &m);
	const struct iovec parts[] = {
		{head, sizeof head}, {(void *)(uintptr_t)m.name, m.name_len}, {(void *)(uintptr_t)m.data, m.data_len},
		{l->sends.raw, l->sends.bytes},
	};
	return kb_put(l, op, flags, 0, parts, traced ? 4 : 3, seq);
}

int kb_send(struct link *l, const kbus_bus_msg_t *msg, kbus_bus_sent_t *sent)
{
	kbus_bus_sent_t s;
	struct frame    f;
	uint32_t        seq;
	const unsigned  request = msg->flags & KBUS_BIT_WANT_A_REPLY ? LATE_REQUEST : 0;
	int             err = kb_asked_room(&l->asked) ? kb_fail(l, ENOMEM, kb_text(30)) : 0;
	if (err == 0)
		err = kb_put_bus_msg(l, OP_SEND_MESSAGE, 0, msg, &seq);
	if (err == 0)
		err = kb_push(l);
	if (err)
		return err;
	err = kb_result(l, seq, &f);
	if (err == -ETIMEDOUT)
		kb_late(l, seq, OP_SEND_MESSAGE, request);
	if (err)
		return err;
	if (kb_get_sent(l->in, &f, &s))
		return kb_lose(l);
	kb_book_sent(l, request != 0, f.condition, s.id);
	if (sent && (f.condition == CONDITION_OK || f.condition == CONDITION_PENDING))
		*sent = s;
	return kb_failed(l, &f);
}

int kbus_bus_send(kbus_bus_t *bus, const kbus_bus_msg_t *msg, kbus_bus_sent_t *what)
{
	int err = kb_begin(bus);
	return err ? err : kb_end(bus, kb_send(&bus->link, msg, what));
}

/* Sends a Reply with the trace context of its Request, if we have none of our own. */
static int send_reply(struct link *l, const kbus_bus_msg_t *request, const kbus_bus_msg_t *m, kbus_bus_sent_t *what)
{
	if (l->sends.bytes > 0 || !kb_trace_is_of(&l->found, request))
		return kb_send(l, m, what);
	l->sends = l->found;
	int err = kb_send(l, m, what);
	l->sends.bytes = 0;
	return err;
}

int kbus_bus_reply(kbus_bus_t *bus, const kbus_bus_msg_t *request, const void *data, uint32_t data_len,
                   kbus_bus_sent_t *what)
{
	const uint32_t both = KBUS_BIT_WANT_A_REPLY | KBUS_BIT_WANT_YOU_TO_REPLY;
	int            err = kb_begin(bus);
	if (err)
		return err;
	if ((request->flags & both) != both)
		return kb_end(bus, kb_fail(&bus->link, EBADMSG, "that message wants no reply from us"));
	const kbus_bus_msg_t m = {
		.in_reply_to = request->id, .to = request->from, .name = request->name, .name_len = request->name_len,
		.data = data, .data_len = data_len,
	};
	return kb_end(bus, send_reply(&bus->link, request, &m, what));
}

/* Waits until all posts have their results. */
static int collect_posts(kbus_bus_t *b)
{
	struct frame f;
	if (b->link.posts.done == b->link.posts.posted)
		return 0;
	return kb_ask(&b->link, OP_RESET, 0, NULL, 0, &f);
}

static int post(kbus_bus_t *bus, const kbus_bus_msg_t *msg)
{
	struct posts *p = &bus->link.posts;
	struct frame  f;
	uint32_t      seq;
	int           err, n = 0;
	if (msg->flags & (KBUS_BIT_WANT_A_REPLY | KBUS_BIT_ALL_OR_WAIT))
		return kb_fail(&bus->link, EINVAL, "a Request, or a message that may have to wait, is to be sent, not posted");
	if (p->posted - p->done >= POSTS_OPEN / 2) /* take those that have come; only then wait */
		while ((n = bus->link.seg.mem ? kb_take(&bus->link, &f, 0) : 0) > 0)
			kb_other(&bus->link, &f);
	if (n == 0 && p->posted - p->done >= POSTS_OPEN)
		n = collect_posts(bus);
	if (n < 0)
		return n;
	err = kb_put_bus_msg(&bus->link, OP_SEND_MESSAGE, FLAG_LAZY, msg, &seq);
	if (err)
		return err;
	p->posted++;
	if (++p->unsent >= POSTS_TOGETHER || p->collected >= BYTES_TOGETHER)
		err = kb_push(&bus->link);
	return err;
}

int kbus_bus_post(kbus_bus_t *bus, const kbus_bus_msg_t *msg)
{
	int err = kb_begin(bus);
	return err ? err : kb_leave_turn(bus, post(bus, msg));
}

int kbus_bus_flush(kbus_bus_t *bus, kbus_bus_totals_t *totals)
{
	int err = kb_begin(bus);
	if (err)
		return err;
	err = collect_posts(bus);
	if (err == 0 && totals)
		*totals = bus->link.posts.totals;
	if (err == 0)
		bus->link.posts.totals.first_error = 0;
	return kb_end(bus, err);
}

static int resend(struct link *l, kbus_bus_sent_t *sent)
{
	kbus_bus_sent_t s;
	struct frame    f;
	uint32_t        seq;
	int             err = kb_request(l, OP_RESEND, 0, NULL, 0, &seq);
	if (err)
		return err;
	err = kb_result(l, seq, &f);
	if (err == -ETIMEDOUT)
		kb_late(l, seq, OP_RESEND, 0);
	if (err)
		return err;
	if (kb_get_sent(l->in, &f, &s))
		return kb_lose(l);
	kb_book_resent(l, f.condition);
	if (sent && (f.condition == CONDITION_OK || f.condition == CONDITION_PENDING))
		*sent = s;
	return kb_failed(l, &f);
}

int kbus_bus_resend(kbus_bus_t *bus, kbus_bus_sent_t *sent)
{
	int err = kb_begin(bus);
	return err ? err : kb_end(bus, resend(&bus->link, sent));
}

int kbus_bus_discard(kbus_bus_t *bus)
{
	int err = kb_begin(bus);
	return err ? err : kb_end(bus, kb_discard(&bus->link));
}

#include <errno.h>
#include <string.h>

#include "bus.h"

/* Sending the modern way. A message that is posted goes into the ring, or a buffer, with others; the daemon hears of
 * them when they are 64 or 16 KiB, or when anything else is done with the handle. Results of posts are lazy: they are
 * in the ring when we next look, and nobody is woken for them. Those to come are at most 256; to be sure of them
 * something whose result comes behind theirs is asked. */

enum { POSTS_TOGETHER = 64, BYTES_TOGETHER = 16 << 10, POSTS_OPEN = 256 };

int kb_put_bus_msg(kbus_bus_t *b, int op, int flags, const kbus_bus_msg_t *msg, uint32_t *seq)
{
	unsigned char  head[MESSAGE_BYTES];
	kbus_bus_msg_t m = *msg;
	if (!m.name)
		return kb_fail(&b->link, EINVAL, "the message has no name");
	if (m.name_len == 0) {
		size_t n = strlen(m.name);
		m.name_len = n <= KBUS_MAX_NAME_LEN ? (uint32_t)n : KBUS_MAX_NAME_LEN + 1;
	}
	if (m.name_len > KBUS_MAX_NAME_LEN)
		return kb_fail(&b->link, ENAMETOOLONG, kb_text(16));
	if (m.data_len >= b->link.most)
		return kb_fail(&b->link, EMSGSIZE, kb_text(17));
	if (m.data_len > 0 && !m.data)
		return kb_fail(&b->link, EINVAL, "the message has a length of data and no data");
	kb_put_message(head, &m);
	const struct iovec parts[] = {
		{head, sizeof head}, {(void *)(uintptr_t)m.name, m.name_len}, {(void *)(uintptr_t)m.data, m.data_len},
	};
	return kb_put(&b->link, op, flags, 0, parts, 3, seq);
}

static int send(kbus_bus_t *b, const kbus_bus_msg_t *msg, kbus_bus_sent_t *sent)
{
	struct link    *l = &b->link;
	kbus_bus_sent_t s;
	struct frame    f;
	uint32_t        seq;
	int             err = kb_begin(b);
	if (err == 0 && kb_asked_room(&l->asked))
		err = kb_fail(l, ENOMEM, kb_text(30));
	if (err == 0)
		err = kb_put_bus_msg(b, OP_SEND_MESSAGE, 0, msg, &seq);
	if (err == 0)
		err = kb_push(l);
	if (err == 0)
		err = kb_result(l, seq, &f);
	if (err)
		return err;
	kb_get_sent(l->in, f.bytes, &s);
	kb_book_sent(l, (msg->flags & KBUS_BIT_WANT_A_REPLY) != 0, f.condition, s.id);
	if (sent && (f.condition == CONDITION_OK || f.condition == CONDITION_PENDING))
		*sent = s;
	return f.condition ? kb_fail(l, kb_errno(f.condition), kb_text(f.condition)) : 0;
}

int kbus_bus_send(kbus_bus_t *bus, const kbus_bus_msg_t *msg, kbus_bus_sent_t *sent)
{
	return kb_end(bus, send(bus, msg, sent));
}

int kbus_bus_reply(kbus_bus_t *bus, const kbus_bus_msg_t *request, const void *data, uint32_t data_len,
                   kbus_bus_sent_t *sent)
{
	const uint32_t both = KBUS_BIT_WANT_A_REPLY | KBUS_BIT_WANT_YOU_TO_REPLY;
	if ((request->flags & both) != both)
		return kb_fail(&bus->link, EBADMSG, "that message wants no reply from us");
	const kbus_bus_msg_t m = {
		.in_reply_to = request->id, .to = request->from, .name = request->name, .name_len = request->name_len,
		.data = data, .data_len = data_len,
	};
	return kbus_bus_send(bus, &m, sent);
}

/* Waits until all posts have their results. */
static int settle_posts(kbus_bus_t *b)
{
	struct frame f;
	if (b->link.posts.done == b->link.posts.posted)
		return 0;
	return kb_ask(&b->link, OP_RESET, 0, NULL, 0, &f);
}

int kbus_bus_post(kbus_bus_t *bus, const kbus_bus_msg_t *msg)
{
	struct posts *p = &bus->link.posts;
	struct frame  f;
	uint32_t      seq;
	int           err = kb_begin(bus), n = 0;
	if (err)
		return err;
	if (msg->flags & (KBUS_BIT_WANT_A_REPLY | KBUS_BIT_ALL_OR_WAIT))
		return kb_fail(&bus->link, EINVAL, "a Request, or a message that may have to wait, is to be sent, not posted");
	if (p->posted - p->done >= POSTS_OPEN / 2) /* take those that have come; only then wait */
		while ((n = bus->link.seg.mem ? kb_take(&bus->link, &f, 0) : 0) > 0)
			kb_other(&bus->link, &f);
	if (n == 0 && p->posted - p->done >= POSTS_OPEN)
		n = settle_posts(bus);
	if (n < 0)
		return n;
	err = kb_put_bus_msg(bus, OP_SEND_MESSAGE, FLAG_LAZY, msg, &seq);
	if (err)
		return err;
	p->posted++;
	if (++p->unsent >= POSTS_TOGETHER || p->collected >= BYTES_TOGETHER)
		err = kb_push(&bus->link);
	return err;
}

int kbus_bus_flush(kbus_bus_t *bus, kbus_bus_totals_t *totals)
{
	int err = kb_begin(bus);
	if (err == 0)
		err = settle_posts(bus);
	if (err == 0 && totals)
		*totals = bus->link.posts.totals;
	if (err == 0)
		bus->link.posts.totals.first_error = 0;
	return kb_end(bus, err);
}

int kbus_bus_resend(kbus_bus_t *bus, kbus_bus_sent_t *sent)
{
	struct link *l = &bus->link;
	struct frame f;
	uint32_t     seq;
	int          err = kb_begin(bus);
	if (err == 0)
		err = kb_request(l, OP_RESEND, 0, NULL, 0, &seq);
	if (err == 0)
		err = kb_result(l, seq, &f);
	if (err)
		return err;
	kb_book_resent(l, f.condition);
	if (sent && (f.condition == CONDITION_OK || f.condition == CONDITION_PENDING))
		kb_get_sent(l->in, f.bytes, sent);
	return kb_end(bus, f.condition ? kb_fail(l, kb_errno(f.condition), kb_text(f.condition)) : 0);
}

int kbus_bus_discard(kbus_bus_t *bus)
{
	int err = kb_begin(bus);
	return kb_end(bus, err ? err : kb_discard(&bus->link));
}

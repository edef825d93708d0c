#include <errno.h>
#include <limits.h>
#include <string.h>

#include "bus.h"

/* What waits: for an answer, or for room. A request that is given up is canceled, and then it is known whether its
 * answer has come after all; nothing is lost in between. */

/* Takes results until that of request seq; after the time it is canceled. 1: f is its result, which may be that it was
 * canceled. 0 or -errno: nothing has come. */
static int result_in_time(struct link *l, uint32_t seq, struct frame *f, int timeout_ms)
{
	const int64_t began = kb_now_ms();
	for (;;) {
		int left = timeout_ms < 0 ? INT_MAX : timeout_ms == 0 ? 0 : kb_left_ms(began, timeout_ms);
		int n = kb_take(l, f, left);
		if (n > 0 && f->seq == seq && f->op != OP_STOPPING)
			return 1;
		if (n > 0) {
			kb_other(l, f);
			continue;
		}
		if (n == 0 && timeout_ms < 0)
			continue;
		if (l->gone)
			return n;
		uint32_t cancel;
		int      err = kb_request(l, OP_CANCEL, seq, NULL, 0, &cancel);
		if (err == 0)
			err = kb_result(l, seq, f); /* comes first, whichever it is */
		if (err)
			return err;
		if (f->condition == CONDITION_CANCELED && n < 0)
			kb_fail(l, -n, "interrupted by a signal");
		return n < 0 && f->condition == CONDITION_CANCELED ? n : 1;
	}
}

static int wait_sent(kbus_bus_t *b, int timeout_ms)
{
	struct frame f = {0};
	uint32_t     seq;
	int          err = kb_begin(b);
	if (err == 0)
		err = kb_request(&b->link, OP_WAIT_SENT, 0, NULL, 0, &seq);
	if (err == 0)
		err = result_in_time(&b->link, seq, &f, timeout_ms);
	if (err < 0)
		return err;
	if (f.condition == CONDITION_CANCELED)
		return kb_fail(&b->link, ETIMEDOUT, "the message still waits for room");
	b->link.shared->sending = 0;
	return -kb_errno(f.condition);
}

int kbus_bus_wait_sent(kbus_bus_t *bus, int timeout_ms) { return kb_end(bus, wait_sent(bus, timeout_ms)); }

static int call(kbus_bus_t *b, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id, int timeout_ms)
{
	struct link *l = &b->link;
	struct frame f = {0};
	uint32_t     seq;
	int          err = kb_begin(b);
	if (err)
		return err;
	if (!(request->flags & KBUS_BIT_WANT_A_REPLY))
		return kb_fail(l, EINVAL, "only a Request has a Reply to wait for: set KBUS_BIT_WANT_A_REPLY");
	if (kb_asked_room(&l->asked))
		return kb_fail(l, ENOMEM, kb_text(30));
	err = kb_put_bus_msg(b, OP_CALL, 0, request, &seq);
	if (err == 0)
		err = kb_push(l);
	if (err == 0)
		err = result_in_time(l, seq, &f, timeout_ms);
	if (err < 0 && f.condition != CONDITION_CANCELED)
		return err;
	if (f.condition == CONDITION_CANCELED && f.bytes >= 8) { /* its answer will come as any other message */
		const kbus_msg_id_t asked = {kb_get32(l->in), kb_get32(l->in + 4)};
		kb_asked_add(&l->asked, asked);
		if (id)
			*id = asked;
		return err < 0 ? err : kb_fail(l, ETIMEDOUT, "no Reply has come in time");
	}
	if (f.condition)
		return kb_fail(l, kb_errno(f.condition), kb_text(f.condition));
	kbus_bus_release(b);
	if (kb_get_message(l->in, f.bytes, reply))
		return kb_lose(l);
	if (id)
		*id = reply->in_reply_to;
	kb_hold(b, reply);
	return 1;
}

int kbus_bus_call(kbus_bus_t *bus, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id,
                  int timeout_ms)
{
	return kb_end(bus, call(bus, request, reply, id, timeout_ms));
}

int kbus_bus_is_status(const kbus_bus_msg_t *msg)
{
	static const char begin[] = "$.KBUS.";
	return (msg->in_reply_to.network_id != 0 || msg->in_reply_to.serial_num != 0) && msg->name_len >= sizeof begin &&
	       memcmp(msg->name, begin, sizeof begin - 1) == 0;
}

#include "handle.h"

/* Waiting: for an answer, or for room. A request that is given up is canceled, and the result of that says whether
 * its answer has come after all; nothing is lost in between. A caller with a time limit waits for that result only a
 * moment longer, for the daemon may be standing still.
 *
 * A signal does not end this waiting: a program that called again after it would ask twice. */

static int wait_sent(struct link *l)
{
	struct frame f;
	uint32_t     seq;
	int          op = OP_CANCEL, err = kb_request(l, OP_WAIT_SENT, 0, NULL, 0, &seq);
	if (err)
		return err;
	err = kb_result(l, seq, &f);
	if (err == -ETIMEDOUT) {
		err = kb_give_up(l, seq, &op, &f);
		if (err == -ETIMEDOUT)
			kb_late(l, seq, OP_WAIT_SENT, 0);
	}
	if (err == -ETIMEDOUT || (err == 0 && f.condition == CONDITION_CANCELED))
		return kb_fail(l, ETIMEDOUT, "the message still waits for room");
	if (err)
		return err;
	l->shared->sending = 0;
	return kb_failed(l, &f);
}

int kbus_bus_wait_sent(kbus_bus_t *bus, int timeout_ms)
{
	int err = kb_turn(bus, timeout_ms);
	if (err)
		return err;
	return kb_end(bus, bus->link.gone ? kb_lose(&bus->link) : wait_sent(&bus->link));
}

/* The result of a Call, within the time limit or a moment later. */
static int answer(struct link *l, uint32_t seq, int *op, struct frame *f)
{
	const unsigned keep = *op == OP_CANCEL ? LATE_KEEP : 0;
	int            err = kb_result(l, seq, f);
	if (err != -ETIMEDOUT)
		return err;
	err = kb_give_up(l, seq, op, f);
	if (err != -ETIMEDOUT)
		return err;
	kb_late(l, seq, OP_CALL, keep);
	return kb_fail(l, ETIMEDOUT, "no Reply has come in time, and the daemon does not answer");
}

static int call(kbus_bus_t *b, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id, int flags)
{
	struct link *l = &b->link;
	struct frame f;
	uint32_t     seq;
	int          op = flags & KBUS_BUS_KEEP_LATE_ANSWER ? OP_CANCEL : OP_GIVE_UP;
	if (l->gone)
		return kb_lose(l);
	if (!(request->flags & KBUS_BIT_WANT_A_REPLY))
		return kb_fail(l, EINVAL, "only a Request has a Reply to wait for: set KBUS_BIT_WANT_A_REPLY");
	if (kb_asked_room(&l->asked))
		return kb_fail(l, ENOMEM, kb_text(30));
	if (id)
		memset(id, 0, sizeof *id);
	int err = kb_put_bus_msg(l, OP_CALL, 0, request, &seq);
	if (err == 0)
		err = kb_push(l);
	if (err == 0)
		err = answer(l, seq, &op, &f);
	if (err)
		return err;
	if (f.condition == CONDITION_CANCELED && f.bytes >= 8) {
		const kbus_msg_id_t asked = {kb_get32(l->in), kb_get32(l->in + 4)};
		if (op == OP_CANCEL) /* its answer will come as any other message */
			kb_asked_add(&l->asked, asked);
		if (id)
			*id = asked;
		return kb_fail(l, ETIMEDOUT, "no Reply has come in time");
	}
	if (f.condition)
		return kb_failed(l, &f);
	kb_release(b);
	if (kb_get_message(l->in, f.bytes, reply, &l->found))
		return kb_lose(l);
	if (id)
		*id = reply->in_reply_to;
	kb_hold(b, reply);
	return 1;
}

int kbus_bus_call_with(kbus_bus_t *bus, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id,
                       int timeout_ms, int flags)
{
	int err = kb_turn(bus, timeout_ms);
	if (err)
		return err;
	return kb_end(bus, call(bus, request, reply, id, flags));
}

int kbus_bus_call(kbus_bus_t *bus, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id,
                  int timeout_ms)
{
	return kbus_bus_call_with(bus, request, reply, id, timeout_ms, 0);
}

int kbus_bus_is_status(const kbus_bus_msg_t *msg)
{
	static const char begin[] = "$.KBUS.";
	return (msg->in_reply_to.network_id != 0 || msg->in_reply_to.serial_num != 0) && msg->name_len >= sizeof begin &&
	       memcmp(msg->name, begin, sizeof begin - 1) == 0;
}

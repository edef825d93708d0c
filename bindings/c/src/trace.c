#include "trace.h"

#include <errno.h>
#include <string.h>

static int same(const kbus_msg_id_t *a, const kbus_msg_id_t *b)
{
	return a->network_id == b->network_id && a->serial_num == b->serial_num;
}

int kb_trace_is_of(const struct trace *t, const kbus_bus_msg_t *m)
{
	return t->bytes > 0 && same(&t->id, &m->id) && same(&t->in_reply_to, &m->in_reply_to);
}

int kb_make_trace(struct trace *t, const kbus_bus_trace_t *from, const char **why)
{
	t->bytes = 0;
	if (!from || !from->parent)
		return 0;
	const size_t parent = from->parent_len ? from->parent_len : strlen(from->parent);
	const size_t state = !from->state ? 0 : from->state_len ? from->state_len : strlen(from->state);
	*why = parent > KBUS_BUS_MAX_TRACEPARENT ? "a traceparent may have 128 bytes" : "a tracestate may have 512 bytes";
	if (parent > KBUS_BUS_MAX_TRACEPARENT || state > KBUS_BUS_MAX_TRACESTATE)
		return -EMSGSIZE;
	if (parent == 0)
		return 0;
	kb_put16(t->raw, (uint32_t)parent);
	kb_put16(t->raw + 2, (uint32_t)state);
	memcpy(t->raw + TRACE_LENGTHS, from->parent, parent);
	if (state > 0)
		memcpy(t->raw + TRACE_LENGTHS + parent, from->state, state);
	t->bytes = (uint32_t)(TRACE_LENGTHS + parent + state);
	return 0;
}

void kb_give_trace(const struct trace *t, kbus_bus_trace_t *to)
{
	to->parent = (const char *)t->raw + TRACE_LENGTHS;
	to->parent_len = kb_get16(t->raw);
	to->state = to->parent + to->parent_len;
	to->state_len = kb_get16(t->raw + 2);
}

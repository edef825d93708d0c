#include "wire.h"

#include <errno.h>
#include <string.h>

/* Byte by byte, so that neither the machine's byte order nor alignment matters; compilers make one instruction of it.
 * */

void kb_put16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

void kb_put32(unsigned char *p, uint32_t v)
{
	kb_put16(p, v);
	kb_put16(p + 2, v >> 16);
}

uint32_t kb_get16(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

uint32_t kb_get32(const unsigned char *p) { return kb_get16(p) | kb_get16(p + 2) << 16; }

void kb_put_frame(unsigned char p[FRAME_BYTES], const struct frame *f)
{
	kb_put32(p, f->bytes);
	p[4] = f->op;
	p[5] = f->flags;
	kb_put16(p + 6, f->condition);
	kb_put32(p + 8, f->seq);
	kb_put32(p + 12, f->arg);
}

void kb_get_frame(const unsigned char p[FRAME_BYTES], struct frame *f)
{
	f->bytes = kb_get32(p);
	f->op = p[4];
	f->flags = p[5];
	f->condition = (uint16_t)kb_get16(p + 6);
	f->seq = kb_get32(p + 8);
	f->arg = kb_get32(p + 12);
}

void kb_put_message(unsigned char p[MESSAGE_BYTES], const kbus_bus_msg_t *m)
{
	const uint32_t words[MESSAGE_BYTES / 4] = {
		m->id.network_id, m->id.serial_num, m->in_reply_to.network_id, m->in_reply_to.serial_num, m->to, m->from,
		m->orig_from.network_id, m->orig_from.local_id, m->final_to.network_id, m->final_to.local_id, 0, m->flags,
		m->name_len, m->data_len,
	};
	for (size_t i = 0; i < MESSAGE_BYTES / 4; i++)
		kb_put32(p + 4 * i, words[i]);
}

/* Keeps what follows the data of a message: n bytes, which must be one trace context. t may be NULL. */
static int keep_trace(struct trace *t, const kbus_bus_msg_t *m, const unsigned char *p, size_t n)
{
	if (n < TRACE_LENGTHS || n != TRACE_LENGTHS + (size_t)kb_get16(p) + kb_get16(p + 2))
		return -EPROTO;
	if (!t)
		return 0;
	t->bytes = n <= TRACE_BYTES ? (uint32_t)n : 0; /* a later bus may have longer ones */
	t->id = m->id;
	t->in_reply_to = m->in_reply_to;
	memcpy(t->raw, p, t->bytes);
	return 0;
}

/* Takes what follows a message of which n bytes are left. */
static int get_following(const unsigned char *p, uint64_t n, kbus_bus_msg_t *m, struct trace *t)
{
	if (m->flags & MESSAGE_MISSED) {
		if (n < MISSED_BYTES)
			return -EPROTO;
		m->missed = kb_get32(p);
		p += MISSED_BYTES;
		n -= MISSED_BYTES;
		m->flags &= ~(uint32_t)MESSAGE_MISSED;
	}
	if (n == 0)
		return 0;
	if (!(m->flags & MESSAGE_TRACE))
		return -EPROTO;
	m->flags &= ~(uint32_t)MESSAGE_TRACE;
	return keep_trace(t, m, p, (size_t)n);
}

/* Takes apart all of a message of n bytes but its data, which lies among them or does not. If nothing follows, the flags are its
 * sender's own. */
static int get_message(const unsigned char *p, size_t n, int with_data, kbus_bus_msg_t *m, struct trace *t)
{
	uint32_t words[MESSAGE_BYTES / 4];
	if (n < MESSAGE_BYTES)
		return -EPROTO;
	for (size_t i = 0; i < MESSAGE_BYTES / 4; i++)
		words[i] = kb_get32(p + 4 * i);
	m->id.network_id = words[0];
	m->id.serial_num = words[1];
	m->in_reply_to.network_id = words[2];
	m->in_reply_to.serial_num = words[3];
	m->to = words[4];
	m->from = words[5];
	m->orig_from.network_id = words[6];
	m->orig_from.local_id = words[7];
	m->final_to.network_id = words[8];
	m->final_to.local_id = words[9];
	m->flags = words[11];
	m->name_len = words[12];
	m->data_len = words[13];
	uint64_t bytes = (uint64_t)m->name_len + (with_data ? m->data_len : 0), behind = n - MESSAGE_BYTES - bytes;
	if (bytes > n - MESSAGE_BYTES)
		return -EPROTO;
	m->missed = 0;
	if (behind && get_following(p + MESSAGE_BYTES + bytes, behind, m, t))
		return -EPROTO;
	m->name = (const char *)p + MESSAGE_BYTES;
	return 0;
}

int kb_get_message(const unsigned char *p, size_t n, kbus_bus_msg_t *m, struct trace *t)
{
	if (get_message(p, n, 1, m, t))
		return -EPROTO;
	m->data = p + MESSAGE_BYTES + m->name_len;
	return 0;
}

int kb_get_reference(const unsigned char *p, size_t n, const struct arena *arena, kbus_bus_msg_t *m, struct trace *t)
{
	if (n < OFFSET_BYTES || get_message(p, n - OFFSET_BYTES, 0, m, t))
		return -EPROTO;
	const unsigned char *offset = p + n - OFFSET_BYTES;
	m->data = kb_arena_at(arena, kb_get32(offset) | (uint64_t)kb_get32(offset + 4) << 32, m->data_len);
	return m->data ? 0 : -EPROTO;
}

int kb_get_sent(const unsigned char *p, const struct frame *f, kbus_bus_sent_t *sent)
{
	memset(sent, 0, sizeof *sent);
	if (f->condition != CONDITION_OK && f->condition != CONDITION_PENDING)
		return 0;
	if (f->bytes < SENT_BYTES)
		return -EPROTO;
	sent->id.network_id = kb_get32(p);
	sent->id.serial_num = kb_get32(p + 4);
	sent->reached = kb_get32(p + 8);
	sent->skipped = kb_get32(p + 12);
	return 0;
}

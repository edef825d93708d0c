#include "tapwire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A filter is four numbers and the patterns, each after its length; an event is numbers, the program's name and a message. */

enum { FILTER_BYTES = 16, EVENT_BYTES = 68, ONLY_FAILURES = 1, AS_REPLIER = 1 };

int kb_put_tap_filter(const kbus_tap_filter_t *filter, unsigned char **payload, size_t *bytes)
{
	static const kbus_tap_filter_t everything;
	const kbus_tap_filter_t       *f = filter ? filter : &everything;
	size_t                         n = FILTER_BYTES;
	for (const char *const *p = f->patterns; p && *p; p++) {
		if (strlen(*p) > KBUS_MAX_NAME_LEN)
			return -ENAMETOOLONG;
		n += 2 + strlen(*p);
	}
	unsigned char *at = *payload = malloc(n);
	if (!at)
		return -ENOMEM;
	kb_put32(at, f->only_failures ? ONLY_FAILURES : 0);
	kb_put32(at + 4, f->kinds);
	kb_put32(at + 8, f->ksock);
	kb_put32(at + 12, f->max_data == 0 ? UINT32_MAX : f->max_data == KBUS_TAP_NO_DATA ? 0 : f->max_data);
	at += FILTER_BYTES;
	for (const char *const *p = f->patterns; p && *p; p++) {
		size_t length = strlen(*p);
		kb_put16(at, (uint32_t)length);
		memcpy(at + 2, *p, length);
		at += 2 + length;
	}
	*bytes = n;
	return 0;
}

static uint64_t get64(const unsigned char *p) { return kb_get32(p) | (uint64_t)kb_get32(p + 4) << 32; }

int kb_get_tap_event(const struct frame *f, const unsigned char *p, kbus_tap_event_t *e, struct trace *trace)
{
	if (f->bytes < EVENT_BYTES)
		return -EPROTO;
	size_t program = kb_get32(p + 64), rest = f->bytes - EVENT_BYTES;
	if (program > rest || kb_get_message(p + EVENT_BYTES + program, rest - program, &e->message, trace))
		return -EPROTO;
	e->kind = (int)f->arg;
	e->error = f->condition ? -kb_errno(f->condition) : 0;
	e->why = f->condition ? kb_text(f->condition) : "";
	e->lost = get64(p);
	e->boot_ns = (int64_t)get64(p + 8);
	e->wall_ns = (int64_t)get64(p + 16);
	e->ksock = kb_get32(p + 24);
	e->uid = kb_get32(p + 28);
	e->gid = kb_get32(p + 32);
	e->pid = (int32_t)kb_get32(p + 36);
	e->reached = kb_get32(p + 40);
	e->skipped = kb_get32(p + 44);
	e->set_aside = kb_get32(p + 48);
	e->data_bytes = kb_get32(p + 52);
	e->as_replier = (kb_get32(p + 56) & AS_REPLIER) != 0;
	e->replier = kb_get32(p + 60);
	size_t kept = program < sizeof e->program - 1 ? program : sizeof e->program - 1;
	memcpy(e->program, p + EVENT_BYTES, kept);
	e->program[kept] = 0;
	return 0;
}

#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The door of the modern functions, which deal in whole messages only. */

int modern_flags;

static kbus_bus_t    *buses[DRIVER_KSOCKS];
static kbus_bus_msg_t last; /* received, as far as its trace context needs it */

static int open_(int k, unsigned device, int mode, uint32_t *id)
{
	int err = -kbus_bus_open(&buses[k], device, mode | modern_flags);
	if (err == 0)
		*id = kbus_bus_id(buses[k]);
	return err;
}

static int close_(int k)
{
	kbus_bus_close(buses[k]);
	buses[k] = NULL;
	return 0;
}

static int bind_(int k, const char *name, uint32_t replier) { return -kbus_bus_bind(buses[k], name, replier != 0); }
static int unbind(int k, const char *name, uint32_t replier) { return -kbus_bus_unbind(buses[k], name, replier != 0); }
static int replier(int k, const char *name, uint32_t *id) { return -kbus_bus_replier(buses[k], name, id); }

static int write_(int k, const unsigned char *p, size_t n) { return (void)k, (void)p, (void)n, ENOSYS; }
static int next(int k, int *ret, uint32_t *length) { return (void)k, (void)ret, (void)length, ENOSYS; }

static int read_(int k, unsigned char *p, size_t n, size_t *got)
{
	return (void)k, (void)p, (void)n, (void)got, ENOSYS;
}

/* Tries the message that waits again. */
static int send_(int k, kbus_bus_sent_t *sent) { return -kbus_bus_resend(buses[k], sent); }

static int last_sent(int k, kbus_msg_id_t *id) { return -kbus_bus_last_sent(buses[k], id); }

static int poll_(int k, int *bits)
{
	*bits = kbus_bus_poll(buses[k]);
	return *bits < 0 ? -*bits : 0;
}

static int switched(int before, uint32_t *out)
{
	*out = before < 0 ? 0 : (uint32_t)before;
	return before < 0 ? -before : 0;
}

static int value(int k, const char *what, uint32_t in, uint32_t *out)
{
	kbus_bus_t *b = buses[k];
	if (strcmp(what, "ksockid") == 0)
		return *out = kbus_bus_id(b), 0;
	if (strcmp(what, "missed") == 0) {
		uint64_t total = 0;
		int      err = -kbus_bus_missed(b, &total);
		return *out = (uint32_t)total, err;
	}
	if (strcmp(what, "nummsgs") == 0)
		return -kbus_bus_num_messages(b, out);
	if (strcmp(what, "unrepliedto") == 0)
		return -kbus_bus_num_unreplied(b, out);
	if (strcmp(what, "newdevice") == 0)
		return -kbus_bus_new_bus(b, out);
	if (strcmp(what, "maxmsgs") == 0)
		return -kbus_bus_max_messages(b, in, out);
	if (strcmp(what, "maxmsgsize") == 0)
		return -kbus_bus_max_message_size(b, in, out);
	if (strcmp(what, "msgonlyonce") == 0)
		return switched(kbus_bus_only_once(b, in), out);
	if (strcmp(what, "verbose") == 0)
		return switched(kbus_bus_verbose(b, in), out);
	if (strcmp(what, "reportreplierbinds") == 0)
		return switched(kbus_bus_report_replier_binds(b, in), out);
	return ENOSYS;
}

static int plain(int k, const char *what) { return strcmp(what, "discard") == 0 ? -kbus_bus_discard(buses[k]) : 0; }
static int unknown(int k, unsigned code) { return (void)k, (void)code, ENOSYS; }

static int decode(const unsigned char *entire, size_t n, kbus_bus_msg_t *m)
{
	kbus_message_t h;
	int            err = header_of(entire, n, &h);
	if (err)
		return err;
	memset(m, 0, sizeof *m);
	m->id = h.id;
	m->in_reply_to = h.in_reply_to;
	m->to = h.to;
	m->from = h.from;
	m->orig_from = h.orig_from;
	m->final_to = h.final_to;
	m->flags = h.flags;
	m->name_len = h.name_len;
	m->data_len = h.data_len;
	m->name = (const char *)entire + sizeof h;
	m->data = entire + sizeof h + KBUS_PADDED_NAME_LEN(h.name_len);
	return 0;
}

static int entire_of(const kbus_bus_msg_t *m, uint32_t extra, unsigned char **entire, size_t *n)
{
	kbus_message_t h;
	const uint32_t end = KBUS_MSG_END_GUARD;
	memset(&h, 0, sizeof h);
	h.start_guard = KBUS_MSG_START_GUARD;
	h.id = m->id;
	h.in_reply_to = m->in_reply_to;
	h.to = m->to;
	h.from = m->from;
	h.orig_from = m->orig_from;
	h.final_to = m->final_to;
	h.extra = extra;
	h.flags = m->flags;
	h.name_len = m->name_len;
	h.data_len = m->data_len;
	h.end_guard = KBUS_MSG_END_GUARD;
	*n = KBUS_ENTIRE_MSG_LEN((size_t)h.name_len, (size_t)h.data_len);
	unsigned char *p = calloc(1, *n);
	if (!p)
		return ENOMEM;
	memcpy(p, &h, sizeof h);
	memcpy(p + sizeof h, m->name, m->name_len);
	if (m->data_len > 0)
		memcpy(p + sizeof h + KBUS_PADDED_NAME_LEN(h.name_len), m->data, m->data_len);
	memcpy(p + *n - 4, &end, 4);
	*entire = p;
	return 0;
}

static int send_message(int k, const unsigned char *entire, size_t n, kbus_bus_sent_t *sent)
{
	kbus_bus_msg_t m;
	int            err = decode(entire, n, &m);
	return err ? err : -kbus_bus_send(buses[k], &m, sent);
}

static int receive(int k, unsigned char **entire, size_t *n)
{
	kbus_bus_msg_t m;
	int            got = kbus_bus_receive(buses[k], &m, 0);
	if (got <= 0)
		return -got;
	last = m;
	int err = entire_of(&m, 0, entire, n);
	kbus_bus_release(buses[k]); /* the program has done with it */
	return err;
}

static int set_trace(int k, const kbus_bus_trace_t *trace) { return -kbus_bus_set_trace(buses[k], trace); }

static int trace(int k, kbus_bus_trace_t *trace)
{
	trace->parent_len = trace->state_len = 0;
	int there = kbus_bus_trace(buses[k], &last, trace);
	return there < 0 ? -there : 0;
}

static int encode(const unsigned char *entire, size_t n, unsigned char **again, size_t *m)
{
	kbus_bus_msg_t msg;
	kbus_message_t h;
	int            err = decode(entire, n, &msg);
	if (err)
		return err;
	memcpy(&h, entire, sizeof h);
	return entire_of(&msg, h.extra, again, m); /* extra is none of ours: it is 0 in every message that travels */
}

int report_of_all(int stats, char **text)
{
	char *all = calloc(1, 1);
	for (uint32_t number = 0; all; number++) {
		kbus_bus_t *b;
		char       *one = NULL;
		int         err = kbus_bus_open(&b, number, KBUS_BUS_OBSERVE);
		if (err == -ENOENT && number > 0)
			break;
		if (err == 0) {
			err = stats ? kbus_bus_stats(b, &one) : kbus_bus_bindings(b, &one);
			kbus_bus_close(b);
		}
		if (err) {
			free(all);
			return -err;
		}
		char *more = realloc(all, strlen(all) + strlen(one) + 1);
		if (more)
			strcat(more, one);
		else
			free(all);
		all = more;
		free(one);
	}
	*text = all;
	return all ? 0 : ENOMEM;
}

const struct door modern = {
	open_, close_, bind_, unbind, replier, write_, send_, next, read_, last_sent, poll_, value,
	plain, unknown, send_message, receive, encode, report_of_all, set_trace, trace,
};

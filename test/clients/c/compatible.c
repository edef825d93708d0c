#include "driver.h"

#include <stdlib.h>
#include <string.h>

#include "kbus/kbus.h"

/* The door of the compatible functions. */

static kbus_ksock_t ksock;

static int done(const struct op *o, int err)
{
	if (err < 0)
		fails(o, err, strerror(-err));
	else
		ends(o);
	return 1;
}

static int number(const struct op *o, int err, uint32_t n)
{
	if (err < 0)
		fails(o, err, strerror(-err));
	else
		ends_with(o, n);
	return 1;
}

static int send_message(const struct op *o)
{
	kbus_message_t *m = NULL;
	kbus_bus_sent_t s = {{0, 0}, 0, 0};
	int             err = kbus_msg_create_entire(&m, o->argument, (uint32_t)strlen(o->argument), o->data_len ? o->data : NULL,
	                                             o->data_len, o->flags);
	if (err == 0) {
		m->to = o->to;
		m->in_reply_to.network_id = o->request[0];
		m->in_reply_to.serial_num = o->request[1];
		err = kbus_ksock_send_msg(ksock, m, &s.id);
	}
	kbus_msg_delete(&m);
	if (err == 0 || (err == -EAGAIN && s.id.serial_num))
		has_sent(o, err != 0, &s);
	else
		fails(o, err, strerror(-err));
	return 1;
}

static int next(const struct op *o)
{
	kbus_message_t *m = NULL;
	int             err = kbus_ksock_read_next_msg(ksock, &m);
	if (err)
		return done(o, err);
	if (!m) {
		gets_nothing(o);
		return 1;
	}
	const kbus_bus_msg_t got = {
		.id = m->id, .in_reply_to = m->in_reply_to, .to = m->to, .from = m->from, .flags = m->flags, .name_len = m->name_len,
		.data_len = m->data_len, .name = kbus_msg_name_ptr(m), .data = kbus_msg_data_ptr(m),
	};
	gets(o, &got);
	kbus_msg_delete(&m);
	return 1;
}

int perform_compatible(const struct op *o)
{
	uint32_t n = (uint32_t)atoi(o->argument);
	const int find = strcmp(o->verb, "find") == 0 && setenv("KBUS_DIR", o->argument, 1) == 0;
	if (find || strcmp(o->verb, "open") == 0) {
		uint32_t id = 0;
		ksock = find ? kbus_ksock_open(0, O_RDWR) : kbus_ksock_open_by_name(o->argument, O_RDWR);
		int err = ksock < 0 ? ksock : kbus_ksock_id(ksock, &id);
		return number(o, err, id);
	}
	if (strcmp(o->verb, "close") == 0)
		return done(o, kbus_ksock_close(ksock));
	if (strcmp(o->verb, "listen") == 0)
		return done(o, kbus_ksock_bind(ksock, o->argument, 0));
	if (strcmp(o->verb, "bind") == 0)
		return done(o, kbus_ksock_bind(ksock, o->argument, 1));
	if (strcmp(o->verb, "next") == 0)
		return next(o);
	if (strcmp(o->verb, "send") == 0)
		return send_message(o);
	if (strcmp(o->verb, "discard") == 0)
		return done(o, kbus_ksock_discard(ksock));
	if (strcmp(o->verb, "nummsgs") == 0) {
		int err = kbus_ksock_num_messages(ksock, &n);
		return number(o, err, n);
	}
	if (strcmp(o->verb, "maxmsgs") == 0) {
		int err = kbus_ksock_max_messages(ksock, &n);
		return number(o, err, n);
	}
	return 0;
}

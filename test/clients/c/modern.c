#include "driver.h"

#include <stdlib.h>
#include <string.h>

/* The door of the modern functions. */

static kbus_bus_t *bus;

static kbus_bus_msg_t message_of(const struct op *o)
{
	const kbus_bus_msg_t m = {
		.in_reply_to = {o->request[0], o->request[1]}, .to = o->to, .flags = o->flags, .name = o->argument,
		.data = o->data, .data_len = o->data_len,
	};
	return m;
}

static int failed(const struct op *o, int err)
{
	if (err == -ETIMEDOUT)
		gives_up(o);
	else
		fails(o, err, bus ? kbus_bus_why(bus) : strerror(-err));
	return 1;
}

static int done(const struct op *o, int err)
{
	if (err)
		return failed(o, err);
	ends(o);
	return 1;
}

static int number(const struct op *o, int err, uint32_t n)
{
	if (err)
		return failed(o, err);
	ends_with(o, n);
	return 1;
}

static int received(const struct op *o, int n, const kbus_bus_msg_t *m)
{
	if (n < 0)
		return failed(o, n);
	if (n > 0)
		gets(o, m);
	else if (strcmp(o->verb, "next") == 0)
		gets_nothing(o);
	else
		gives_up(o);
	return 1;
}

static int sent(const struct op *o, int err, const kbus_bus_sent_t *s)
{
	if (err && !(err == -EAGAIN && s->id.serial_num))
		return failed(o, err);
	has_sent(o, err != 0, s);
	return 1;
}

static int flush(const struct op *o)
{
	kbus_bus_totals_t totals;
	int               err = kbus_bus_flush(bus, &totals);
	if (err)
		return failed(o, err);
	if (totals.first_error)
		fails(o, totals.first_error, "");
	else
		ends_with(o, (uint32_t)totals.accepted);
	return 1;
}

static int perform_sending(const struct op *o)
{
	kbus_bus_msg_t  m = message_of(o), answer;
	kbus_bus_sent_t s = {{0, 0}, 0, 0};
	kbus_msg_id_t   id;
	if (strcmp(o->verb, "send") == 0)
		return sent(o, kbus_bus_send(bus, &m, &s), &s);
	if (strcmp(o->verb, "call") == 0)
		return received(o, kbus_bus_call_with(bus, &m, &answer, &id, o->timeout_ms, o->keep ? KBUS_BUS_KEEP_LATE_ANSWER : 0),
		                &answer);
	if (strcmp(o->verb, "pipe") == 0)
		return done(o, kbus_bus_post(bus, &m));
	if (strcmp(o->verb, "flush") == 0)
		return flush(o);
	if (strcmp(o->verb, "discard") == 0)
		return done(o, kbus_bus_discard(bus));
	if (strcmp(o->verb, "waitsent") == 0)
		return done(o, kbus_bus_wait_sent(bus, o->timeout_ms));
	return 0;
}

static int perform(const struct op *o)
{
	kbus_bus_msg_t      m;
	kbus_bus_reopened_t r = {0, 0, 0, 0};
	uint32_t            n = 0;
	int                 err;
	const int find = strcmp(o->verb, "find") == 0 && setenv("KBUS_DIR", o->argument, 1) == 0;
	if (find || strcmp(o->verb, "open") == 0) {
		const int both = KBUS_BUS_READ | KBUS_BUS_WRITE; /* and rings, unless KBUS_RINGS is off */
		bus = NULL;
		err = find ? kbus_bus_open(&bus, 0, both) : kbus_bus_open_at(&bus, o->argument, both);
		return number(o, err, err ? 0 : kbus_bus_id(bus));
	}
	if (strcmp(o->verb, "close") == 0) {
		kbus_bus_close(bus);
		return done(o, 0);
	}
	if (strcmp(o->verb, "listen") == 0)
		return done(o, kbus_bus_bind(bus, o->argument, KBUS_BUS_LISTENER));
	if (strcmp(o->verb, "bind") == 0)
		return done(o, kbus_bus_bind(bus, o->argument, KBUS_BUS_REPLIER));
	if (strcmp(o->verb, "next") == 0)
		return received(o, kbus_bus_receive(bus, &m, 0), &m);
	if (strcmp(o->verb, "wait") == 0)
		return received(o, kbus_bus_receive(bus, &m, o->timeout_ms), &m);
	if (strcmp(o->verb, "nummsgs") == 0) {
		err = kbus_bus_num_messages(bus, &n);
		return number(o, err, n);
	}
	if (strcmp(o->verb, "maxmsgs") == 0) {
		err = kbus_bus_max_messages(bus, (uint32_t)atoi(o->argument), &n);
		return number(o, err, n);
	}
	if (strcmp(o->verb, "reopen") == 0) {
		err = kbus_bus_reopen(bus, &r);
		return number(o, err, r.id);
	}
	return perform_sending(o);
}

int perform_modern(const struct op *o)
{
	if (bus && strcmp(o->verb, "close") != 0)
		kbus_bus_patience(bus, o->timeout_ms); /* for functions that take no limit themselves */
	return perform(o);
}

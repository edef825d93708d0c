/* The modern functions against a bus. */
#include <poll.h>
#include <stdint.h>

#include "check.h"
#include "kbus/kbus_bus.h"

static kbus_bus_t *opened(int flags)
{
	kbus_bus_t *b = NULL;
	EQUAL(kbus_bus_open(&b, 0, flags), 0);
	return b;
}

static kbus_bus_msg_t message(const char *name, const char *data, uint32_t flags)
{
	const kbus_bus_msg_t m = {.name = name, .data = data, .data_len = (uint32_t)strlen(data), .flags = flags};
	return m;
}

static int is(const kbus_bus_msg_t *m, const char *data)
{
	return m->data_len == strlen(data) && memcmp(m->data, data, m->data_len) == 0;
}

static void sends(void)
{
	kbus_bus_t     *l = opened(3), *s = opened(3);
	kbus_bus_sent_t sent;
	kbus_bus_msg_t  got, m = message("$.S", "hello", 0);
	uint32_t        n;
	char            small[4], buffer[64];
	EQUAL(kbus_bus_max_messages(l, 1, &n), 0);
	EQUAL(n, 1);
	EQUAL(kbus_bus_bind(l, "$.S", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_send(s, &m, &sent), 0);
	EQUAL(sent.reached, 1);
	EQUAL(sent.skipped, 0);
	EQUAL(kbus_bus_send(s, &m, &sent), 0); /* its queue is full: not a silent loss */
	EQUAL(sent.reached, 0);
	EQUAL(sent.skipped, 1);
	EQUAL(kbus_bus_receive_into(l, &got, small, sizeof small, -1), -ENOBUFS);
	EQUAL(got.data_len, 5);
	EQUAL(kbus_bus_receive_into(l, &got, buffer, sizeof buffer, -1), 1); /* the same one */
	CHECK(is(&got, "hello") && memcmp(buffer, "$.Shello", 8) == 0);
	EQUAL(kbus_bus_receive(l, &got, 0), 0);
	EQUAL(kbus_bus_receive(l, &got, 5), 0);
	m.flags = KBUS_BIT_WANT_A_REPLY;
	EQUAL(kbus_bus_send(s, &m, NULL), -EADDRNOTAVAIL);
	CHECK(strstr(kbus_bus_why(s), "nobody is bound"));
	m.name = NULL;
	EQUAL(kbus_bus_send(s, &m, NULL), -EINVAL);
	EQUAL(kbus_bus_only_once(l, 1), 0);
	EQUAL(kbus_bus_only_once(l, 0), 1);
	EQUAL(kbus_bus_verbose(l, 2), -EINVAL);
	kbus_bus_close(l);
	kbus_bus_close(s);
}

static void waits(void)
{
	kbus_bus_t     *l = opened(3), *s = opened(3);
	kbus_bus_sent_t sent;
	kbus_bus_msg_t  got, m = message("$.W", "x", KBUS_BIT_ALL_OR_WAIT);
	uint32_t        n;
	EQUAL(kbus_bus_max_messages(l, 1, &n), 0);
	EQUAL(kbus_bus_bind(l, "$.W", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_wait_sent(s, 0), 0);
	EQUAL(kbus_bus_send(s, &m, &sent), 0);
	EQUAL(kbus_bus_send(s, &m, &sent), -EAGAIN);
	CHECK(sent.id.serial_num > 0);
	EQUAL(kbus_bus_poll(s), 0);
	EQUAL(kbus_bus_wait_sent(s, 5), -ETIMEDOUT);
	EQUAL(kbus_bus_receive(l, &got, -1), 1);
	kbus_bus_release(l);
	EQUAL(kbus_bus_wait_sent(s, -1), 0);
	EQUAL(kbus_bus_resend(s, NULL), -ENOMSG);
	EQUAL(kbus_bus_send(s, &m, &sent), -EAGAIN);
	EQUAL(kbus_bus_discard(s), 0);
	EQUAL(kbus_bus_poll(s), KBUS_BUS_WRITE);
	kbus_bus_close(l);
	kbus_bus_close(s);
}

static void calls(void)
{
	kbus_bus_t    *r = opened(3), *s = opened(3);
	kbus_bus_msg_t request, reply, ask = message("$.C", "question", KBUS_BIT_WANT_A_REPLY);
	kbus_msg_id_t  id;
	EQUAL(kbus_bus_bind(r, "$.C", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_call_with(s, &ask, &reply, &id, 10, KBUS_BUS_KEEP_LATE_ANSWER), -ETIMEDOUT); /* one process: it cannot be answered meanwhile */
	EQUAL(kbus_bus_receive(r, &request, -1), 1);
	CHECK(is(&request, "question"));
	EQUAL(kbus_bus_reply(r, &request, "answer", 6, NULL), 0);
	EQUAL(kbus_bus_receive(s, &reply, -1), 1); /* it comes as any other message */
	CHECK(is(&reply, "answer") && !kbus_bus_is_status(&reply));
	EQUAL(reply.in_reply_to.serial_num, id.serial_num);
	EQUAL(kbus_bus_reply(r, &reply, NULL, 0, NULL), -EBADMSG);
	EQUAL(kbus_bus_call_with(s, &ask, &reply, &id, 0, KBUS_BUS_KEEP_LATE_ANSWER), -ETIMEDOUT);
	kbus_bus_close(r); /* unread */
	EQUAL(kbus_bus_receive(s, &reply, -1), 1);
	CHECK(kbus_bus_is_status(&reply) && reply.name_len == 23);
	ask.flags = 0;
	EQUAL(kbus_bus_call(s, &ask, &reply, &id, 0), -EINVAL);
	kbus_bus_close(s);
}

static void standbys(void)
{
	kbus_bus_t    *a = opened(3), *b = opened(3), *s = opened(3);
	kbus_bus_msg_t got, ask = message("$.Standby", "question", KBUS_BIT_WANT_A_REPLY);
	uint32_t       id;
	EQUAL(kbus_bus_bind(a, "$.Standby", KBUS_BUS_STANDBY), 0);
	EQUAL(kbus_bus_bind(b, "$.Standby", KBUS_BUS_STANDBY), 0);
	EQUAL(kbus_bus_bind(b, "$.Standby", KBUS_BUS_STANDBY), -EADDRINUSE);
	EQUAL(kbus_bus_send(s, &ask, NULL), 0);
	kbus_bus_close(a);
	EQUAL(kbus_bus_receive(s, &got, -1), 1);
	CHECK(kbus_bus_is_status(&got));
	EQUAL(kbus_bus_send(s, &ask, NULL), 0);
	EQUAL(kbus_bus_receive(b, &got, -1), 1);
	CHECK(is(&got, "question"));
	EQUAL(kbus_bus_unbind(b, "$.Standby", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_replier(s, "$.Standby", &id), 0);
	EQUAL(id, 0);
	kbus_bus_close(b);
	kbus_bus_close(s);
}

static void cards(void)
{
	kbus_bus_t *a = opened(3), *b = opened(3);
	char       *card;
	EQUAL(kbus_bus_describe(a, "$.Card.*", "{}"), -EINVAL);
	EQUAL(kbus_bus_bind(a, "$.Card.*", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_describe(a, "$.Card.*", "{\"description\": \"a card\",\n \"schema\": {}}"), 0);
	EQUAL(kbus_bus_card(b, "$.Card.A", &card), 0);
	EQUAL(strcmp(card, "{\"description\":\"a card\",\"schema\":{}}"), 0);
	free(card);
	EQUAL(kbus_bus_describe(a, "$.Card.*", "{\n\"Schema\": 1}"), -EINVAL);
	CHECK(strstr(kbus_bus_why(a), "2:1: unknown key \"Schema\""));
	EQUAL(kbus_bus_describe(a, "$.Card.*", NULL), 0);
	EQUAL(kbus_bus_card(b, "$.Card.*", &card), 0);
	EQUAL(strcmp(card, ""), 0);
	free(card);
	kbus_bus_close(a);
	kbus_bus_close(b);
}

static void posts(void)
{
	enum { MANY = 2000 };
	kbus_bus_t       *l = opened(3), *s = opened(3);
	kbus_bus_totals_t t;
	kbus_bus_msg_t    got, m = message("$.Post", "x", 0);
	uint32_t          n;
	EQUAL(kbus_bus_max_messages(l, MANY, &n), 0);
	EQUAL(kbus_bus_bind(l, "$.Post", KBUS_BUS_LISTENER), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		m.data = &i;
		m.data_len = sizeof i;
		EQUAL(kbus_bus_post(s, &m), 0);
	}
	EQUAL(kbus_bus_flush(s, &t), 0);
	EQUAL(t.accepted, MANY);
	EQUAL(t.reached, MANY);
	EQUAL(t.failed + t.skipped, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		EQUAL(kbus_bus_receive(l, &got, 0), 1);
		CHECK(got.data_len == sizeof i && memcmp(got.data, &i, sizeof i) == 0);
	}
	EQUAL(kbus_bus_receive(l, &got, 0), 0);
	m = message("$.not*", "x", 0);
	EQUAL(kbus_bus_post(s, &m), 0);
	EQUAL(kbus_bus_flush(s, &t), 0);
	EQUAL(t.failed, 1);
	EQUAL(t.first_error, -EBADMSG);
	m.flags = KBUS_BIT_WANT_A_REPLY;
	EQUAL(kbus_bus_post(s, &m), -EINVAL);
	m = message("$.Post", "last", 0);
	EQUAL(kbus_bus_post(s, &m), 0);
	EQUAL(kbus_bus_num_messages(s, &n), 0); /* anything else sends it */
	EQUAL(kbus_bus_receive(l, &got, -1), 1);
	CHECK(is(&got, "last"));
	kbus_bus_close(l);
	kbus_bus_close(s);
}

static void polls(void)
{
	kbus_bus_t    *l = opened(3), *s = opened(2);
	kbus_bus_msg_t got, m = message("$.Poll", "x", 0);
	struct pollfd  p = {kbus_bus_fd(l), POLLIN, 0};
	CHECK(p.fd >= 0);
	EQUAL(kbus_bus_bind(l, "$.Poll", KBUS_BUS_LISTENER), 0);
	for (int i = 0; i < 20; i++) {
		EQUAL(poll(&p, 1, 0), 0);
		EQUAL(kbus_bus_send(s, &m, NULL), 0);
		EQUAL(kbus_bus_send(s, &m, NULL), 0);
		EQUAL(poll(&p, 1, 5000), 1);
		EQUAL(kbus_bus_receive(l, &got, 0), 1);
		EQUAL(poll(&p, 1, 5000), 1);
		EQUAL(kbus_bus_receive(l, &got, i % 2 ? 0 : -1), 1);
		EQUAL(kbus_bus_receive(l, &got, i % 2 ? 0 : 1), 0);
	}
	kbus_bus_close(l);
	kbus_bus_close(s);
}

static void reports(void)
{
	kbus_bus_t *o = opened(KBUS_BUS_OBSERVE), *l = opened(1);
	char       *text = NULL;
	EQUAL(kbus_bus_id(o), 0);
	EQUAL(kbus_bus_bind(l, "$.Report", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bindings(o, &text), 0);
	CHECK(strstr(text, "  L  $.Report\n"));
	free(text);
	EQUAL(kbus_bus_stats(o, &text), 0);
	CHECK(strncmp(text, "dev  0: next ksock ", 19) == 0);
	free(text);
	EQUAL(kbus_bus_bind(o, "$.Report", KBUS_BUS_LISTENER), -EBADF);
	const kbus_bus_msg_t m = message("$.Report", "", 0);
	EQUAL(kbus_bus_send(l, &m, NULL), -EBADF);
	kbus_bus_close(o);
	kbus_bus_close(l);
}

int main(void)
{
	sends();
	waits();
	calls();
	standbys();
	cards();
	posts();
	polls();
	reports();
	return 0;
}

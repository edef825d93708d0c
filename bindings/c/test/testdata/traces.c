/* Trace contexts: what is sent carries the one that is set, who receives finds it, a Reply has that of its Request, and a tap is
 * shown it. */
#include "check.h"
#include "kbus/kbus_bus.h"
#include "kbus/kbus_tap.h"

static const char parent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static void has(kbus_bus_t *b, const kbus_bus_msg_t *m, const char *want, const char *state)
{
	kbus_bus_trace_t t;
	if (!want) {
		EQUAL(kbus_bus_trace(b, m, &t), 0);
		return;
	}
	EQUAL(kbus_bus_trace(b, m, &t), 1);
	EQUAL(t.parent_len, strlen(want));
	EQUAL(t.state_len, strlen(state));
	CHECK(memcmp(t.parent, want, t.parent_len) == 0 && memcmp(t.state, state, t.state_len) == 0);
}

int main(void)
{
	static char            much[100000], long_parent[200], long_state[600];
	kbus_bus_t            *a, *b;
	kbus_tap_t            *tap;
	kbus_tap_event_t       e;
	kbus_bus_trace_t       t;
	kbus_bus_msg_t         m = {.name = "$.A", .data = much, .data_len = 4}, got;
	kbus_bus_sent_t        sent;
	const kbus_bus_trace_t all = {.parent = parent, .state = "a=b"}, alone = {.parent = parent}, bytes = {"\0\1", NULL, 2, 0};
	EQUAL(kbus_bus_open(&a, 0, KBUS_BUS_READ | KBUS_BUS_WRITE), 0);
	EQUAL(kbus_bus_open(&b, 0, KBUS_BUS_READ | KBUS_BUS_WRITE), 0);
	EQUAL(kbus_bus_bind(b, "$.*", KBUS_BUS_LISTENER), 0);

	/* Small, and in the arena; with the flag of the program's, which nobody is to take for it. */
	for (int i = 0; i < 2; i++) {
		m.data_len = i == 0 ? 4 : sizeof much;
		m.flags = 0x400;
		EQUAL(kbus_bus_send(a, &m, NULL), 0);
		EQUAL(kbus_bus_set_trace(a, &all), 0);
		EQUAL(kbus_bus_send(a, &m, NULL), 0);
		EQUAL(kbus_bus_post(a, &m), 0);
		EQUAL(kbus_bus_set_trace(a, &alone), 0);
		EQUAL(kbus_bus_send(a, &m, NULL), 0);
		EQUAL(kbus_bus_set_trace(a, &bytes), 0);
		EQUAL(kbus_bus_send(a, &m, NULL), 0);
		EQUAL(kbus_bus_set_trace(a, NULL), 0);
		EQUAL(kbus_bus_send(a, &m, NULL), 0);
		for (int n = 0; n < 6; n++) {
			EQUAL(kbus_bus_receive(b, &got, -1), 1);
			EQUAL(got.data_len, m.data_len);
			EQUAL(got.flags, 0);
			if (n == 4) {
				EQUAL(kbus_bus_trace(b, &got, &t), 1);
				CHECK(t.parent_len == 2 && memcmp(t.parent, "\0\1", 2) == 0 && t.state_len == 0);
			} else {
				has(b, &got, n == 0 || n == 5 ? NULL : parent, n == 3 ? "" : "a=b");
			}
		}
	}

	/* Limits. */
	memset(long_parent, 'x', sizeof long_parent - 1);
	memset(long_state, 'y', sizeof long_state - 1);
	EQUAL(kbus_bus_set_trace(a, &(kbus_bus_trace_t){.parent = long_parent}), -EMSGSIZE);
	CHECK(strstr(kbus_bus_why(a), "traceparent") && strstr(kbus_bus_why(a), "128"));
	EQUAL(kbus_bus_set_trace(a, &(kbus_bus_trace_t){.parent = parent, .state = long_state}), -EMSGSIZE);
	CHECK(strstr(kbus_bus_why(a), "tracestate") && strstr(kbus_bus_why(a), "512"));

	/* A Reply has that of its Request, unless there is one of its own. A tap sees all of it. */
	EQUAL(kbus_tap_open(&tap, 0, &(kbus_tap_filter_t){.kinds = KBUS_TAP_KIND(KBUS_TAP_SENT)}), 0);
	EQUAL(kbus_bus_unbind(b, "$.*", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(b, "$.R", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_set_trace(a, &all), 0);
	for (int i = 0; i < 3; i++) {
		m = (kbus_bus_msg_t){.name = "$.R", .flags = KBUS_BIT_WANT_A_REPLY};
		EQUAL(kbus_bus_send(a, &m, &sent), 0);
		EQUAL(kbus_bus_receive(b, &got, -1), 1);
		has(b, &got, parent, "a=b");
		if (i == 1)
			EQUAL(kbus_bus_set_trace(b, &(kbus_bus_trace_t){.parent = "own"}), 0);
		EQUAL(kbus_bus_reply(b, &got, NULL, 0, NULL), 0);
		EQUAL(kbus_bus_set_trace(b, NULL), 0);
		EQUAL(kbus_bus_receive(a, &got, -1), 1);
		has(a, &got, i == 1 ? "own" : parent, i == 1 ? "" : "a=b");
		for (int n = 0; n < 2; n++) {
			EQUAL(kbus_tap_next(tap, &e, -1), 1);
			EQUAL(kbus_tap_trace(tap, &t), 1);
			EQUAL(t.parent_len, i == 1 && n == 1 ? 3 : strlen(parent));
		}
	}
	EQUAL(kbus_bus_set_trace(a, NULL), 0);
	m = (kbus_bus_msg_t){.name = "$.Plain"};
	EQUAL(kbus_bus_send(a, &m, NULL), 0);
	EQUAL(kbus_tap_next(tap, &e, -1), 1);
	EQUAL(kbus_tap_trace(tap, &t), 0);
	kbus_tap_close(tap);
	kbus_bus_close(a);
	kbus_bus_close(b);
	return 0;
}

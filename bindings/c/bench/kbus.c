/* KBUS as the frame of bench/peers measures it: a client that does what any program would do with the modern functions,
 * and nothing cleverer. KBUS_BUS is the number of the bus. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gauge.h"
#include "kbus/kbus_bus.h"

static kbus_bus_t    *bus;
static char           echo[64], stream[64];
static uint64_t       posted, consumers;
static const struct plan *the_plan;

static void must(int n, const char *what)
{
	if (n < 0)
		gauge_die("%s: %s (%s)", what, strerror(-n), bus ? kbus_bus_why(bus) : "");
}

/* Names of this measurement's own. */
static void prepare(const struct plan *plan)
{
	the_plan = plan;
	consumers = (uint64_t)plan->consumers;
	snprintf(echo, sizeof echo, "$.Bench.C%d.Echo", (int)getpid());
	snprintf(stream, sizeof stream, "$.Bench.C%d.Stream", (int)getpid());
}

static void open_bus(enum role role, int index)
{
	const char *number = getenv("KBUS_BUS");
	uint32_t    limit;
	(void)index;
	must(kbus_bus_open(&bus, number ? (uint32_t)strtoul(number, NULL, 10) : 0, KBUS_BUS_READ | KBUS_BUS_WRITE), "open");
	if (role == REPLIER)
		must(kbus_bus_bind(bus, echo, KBUS_BUS_REPLIER), "bind");
	if (role == CONSUMER) { /* a queue that holds a whole window, so that no message is passed over */
		must(kbus_bus_max_messages(bus, (uint32_t)the_plan->window + 1, &limit), "max messages");
		must(kbus_bus_bind(bus, stream, KBUS_BUS_LISTENER), "bind");
	}
}

static void request(const void *data, size_t size)
{
	kbus_bus_msg_t reply;
	const kbus_bus_msg_t ask = {
		.name = echo, .data = data, .data_len = (uint32_t)size, .flags = KBUS_BIT_WANT_A_REPLY,
	};
	must(kbus_bus_call(bus, &ask, &reply, NULL, -1), "call");
	gauge_answer(reply.data, reply.data_len);
}

static void serve(void)
{
	kbus_bus_msg_t m;
	for (;;) {
		must(kbus_bus_receive(bus, &m, -1), "receive");
		const kbus_bus_msg_t reply = {
			.name = m.name, .name_len = m.name_len, .data = m.data, .data_len = m.data_len, .to = m.from, .in_reply_to = m.id,
		};
		must(kbus_bus_post(bus, &reply), "post");
	}
}

static void publish(const void *data, size_t size)
{
	const kbus_bus_msg_t m = {.name = stream, .data = data, .data_len = (uint32_t)size};
	must(kbus_bus_post(bus, &m), "post");
	posted++;
}

/* The bus has said how many consumers each message has reached; if that is not all of them, there is no figure. */
static void flush(void)
{
	kbus_bus_totals_t t;
	must(kbus_bus_flush(bus, &t), "flush");
	if (t.reached != posted * consumers)
		gauge_die("%" PRIu64 " messages reached consumers %" PRIu64 " times", posted, t.reached);
}

static void consume(void)
{
	kbus_bus_msg_t m;
	do
		must(kbus_bus_receive(bus, &m, -1), "receive");
	while (!gauge_take(m.data, m.data_len));
}

const struct client client = {prepare, open_bus, request, serve, publish, flush, consume};

/* MQTT with libmosquitto, quality of service 0, over TCP to 127.0.0.1 port MQTT_PORT without Nagle's delay. */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gauge.h"

static struct mosquitto *m;
static enum role role;
static int subscribed, answered, last;

static void must(int result)
{
	if (result != MOSQ_ERR_SUCCESS)
		gauge_die("%s", mosquitto_strerror(result));
}

static void post(const char *topic, const void *data, size_t size)
{
	must(mosquitto_publish(m, NULL, topic, (int)size, data, 0, false));
}

static void on_subscribe(struct mosquitto *from, void *context, int id, int topics, const int *granted)
{
	(void)from, (void)context, (void)id, (void)topics, (void)granted;
	subscribed = 1;
}

static void on_message(struct mosquitto *from, void *context, const struct mosquitto_message *message)
{
	(void)from, (void)context;
	switch (role) {
	case REPLIER:
		post("answer", message->payload, (size_t)message->payloadlen);
		break;
	case REQUESTER:
		gauge_answer(message->payload, (size_t)message->payloadlen);
		answered = 1;
		break;
	default:
		last = gauge_take(message->payload, (size_t)message->payloadlen);
	}
}

static void open_(enum role as, int index)
{
	static const char *const topics[] = {[REPLIER] = "ask", [REQUESTER] = "answer", [CONSUMER] = "stream"};
	char id[64];
	snprintf(id, sizeof id, "bench-%d-%d-%d", getpid(), as, index);
	role = as;
	subscribed = 0;
	mosquitto_lib_init();
	m = mosquitto_new(id, true, NULL);
	if (!m)
		gauge_die("no memory");
	must(mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1));
	mosquitto_message_callback_set(m, on_message);
	mosquitto_subscribe_callback_set(m, on_subscribe);
	must(mosquitto_connect(m, "127.0.0.1", atoi(gauge_setting("MQTT_PORT")), 60));
	if (as == PRODUCER || as == IDLER) {
		must(mosquitto_loop(m, 100, 1)); /* for the broker's acknowledgement of the connection */
		return;
	}
	must(mosquitto_subscribe(m, NULL, topics[as], 0));
	while (!subscribed)
		must(mosquitto_loop(m, 1000, 1));
}

static void request(const void *data, size_t size)
{
	answered = 0;
	post("ask", data, size);
	while (!answered)
		must(mosquitto_loop(m, 1000, 1));
}

static void serve(void)
{
	for (;;)
		must(mosquitto_loop(m, 1000, 1));
}

static void flush(void)
{
	while (mosquitto_want_write(m))
		must(mosquitto_loop(m, 10, 1));
}

static void publish(const void *data, size_t size)
{
	post("stream", data, size);
	flush();
}

static void consume(void)
{
	while (!last)
		must(mosquitto_loop(m, 1000, 100));
}

const struct client client = {NULL, open_, request, serve, publish, flush, consume};

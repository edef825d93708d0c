#include "gauge.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "page.h"
#include "process.h"

/* The roles of a measurement: requester, replier, producer, consumers. gauge.h says what this is for. */

struct plan plan;
const char *peer = "bench";

static unsigned char *draft; /* the message being sent; it begins with its number */
static uint64_t sent;        /* requests */
static uint64_t taken;       /* by this consumer */
static int answered, me;

void gauge_die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "%s: ", peer);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	page_fail();
	process_end_all();
	_exit(1);
}

const char *gauge_setting(const char *name)
{
	const char *value = getenv(name);
	if (!value)
		gauge_die("%s is not set", name);
	return value;
}

/* Each message begins with its number, as much of it as fits. */
const void *gauge_numbered(uint64_t n)
{
	memcpy(draft, &n, plan.size < sizeof n ? plan.size : sizeof n);
	return draft;
}

static void check(const void *data, size_t size, uint64_t n)
{
	if (size != plan.size)
		gauge_die("message %llu has %zu bytes instead of %zu", (unsigned long long)n, size, plan.size);
	if (memcmp(data, &n, size < sizeof n ? size : sizeof n))
		gauge_die("in place of message %llu came another", (unsigned long long)n);
}

void gauge_answer(const void *data, size_t size)
{
	check(data, size, sent);
	answered = 1;
}

void gauge_round_trip(void)
{
	answered = 0;
	client.request(gauge_numbered(sent), plan.size);
	if (!answered)
		gauge_die("request %llu got no answer", (unsigned long long)sent);
	sent++;
}

int gauge_take(const void *data, size_t size)
{
	check(data, size, taken);
	taken = page_took(me);
	return taken >= plan.count + plan.warm_up;
}

void gauge_be(enum role role, int index)
{
	me = index;
	client.open(role, index);
	page_ready();
	if (role == REPLIER)
		client.serve();
	else
		client.consume();
	if (role == REPLIER || taken < plan.count + plan.warm_up)
		gauge_die("a client has stopped early");
	for (;;) /* until it is ended: closing a connection is no part of what is measured */
		pause();
}

static uint64_t number(int argc, char **argv, int i, uint64_t otherwise)
{
	return i < argc ? strtoull(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	const char *test = argc > 2 ? argv[1] : "", *warm = getenv("WARM");
	int rtt = !strcmp(test, "rtt") && argc == 4, pub = !strcmp(test, "pub") && (argc == 5 || argc == 6);
	int idle = !strcmp(test, "idle") && argc == 3;
	peer = getenv("PEER") ? getenv("PEER") : argv[0];
	plan.size = number(argc, argv, 2, 0);
	plan.count = number(argc, argv, 3, 1);
	plan.consumers = (int)number(argc, argv, 4, 0);
	plan.window = number(argc, argv, 5, plan.size > 4096 ? 100 : 1000);
	plan.warm_up = plan.count / 10;
	if (rtt && plan.warm_up > 1000)
		plan.warm_up = 1000;
	if (warm)
		plan.warm_up = strtoull(warm, NULL, 10);
	if (rtt + pub + idle != 1 || plan.count == 0 || (pub && (plan.consumers < 1 || plan.consumers > MAX_CONSUMERS))) {
		fprintf(stderr, "usage: %s rtt SIZE N | pub SIZE N CONSUMERS [WINDOW] | idle CLIENTS\n", argv[0]);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	page_make();
	process_brokers(getenv("BROKER_PID"));
	draft = malloc(plan.size + sizeof(uint64_t));
	if (!draft)
		gauge_die("no memory");
	memset(draft, 'x', plan.size + sizeof(uint64_t));
	if (client.prepare)
		client.prepare(&plan);
	if (rtt)
		measure_round_trips();
	else if (pub)
		measure_throughput();
	else
		measure_memory((int)plan.size);
	process_end_all();
	return 0;
}

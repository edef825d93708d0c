/* Time limits while the daemon stands still. The test stops the daemon when this program says "ready", and lets it go on
 * when it says "limits kept". Meanwhile a timer ticks five times a second, as in many programs, and counts how long all
 * takes; and afterwards nothing must be lost or doubled. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

enum { SECOND = 5, FAR = 6 * SECOND }; /* ticks; far more than a second, far less than for ever */

static volatile sig_atomic_t ticks;

static void tick(int sig) { ticks += sig == SIGALRM; }

static void set_timer(long us)
{
	const struct sigaction a = {.sa_handler = tick};
	const struct itimerval often = {{0, us}, {0, us}};
	EQUAL(sigaction(SIGALRM, &a, NULL), 0);
	EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void say(const char *line)
{
	char c;
	puts(line);
	fflush(stdout);
	ssize_t n;
	do
		n = read(0, &c, 1);
	while (n < 0 && errno == EINTR);
	EQUAL(n, 1);
}

/* Something that must fail with -ETIMEDOUT, and soon. */
#define LATE(what) \
	do { \
		int began_ = ticks; \
		EQUAL(what, -ETIMEDOUT); \
		CHECK(ticks - began_ < FAR); \
	} while (0)

static kbus_bus_t *opened(void)
{
	kbus_bus_t *b = NULL;
	EQUAL(kbus_bus_open(&b, 0, 3), 0);
	return b;
}

static kbus_bus_t *replier;

static void *answers(void *unused)
{
	kbus_bus_msg_t m;
	for (;;) {
		int n = kbus_bus_receive(replier, &m, -1);
		if (n == -EINTR)
			continue;
		EQUAL(n, 1);
		EQUAL(kbus_bus_reply(replier, &m, m.data, m.data_len, NULL), 0);
		if (memcmp(m.data, "last", 4) == 0)
			return unused;
	}
}

static int receives(kbus_bus_t *b, kbus_bus_msg_t *m, int ms)
{
	int n;
	do
		n = kbus_bus_receive(b, m, ms);
	while (n == -EINTR && ticks >= 0);
	return n;
}

static void fill(kbus_bus_t *b, unsigned *posted)
{
	static char    data[1000];
	kbus_bus_msg_t m = {.name = "$.Limits.Post", .data = data, .data_len = sizeof data};
	int            err = 0, began = ticks;
	kbus_bus_patience(b, 500);
	for (*posted = 0; err == 0; ++*posted)
		err = kbus_bus_post(b, &m);
	--*posted;
	EQUAL(err, -ETIMEDOUT);
	CHECK(*posted > 10 && ticks - began < FAR);
	kbus_bus_patience(b, -1);
}

int main(void)
{
	kbus_bus_t       *s = opened(), *l = opened(), *p = opened(), *waits = opened(), *polled = opened(), *new = NULL;
	kbus_bus_msg_t    m = {.name = "$.Limits", .data = "first", .data_len = 5, .flags = KBUS_BIT_WANT_A_REPLY}, got;
	kbus_bus_totals_t totals;
	kbus_msg_id_t     id;
	uint32_t          n;
	unsigned          posted;
	pthread_t         thread;
	replier = opened();
	EQUAL(kbus_bus_bind(replier, "$.Limits", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_bind(l, "$.Limits.Listen", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(polled, "$.Limits.Listen", KBUS_BUS_LISTENER), 0);
	CHECK(kbus_bus_fd(polled) >= 0);
	EQUAL(kbus_bus_max_messages(waits, 1, &n), 0);
	EQUAL(kbus_bus_bind(waits, "$.Limits.Full", KBUS_BUS_LISTENER), 0);
	kbus_bus_msg_t full = {.name = "$.Limits.Full", .flags = KBUS_BIT_ALL_OR_WAIT};
	EQUAL(kbus_bus_send(waits, &full, NULL), 0);
	EQUAL(kbus_bus_send(waits, &full, NULL), -EAGAIN);
	say("ready");

	set_timer(200000);
	LATE(kbus_bus_call(s, &m, &got, &id, 1000));
	LATE(kbus_bus_call_with(s, &m, &got, &id, 1000, KBUS_BUS_KEEP_LATE_ANSWER));
	LATE(kbus_bus_wait_sent(waits, 1000));
	EQUAL(kbus_bus_patience(s, 1000), -1);
	LATE(kbus_bus_bind(s, "$.Limits.Late", KBUS_BUS_LISTENER));
	LATE(kbus_bus_num_messages(s, &n));
	m.data = "sent";
	m.data_len = 4;
	LATE(kbus_bus_send(s, &m, NULL));
	EQUAL(kbus_bus_patience(s, -1), 1000);
	LATE(kbus_bus_open(&new, 0, 3));
	LATE(kbus_ksock_open(0, O_RDWR));
	fill(p, &posted);
	set_timer(0);
	EQUAL(kbus_bus_receive(l, &got, 1000), 0);
	EQUAL(kbus_bus_receive(l, &got, 0), 0);
	EQUAL(kbus_bus_receive(l, &got, 100), 0);
	EQUAL(kbus_bus_receive(polled, &got, 100), 0);
	set_timer(200000);
	EQUAL(receives(l, &got, 1), 0);
	say("limits kept");

	/* It goes on. All that was begun has its effect, once and in order. */
	EQUAL(pthread_create(&thread, NULL, answers, NULL), 0);
	EQUAL(kbus_bus_flush(p, &totals), 0);
	EQUAL(totals.accepted, posted);
	EQUAL(totals.failed, 0);
	EQUAL(receives(s, &got, -1), 1); /* the second Call, whose answer was to be kept */
	CHECK(got.data_len == 5 && memcmp(got.data, "first", 5) == 0);
	EQUAL(receives(s, &got, -1), 1); /* and what was sent by hand */
	CHECK(got.data_len == 4 && memcmp(got.data, "sent", 4) == 0);
	m.data = "second";
	m.data_len = 6;
	EQUAL(kbus_bus_call(s, &m, &got, &id, -1), 1);
	CHECK(got.data_len == 6 && memcmp(got.data, "second", 6) == 0 && got.in_reply_to.serial_num == id.serial_num);
	for (int i = 0; i < 3; i++) {
		const kbus_bus_msg_t heard = {.name = "$.Limits.Listen", .data = &i, .data_len = sizeof i};
		EQUAL(kbus_bus_send(p, &heard, NULL), 0);
	}
	for (int i = 0; i < 3; i++) {
		EQUAL(receives(l, &got, i == 1 ? 0 : -1), 1);
		CHECK(got.data_len == sizeof i && memcmp(got.data, &i, sizeof i) == 0);
		EQUAL(receives(polled, &got, i == 1 ? 0 : -1), 1);
		CHECK(got.data_len == sizeof i && memcmp(got.data, &i, sizeof i) == 0);
	}
	EQUAL(receives(l, &got, 0), 0);
	const kbus_bus_msg_t late = {.name = "$.Limits.Late"};
	EQUAL(kbus_bus_send(p, &late, NULL), 0);
	EQUAL(receives(s, &got, -1), 1);
	CHECK(memcmp(got.name, "$.Limits.Late", 13) == 0);
	EQUAL(receives(waits, &got, -1), 1);
	kbus_bus_release(waits);
	EQUAL(kbus_bus_wait_sent(waits, -1), 0);
	m.data = "last";
	m.data_len = 4;
	EQUAL(kbus_bus_call(s, &m, &got, NULL, -1), 1);
	pthread_join(thread, NULL);
	kbus_bus_t *all[] = {s, l, p, waits, polled, replier};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		kbus_bus_close(all[i]);
	return 0;
}

/* Signals, many of them, in the middle of everything: nothing is corrupt, lost or doubled. And handlers that use the Ksock
 * that they have interrupted: that works, or is refused with -EDEADLK, and never hangs. */
#include <pthread.h>
#include <signal.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

enum { ROUNDS = 400, LARGE = 390000 };

static volatile sig_atomic_t handled, worked, refused, stop;
static kbus_bus_t           *bus;
static kbus_ksock_t          ksock = -1;
static pthread_t             target;

static void use_bus(void)
{
	uint32_t n;
	int      err = kbus_bus_num_messages(bus, &n);
	if (err == 0)
		worked++;
	else if (err == -EDEADLK)
		refused++;
	else
		_exit(3);
}

static void use_ksock(void)
{
	uint32_t n;
	int      err = kbus_ksock_num_messages(ksock, &n);
	if (err == 0)
		worked++;
	else if (err == -EDEADLK)
		refused++;
	else
		_exit(4);
}

static void on_signal(int sig)
{
	(void)sig;
	handled++;
	if (bus)
		use_bus();
	if (ksock >= 0)
		use_ksock();
}

static void *shoots(void *unused)
{
	while (!stop) {
		const int before = handled;
		pthread_kill(target, SIGUSR1);
		while (handled == before && !stop)
			sched_yield();
	}
	return unused;
}

static kbus_bus_t *replier;

/* Answers each Request once with what it has brought, and counts them. */
static void *answers(void *count)
{
	kbus_bus_msg_t m;
	for (;;) {
		EQUAL(kbus_bus_receive(replier, &m, -1), 1);
		EQUAL(kbus_bus_reply(replier, &m, m.data, m.data_len, NULL), 0);
		++*(int *)count;
		if (m.data_len == 3)
			return NULL;
	}
}

static kbus_bus_t *opened(void)
{
	kbus_bus_t *b = NULL;
	EQUAL(kbus_bus_open(&b, 0, 3), 0);
	return b;
}

static void modern(int pollable)
{
	static char    data[LARGE];
	kbus_bus_msg_t got, m = {.name = "$.Signals", .data = data, .flags = KBUS_BIT_WANT_A_REPLY};
	kbus_bus_t    *mine = opened(), *other = opened();
	pthread_t      shooter, answerer;
	int            count = 0, n;
	replier = opened();
	EQUAL(kbus_bus_bind(replier, "$.Signals", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_bind(other, "$.Signals.Heard", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(mine, "$.Signals.Mine", KBUS_BUS_LISTENER), 0);
	if (pollable)
		CHECK(kbus_bus_fd(mine) >= 0);
	EQUAL(pthread_create(&answerer, NULL, answers, &count), 0);
	bus = mine;
	stop = 0;
	EQUAL(pthread_create(&shooter, NULL, shoots, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		for (size_t j = 0; j < LARGE; j += 1000)
			data[j] = (char)(i + (int)(j / 1000));
		m.data_len = i % 8 ? (uint32_t)(100 + i) : LARGE;
		EQUAL(kbus_bus_call(mine, &m, &got, NULL, 100000), 1); /* a signal does not end it, so nothing is asked twice */
		CHECK(got.data_len == m.data_len && memcmp(got.data, data, m.data_len) == 0);
		kbus_bus_msg_t heard = {.name = "$.Signals.Heard", .data = data, .data_len = m.data_len};
		EQUAL(kbus_bus_send(mine, &heard, NULL), 0);
		kbus_bus_msg_t own = {.name = "$.Signals.Mine", .data = data, .data_len = m.data_len};
		EQUAL(kbus_bus_send(mine, &own, NULL), 0);
		do
			n = kbus_bus_receive(mine, &got, -1);
		while (n == -EINTR);
		EQUAL(n, 1);
		CHECK(got.data_len == m.data_len && memcmp(got.data, data, m.data_len) == 0);
		do
			n = kbus_bus_receive(other, &got, -1);
		while (n == -EINTR);
		EQUAL(n, 1);
		CHECK(got.data_len == m.data_len && memcmp(got.data, data, m.data_len) == 0);
	}
	stop = 1;
	EQUAL(pthread_join(shooter, NULL), 0);
	bus = NULL;
	m.data_len = 3;
	EQUAL(kbus_bus_call(mine, &m, &got, NULL, -1), 1);
	EQUAL(pthread_join(answerer, NULL), 0);
	EQUAL(count, ROUNDS + 1);
	EQUAL(kbus_bus_receive(other, &got, 0), 0);
	EQUAL(kbus_bus_receive(mine, &got, 0), 0);
	kbus_bus_close(mine);
	kbus_bus_close(other);
	kbus_bus_close(replier);
}

static void compatible(void)
{
	static char     data[LARGE];
	kbus_ksock_t    k = kbus_ksock_open(0, O_RDWR);
	kbus_message_t *m = NULL, *got;
	kbus_msg_id_t   id;
	pthread_t       shooter;
	CHECK(k >= 0);
	EQUAL(kbus_ksock_bind(k, "$.Signals.Old", 0), 0);
	ksock = k;
	stop = 0;
	EQUAL(pthread_create(&shooter, NULL, shoots, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		const uint32_t len = i % 8 ? (uint32_t)(100 + i) : LARGE;
		int            n;
		for (size_t j = 0; j < LARGE; j += 1000)
			data[j] = (char)(i + (int)(j / 1000));
		EQUAL(kbus_msg_create(&m, "$.Signals.Old", 13, data, len, 0), 0);
		if (i % 2) {
			EQUAL(kbus_ksock_send_msg(k, m, &id), 0);
		} else {
			EQUAL(kbus_ksock_write_msg(k, m), 0);
			EQUAL(kbus_ksock_send(k, &id), 0);
		}
		kbus_msg_delete(&m);
		do
			n = kbus_wait_for_message(k, KBUS_KSOCK_READABLE);
		while (n == -EINTR);
		EQUAL(n, KBUS_KSOCK_READABLE);
		EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
		CHECK(got && kbus_msg_compare_ids(&got->id, &id) == 0 && got->data_len == len);
		CHECK(memcmp(kbus_msg_data_ptr(got), data, len) == 0);
		kbus_msg_delete(&got);
	}
	stop = 1;
	EQUAL(pthread_join(shooter, NULL), 0);
	ksock = -1;
	EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
	CHECK(!got);
	EQUAL(kbus_ksock_close(k), 0);
}

/* A handler closes what its own thread waits in. */
static void closes_bus(int sig)
{
	(void)sig;
	kbus_bus_close(bus);
	CHECK(kbus_ksock_close(ksock) == 0);
}

static void *shoots_once(void *unused)
{
	pthread_kill(target, SIGUSR2);
	return unused;
}

static void closing(void)
{
	const struct sigaction a = {.sa_handler = closes_bus};
	kbus_bus_msg_t         got;
	uint32_t               n;
	pthread_t              shooter;
	EQUAL(sigaction(SIGUSR2, &a, NULL), 0);
	for (int old = 0; old < 2; old++) {
		int err;
		bus = opened();
		ksock = kbus_ksock_open(0, O_RDWR);
		EQUAL(pthread_create(&shooter, NULL, shoots_once, NULL), 0);
		do
			err = old ? kbus_wait_for_message(ksock, KBUS_KSOCK_READABLE) : kbus_bus_receive(bus, &got, -1);
		while (err == -EINTR);
		EQUAL(err, -EBADF);
		EQUAL(pthread_join(shooter, NULL), 0);
		EQUAL(kbus_bus_num_messages(bus, &n), -EBADF);
		EQUAL(kbus_ksock_num_messages(ksock, &n), -EBADF);
	}
	bus = NULL;
	ksock = -1;
}

int main(void)
{
	const struct sigaction a = {.sa_handler = on_signal};
	target = pthread_self();
	EQUAL(sigaction(SIGUSR1, &a, NULL), 0);
	modern(0);
	modern(1);
	compatible();
	CHECK(refused > 0);
	closing();
	return 0;
}

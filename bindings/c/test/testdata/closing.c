/* Closing under other threads: each round some wait, read, call and ask with one Ksock, and another thread closes it. Each
 * of them must be told that it is closed, and nothing else. The first argument is how many rounds. */
#include <pthread.h>
#include <sched.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

enum { THREADS = 5 };

static pthread_barrier_t start;
static unsigned          seed = 1;

/* Lets the others get somewhere, each time a little elsewhere. */
static void dawdle(void)
{
	for (int n = rand_r(&seed) % 60; n > 0; n--)
		sched_yield();
}

/* The compatible functions. */
static kbus_ksock_t ksock;

static int old_waits(void)
{
	int n = kbus_wait_for_message(ksock, KBUS_KSOCK_READABLE);
	return n == KBUS_KSOCK_READABLE ? 0 : n;
}

static int old_reads(void)
{
	kbus_message_t *m = NULL;
	int             n = kbus_ksock_read_next_msg(ksock, &m);
	if (m)
		kbus_msg_delete(&m);
	return n;
}

static int old_asks(void)
{
	uint32_t n;
	int      err = kbus_ksock_num_messages(ksock, &n);
	return err ? err : kbus_ksock_find_replier(ksock, "$.Closing.Old", &n);
}

static int old_sends(void)
{
	kbus_message_t *m = NULL;
	kbus_msg_id_t   id;
	EQUAL(kbus_msg_create(&m, "$.Closing.Old", 13, "data", 4, 0), 0);
	int err = kbus_ksock_send_msg(ksock, m, &id);
	kbus_msg_delete(&m);
	return err;
}

static int old_other(void)
{
	uint32_t len;
	int      n = kbus_ksock_poll(ksock);
	if (n >= 0)
		n = kbus_ksock_next_msg(ksock, &len);
	if (n >= 0)
		n = kbus_ksock_len_left(ksock, &len);
	return n < 0 ? n : kbus_ksock_discard(ksock);
}

/* The modern ones. */
static kbus_bus_t *bus;

static int new_waits(void)
{
	kbus_bus_msg_t m;
	int            n = kbus_bus_receive(bus, &m, -1);
	return n > 0 ? 0 : n;
}

static int new_reads(void)
{
	char           buffer[100];
	kbus_bus_msg_t m;
	int            n = kbus_bus_receive_into(bus, &m, buffer, sizeof buffer, 1000000);
	return n > 0 ? 0 : n;
}

static int new_calls(void)
{
	kbus_bus_msg_t reply, m = {.name = "$.Closing.Never", .flags = KBUS_BIT_WANT_A_REPLY};
	int            n = kbus_bus_call(bus, &m, &reply, NULL, -1);
	return n == -ENOLCK ? 0 : n; /* our own queue is full of what we send */
}

static int new_sends(void)
{
	const kbus_bus_msg_t m = {.name = "$.Closing.New"};
	int                  err = kbus_bus_post(bus, &m);
	return err ? err : kbus_bus_send(bus, &m, NULL);
}

static int new_asks(void)
{
	uint32_t n;
	int      err = kbus_bus_num_messages(bus, &n);
	if (err == 0 && kbus_bus_poll(bus) < 0)
		return -EBADF;
	return err ? err : kbus_bus_wait_sent(bus, -1);
}

static void *repeats(void *function)
{
	int (*const f)(void) = *(int (**)(void))function;
	int n;
	pthread_barrier_wait(&start);
	do
		n = f();
	while (n >= 0);
	EQUAL(n, -EBADF);
	return NULL;
}

static void run(int (**functions)(void), void (*close_it)(void))
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		EQUAL(pthread_create(&threads[i], NULL, repeats, &functions[i]), 0);
	pthread_barrier_wait(&start);
	dawdle();
	close_it();
	for (int i = 0; i < THREADS; i++)
		EQUAL(pthread_join(threads[i], NULL), 0);
}

static void close_old(void) { EQUAL(kbus_ksock_close(ksock), 0); }
static void close_new(void) { kbus_bus_close(bus); }

int main(int argc, char **argv)
{
	static int (*old[THREADS])(void) = {old_waits, old_reads, old_asks, old_sends, old_other};
	static int (*new[THREADS])(void) = {new_waits, new_reads, new_calls, new_sends, new_asks};
	const int   rounds = argc > 1 ? atoi(argv[1]) : 100;
	kbus_bus_t *never;
	uint32_t    n;
	EQUAL(pthread_barrier_init(&start, NULL, THREADS + 1), 0);
	EQUAL(kbus_bus_open(&never, 0, 3), 0);
	EQUAL(kbus_bus_bind(never, "$.Closing.Never", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_max_messages(never, 100000, &n), 0);
	for (int i = 0; i < rounds; i++) {
		ksock = kbus_ksock_open(0, O_RDWR);
		CHECK(ksock >= 0);
		EQUAL(kbus_ksock_bind(ksock, "$.Closing.Old", 0), 0);
		run(old, close_old);
		EQUAL(kbus_ksock_num_messages(ksock, &n), -EBADF);
		EQUAL(kbus_bus_open(&bus, 0, 3), 0);
		EQUAL(kbus_bus_bind(bus, "$.Closing.New", KBUS_BUS_LISTENER), 0);
		if (i % 2)
			CHECK(kbus_bus_fd(bus) >= 0);
		run(new, close_new);
		EQUAL(kbus_bus_num_messages(bus, &n), -EBADF);
	}
	kbus_bus_close(never);
	return 0;
}

/* Threads that are cancelled, in every function: it ends when the function has returned, or while it waits for a message in
 * kbus_wait_for_message. Other threads go on with the same Ksock, and open others; and nothing is left open. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"
#include "kbus/kbus_tap.h"

static kbus_bus_t  *bus, *opened;
static kbus_ksock_t ksock, opened_ksock;
static kbus_tap_t  *tap;

static kbus_bus_msg_t announcement(void)
{
	const kbus_bus_msg_t m = {.name = "$.A", .data = "x", .data_len = 1};
	return m;
}

static void opens(void) { EQUAL(kbus_bus_open(&opened, 0, KBUS_BUS_READ | KBUS_BUS_WRITE), 0); }
static void closes(void) { kbus_bus_close(opened); }
static void binds(void) { EQUAL(kbus_bus_bind(bus, "$.A", KBUS_BUS_LISTENER), 0); }

static void sends(void)
{
	const kbus_bus_msg_t m = announcement();
	EQUAL(kbus_bus_send(bus, &m, NULL), 0);
}

static void receives(void)
{
	kbus_bus_msg_t m;
	EQUAL(kbus_bus_receive(bus, &m, -1), 1);
}

static void calls(void)
{
	kbus_bus_msg_t m = announcement(), reply;
	m.name = "$.Nobody";
	m.flags = KBUS_BIT_WANT_A_REPLY;
	EQUAL(kbus_bus_call(bus, &m, &reply, NULL, -1), -EADDRNOTAVAIL);
}

static void opens_again(void) { EQUAL(kbus_bus_reopen(bus, NULL), 0); }
static void polls(void) { CHECK(kbus_bus_fd(bus) >= 0); }

static void opens_ksock(void) { CHECK((opened_ksock = kbus_ksock_open(0, O_RDWR)) >= 0); }
static void closes_ksock(void) { EQUAL(kbus_ksock_close(opened_ksock), 0); }
static void binds_ksock(void) { EQUAL(kbus_ksock_bind(ksock, "$.A", 0), 0); }

static void sends_ksock(void)
{
	kbus_message_t *m = NULL;
	kbus_msg_id_t   id;
	EQUAL(kbus_msg_create(&m, "$.A", 3, "x", 1, 0), 0);
	EQUAL(kbus_ksock_send_msg(ksock, m, &id), 0);
	kbus_msg_delete(&m);
}

static void reads_ksock(void)
{
	kbus_message_t *m = NULL;
	EQUAL(kbus_ksock_read_next_msg(ksock, &m), 0);
	CHECK(m);
	kbus_msg_delete(&m);
}

static void opens_tap(void) { EQUAL(kbus_tap_open(&tap, 0, NULL), 0); }
static void closes_tap(void) { kbus_tap_close(tap); }

/* In the order in which they can be. */
static void (*const all[])(void) = {
	opens, closes, binds, sends, receives, calls, opens_again, polls, sends, receives,
	opens_ksock, closes_ksock, binds_ksock, sends_ksock, reads_ksock, opens_tap, closes_tap,
};

static void *cancelled(void *function)
{
	pthread_cancel(pthread_self());
	(*(void (*const *)(void))function)();
	pthread_testcancel();
	return NULL;
}

static void ended(pthread_t thread)
{
	void *how;
	EQUAL(pthread_join(thread, &how), 0);
	CHECK(how == PTHREAD_CANCELED);
}

static sem_t begun;

static void *waits(void *unused)
{
	sem_post(&begun);
	kbus_wait_for_message(ksock, KBUS_KSOCK_READABLE);
	CHECK(!"a message came");
	return unused;
}

static void *is_closed(void *unused)
{
	kbus_bus_msg_t m;
	sem_post(&begun);
	EQUAL(kbus_bus_receive(bus, &m, -1), -EBADF);
	pthread_testcancel();
	return unused;
}

static pthread_t begin(void *(*function)(void *))
{
	pthread_t thread;
	EQUAL(pthread_create(&thread, NULL, function, NULL), 0);
	sem_wait(&begun);
	pthread_cancel(thread);
	return thread;
}

static int descriptors(void)
{
	int n = 0;
	for (int i = 0; i < 100; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

int main(void)
{
	const int      before = descriptors();
	pthread_t      thread;
	kbus_bus_msg_t m;
	kbus_message_t *old = NULL;
	uint32_t       count;
	sem_init(&begun, 0, 0);
	opens();
	bus = opened;
	opens_ksock();
	ksock = opened_ksock;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		EQUAL(pthread_create(&thread, NULL, cancelled, (void *)(uintptr_t)&all[i]), 0);
		ended(thread);
		EQUAL(kbus_bus_num_messages(bus, &count), 0);
		EQUAL(kbus_ksock_num_messages(ksock, &count), 0);
	}
	for (int i = 0; i < 50; i++) {
		ended(begin(waits));
		sends_ksock();
		EQUAL(kbus_bus_receive(bus, &m, 0), 1);
		EQUAL(kbus_ksock_read_next_msg(ksock, &old), 0);
		CHECK(old);
		kbus_msg_delete(&old);
	}
	thread = begin(is_closed);
	kbus_bus_close(bus);
	ended(thread);
	EQUAL(kbus_ksock_close(ksock), 0);
	EQUAL(descriptors(), before);
	return 0;
}

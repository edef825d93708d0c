/* What a tap does besides showing events: time limits, signals, refusals, a descriptor, a child, data that is cut. What is
 * shown is compared between all languages in test/clients. */
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "kbus/kbus_tap.h"

static void nothing(int number) { (void)number; }

/* By somebody who may not look. */
static int refused(void)
{
	kbus_tap_t *tap;
	EQUAL(setuid(65534), 0);
	EQUAL(kbus_tap_open(&tap, 0, NULL), -EPERM);
	return 0;
}

/* The daemon is killed: what has come is shown, and then it is the end. */
static int lost(void)
{
	kbus_tap_t      *tap;
	kbus_tap_event_t e;
	EQUAL(kbus_tap_open(&tap, 0, NULL), 0);
	puts("ready");
	fflush(stdout);
	getchar();
	EQUAL(kbus_tap_next(tap, &e, -1), 1);
	EQUAL(e.kind, KBUS_TAP_OPENED);
	while (kbus_tap_next(tap, &e, -1) == 1)
		;
	EQUAL(kbus_tap_next(tap, &e, 0), -ENOTCONN);
	CHECK(*kbus_tap_why(tap));
	kbus_tap_close(tap);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return *argv[1] == 'r' ? refused() : lost();
	const char       *bad[] = {"$.A", "$..B", NULL}, *doors[] = {"$.Door.*", NULL};
	char              longer[KBUS_MAX_NAME_LEN + 2];
	const char       *too_long[] = {longer, NULL};
	kbus_tap_filter_t filter = {.patterns = bad};
	kbus_tap_t       *tap = NULL, *large = NULL;
	kbus_tap_event_t  e;
	kbus_bus_t       *b;
	kbus_bus_msg_t    m = {.name = "$.Door.Open", .data = "front", .data_len = 5};
	static char       much[300000];

	/* Refusals. */
	EQUAL(kbus_tap_open(&tap, 0, &filter), -EBADMSG);
	memset(longer, 'x', sizeof longer);
	memcpy(longer, "$.", 2);
	longer[sizeof longer - 1] = 0;
	filter.patterns = too_long;
	EQUAL(kbus_tap_open(&tap, 0, &filter), -ENAMETOOLONG);
	EQUAL(kbus_tap_open(&tap, 77, NULL), -ENOENT);
	CHECK(tap == NULL);

	/* Time limits and the descriptor. */
	filter.patterns = doors;
	filter.max_data = 2;
	EQUAL(kbus_tap_open(&tap, 0, &filter), 0);
	EQUAL(kbus_tap_open(&large, 0, NULL), 0);
	EQUAL(kbus_tap_next(tap, &e, 0), 0);
	EQUAL(kbus_tap_next(tap, &e, 10), 0);
	EQUAL(kbus_bus_open(&b, 0, KBUS_BUS_WRITE), 0);
	EQUAL(kbus_bus_send(b, &m, NULL), 0);
	struct pollfd p = {kbus_tap_fd(tap), POLLIN, 0};
	EQUAL(poll(&p, 1, -1), 1);
	EQUAL(kbus_tap_next(tap, &e, 0), 1);
	EQUAL(e.kind, KBUS_TAP_SENT);
	EQUAL(e.error, 0);
	CHECK(*e.why == 0);
	EQUAL(e.message.data_len, 2);
	EQUAL(e.data_bytes, 5);
	EQUAL(e.ksock, kbus_bus_id(b));
	EQUAL(e.pid, getpid());
	CHECK(e.wall_ns > 0 && e.boot_ns > 0);
	EQUAL(kbus_tap_next(tap, &e, 0), 0);

	/* A signal ends the waiting, and nothing is lost. */
	struct sigaction s = {.sa_handler = nothing};
	sigaction(SIGALRM, &s, NULL);
	const struct itimerval soon = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
	setitimer(ITIMER_REAL, &soon, NULL);
	EQUAL(kbus_tap_next(tap, &e, -1), -EINTR);
	CHECK(*kbus_tap_why(tap));
	setitimer(ITIMER_REAL, &never, NULL);
	m.flags = KBUS_BIT_WANT_A_REPLY;
	EQUAL(kbus_bus_send(b, &m, NULL), -EADDRNOTAVAIL);
	EQUAL(kbus_tap_next(tap, &e, -1), 1);
	EQUAL(e.error, -EADDRNOTAVAIL);
	CHECK(strstr(e.why, "nobody is bound"));

	/* More than a buffer holds; and what came before it is still there. */
	m.flags = 0;
	m.name = "$.Much";
	m.data = memset(much, 'y', sizeof much);
	m.data_len = sizeof much;
	EQUAL(kbus_bus_send(b, &m, NULL), 0);
	int kinds[] = {KBUS_TAP_OPENED, KBUS_TAP_SENT, KBUS_TAP_SENT, KBUS_TAP_SENT};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		EQUAL(kbus_tap_next(large, &e, -1), 1);
		EQUAL(e.kind, kinds[i]);
	}
	EQUAL(e.message.data_len, sizeof much);
	CHECK(memcmp(e.message.data, much, sizeof much) == 0);

	/* A child has none. */
	pid_t child = fork();
	if (child == 0) {
		int err = kbus_tap_next(tap, &e, 0), fd = kbus_tap_fd(tap);
		kbus_tap_close(tap);
		_exit(err == -EBADF && fd == -EBADF ? 0 : 1);
	}
	int status;
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
	m.name = "$.Door.Shut";
	EQUAL(kbus_bus_send(b, &m, NULL), 0);
	EQUAL(kbus_tap_next(tap, &e, -1), 1);

	kbus_bus_close(b);
	kbus_tap_close(tap);
	kbus_tap_close(large);
	kbus_tap_close(NULL);
	return 0;
}

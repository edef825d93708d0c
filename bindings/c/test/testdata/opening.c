/* Another thread forks, or closes the handle, while a bus is being opened. This program plays the daemon, which holds a client up
 * at three places: it does not accept it, does not answer its Hello, or answers half of it. The clock of the library stands still,
 * so whoever comes back has been let go, and has not given up. The arguments are a directory, and how often to fork at any step;
 * $KBUS_DIR has a bus. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"
#include "kbus/kbus_tap.h"

int clock_gettime(clockid_t clock, struct timespec *t)
{
	const struct timespec still = {1000, 0};
	if (clock != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, clock, t);
	*t = still;
	return 0;
}

enum { UNACCEPTED, UNANSWERED, HALF_ANSWERED, PLACES, HELLO_BYTES = 28, LENT = 2 };

static struct sockaddr_un at = {.sun_family = AF_UNIX};
static int                listener, conn = -1, fillers[8], filled, lent[LENT];

static int descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void await_descriptors(int n)
{
	while (descriptors() != n)
		sched_yield();
}

/* The daemon. */

static void serve(void)
{
	unlink(at.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EQUAL(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	EQUAL(listen(listener, 0), 0);
}

static void fill(void)
{
	int n = 0;
	while (n == 0) {
		CHECK(filled < 8);
		fillers[filled] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		n = connect(fillers[filled++], (struct sockaddr *)&at, sizeof at);
	}
	EQUAL(errno, EAGAIN);
}

static void hear_hello(void)
{
	char hello[HELLO_BYTES];
	conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	EQUAL(recv(conn, hello, sizeof hello, MSG_WAITALL), HELLO_BYTES);
}

static const unsigned char welcome[] = {16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, /* a frame */
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};

static void answer(void) { EQUAL(send(conn, welcome, sizeof welcome, MSG_NOSIGNAL), sizeof welcome); }

static void answer_half(void)
{
	union {
		struct cmsghdr head;
		char           bytes[CMSG_SPACE(sizeof lent)];
	} control = {{0}};
	struct iovec  part = {(void *)(uintptr_t)welcome, 16};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof lent);
	memcpy(CMSG_DATA(&control.head), lent, sizeof lent);
	EQUAL(sendmsg(conn, &m, MSG_NOSIGNAL), 16);
}

static void hang_up(void)
{
	close(listener);
	if (conn >= 0)
		close(conn);
	conn = -1;
	while (filled > 0)
		close(fillers[--filled]);
}

/* The client. */

static kbus_bus_t *handle;

static int opens(void)
{
	kbus_bus_t *b;
	return kbus_bus_open_at(&b, at.sun_path, 3);
}

static int opens_old(void) { return kbus_ksock_open_by_name(at.sun_path, O_RDWR); }

static int opens_tap(void)
{
	kbus_tap_t *t;
	return kbus_tap_open_at(&t, at.sun_path, NULL);
}

static int reopens(void) { return kbus_bus_reopen(handle, NULL); }

static pid_t parent, of_handler;

static void *begins(void *function)
{
	int (*const f)(void) = *(int (**)(void))function;
	const int result = f();
	if (getpid() != parent)
		_exit(result == -EBADF ? 0 : 1);
	return (void *)(intptr_t)result;
}

static void *becomes_handle(void *unused)
{
	EQUAL(kbus_bus_open_at(&handle, at.sun_path, 3), 0);
	return unused;
}

/* A handle whose bus is lost. */
static void lose(void)
{
	pthread_t thread;
	serve();
	EQUAL(pthread_create(&thread, NULL, becomes_handle, NULL), 0);
	hear_hello();
	answer();
	EQUAL(pthread_join(thread, NULL), 0);
	hang_up();
}

/* Begins something in a thread, and returns when it is held up at that place. Gives how many descriptors there are beside its own. */
static int hold_up(pthread_t *thread, int (**function)(void), int place)
{
	serve();
	if (place == UNACCEPTED)
		fill();
	int others = descriptors();
	EQUAL(pthread_create(thread, NULL, begins, function), 0);
	if (place == UNACCEPTED) {
		await_descriptors(others + 1);
		return others;
	}
	hear_hello();
	others++;
	if (place == HALF_ANSWERED) {
		answer_half();
		await_descriptors(others + 1 + LENT);
	}
	return others;
}

static void on_fork_signal(int sig)
{
	(void)sig;
	const int   before = errno;
	const pid_t child = fork();
	if (child > 0)
		__atomic_store_n(&of_handler, child, __ATOMIC_SEQ_CST);
	errno = before;
}

#ifdef __SANITIZE_THREAD__ /* it does not see the locks that are given back in a child */
enum { HANDLERS_FORK = 0 };
#else
enum { HANDLERS_FORK = 1 };
#endif

/* The child of a handler goes on where the thread was, and is told at once. */
static void forked_by_handler(pthread_t thread)
{
	pid_t child;
	int   status;
	__atomic_store_n(&of_handler, 0, __ATOMIC_SEQ_CST);
	EQUAL(pthread_kill(thread, SIGUSR2), 0);
	while ((child = __atomic_load_n(&of_handler, __ATOMIC_SEQ_CST)) == 0)
		sched_yield();
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
}

static void forked_meanwhile(int (*function)(void), int place)
{
	pthread_t thread;
	void     *result;
	int       status;
	if (function == reopens)
		lose();
	const int   before = descriptors(), others = hold_up(&thread, &function, place), lost = function == reopens;
	const pid_t child = fork();
	if (child == 0) {
		EQUAL(descriptors(), others - lost);
		EQUAL(lost ? kbus_bus_poll(handle) : -EBADF, -EBADF);
		_exit(0);
	}
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
	if (HANDLERS_FORK)
		forked_by_handler(thread);
	hang_up();
	EQUAL(pthread_join(thread, &result), 0);
	CHECK((intptr_t)result < 0);
	EQUAL(descriptors(), before);
	if (lost)
		kbus_bus_close(handle);
}

static void on_signal(int sig)
{
	(void)sig;
	const int before = errno;
	kbus_bus_close(handle);
	errno = before;
}

static void closed_meanwhile(int place, int by_handler)
{
	static int (*function)(void) = reopens;
	const int before = descriptors();
	pthread_t thread;
	void     *result;
	lose();
	hold_up(&thread, &function, place);
	if (by_handler)
		EQUAL(pthread_kill(thread, SIGUSR1), 0);
	else
		kbus_bus_close(handle);
	EQUAL(pthread_join(thread, &result), 0);
	EQUAL((intptr_t)result, -EBADF);
	EQUAL(kbus_bus_reopen(handle, NULL), -EBADF);
	hang_up();
	EQUAL(descriptors(), before);
}

/* At any step. */

static kbus_bus_t *last;
static int         over, rounds;

static void *comes_and_goes(void *unused)
{
	for (int i = 0; !__atomic_load_n(&over, __ATOMIC_SEQ_CST); i++) {
		kbus_bus_t *b;
		kbus_tap_t *t;
		EQUAL(kbus_bus_open(&b, 0, 3), 0);
		__atomic_store_n(&last, b, __ATOMIC_SEQ_CST);
		if (i % 2)
			CHECK(kbus_bus_fd(b) >= 0);
		kbus_bus_close(b);
		EQUAL(kbus_tap_open(&t, 0, NULL), 0);
		kbus_tap_close(t);
	}
	return unused;
}

static void *comes_back(void *unused)
{
	EQUAL(kbus_bus_open_at(&handle, at.sun_path, 3), 0);
	__atomic_store_n(&last, handle, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
		EQUAL(kbus_bus_reopen(handle, NULL), 0);
	kbus_bus_close(handle);
	return unused;
}

static void forked_at_any_step(void *(*work)(void *))
{
	const int before = descriptors();
	pthread_t thread;
	int       status;
	over = 0;
	last = NULL;
	EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
	while (!__atomic_load_n(&last, __ATOMIC_SEQ_CST))
		sched_yield();
	for (int i = 0; i < rounds; i++) {
		const pid_t child = fork();
		if (child == 0) {
			EQUAL(descriptors(), before);
			EQUAL(kbus_bus_poll(last), -EBADF);
			_exit(0);
		}
		EQUAL(waitpid(child, &status, 0), child);
		EQUAL(status, 0);
	}
	__atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
	EQUAL(pthread_join(thread, NULL), 0);
}

/* A daemon that welcomes whoever comes, and is gone. */
static pid_t fickle(void)
{
	serve();
	const pid_t daemon = fork();
	while (daemon == 0) {
		hear_hello();
		answer();
		close(conn);
	}
	close(listener);
	return daemon;
}

int main(int argc, char **argv)
{
	static int (*const all[])(void) = {opens, opens_old, opens_tap, reopens};
	const struct sigaction closes = {.sa_handler = on_signal}, forks = {.sa_handler = on_fork_signal};
	int                    status;
	CHECK(argc == 3);
	rounds = atoi(argv[2]);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/opening.sock", argv[1]);
	EQUAL(pipe(lent), 0);
	EQUAL(sigaction(SIGUSR1, &closes, NULL), 0);
	EQUAL(sigaction(SIGUSR2, &forks, NULL), 0);
	parent = getpid();
	for (int place = 0; place < PLACES; place++) {
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			forked_meanwhile(all[i], place);
		closed_meanwhile(place, 0);
		closed_meanwhile(place, 1);
	}
	forked_at_any_step(comes_and_goes);
	const pid_t daemon = fickle();
	forked_at_any_step(comes_back);
	EQUAL(kill(daemon, SIGKILL), 0);
	EQUAL(waitpid(daemon, &status, 0), daemon);
	return 0;
}

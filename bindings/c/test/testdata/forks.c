/* Forks. A child has none of its parent's modern handles, and what becomes of it changes nothing for the parent; a child
 * of a Replier that is killed does not keep it alive. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

static kbus_bus_t *opened(void)
{
	kbus_bus_t *b = NULL;
	EQUAL(kbus_bus_open(&b, 0, 3), 0);
	return b;
}

static kbus_bus_t *caller;

static void *calls(void *unused)
{
	kbus_bus_msg_t reply, m = {.name = "$.Fork", .flags = KBUS_BIT_WANT_A_REPLY};
	EQUAL(kbus_bus_call(caller, &m, &reply, NULL, -1), 1);
	CHECK(reply.data_len == 6 && memcmp(reply.data, "answer", 6) == 0);
	return unused;
}

/* Every function, at once. */
static void refused(kbus_bus_t *b)
{
	kbus_bus_msg_t    m = {.name = "$.Fork"}, got;
	kbus_bus_sent_t   sent;
	kbus_bus_totals_t totals;
	kbus_bus_peer_t   peer;
	kbus_msg_id_t     id;
	uint32_t          n;
	uint64_t          total;
	char              buffer[10], *text;
	EQUAL(kbus_bus_bind(b, "$.Fork", 0), -EBADF);
	CHECK(strstr(kbus_bus_why(b), "closed"));
	EQUAL(kbus_bus_unbind(b, "$.Fork", 0), -EBADF);
	EQUAL(kbus_bus_replier(b, "$.Fork", &n), -EBADF);
	EQUAL(kbus_bus_send(b, &m, &sent), -EBADF);
	EQUAL(kbus_bus_post(b, &m), -EBADF);
	EQUAL(kbus_bus_flush(b, &totals), -EBADF);
	EQUAL(kbus_bus_resend(b, &sent), -EBADF);
	EQUAL(kbus_bus_discard(b), -EBADF);
	EQUAL(kbus_bus_wait_sent(b, -1), -EBADF);
	EQUAL(kbus_bus_receive(b, &got, -1), -EBADF);
	EQUAL(kbus_bus_receive_into(b, &got, buffer, sizeof buffer, -1), -EBADF);
	kbus_bus_release(b);
	m.flags = KBUS_BIT_WANT_A_REPLY;
	EQUAL(kbus_bus_call(b, &m, &got, &id, -1), -EBADF);
	EQUAL(kbus_bus_poll(b), -EBADF);
	EQUAL(kbus_bus_fd(b), -EBADF);
	EQUAL(kbus_bus_last_sent(b, &id), -EBADF);
	EQUAL(kbus_bus_max_messages(b, 1, &n), -EBADF);
	EQUAL(kbus_bus_num_messages(b, &n), -EBADF);
	EQUAL(kbus_bus_num_unreplied(b, &n), -EBADF);
	EQUAL(kbus_bus_only_once(b, 1), -EBADF);
	EQUAL(kbus_bus_report_replier_binds(b, 1), -EBADF);
	EQUAL(kbus_bus_verbose(b, 1), -EBADF);
	EQUAL(kbus_bus_max_message_size(b, 0, &n), -EBADF);
	EQUAL(kbus_bus_new_bus(b, &n), -EBADF);
	EQUAL(kbus_bus_bindings(b, &text), -EBADF);
	EQUAL(kbus_bus_stats(b, &text), -EBADF);
	EQUAL(kbus_bus_peer(b, 1, &peer), -EBADF);
	EQUAL(kbus_bus_peer_pidfd(b, 1), -EBADF);
	EQUAL(kbus_bus_missed(b, &total), -EBADF);
	EQUAL(kbus_bus_reopen(b, NULL), -EBADF);
	got.flags = 3;
	EQUAL(kbus_bus_reply(b, &got, NULL, 0, NULL), -EBADF);
	kbus_bus_close(b);
	EQUAL(kbus_bus_num_messages(b, &n), -EBADF);
}

static void child_has_none(int dies)
{
	kbus_bus_t    *replier = opened(), *other = opened();
	kbus_bus_msg_t request, m = {.name = "$.Fork.Heard"};
	pthread_t      thread;
	int            status;
	caller = opened();
	EQUAL(kbus_bus_bind(replier, "$.Fork", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_bind(other, "$.Fork.Heard", KBUS_BUS_LISTENER), 0);
	CHECK(kbus_bus_fd(other) >= 0);
	EQUAL(pthread_create(&thread, NULL, calls, NULL), 0);
	EQUAL(kbus_bus_receive(replier, &request, -1), 1); /* so the thread is in its call */
	pid_t child = fork();
	if (child == 0) {
		refused(caller);
		refused(replier);
		refused(other);
		kbus_bus_t *own = opened();
		EQUAL(kbus_bus_bind(own, "$.Fork.Own", KBUS_BUS_REPLIER), 0);
		if (dies)
			raise(SIGKILL);
		exit(0);
	}
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, dies ? SIGKILL : 0);
	EQUAL(kbus_bus_reply(replier, &request, "answer", 6, NULL), 0);
	EQUAL(pthread_join(thread, NULL), 0);
	EQUAL(kbus_bus_send(replier, &m, NULL), 0);
	EQUAL(kbus_bus_receive(other, &request, -1), 1);
	kbus_bus_close(caller);
	kbus_bus_close(replier);
	kbus_bus_close(other);
}

/* A Replier with a child that never touches the bus is killed with a Request in its hands. */
static void dead_is_noticed(void)
{
	kbus_bus_t    *asker = opened();
	kbus_bus_msg_t reply, m = {.name = "$.Fork.Killed", .flags = KBUS_BIT_WANT_A_REPLY};
	int            ready[2], status;
	pid_t          worker;
	EQUAL(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		kbus_bus_t *r = opened();
		EQUAL(kbus_bus_bind(r, "$.Fork.Killed", KBUS_BUS_REPLIER), 0);
		worker = fork();
		if (worker == 0) {
			alarm(300);
			for (;;)
				pause();
		}
		EQUAL(write(ready[1], &worker, sizeof worker), sizeof worker);
		EQUAL(kbus_bus_receive(r, &reply, -1), 1);
		raise(SIGKILL);
	}
	EQUAL(read(ready[0], &worker, sizeof worker), sizeof worker);
	EQUAL(kbus_bus_call(asker, &m, &reply, NULL, -1), 1);
	CHECK(kbus_bus_is_status(&reply));
	EQUAL(kbus_bus_bind(asker, "$.Fork.Killed", KBUS_BUS_REPLIER), 0); /* the name is free */
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(kill(worker, SIGKILL), 0); /* it lived until now */
	kbus_bus_close(asker);
}

/* A handler that forks while its own thread is in a function. */
static void on_signal(int sig)
{
	int status;
	(void)sig;
	pid_t child = fork();
	if (child == 0) {
		refused(caller);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void handler_forks(void)
{
	const struct sigaction a = {.sa_handler = on_signal};
	kbus_bus_msg_t         got;
	pid_t                  me = getpid();
	int                    status;
	caller = opened();
	EQUAL(kbus_bus_bind(caller, "$.Fork.Last", KBUS_BUS_LISTENER), 0);
	EQUAL(sigaction(SIGUSR1, &a, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		kbus_bus_t    *s = opened();
		kbus_bus_msg_t m = {.name = "$.Fork.Last"};
		for (int i = 0; i < 50; i++)
			EQUAL(kill(me, SIGUSR1), 0);
		EQUAL(kbus_bus_send(s, &m, NULL), 0);
		exit(0);
	}
	int n;
	do
		n = kbus_bus_receive(caller, &got, -1);
	while (n == -EINTR);
	EQUAL(n, 1);
	EQUAL(signal(SIGUSR1, SIG_IGN) == SIG_ERR, 0);
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
	kbus_bus_close(caller);
}

int main(void)
{
	child_has_none(0);
	child_has_none(1);
	dead_is_noticed();
	handler_forks();
	return 0;
}

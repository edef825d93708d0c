/* A reopen that is given up. The test holds the daemon up in the middle of it, and lets it go on when it is told. */
#include <pthread.h>
#include <sys/wait.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

static void say(const char *line)
{
	char c;
	puts(line);
	fflush(stdout);
	EQUAL(read(0, &c, 1), 1);
}

static void bind_all(kbus_bus_t *b)
{
	uint32_t n;
	EQUAL(kbus_bus_bind(b, "$.A", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(b, "$.Q", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_bind(b, "$.A", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(b, "$.P.*", KBUS_BUS_STANDBY), 0);
	EQUAL(kbus_bus_max_messages(b, 7, &n), 0);
}

static void stays_lost(kbus_bus_t *b, uint32_t id)
{
	kbus_bus_msg_t m;
	EQUAL(kbus_bus_bind(b, "$.B", KBUS_BUS_LISTENER), -ENOTCONN);
	EQUAL(kbus_bus_receive(b, &m, 0), -ENOTCONN);
	EQUAL(kbus_bus_id(b), id);
}

static void is_back(kbus_bus_t *b, const kbus_bus_reopened_t *r)
{
	kbus_bus_t          *other = NULL;
	const kbus_bus_msg_t m = {.name = "$.A", .data = "x", .data_len = 1};
	kbus_bus_sent_t      sent;
	kbus_bus_msg_t       got;
	uint32_t             n;
	EQUAL(r->bound, 4);
	EQUAL(r->failed, 0);
	EQUAL(r->id, kbus_bus_id(b));
	EQUAL(kbus_bus_open(&other, 0, 3), 0);
	EQUAL(kbus_bus_send(other, &m, &sent), 0);
	EQUAL(sent.reached, 2);
	EQUAL(kbus_bus_replier(other, "$.Q", &n), 0);
	EQUAL(n, r->id);
	EQUAL(kbus_bus_replier(other, "$.P.*", &n), 0);
	EQUAL(n, r->id);
	for (int i = 0; i < 2; i++) {
		EQUAL(kbus_bus_receive(b, &got, -1), 1);
		CHECK(got.data_len == 1 && memcmp(got.data, "x", 1) == 0);
	}
	EQUAL(kbus_bus_receive(b, &got, 0), 0);
	EQUAL(kbus_bus_max_messages(b, 0, &n), 0);
	EQUAL(n, 7);
	kbus_bus_close(other);
}

/* In a child nothing is there of an attempt. */
static void fork_meanwhile(kbus_bus_t *b)
{
	int   status;
	pid_t child = fork();
	if (child == 0)
		_exit(kbus_bus_reopen(b, NULL) == -EBADF ? 0 : 1);
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
}

static void *reopens(void *b)
{
	EQUAL(kbus_bus_reopen(b, NULL), -EBADF);
	return NULL;
}

int main(int argc, char **argv)
{
	kbus_bus_t         *b = NULL;
	kbus_bus_reopened_t r;
	EQUAL(kbus_bus_open(&b, 0, 3), 0);
	bind_all(b);
	if (argc > 2)
		CHECK(kbus_bus_fd(b) >= 0);
	const uint32_t id = kbus_bus_id(b);
	say("bound");

	if (strcmp(argv[1], "closed") == 0) {
		pthread_t t;
		EQUAL(pthread_create(&t, NULL, reopens, b), 0);
		say("reopening");
		kbus_bus_close(b);
		EQUAL(pthread_join(t, NULL), 0);
		return 0;
	}
	EQUAL(kbus_bus_patience(b, 50), -1);
	EQUAL(kbus_bus_reopen(b, &r), -ETIMEDOUT);
	CHECK(*kbus_bus_why(b));
	EQUAL(r.id, id);
	CHECK(r.bound == 0 && r.failed == 0);
	stays_lost(b, id);
	fork_meanwhile(b);
	say("given up");

	EQUAL(kbus_bus_reopen(b, &r), -ETIMEDOUT); /* the names of the first attempt may be taken still */
	stays_lost(b, id);
	say("given up twice");

	EQUAL(kbus_bus_patience(b, -1), 50);
	EQUAL(kbus_bus_reopen(b, &r), 0);
	EQUAL(r.old_id, id);
	is_back(b, &r);
	kbus_bus_close(b);
	return 0;
}

/* The daemon is killed and another takes its place; this program goes on with it. It says where it is, and goes on when it
 * is told to. */
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

int main(void)
{
	kbus_bus_t         *b = NULL, *other = NULL, *idle = NULL;
	kbus_bus_msg_t      got, m = {.name = "$.Reopen.Listen", .data = "before", .data_len = 6};
	kbus_bus_msg_t      ask = {.name = "$.Reopen.Taken", .flags = KBUS_BIT_WANT_A_REPLY};
	kbus_bus_sent_t     sent;
	kbus_bus_reopened_t r;
	const char         *name;
	uint32_t            n;
	int                 role;
	EQUAL(kbus_bus_open(&b, 0, 3), 0);
	EQUAL(kbus_bus_open(&other, 0, 3), 0);
	EQUAL(kbus_bus_open(&idle, 0, 1), 0);
	EQUAL(kbus_bus_bind(b, "$.Reopen.Listen", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(b, "$.Reopen.Taken", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_bind(b, "$.Reopen.Mine", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_bind(b, "$.Reopen.Twice", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(b, "$.Reopen.Twice", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_unbind(b, "$.Reopen.Twice", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_max_messages(b, 7, &n), 0);
	EQUAL(kbus_bus_only_once(b, 1), 0);
	CHECK(kbus_bus_fd(b) >= 0);
	EQUAL(kbus_bus_reopen(b, &r), 0); /* nothing is lost, nothing is done */
	EQUAL(r.id, r.old_id);
	EQUAL(r.id, kbus_bus_id(b));
	EQUAL(kbus_bus_send(b, &ask, &sent), 0); /* to itself: it will not be answered */
	say("bound");

	EQUAL(kbus_bus_reopen(b, &r), -ENOENT); /* nobody is there */
	CHECK(*kbus_bus_why(b));
	EQUAL(kbus_bus_num_messages(b, &n), -ENOTCONN);
	say("lost");

	EQUAL(kbus_bus_reopen(other, NULL), 0);
	EQUAL(kbus_bus_bind(other, "$.Reopen.Taken", KBUS_BUS_REPLIER), 0); /* it is quicker */
	EQUAL(kbus_bus_reopen(b, &r), 0);
	EQUAL(r.bound, 3);
	EQUAL(r.failed, 1);
	EQUAL(r.id, kbus_bus_id(b));
	EQUAL(kbus_bus_not_reopened(b, 0, &name, &role), -EADDRINUSE);
	CHECK(strcmp(name, "$.Reopen.Taken") == 0 && role == KBUS_BUS_REPLIER);
	EQUAL(kbus_bus_not_reopened(b, 1, &name, &role), -EINVAL);
	EQUAL(kbus_bus_max_messages(b, 0, &n), 0);
	EQUAL(n, 7);
	EQUAL(kbus_bus_only_once(b, 0xFFFFFFFF), 1);
	EQUAL(kbus_bus_replier(b, "$.Reopen.Mine", &n), 0);
	EQUAL(n, kbus_bus_id(b));
	EQUAL(kbus_bus_reopen(idle, &r), 0);
	CHECK(r.bound == 0 && r.failed == 0);

	/* What the lost bus had for it comes first: what was queued, if it could see it, and the Status that it owes. */
	EQUAL(kbus_bus_send(other, &m, &sent), 0);
	EQUAL(sent.reached, 1);
	int statuses = 0;
	do {
		EQUAL(kbus_bus_receive(b, &got, -1), 1);
		statuses += kbus_bus_is_status(&got);
	} while (got.name_len != 15);
	EQUAL(statuses, 1);
	CHECK(got.data_len == 6 && memcmp(got.data, "before", 6) == 0);
	EQUAL(kbus_bus_receive(b, &got, 0), 0);
	kbus_bus_close(b);
	EQUAL(kbus_bus_reopen(b, &r), -EBADF);
	kbus_bus_close(other);
	kbus_bus_close(idle);
	return 0;
}

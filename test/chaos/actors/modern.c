/* An actor through the modern interface of C. ../actor.go tells what it does. */
#include <kbus/kbus_bus.h>

#include "actor.h"

static int            holds;
static kbus_bus_msg_t held[HELD + 1];

/* Replies, oldest first, to what is not held back. */
static void answer(kbus_bus_t *bus)
{
	char name[40];
	snprintf(name, sizeof name, "$.Chaos.R%d", own);
	for (; holds > (finishing ? 0 : HELD); holds--) {
		held[0].name = name; /* what lay there has been released */
		kbus_bus_reply(bus, &held[0], "done", 4, NULL);
		memmove(held, held + 1, sizeof held - sizeof *held);
	}
}

int main(int argc, char **argv)
{
	kbus_bus_t *bus;
	char        name[40];
	if (argc < 4)
		return 2;
	begin(argv);
	int err = kbus_bus_open(&bus, 0, KBUS_BUS_READ | KBUS_BUS_WRITE);
	if (err) {
		say("gone %d", -err);
		return 0;
	}
	snprintf(name, sizeof name, "$.Chaos.R%d", own);
	do
		err = kbus_bus_bind(bus, name, KBUS_BUS_REPLIER);
	while (err == -EADDRINUSE || err == -EAGAIN);
	if (err == 0)
		err = kbus_bus_bind(bus, "$.Chaos.News", KBUS_BUS_LISTENER);
	if (err == 0)
		say("open %" PRIu32, kbus_bus_id(bus));
	while (err != -ENOTCONN) {
		int step = next_step();
		if (step != -1) {
			kbus_bus_msg_t  msg = {.name = "$.Chaos.News", .data = "c", .data_len = 1};
			kbus_bus_sent_t sent;
			if (step >= 0) {
				snprintf(name, sizeof name, "$.Chaos.R%d", step);
				msg.name = name;
				msg.flags = KBUS_BIT_WANT_A_REPLY;
			}
			err = kbus_bus_send(bus, &msg, &sent);
			if (err == 0 && step >= 0)
				asked(sent.id.serial_num);
			else if (err == 0)
				say("say 0:%" PRIu32, sent.id.serial_num);
		}
		look_whether_done();
		kbus_bus_msg_t got;
		int            wait = step == -1 ? 200 : 0;
		while ((err = kbus_bus_receive(bus, &got, wait)) == 1) {
			wait = 0;
			if (got.missed)
				say("missed 0:0 %" PRIu32, got.missed);
			if (got.in_reply_to.serial_num) {
				ended(got.in_reply_to.serial_num, got.name, (int)got.name_len);
			} else if (got.flags & KBUS_BIT_WANT_YOU_TO_REPLY) {
				say("took 0:%" PRIu32, got.id.serial_num);
				held[holds++] = got;
			} else if (!(got.flags & KBUS_BIT_WANT_A_REPLY)) {
				say("hear 0:%" PRIu32, got.id.serial_num);
			}
			kbus_bus_release(bus);
			answer(bus);
		}
		answer(bus);
	}
	say("gone %d", -err);
	return 0;
}

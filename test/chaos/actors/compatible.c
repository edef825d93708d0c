/* An actor through the original's interface of C. ../actor.go tells what it does. */
#include <kbus/kbus.h>

#include "actor.h"

static const char *name_of(const kbus_message_t *msg) { return kbus_msg_name_ptr(msg); }

static int             holds;
static kbus_message_t *held[HELD + 1];

/* Replies, oldest first, to what is not held back. */
static void answer(kbus_ksock_t k)
{
	for (; holds > (finishing ? 0 : HELD); holds--) {
		kbus_message_t *reply = NULL;
		kbus_msg_id_t   id;
		if (kbus_msg_create_reply_to(&reply, held[0], "done", 4, 0) == 0) {
			if (kbus_ksock_send_msg(k, reply, &id) < 0)
				kbus_ksock_discard(k);
			kbus_msg_delete(&reply);
		}
		kbus_msg_delete(&held[0]);
		memmove(held, held + 1, sizeof held - sizeof *held);
	}
}

int main(int argc, char **argv)
{
	char name[40];
	if (argc < 4)
		return 2;
	begin(argv);
	int          err;
	kbus_ksock_t k = kbus_ksock_open(0, O_RDWR);
	if (k < 0) {
		say("gone %d", -k);
		return 0;
	}
	snprintf(name, sizeof name, "$.Chaos.R%d", own);
	do
		err = kbus_ksock_bind(k, name, 1);
	while (err == -EADDRINUSE || err == -EAGAIN);
	if (err == 0)
		err = kbus_ksock_bind(k, "$.Chaos.News", 0);
	if (err == 0)
		say("open 0");
	while (err != -ENOTCONN) {
		int step = next_step();
		if (step != -1) {
			kbus_message_t *msg = NULL;
			kbus_msg_id_t   id;
			snprintf(name, sizeof name, "$.Chaos.R%d", step);
			if (step >= 0)
				err = kbus_msg_create_request(&msg, name, (uint32_t)strlen(name), "c", 1, 0);
			else
				err = kbus_msg_create(&msg, "$.Chaos.News", 12, "c", 1, 0);
			if (err == 0)
				err = kbus_ksock_send_msg(k, msg, &id);
			kbus_msg_delete(&msg);
			if (err == 0 && step >= 0)
				asked(id.serial_num);
			else if (err == 0)
				say("say 0:%" PRIu32, id.serial_num);
			else if (err != -ENOTCONN)
				kbus_ksock_discard(k);
		}
		look_whether_done();
		if (step == -1) {
			struct pollfd waits = {k, POLLIN, 0};
			poll(&waits, 1, 200);
		}
		for (;;) {
			kbus_message_t *got = NULL;
			err = kbus_ksock_read_next_msg(k, &got);
			if (err < 0 || got == NULL)
				break;
			uint32_t      before = 0;
			uint64_t      total = 0;
			/* When the bus is gone nobody knows what was missed before what was read last. */
			int known = kbus_ksock_missed(k, &before, &total) == 0;
			if (known && before)
				say("missed 0:0 %" PRIu32, before);
			if (kbus_msg_is_reply(got)) {
				ended(got->in_reply_to.serial_num, name_of(got), (int)got->name_len);
			} else if (kbus_msg_wants_us_to_reply(got)) {
				say("took 0:%" PRIu32, got->id.serial_num);
				held[holds++] = got;
				got = NULL;
				answer(k);
			} else if (known && !kbus_msg_is_request(got)) {
				say("hear 0:%" PRIu32, got->id.serial_num);
			}
			if (got)
				kbus_msg_delete(&got);
		}
		answer(k);
	}
	say("gone %d", -err);
	return 0;
}

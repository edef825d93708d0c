/* A program as one was written for the original library, from its documentation alone: a lamp that can be switched, and
 * somebody who switches it, in two processes. It must compile and run as it is. */
#include <sys/select.h>
#include <sys/wait.h>

#include "kbus.h"
#include "linux/kbus_defns.h"
#include "libkbus/limpet.h"

static int lamp(kbus_ksock_t ks)
{
	int requests;

	for (requests = 0; requests < 3; requests++) {
		kbus_message_t *msg = NULL, *reply = NULL;
		kbus_msg_id_t id;

		if (kbus_wait_for_message(ks, KBUS_KSOCK_READABLE) < 0)
			return 1;
		if (kbus_ksock_read_next_msg(ks, &msg) < 0 || msg == NULL)
			return 2;
		if (!kbus_msg_wants_us_to_reply(msg))
			return 3;
		if (kbus_msg_create_reply_to(&reply, msg, kbus_msg_data_ptr(msg), msg->data_len, 0) < 0)
			return 4;
		if (kbus_ksock_send_msg(ks, reply, &id) < 0)
			return 5;
		kbus_msg_delete(&reply);
		kbus_msg_delete(&msg);
	}
	return 0;
}

int main(void)
{
	static const char *states[] = { "on", "off", "dimmed" };
	kbus_ksock_t mine, lamps;
	uint32_t replier = 0;
	pid_t child;
	int ii, status;

	lamps = kbus_ksock_open_by_name("/dev/kbus0", O_RDWR);
	if (lamps < 0) {
		fprintf(stderr, "cannot open: %s\n", strerror(-lamps));
		return 10;
	}
	if (kbus_ksock_bind(lamps, "$.Lamp.Set", 1) < 0)
		return 11;
	child = fork();
	if (child == 0)
		_exit(lamp(lamps));

	mine = kbus_ksock_open(0, O_RDWR);
	if (mine < 0)
		return 12;
	if (kbus_ksock_find_replier(mine, "$.Lamp.Set", &replier) < 0 || replier == 0)
		return 13;
	for (ii = 0; ii < 3; ii++) {
		kbus_message_t *msg = NULL, *reply = NULL;
		kbus_msg_id_t id;
		uint32_t len;
		fd_set readable;

		if (kbus_msg_create_request(&msg, "$.Lamp.Set", 10, states[ii], (uint32_t)strlen(states[ii]), 0) < 0)
			return 14;
		if (kbus_ksock_write_msg(mine, msg) < 0 || kbus_ksock_send(mine, &id) < 0)
			return 15;
		kbus_msg_delete(&msg);

		FD_ZERO(&readable);
		FD_SET(mine, &readable);
		if (select(mine + 1, &readable, NULL, NULL, NULL) != 1)
			return 16;
		if (kbus_ksock_next_msg(mine, &len) != 1)
			return 17;
		if (kbus_ksock_read_msg(mine, &reply, len) < 0)
			return 18;
		if (kbus_msg_compare_ids(&reply->in_reply_to, &id) != 0)
			return 19;
		kbus_msg_print(stdout, reply);
		printf("\n");
		kbus_msg_delete(&reply);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		return 20;
	kbus_ksock_close(lamps);
	return kbus_ksock_close(mine) < 0;
}

/* The daemon is killed while this program waits: two processes, one with the compatible functions and one with the
 * modern ones. Whoever waits is told; each open Request gets its Status; then everything says that the bus is gone.
 * */
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

static void ready(void) { CHECK(write(1, "ready\n", 6) == 6); }

static void compatible(void)
{
	kbus_ksock_t    r = kbus_ksock_open(0, O_RDWR), s = kbus_ksock_open(0, O_RDWR);
	kbus_message_t *m = NULL, *reply = NULL;
	kbus_msg_id_t   id[4];
	uint32_t        len, n;
	CHECK(r >= 0 && s >= 0);
	EQUAL(kbus_ksock_bind(r, "$.Old", 1), 0);
	EQUAL(kbus_msg_create_request(&m, "$.Old", 5, NULL, 0, 0), 0);
	for (int i = 0; i < 4; i++)
		EQUAL(kbus_ksock_send_msg(s, m, &id[i]), 0);
	kbus_msg_delete(&m);
	EQUAL(kbus_ksock_read_next_msg(r, &m), 0); /* the first is answered, and its Reply read */
	EQUAL(kbus_msg_create_reply_to(&reply, m, NULL, 0, 0), 0);
	EQUAL(kbus_ksock_send_msg(r, reply, &id[0]), 0);
	kbus_msg_delete(&m);
	kbus_msg_delete(&reply);
	EQUAL(kbus_wait_for_message(s, KBUS_KSOCK_READABLE), KBUS_KSOCK_READABLE);
	EQUAL(kbus_ksock_read_next_msg(s, &m), 0);
	kbus_msg_delete(&m);
	ready();
	EQUAL(kbus_wait_for_message(s, KBUS_KSOCK_READABLE), KBUS_KSOCK_READABLE);
	for (int i = 1; i < 4; i++) {
		struct pollfd p = {s, POLLIN, 0};
		CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLIN);
		if (i == 2) {
			EQUAL(kbus_ksock_next_msg(s, &len), 1);
			EQUAL(kbus_ksock_len_left(s, &n), 0);
			EQUAL(n, len);
			EQUAL(kbus_ksock_read_msg(s, &m, len), 0);
		} else {
			EQUAL(kbus_ksock_read_next_msg(s, &m), 0);
		}
		CHECK(m && kbus_msg_compare_ids(&m->in_reply_to, &id[i]) == 0 && m->flags == KBUS_BIT_SYNTHETIC);
		CHECK(m->name_len == 19 && memcmp(kbus_msg_name_ptr(m), KBUS_MSG_NAME_BUS_GONEAWAY, 19) == 0);
		kbus_msg_delete(&m);
	}
	EQUAL(kbus_ksock_read_next_msg(s, &m), -ENOTCONN);
	EQUAL(kbus_ksock_next_msg(s, &len), -ENOTCONN);
	EQUAL(kbus_wait_for_message(s, KBUS_KSOCK_READABLE | KBUS_KSOCK_WRITABLE), -ENOTCONN);
	EQUAL(kbus_ksock_num_messages(s, &n), -ENOTCONN);
	EQUAL(kbus_ksock_bind(s, "$.X", 0), -ENOTCONN);
	EQUAL(kbus_ksock_discard(s), -ENOTCONN);
	EQUAL(kbus_ksock_poll(s), -ENOTCONN);
	while (kbus_ksock_read_next_msg(r, &m) == 0) /* what had been delivered may still be there */
		kbus_msg_delete(&m);
	EQUAL(kbus_ksock_read_next_msg(r, &m), -ENOTCONN);
	EQUAL(kbus_ksock_close(s), 0);
	EQUAL(kbus_ksock_close(r), 0);
	int again = kbus_ksock_open(0, O_RDWR);
	CHECK(again == -ENOENT || again == -ENOTCONN); /* nobody listens, or somebody who just dies */
}

static void modern(void)
{
	kbus_bus_t    *r = NULL, *s = NULL;
	kbus_msg_id_t  id;
	kbus_bus_msg_t got, m = {.name = "$.New", .flags = KBUS_BIT_WANT_A_REPLY};
	EQUAL(kbus_bus_open(&r, 0, 3), 0);
	EQUAL(kbus_bus_open(&s, 0, 3), 0);
	EQUAL(kbus_bus_bind(r, "$.New", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_call_with(s, &m, &got, &id, 0, KBUS_BUS_KEEP_LATE_ANSWER), -ETIMEDOUT);
	ready();
	EQUAL(kbus_bus_call(s, &m, &got, NULL, -1), -ENOTCONN); /* its own Request is told by this */
	EQUAL(kbus_bus_receive(s, &got, -1), 1);
	CHECK(kbus_bus_is_status(&got) && got.in_reply_to.serial_num == id.serial_num);
	EQUAL(kbus_bus_receive(s, &got, -1), -ENOTCONN);
	EQUAL(kbus_bus_send(s, &m, NULL), -ENOTCONN);
	EQUAL(kbus_bus_post(s, &m), -ENOTCONN);
	EQUAL(kbus_bus_flush(s, NULL), -ENOTCONN);
	CHECK(strstr(kbus_bus_why(s), "gone"));
	kbus_bus_close(s);
	kbus_bus_close(r);
}

int main(void)
{
	int   status;
	pid_t child = fork();
	if (child == 0) {
		modern();
		exit(0);
	}
	compatible();
	EQUAL(waitpid(child, &status, 0), child);
	return status;
}

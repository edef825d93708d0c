/* Every function of the original's library, as its programs used them, each with what it returns. It says the same through a
 * socket and through a device. */
#include <kbus/kbus.h>
#include <stdio.h>
#include <sys/select.h>

#define SHOW(what) \
	do { \
		long result = (long)(what); \
		printf("%s = %ld\n", #what, result); \
	} while (0)

static kbus_ksock_t    a, b;
static uint32_t        n, id;
static kbus_msg_id_t   mid;
static kbus_message_t *m, *got, *reply;

static void numbers(void)
{
	SHOW(kbus_ksock_open(99, O_RDWR));
	SHOW(kbus_ksock_open_by_name("/nowhere", O_RDONLY));
	SHOW(kbus_ksock_id(a, &id));
	SHOW(kbus_ksock_bind(a, "$.Lamp.Set", 1));
	SHOW(kbus_ksock_bind(b, "$.Lamp.Set", 1));
	SHOW(kbus_ksock_bind(a, "$.Lamp", 0));
	SHOW(kbus_ksock_bind(a, "Lamp", 0));
	SHOW(kbus_ksock_find_replier(b, "$.Lamp.Set", &n));
	SHOW(n == id);
	SHOW(kbus_ksock_find_replier(b, "$.None", &n));
	SHOW(n);
	SHOW(kbus_ksock_max_messages(a, &n));
	SHOW(n);
	SHOW(((n = 7), kbus_ksock_max_messages(a, &n)));
	SHOW(n);
	SHOW(kbus_ksock_num_messages(a, &n));
	SHOW(n);
	SHOW(kbus_ksock_num_unreplied_to(a, &n));
	SHOW(n);
	SHOW(kbus_ksock_only_once(a, 0xFFFFFFFF));
	SHOW(kbus_ksock_only_once(a, 1));
	SHOW(kbus_ksock_only_once(a, 0));
	SHOW(kbus_ksock_only_once(a, 3));
	SHOW(kbus_ksock_report_replier_binds(a, 0xFFFFFFFF));
	SHOW(kbus_ksock_kernel_module_verbose(a, 0xFFFFFFFF));
	SHOW(((n = 0), kbus_ksock_max_message_size(a, &n)));
	SHOW(n);
	SHOW(kbus_ksock_next_msg(a, &n));
	SHOW(kbus_ksock_len_left(a, &n));
	SHOW(kbus_ksock_last_msg_id(a, &mid));
	SHOW(mid.serial_num);
	SHOW(kbus_ksock_send(b, &mid));
	SHOW(kbus_ksock_discard(b));
	SHOW(kbus_ksock_read_next_msg(a, &got));
	SHOW(got == NULL);
}

static void talk(void)
{
	kbus_message_t *more = NULL;
	SHOW(kbus_msg_create_request(&m, "$.Lamp.Set", 10, "on", 2, 0));
	SHOW(kbus_msg_is_request(m));
	SHOW(kbus_msg_is_entire(m));
	SHOW(kbus_ksock_send_msg(b, m, &mid));
	kbus_msg_delete(&m);
	SHOW(m == NULL);
	SHOW(kbus_wait_for_message(a, KBUS_KSOCK_READABLE));
	SHOW(kbus_ksock_next_msg(a, &n));
	SHOW(kbus_ksock_len_left(a, &id));
	SHOW(id == n);
	SHOW(kbus_ksock_read_msg(a, &got, n));
	kbus_msg_print(stdout, got);
	puts("");
	SHOW(kbus_msg_wants_us_to_reply(got));
	SHOW(kbus_ksock_num_unreplied_to(a, &n));
	SHOW(n);
	SHOW(kbus_msg_create_reply_to(&reply, got, "ok", 2, 0));
	SHOW(kbus_ksock_write_msg(a, reply));
	SHOW(kbus_ksock_send(a, &mid));
	kbus_msg_delete(&reply);
	kbus_msg_delete(&got);
	SHOW(kbus_ksock_read_next_msg(b, &reply));
	SHOW(kbus_msg_is_reply(reply));
	kbus_msg_print2(stdout, reply, 0);
	puts("");
	SHOW(kbus_msg_create_stateful_request(&more, reply, "$.Lamp.Set", 10, NULL, 0, KBUS_BIT_WANT_A_REPLY));
	SHOW(kbus_msg_is_stateful_request(more));
	SHOW(kbus_ksock_send_msg(b, more, &mid));
	kbus_msg_delete(&more);
	kbus_msg_delete(&reply);
	SHOW(kbus_ksock_read_next_msg(a, &got));
	SHOW(kbus_msg_create_entire_reply_to(&m, got, NULL, 0, 0));
	SHOW(kbus_ksock_send_msg(a, m, NULL)); /* the id is not asked for */
	kbus_msg_delete(&m);
	kbus_msg_delete(&got);
	SHOW(kbus_ksock_read_next_msg(b, &got));
	kbus_msg_delete(&got);
}

static void pieces(void)
{
	const size_t len = KBUS_ENTIRE_MSG_LEN(6, 26);
	SHOW(kbus_msg_create_entire(&m, "$.Lamp", 6, "abcdefghijklmnopqrstuvwxyz", 26, KBUS_BIT_URGENT));
	SHOW(kbus_msg_sizeof(m) == (int)len);
	SHOW(kbus_ksock_write_data(b, (uint8_t *)m, len / 2));
	SHOW(kbus_ksock_write_data(b, (uint8_t *)m + len / 2, len - len / 2));
	SHOW(kbus_ksock_send(b, NULL));
	kbus_msg_delete(&m);
	SHOW(kbus_ksock_read_next_msg(a, &got));
	kbus_msg_print(stdout, got);
	printf("\n%s %.3s\n", kbus_msg_name_ptr(got), (char *)kbus_msg_data_ptr(got));
	kbus_msg_delete(&got);
	SHOW(kbus_msg_create(&m, "$.Nobody", 8, NULL, 0, KBUS_BIT_WANT_A_REPLY));
	SHOW(kbus_ksock_send_msg(b, m, &mid));
	kbus_msg_delete(&m);
}

static void events(void)
{
	char    *name;
	uint32_t is_bind, binder;
	SHOW(kbus_ksock_report_replier_binds(a, 1));
	SHOW(kbus_ksock_bind(a, KBUS_MSG_NAME_REPLIER_BIND_EVENT, 0));
	SHOW(kbus_ksock_bind(b, "$.Bulb", 1));
	while (kbus_ksock_read_next_msg(a, &got) == 0 && got) {
		kbus_msg_print(stdout, got);
		puts("");
		SHOW(kbus_msg_split_bind_event(got, &is_bind, &binder, &name));
		printf("%u %s\n", is_bind, name);
		free(name);
		kbus_msg_delete(&got);
	}
	SHOW(kbus_ksock_report_replier_binds(a, 0));
}

static void rest(void)
{
	fd_set         readable;
	struct timeval soon = {0, 0}, late = {60, 0};
	FD_ZERO(&readable);
	FD_SET(a, &readable);
	SHOW(select(a + 1, &readable, NULL, NULL, &soon));
	SHOW(kbus_msg_create(&m, "$.Lamp", 6, "x", 1, 0));
	SHOW(kbus_ksock_send_msg(b, m, &mid));
	kbus_msg_delete(&m);
	FD_SET(a, &readable);
	SHOW(select(a + 1, &readable, NULL, NULL, &late));
	SHOW(kbus_ksock_unbind(a, "$.Lamp", 0));
	SHOW(kbus_ksock_unbind(a, "$.Lamp", 0));
	SHOW(kbus_ksock_close(a));
	SHOW(kbus_ksock_close(b));
	SHOW(kbus_ksock_close(b));
}

int main(int argc, char **argv)
{
	a = argc > 1 ? kbus_ksock_open_by_name(argv[1], O_RDWR) : kbus_ksock_open(0, O_RDWR);
	b = argc > 1 ? kbus_ksock_open_by_name(argv[1], O_RDWR) : kbus_ksock_open(0, O_RDWR);
	SHOW(a >= 0 && b >= 0);
	if (a < 0 || b < 0)
		return 1;
	numbers();
	talk();
	pieces();
	events();
	rest();
	return 0;
}

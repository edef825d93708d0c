/* The compatible functions against a bus: what each gives, and what the descriptor says. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "kbus.h"

static int readable(kbus_ksock_t k, int timeout_ms)
{
	struct pollfd p = {k, POLLIN, 0};
	return poll(&p, 1, timeout_ms) == 1 && p.revents & POLLIN;
}

static kbus_ksock_t opened(int flags)
{
	kbus_ksock_t k = kbus_ksock_open(0, flags);
	CHECK(k >= 0);
	return k;
}

static int send_(kbus_ksock_t k, const char *name, const void *data, uint32_t len, uint32_t flags, kbus_msg_id_t *id)
{
	kbus_message_t *m = NULL;
	EQUAL(kbus_msg_create(&m, name, (uint32_t)strlen(name), len ? data : NULL, len, flags), 0);
	int err = kbus_ksock_send_msg(k, m, id);
	kbus_msg_delete(&m);
	return err;
}

static kbus_message_t *pop(kbus_ksock_t k)
{
	kbus_message_t *m = NULL;
	EQUAL(kbus_ksock_read_next_msg(k, &m), 0);
	return m;
}

static void numbers(void)
{
	kbus_ksock_t  k = opened(O_RDWR);
	uint32_t      n = 0;
	kbus_msg_id_t id = {9, 9};
	EQUAL(kbus_ksock_id(k, &n), 0);
	CHECK(n > 0);
	n = 0;
	EQUAL(kbus_ksock_max_messages(k, &n), 0);
	EQUAL(n, 100);
	EQUAL(kbus_ksock_only_once(k, 1), 0); /* what it was before (B30) */
	EQUAL(kbus_ksock_only_once(k, 0xFFFFFFFF), 1);
	EQUAL(kbus_ksock_only_once(k, 0), 1);
	EQUAL(kbus_ksock_only_once(k, 2), -EINVAL);
	EQUAL(kbus_ksock_kernel_module_verbose(k, 0xFFFFFFFF), 0);
	EQUAL(kbus_ksock_report_replier_binds(k, 1), 0);
	EQUAL(kbus_ksock_report_replier_binds(k, 0), 1);
	n = 1;
	EQUAL(kbus_ksock_max_message_size(k, &n), 0);
	EQUAL(n, 409600);
	n = 50;
	EQUAL(kbus_ksock_max_message_size(k, &n), -EINVAL);
	EQUAL(n, 50);
	EQUAL(kbus_ksock_last_msg_id(k, &id), 0);
	EQUAL(id.serial_num, 0);
	EQUAL(kbus_ksock_bind(k, "$.bad!", 0), -EBADMSG);
	char *name = malloc(2000001); /* longer than the bus would ever read */
	CHECK(name);
	memset(name, 'a', 2000000);
	name[2000000] = 0;
	EQUAL(kbus_ksock_bind(k, name, 0), -ENAMETOOLONG);
	EQUAL(kbus_ksock_find_replier(k, name, &n), -ENAMETOOLONG);
	free(name);
	EQUAL(kbus_ksock_unbind(k, "$.None", 0), -EINVAL);
	EQUAL(kbus_ksock_open(77, O_RDWR), -ENOENT);
	EQUAL(kbus_ksock_open_by_name("/nowhere/at/all", O_RDWR), -ENOENT);
	EQUAL(kbus_ksock_close(k), 0);
	EQUAL(kbus_ksock_close(k), -EBADF);
	EQUAL(kbus_ksock_num_messages(k, &n), -EBADF);
}

/* Readable exactly while a message waits. */
static void descriptor(void)
{
	kbus_ksock_t       l = opened(O_RDWR), s = opened(O_WRONLY);
	kbus_msg_id_t      id;
	struct epoll_event e = {.events = EPOLLIN};
	int                ep = epoll_create1(0);
	EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e), 0);
	EQUAL(kbus_ksock_bind(l, "$.D.*", 0), 0);
	for (int round = 0; round < 50; round++) {
		CHECK(!readable(l, 0));
		EQUAL(epoll_wait(ep, &e, 1, 0), 0);
		EQUAL(kbus_ksock_poll(l), KBUS_KSOCK_WRITABLE);
		EQUAL(kbus_wait_for_message(l, KBUS_KSOCK_READABLE | KBUS_KSOCK_WRITABLE), KBUS_KSOCK_WRITABLE);
		for (int i = 0; i < 3; i++)
			EQUAL(send_(s, "$.D.Event", "data", 4, 0, &id), 0);
		CHECK(readable(l, 5000));
		EQUAL(epoll_wait(ep, &e, 1, 5000), 1);
		EQUAL(send_(l, "$.Elsewhere", NULL, 0, 0, &id), 0); /* waits for a result while messages wait */
		CHECK(readable(l, 0));
		EQUAL(kbus_wait_for_message(l, KBUS_KSOCK_READABLE), KBUS_KSOCK_READABLE);
		for (int i = 0; i < 3; i++) {
			CHECK(readable(l, 5000));
			kbus_message_t *m = pop(l);
			CHECK(m && m->data_len == 4);
			kbus_msg_delete(&m);
		}
		CHECK(!readable(l, 0));
		CHECK(pop(l) == NULL);
	}
	EQUAL(send_(s, "$.D.Event", NULL, 0, 0, &id), 0);
	CHECK(readable(l, 5000));
	EQUAL(kbus_ksock_unbind(l, "$.D.*", 0), 0); /* takes what is queued with it */
	CHECK(!readable(l, 0));
	close(ep);
	kbus_ksock_close(l);
	kbus_ksock_close(s);
}

static void pieces(void)
{
	kbus_ksock_t    k = opened(O_RDWR);
	kbus_message_t *m = NULL, *part = NULL;
	kbus_msg_id_t   id;
	uint32_t        len, left;
	EQUAL(kbus_ksock_bind(k, "$.P", 0), 0);
	EQUAL(kbus_msg_create_entire(&m, "$.P", 3, "0123456789", 10, 0), 0);
	for (int i = 0; i < kbus_msg_sizeof(m); i++)
		EQUAL(kbus_ksock_write_data(k, (uint8_t *)m + i, 1), 0);
	EQUAL(kbus_ksock_send(k, &id), 0);
	EQUAL(kbus_ksock_send(k, &id), -ENOMSG);
	EQUAL(kbus_ksock_next_msg(k, &len), 1);
	EQUAL(len, kbus_msg_sizeof(m));
	EQUAL(kbus_ksock_read_msg(k, &part, 88), 0);
	EQUAL(part->data_len, 10);
	kbus_msg_delete(&part);
	EQUAL(kbus_ksock_len_left(k, &left), 0);
	EQUAL(left, len - 88);
	EQUAL(send_(k, "$.P", NULL, 0, 0, &id), 0);
	kbus_message_t *next = pop(k); /* drops the rest */
	CHECK(next && next->data_len == 0 && next->id.serial_num == id.serial_num);
	kbus_msg_delete(&next);
	EQUAL(kbus_ksock_next_msg(k, &len), 0);
	EQUAL(kbus_ksock_read_msg(k, &part, 10), -EBADMSG);

	m->end_guard = 0;
	EQUAL(kbus_ksock_send_msg(k, m, &id), -EINVAL);
	m->end_guard = KBUS_MSG_END_GUARD;
	EQUAL(kbus_ksock_write_msg(k, m), 0);
	EQUAL(kbus_ksock_discard(k), 0);
	EQUAL(kbus_ksock_send(k, &id), -ENOMSG);
	kbus_msg_delete(&m);

	/* A pointy message is looked at when it is sent: what it points at may be gone. */
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	EQUAL(kbus_msg_create(&m, "$.P", 3, page, 100, 0), 0);
	EQUAL(kbus_ksock_write_msg(k, m), 0);
	munmap(page, 4096);
	EQUAL(kbus_ksock_send(k, &id), -EFAULT);
	EQUAL(kbus_ksock_send(k, &id), -ENOMSG);
	char late[] = "$.Late";
	m->name = late;
	m->name_len = 6;
	m->data = NULL;
	m->data_len = 0;
	EQUAL(kbus_ksock_write_msg(k, m), 0);
	memcpy(late, "$.!", 3);
	EQUAL(kbus_ksock_send(k, &id), -EBADMSG);
	kbus_msg_delete(&m);
	CHECK(!readable(k, 0));
	kbus_ksock_close(k);
}

/* A message as large as it may be, many times the size of a ring, both ways. */
static void large(void)
{
	kbus_ksock_t   k = opened(O_RDWR);
	kbus_msg_id_t  id;
	const uint32_t n = 409600 - 96;
	char          *data = malloc(n);
	CHECK(data);
	for (uint32_t i = 0; i < n; i++)
		data[i] = (char)(i * 7);
	EQUAL(kbus_ksock_bind(k, "$.L", 0), 0);
	for (int i = 0; i < 5; i++) {
		EQUAL(send_(k, "$.L", data, n, 0, &id), 0);
		CHECK(readable(k, 5000));
		kbus_message_t *m = pop(k);
		CHECK(m && m->data_len == n && memcmp(kbus_msg_data_ptr(m), data, n) == 0);
		kbus_msg_delete(&m);
		CHECK(!readable(k, 0));
	}
	EQUAL(send_(k, "$.L", data, n - 10, 0, &id), 0);
	EQUAL(send_(k, "$.L", data, n - 0 + 0, KBUS_BIT_URGENT, &id), 0);
	free(data);
	kbus_ksock_close(k);
}

/* ALL_OR_WAIT: not writable until there is room. */
static void room(void)
{
	kbus_ksock_t  l = opened(O_RDWR), s = opened(O_RDWR);
	kbus_msg_id_t id, last;
	uint32_t      one = 1;
	EQUAL(kbus_ksock_max_messages(l, &one), 0);
	EQUAL(kbus_ksock_bind(l, "$.W", 0), 0);
	EQUAL(send_(s, "$.W", NULL, 0, KBUS_BIT_ALL_OR_WAIT, &id), 0);
	EQUAL(send_(s, "$.W", NULL, 0, KBUS_BIT_ALL_OR_WAIT, &id), -EAGAIN);
	CHECK(id.serial_num != 0);
	EQUAL(kbus_ksock_poll(s), 0);
	EQUAL(send_(s, "$.W", NULL, 0, 0, &last), -EALREADY);
	pid_t child = fork();
	if (child == 0) { /* makes room, once the other waits or before: both are right */
		kbus_message_t *m = NULL;
		_exit(kbus_ksock_read_next_msg(l, &m) != 0 || m == NULL);
	}
	EQUAL(kbus_wait_for_message(s, KBUS_KSOCK_WRITABLE), KBUS_KSOCK_WRITABLE);
	int status;
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
	EQUAL(kbus_ksock_send(s, &last), -ENOMSG); /* the bus has sent it by itself (Q5) */
	kbus_message_t *m = pop(l);
	CHECK(m && m->id.serial_num == id.serial_num);
	kbus_msg_delete(&m);
	kbus_ksock_close(l);
	kbus_ksock_close(s);
}

/* One Ksock, used by a process and its children in turn and at once. */
static void forked(void)
{
	kbus_ksock_t  k = opened(O_RDWR);
	kbus_msg_id_t id;
	int           status;
	EQUAL(kbus_ksock_bind(k, "$.F", 0), 0);
	pid_t children[4];
	for (int c = 0; c < 4; c++)
		if ((children[c] = fork()) == 0) {
			for (int i = 0; i < 20; i++)
				EQUAL(send_(k, "$.F", "child", 5, 0, &id), 0);
			_exit(0);
		}
	for (int got = 0; got < 80; got++) {
		EQUAL(kbus_wait_for_message(k, KBUS_KSOCK_READABLE), KBUS_KSOCK_READABLE);
		kbus_message_t *m = pop(k);
		CHECK(m && m->data_len == 5);
		kbus_msg_delete(&m);
	}
	for (int c = 0; c < 4; c++) {
		EQUAL(waitpid(children[c], &status, 0), children[c]);
		EQUAL(status, 0);
	}
	CHECK(pop(k) == NULL);
	CHECK(!readable(k, 0));
	EQUAL(kbus_ksock_close(k), 0);
}

/* Two threads with a Ksock each, and a third thread that uses both. */
enum { TALKS = 300 };

static void *echo(void *arg)
{
	kbus_ksock_t k = *(kbus_ksock_t *)arg;
	for (int i = 0; i < TALKS; i++) {
		kbus_message_t *m, *r = NULL;
		kbus_msg_id_t   id;
		EQUAL(kbus_wait_for_message(k, KBUS_KSOCK_READABLE), KBUS_KSOCK_READABLE);
		m = pop(k);
		CHECK(m);
		EQUAL(kbus_msg_create_reply_to(&r, m, kbus_msg_data_ptr(m), m->data_len, 0), 0);
		EQUAL(kbus_ksock_send_msg(k, r, &id), 0);
		kbus_msg_delete(&r);
		kbus_msg_delete(&m);
	}
	return NULL;
}

static void *watch(void *arg)
{
	kbus_ksock_t *both = arg;
	uint32_t      n;
	for (int i = 0; i < TALKS; i++) {
		EQUAL(kbus_ksock_num_messages(both[i % 2], &n), 0);
		EQUAL(kbus_ksock_num_unreplied_to(both[i % 2], &n), 0);
	}
	return NULL;
}

static void threads(void)
{
	kbus_ksock_t  both[2] = {opened(O_RDWR), opened(O_RDWR)};
	pthread_t     replier, watcher;
	kbus_msg_id_t id;
	EQUAL(kbus_ksock_bind(both[0], "$.T", 1), 0);
	EQUAL(pthread_create(&replier, NULL, echo, &both[0]), 0);
	EQUAL(pthread_create(&watcher, NULL, watch, both), 0);
	for (int i = 0; i < TALKS; i++) {
		EQUAL(send_(both[1], "$.T", &i, sizeof i, KBUS_BIT_WANT_A_REPLY, &id), 0);
		EQUAL(kbus_wait_for_message(both[1], KBUS_KSOCK_READABLE), KBUS_KSOCK_READABLE);
		kbus_message_t *m = pop(both[1]);
		CHECK(m && memcmp(kbus_msg_data_ptr(m), &i, sizeof i) == 0 && kbus_msg_compare_ids(&m->in_reply_to, &id) == 0);
		kbus_msg_delete(&m);
	}
	pthread_join(replier, NULL);
	pthread_join(watcher, NULL);
	kbus_ksock_close(both[0]);
	kbus_ksock_close(both[1]);
}

/* A program that closes a descriptor behind the library's back. */
static void recycled(void)
{
	kbus_ksock_t k = opened(O_RDWR);
	uint32_t     before, now;
	EQUAL(kbus_ksock_id(k, &before), 0);
	close(k);
	kbus_ksock_t again = opened(O_RDWR);
	EQUAL(again, k);
	EQUAL(kbus_ksock_id(again, &now), 0);
	CHECK(now != before);
	EQUAL(kbus_ksock_close(again), 0);
}

int main(void)
{
	numbers();
	descriptor();
	pieces();
	large();
	for (int round = 0; round < 100; round++) /* the word may come at any moment of the wait */
		room();
	forked();
	threads();
	recycled();
	return 0;
}

/* What a Ksock is told beside its messages: how many it missed, who sent one; and what becomes of answers that come too
 * late. */
#include <poll.h>
#include <sys/wait.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

static kbus_bus_t *opened(int flags)
{
	kbus_bus_t *b = NULL;
	EQUAL(kbus_bus_open(&b, 0, flags), 0);
	return b;
}

static void missed(int poll)
{
	kbus_bus_t    *l = opened(3), *s = opened(3);
	kbus_bus_msg_t got, m = {.name = "$.Told", .data = "some data", .data_len = 9, .flags = 0x10000};
	uint32_t       n;
	uint64_t       total = 99;
	if (poll)
		CHECK(kbus_bus_fd(l) >= 0);
	EQUAL(kbus_bus_max_messages(l, 2, &n), 0);
	EQUAL(kbus_bus_bind(l, "$.Told", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_missed(l, &total), 0);
	EQUAL(total, 0);
	for (int i = 0; i < 5; i++)
		EQUAL(kbus_bus_send(s, &m, NULL), 0);
	for (int i = 0; i < 2; i++) {
		EQUAL(kbus_bus_receive(l, &got, -1), 1);
		EQUAL(got.missed, 0);
	}
	kbus_bus_release(l);
	for (int i = 0; i < 2; i++)
		EQUAL(kbus_bus_send(s, &m, NULL), 0);
	for (int i = 0; i < 2; i++) {
		EQUAL(kbus_bus_receive(l, &got, i ? 0 : -1), 1);
		EQUAL(got.missed, i ? 0 : 3); /* the gap has a place */
		EQUAL(got.flags, 0x10000);
		CHECK(got.data_len == 9 && memcmp(got.data, "some data", 9) == 0);
	}
	EQUAL(kbus_bus_missed(l, &total), 0);
	EQUAL(total, 3);
	kbus_bus_close(l);
	kbus_bus_close(s);
}

static void missed_by_old(void)
{
	kbus_ksock_t    k = kbus_ksock_open(0, O_RDWR);
	kbus_bus_t     *s = opened(3);
	kbus_bus_msg_t  m = {.name = "$.Told"};
	kbus_message_t *got = NULL;
	uint32_t        n = 1, before = 9;
	uint64_t        total = 9;
	CHECK(k >= 0);
	EQUAL(kbus_ksock_max_messages(k, &n), 0);
	EQUAL(kbus_ksock_bind(k, "$.Told", 0), 0);
	for (int i = 0; i < 4; i++)
		EQUAL(kbus_bus_send(s, &m, NULL), 0);
	EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
	kbus_msg_delete(&got);
	EQUAL(kbus_bus_send(s, &m, NULL), 0);
	EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
	EQUAL(kbus_msg_sizeof(got), 88 + 8 + 4); /* nothing is added to it */
	EQUAL(got->flags, 0);
	kbus_msg_delete(&got);
	EQUAL(kbus_ksock_missed(k, &before, &total), 0);
	EQUAL(before, 3);
	EQUAL(total, 3);
	EQUAL(kbus_ksock_missed(k, NULL, NULL), 0);
	EQUAL(kbus_ksock_close(k), 0);
	kbus_bus_close(s);
}

static void peers(void)
{
	kbus_bus_t     *l = opened(3);
	kbus_bus_peer_t p;
	kbus_bus_msg_t  got, m = {.name = "$.Told.Peer"};
	int             go[2], status;
	char            c;
	EQUAL(kbus_bus_bind(l, "$.Told.Peer", KBUS_BUS_LISTENER), 0);
	EQUAL(pipe(go), 0);
	pid_t child = fork();
	if (child == 0) {
		kbus_bus_t *s = opened(3);
		CHECK(kbus_bus_send(s, &m, NULL) == 0 && kbus_bus_send(s, &m, NULL) == 0);
		close(go[1]);
		EQUAL(read(go[0], &c, 1), 1);
		kbus_bus_close(s);
		exit(0);
	}
	EQUAL(kbus_bus_receive(l, &got, -1), 1);
	const uint32_t from = got.from;
	EQUAL(kbus_bus_peer(l, from, &p), 0);
	EQUAL(p.uid, getuid());
	EQUAL(p.gid, getgid());
	EQUAL(p.pid, child);
	CHECK(p.connected && strcmp(p.program, "told") == 0);
	int fd = kbus_bus_peer_pidfd(l, from);
	CHECK(fd >= 0 || fd == -ENOSYS);
	EQUAL(write(go[1], "x", 1), 1);
	EQUAL(waitpid(child, &status, 0), child);
	EQUAL(status, 0);
	if (fd >= 0) {
		struct pollfd ended = {fd, POLLIN, 0};
		EQUAL(poll(&ended, 1, 0), 1);
		close(fd);
	}
	EQUAL(kbus_bus_peer(l, from, &p), 0); /* its second message is still queued */
	CHECK(!p.connected && p.pid == child);
	EQUAL(kbus_bus_peer_pidfd(l, from), -ESRCH);
	EQUAL(kbus_bus_receive(l, &got, -1), 1);
	EQUAL(kbus_bus_peer(l, 4000000, &p), -ESRCH);
	CHECK(*kbus_bus_why(l));
	kbus_bus_close(l);
}

/* A program that only calls, and a Replier that is slow for a while: the answers must not fill its queue. */
static void late(void)
{
	enum { MANY = 300 };
	kbus_bus_t    *r = opened(3), *s = opened(3);
	kbus_bus_msg_t got, m = {.name = "$.Told.Late", .flags = KBUS_BIT_WANT_A_REPLY};
	uint32_t       n;
	EQUAL(kbus_bus_bind(r, "$.Told.Late", KBUS_BUS_REPLIER), 0);
	EQUAL(kbus_bus_max_messages(r, 2 * MANY, &n), 0);
	for (int i = 0; i < MANY; i++)
		EQUAL(kbus_bus_call(s, &m, &got, NULL, 0), -ETIMEDOUT);
	for (int i = 0; i < MANY; i++) {
		EQUAL(kbus_bus_receive(r, &got, -1), 1);
		EQUAL(kbus_bus_reply(r, &got, "late", 4, NULL), 0);
	}
	EQUAL(kbus_bus_num_messages(s, &n), 0);
	EQUAL(n, 0);
	EQUAL(kbus_bus_receive(s, &got, 0), 0);
	kbus_bus_close(r);
	kbus_bus_close(s);
}

/* Names that only modern Ksocks may use. */
static void names(void)
{
	kbus_bus_t  *b = opened(3);
	kbus_ksock_t k = kbus_ksock_open(0, O_RDWR);
	EQUAL(kbus_bus_bind(b, "$.org_freedesktop.a-b", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_ksock_bind(k, "$.org_freedesktop.a-b", 0), -EBADMSG);
	EQUAL(kbus_bus_bind(b, "$.a b", KBUS_BUS_LISTENER), -EBADMSG);
	CHECK(*kbus_bus_why(b));
	EQUAL(kbus_ksock_close(k), 0);
	kbus_bus_close(b);
}

/* Places where no bus can be. */
static void places(void)
{
	kbus_bus_t *b = NULL;
	char        path[200];
	memset(path, 'x', sizeof path - 1);
	path[0] = '/';
	path[sizeof path - 1] = 0;
	EQUAL(kbus_bus_open_at(&b, path, 3), -ENAMETOOLONG);
	EQUAL(setenv("KBUS_DIR", path, 1), 0);
	EQUAL(kbus_bus_open(&b, 0, 3), -ENAMETOOLONG);
	EQUAL(kbus_ksock_open(0, O_RDWR), -ENAMETOOLONG);
	EQUAL(setenv("KBUS_DIR", "@abstract", 1), 0);
	EQUAL(kbus_bus_open(&b, 0, 3), -EINVAL);
	EQUAL(kbus_ksock_open(0, O_RDWR), -EINVAL);
}

int main(void)
{
	missed(0);
	missed(1);
	missed_by_old();
	peers();
	late();
	names();
	places();
	return 0;
}

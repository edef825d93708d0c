/* Large messages, whose data lies in the arena of the bus (without rings it does not): received and borrowed through both
 * interfaces, and what a broken daemon may say of places. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/segment.h"
#include "../../src/wire.h"
#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

enum { LARGE = 40000, MANY = 40, KEPT = 20 };

static int rings;

/* Whether p lies in memory that is the arena. */
static int in_arena(const void *p)
{
	char  line[512];
	int   found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (fgets(line, sizeof line, maps)) {
		unsigned long long from, to;
		if (strstr(line, "memfd:kbus-arena") && sscanf(line, "%llx-%llx", &from, &to) == 2) {
			CHECK(strstr(line, " r--s "));
			found |= (uintptr_t)p >= from && (uintptr_t)p < to;
		}
	}
	fclose(maps);
	return found;
}

static unsigned char bytes[LARGE];

static const void *numbered(int i)
{
	for (int at = 0; at < LARGE; at++)
		bytes[at] = (unsigned char)(i * 7 + at);
	return bytes;
}

static int is(const kbus_bus_msg_t *m, int i)
{
	return m->name_len == 7 && memcmp(m->name, "$.Large", 7) == 0 && m->data_len == LARGE &&
	       memcmp(m->data, numbered(i), LARGE) == 0;
}

static kbus_bus_t *opened(void)
{
	kbus_bus_t *b = NULL;
	uint32_t    n;
	EQUAL(kbus_bus_open(&b, 0, 3), 0);
	EQUAL(kbus_bus_max_messages(b, 2 * MANY, &n), 0);
	return b;
}

static void post(kbus_bus_t *b, int from, int to)
{
	kbus_bus_msg_t m = {.name = "$.Large", .data_len = LARGE};
	for (int i = from; i < to; i++) {
		m.data = numbered(i);
		EQUAL(kbus_bus_post(b, &m), 0);
	}
	EQUAL(kbus_bus_flush(b, NULL), 0);
}

static void received(void)
{
	kbus_bus_t    *l = opened(), *s = opened();
	kbus_bus_msg_t m;
	char          *buffer = malloc(LARGE + 7);
	EQUAL(kbus_bus_bind(l, "$.Large", KBUS_BUS_LISTENER), 0);
	post(s, 0, MANY);
	EQUAL(kbus_bus_receive_into(l, &m, buffer, 10, -1), -ENOBUFS);
	EQUAL(kbus_bus_receive_into(l, &m, buffer, LARGE + 7, -1), 1);
	CHECK(is(&m, 0));
	for (int i = 1; i < MANY; i++) {
		EQUAL(kbus_bus_receive(l, &m, -1), 1);
		CHECK(is(&m, i) && in_arena(m.data) == rings);
	}
	free(buffer);
	kbus_bus_close(l);
	kbus_bus_close(s);
}

/* More are borrowed than can stay where they are, others are received meanwhile, and all is given back in any order. */
static void borrowed(void)
{
	kbus_bus_t    *l = opened(), *s = opened();
	kbus_bus_msg_t lent[KEPT], m, small = {.name = "$.Large", .data = "x", .data_len = 1};
	EQUAL(kbus_bus_bind(l, "$.Large", KBUS_BUS_LISTENER), 0);
	for (int round = 0; round < 20; round++) {
		int waits = 1000 * round;
		post(s, waits, waits + MANY);
		EQUAL(kbus_bus_post(s, &small), 0);
		EQUAL(kbus_bus_flush(s, NULL), 0);
		for (int i = 0; i < KEPT; i++) {
			EQUAL(kbus_bus_borrow(l, &lent[i], -1), 1);
			CHECK(in_arena(lent[i].data) == (rings && i < 16));
		}
		for (int i = KEPT; i < MANY; i++) {
			EQUAL(kbus_bus_receive(l, &m, -1), 1);
			CHECK(is(&m, waits + i));
		}
		post(s, waits + MANY, waits + MANY + 2); /* what is there is not overwritten */
		EQUAL(kbus_bus_borrow(l, &m, 0), 1);
		CHECK(m.data_len == 1 && !in_arena(m.data));
		kbus_bus_give_back(l, &m);
		kbus_bus_give_back(l, &m); /* twice is once */
		for (int i = 0; i < KEPT; i++) {
			int at = i * 7 % KEPT;
			CHECK(is(&lent[at], waits + at));
			kbus_bus_give_back(l, &lent[at]);
		}
		for (int i = 0; i < 2; i++) {
			EQUAL(kbus_bus_borrow(l, &m, -1), 1);
			CHECK(is(&m, waits + MANY + i) && in_arena(m.data) == rings);
			kbus_bus_give_back(l, &m);
		}
		EQUAL(kbus_bus_borrow(l, &m, 0), 0);
	}
	post(s, 0, KEPT);
	for (int i = 0; i < KEPT; i++)
		EQUAL(kbus_bus_borrow(l, &lent[i], -1), 1); /* and closed with it */
	kbus_bus_close(l);
	kbus_bus_close(s);
	kbus_bus_give_back(l, &lent[0]);
}

/* One who keeps a place keeps nobody else from the arena. */
static void kept_long(void)
{
	kbus_bus_t    *slow = opened(), *l = opened(), *s = opened();
	kbus_bus_msg_t lent, m;
	EQUAL(kbus_bus_bind(slow, "$.Large", KBUS_BUS_LISTENER), 0);
	EQUAL(kbus_bus_bind(l, "$.Large", KBUS_BUS_LISTENER), 0);
	post(s, 0, 1);
	EQUAL(kbus_bus_borrow(slow, &lent, -1), 1);
	EQUAL(kbus_bus_receive(l, &m, -1), 1);
	for (int i = 1; i < 4000; i++) { /* ten times what the arena holds */
		post(s, i, i + 1);
		EQUAL(kbus_bus_receive(l, &m, -1), 1);
		CHECK(m.data_len == LARGE && ((const unsigned char *)m.data)[1] == (unsigned char)(i * 7 + 1));
		EQUAL(kbus_bus_receive(slow, &m, -1), 1);
		CHECK(m.data_len == LARGE && ((const unsigned char *)m.data)[1] == (unsigned char)(i * 7 + 1));
	}
	CHECK(is(&lent, 0));
	kbus_bus_give_back(slow, &lent);
	kbus_bus_close(slow);
	kbus_bus_close(l);
	kbus_bus_close(s);
}

/* The original's functions copy it. */
static void old(void)
{
	kbus_bus_t     *s = opened();
	kbus_message_t *m = NULL;
	kbus_ksock_t    k = kbus_ksock_open(0, O_RDWR);
	CHECK(k >= 0);
	EQUAL(kbus_ksock_bind(k, "$.Large", 0), 0);
	post(s, 5, 6);
	EQUAL(kbus_ksock_read_next_msg(k, &m), 0);
	CHECK(m && m->data_len == LARGE && memcmp(kbus_msg_data_ptr(m), numbered(5), LARGE) == 0);
	kbus_msg_delete(&m);
	EQUAL(kbus_ksock_close(k), 0);
	kbus_bus_close(s);
}

/* A place is taken only if all of it is in the arena. */
static void places(void)
{
	enum { ARENA = 256 << 10, HEAD = MESSAGE_BYTES + 3 };
	unsigned char  p[HEAD + MISSED_BYTES + OFFSET_BYTES];
	struct arena   arena = {0}, none = {0};
	kbus_bus_msg_t m = {.name_len = 3, .data_len = LARGE}, got;
	int            fd = memfd_create("arena", 0);
	CHECK(fd >= 0 && ftruncate(fd, ARENA - 1) == 0);
	EQUAL(kb_arena_map(&arena, fd), -EPROTO);
	CHECK(ftruncate(fd, ARENA) == 0);
	EQUAL(kb_arena_map(&arena, fd), 0);
	close(fd);
	memset(p, 0, sizeof p);
	const struct {
		uint64_t at;
		uint32_t bytes;
		int      want;
	} cases[] = {
		{0, LARGE, 0}, {4096, LARGE, 0}, {ARENA - LARGE, LARGE, 0}, {ARENA - LARGE + 1, LARGE, -EPROTO}, {0, ARENA, 0},
		{0, ARENA + 1, -EPROTO}, {ARENA, 0, 0}, {ARENA + 1, 0, -EPROTO}, {ARENA, 1, -EPROTO}, {0, UINT32_MAX, -EPROTO},
		{UINT64_MAX, 1, -EPROTO}, {UINT64_MAX - LARGE + 1, LARGE, -EPROTO}, {(uint64_t)1 << 32, LARGE, -EPROTO},
		{(uint64_t)1 << 63, UINT32_MAX, -EPROTO},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		m.data_len = cases[i].bytes;
		kb_put_message(p, &m);
		kb_put32(p + HEAD, (uint32_t)cases[i].at);
		kb_put32(p + HEAD + 4, (uint32_t)(cases[i].at >> 32));
		EQUAL(kb_get_reference(p, HEAD + OFFSET_BYTES, &arena, &got, NULL), cases[i].want);
		if (cases[i].want == 0)
			CHECK(got.data == arena.mem + cases[i].at && got.data_len == cases[i].bytes);
		EQUAL(kb_get_reference(p, HEAD + OFFSET_BYTES, &none, &got, NULL), -EPROTO);
	}
	m.data_len = 10;
	m.flags = MESSAGE_MISSED;
	kb_put_message(p, &m);
	kb_put32(p + HEAD, 77);
	kb_put32(p + HEAD + MISSED_BYTES, 4096);
	kb_put32(p + HEAD + MISSED_BYTES + 4, 0);
	EQUAL(kb_get_reference(p, sizeof p, &arena, &got, NULL), 0);
	CHECK(got.missed == 77 && got.data == arena.mem + 4096);
	for (size_t n = 0; n < HEAD + OFFSET_BYTES; n++) /* cut off */
		EQUAL(kb_get_reference(p, n, &arena, &got, NULL), -EPROTO);
	m.name_len = UINT32_MAX;
	kb_put_message(p, &m);
	EQUAL(kb_get_reference(p, sizeof p, &arena, &got, NULL), -EPROTO);
	kb_arena_unmap(&arena);
}

int main(void)
{
	const char *set = getenv("KBUS_RINGS");
	rings = !set || strcmp(set, "off") != 0;
	places();
	received();
	borrowed();
	kept_long();
	old();
	return 0;
}

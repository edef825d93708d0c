/* A program that has no addresses left for the memory that the daemon shares, or no descriptors for what comes with it,
 * goes on without the arena, which is the largest, and else over the socket: both interfaces. */
#include <fcntl.h>
#include <sys/resource.h>

#include "check.h"
#include "kbus.h"
#include "kbus/kbus_bus.h"

static int mapped(void)
{
	char  line[512];
	int   n = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (fgets(line, sizeof line, maps))
		n += strstr(line, "memfd:kbus-") != NULL;
	fclose(maps);
	return n;
}

/* Less than any segment has, and room for segments but not for the arena. */
enum { LEAST = 40960, ROOMY = 8 << 20 };

static struct rlimit normal;

/* Allows that much, until allow_all. */
static void allow(int what, rlim_t most)
{
	EQUAL(getrlimit(what, &normal), 0);
	const struct rlimit l = {most, normal.rlim_max};
	EQUAL(setrlimit(what, &l), 0);
}

static void allow_all(int what) { EQUAL(setrlimit(what, &normal), 0); }

/* The most descriptors that a process may have if so many more are to be had. */
static rlim_t descriptors(int more)
{
	int fd = open("/dev/null", O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	return (rlim_t)(fd + more);
}

static rlim_t addresses(rlim_t more)
{
	unsigned long pages = 0;
	FILE         *used = fopen("/proc/self/statm", "r");
	CHECK(used && fscanf(used, "%lu", &pages) == 1);
	fclose(used);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
}

static void old(int what, rlim_t most, int memories)
{
	kbus_msg_id_t   id;
	kbus_message_t *m = NULL, *got = NULL;
	EQUAL(kbus_msg_create(&m, "$.Cramped", 9, "old", 3, 0), 0);
	allow(what, most);
	kbus_ksock_t k = kbus_ksock_open(0, O_RDWR);
	allow_all(what);
	CHECK(k >= 0);
	EQUAL(mapped(), memories);
	EQUAL(kbus_ksock_bind(k, "$.Cramped", 0), 0);
	EQUAL(kbus_ksock_send_msg(k, m, &id), 0);
	EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
	CHECK(got && memcmp(kbus_msg_data_ptr(got), "old", 3) == 0);
	kbus_msg_delete(&got);
	kbus_msg_delete(&m);
	EQUAL(kbus_ksock_close(k), 0);
}

static void new(int what, rlim_t most, int memories)
{
	kbus_bus_t    *b = NULL;
	kbus_bus_msg_t m, got;
	allow(what, most);
	int err = kbus_bus_open(&b, 0, 3);
	allow_all(what);
	EQUAL(err, 0);
	EQUAL(mapped(), memories);
	EQUAL(kbus_bus_bind(b, "$.Cramped", 0), 0);
	memset(&m, 0, sizeof m);
	m.name = "$.Cramped";
	m.name_len = 9;
	m.data = "new";
	m.data_len = 3;
	EQUAL(kbus_bus_send(b, &m, NULL), 0);
	EQUAL(kbus_bus_receive(b, &got, -1), 1);
	CHECK(got.data_len == 3 && memcmp(got.data, "new", 3) == 0);
	kbus_bus_release(b);
	kbus_bus_close(b);
}

int main(void)
{
	CHECK(malloc(1) != NULL); /* the heap is there */
	for (int more = 1; more <= 4; more++) { /* the socket, and one fewer than come; and then one that is the arena */
		if (more < 4)
			old(RLIMIT_NOFILE, descriptors(more), more == 3);
		new(RLIMIT_NOFILE, descriptors(more), more == 4);
	}
	old(RLIMIT_AS, addresses(LEAST), 0);
	new(RLIMIT_AS, addresses(LEAST), 0);
	old(RLIMIT_AS, addresses(ROOMY), 1);
	new(RLIMIT_AS, addresses(ROOMY), 1);
	return 0;
}

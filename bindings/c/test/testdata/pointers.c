/* Pointers to memory that is not there: what a device says, -EFAULT, and the Ksock goes on. The arguments are the paths
 * of buses or devices, one after the other. */
#include <sys/mman.h>

#include "check.h"
#include "kbus.h"

static char *pages, *edge; /* nothing can be read from edge on. (A hole would be filled by what the library maps.) */

static kbus_message_t pointy(const char *name, const void *data, uint32_t data_len)
{
	kbus_message_t m;
	memset(&m, 0, sizeof m);
	m.start_guard = KBUS_MSG_START_GUARD;
	m.end_guard = KBUS_MSG_END_GUARD;
	m.name = (char *)(uintptr_t)name;
	m.name_len = 3;
	m.data = (void *)(uintptr_t)data;
	m.data_len = data_len;
	return m;
}

static void works(kbus_ksock_t k)
{
	kbus_msg_id_t   id;
	kbus_message_t *got = NULL;
	kbus_message_t  m = pointy("$.A", edge - 4, 4); /* the last bytes there are */
	EQUAL(kbus_ksock_send_msg(k, &m, &id), 0);
	m = pointy(memcpy(edge - 4, "$.A", 4), NULL, 0);
	EQUAL(kbus_ksock_send_msg(k, &m, &id), 0);
	for (int i = 0; i < 2; i++) {
		EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
		CHECK(got && memcmp(kbus_msg_name_ptr(got), "$.A", 4) == 0);
		kbus_msg_delete(&got);
	}
	EQUAL(kbus_ksock_read_next_msg(k, &got), 0);
	CHECK(!got);
}

static void bad_message(kbus_ksock_t k, const kbus_message_t *m)
{
	kbus_msg_id_t id;
	EQUAL(kbus_ksock_send_msg(k, m, &id), -EFAULT);
	EQUAL(kbus_ksock_send(k, &id), -ENOMSG);
	if (m->name) {
		EQUAL(kbus_ksock_write_msg(k, m), 0); /* they are looked at when it is sent */
		EQUAL(kbus_ksock_send(k, &id), -EFAULT);
	} else {
		EQUAL(kbus_ksock_write_msg(k, m), -EFAULT);
	}
	EQUAL(kbus_ksock_send(k, &id), -ENOMSG);
	works(k);
}

static void tries(const char *path)
{
	static char    large[300000];
	kbus_ksock_t   k = kbus_ksock_open_by_name(path, O_RDWR);
	kbus_message_t m;
	uint32_t       id;
	CHECK(k >= 0);
	EQUAL(kbus_ksock_bind(k, "$.A", 0), 0);
	works(k);
	m = pointy("$.A", edge - 4, 5);
	bad_message(k, &m);
	m = pointy("$.A", edge, 1);
	bad_message(k, &m);
	m = pointy("$.A", (void *)16, 100);
	bad_message(k, &m);
	m = pointy("$.A", (void *)(UINTPTR_MAX - 10), 100);
	bad_message(k, &m);
	m = pointy("$.A", edge - 4096, 300000);
	bad_message(k, &m);
	m = pointy(memcpy(edge - 3, "$.A", 3), NULL, 0); /* the byte behind the name */
	bad_message(k, &m);
	m = pointy(memcpy(edge - 2, "$.", 2), large, sizeof large);
	bad_message(k, &m);
	m = pointy((char *)8, NULL, 0);
	bad_message(k, &m);

	kbus_message_t *entire = (kbus_message_t *)(void *)(edge - 96); /* all but its end */
	*entire = pointy(NULL, NULL, 8);
	bad_message(k, entire);
	EQUAL(kbus_ksock_write_data(k, (uint8_t *)edge - 8, 9), -EFAULT);
	works(k);

	EQUAL(kbus_ksock_bind(k, memcpy(edge - 3, "$.B", 3), 0), -EFAULT);
	EQUAL(kbus_ksock_unbind(k, edge, 0), -EFAULT);
	EQUAL(kbus_ksock_find_replier(k, (char *)1, &id), -EFAULT);
	EQUAL(kbus_ksock_bind(k, memcpy(edge - 4, "$.B", 4), 0), 0);
	memset(pages, 'x', 4096);
	EQUAL(kbus_ksock_bind(k, pages, 0), -ENAMETOOLONG);
	works(k);
	EQUAL(kbus_ksock_close(k), 0);
}

int main(int argc, char **argv)
{
	pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	edge = pages + 4096;
	EQUAL(mprotect(edge, 2 * 4096, PROT_NONE), 0);
	for (int i = 1; i < argc; i++)
		tries(argv[i]);
	return 0;
}

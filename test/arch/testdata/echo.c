/* What `kbus answer --echo` and `kbus ask` do, with the C library: "echo answer NAME COUNT", or "echo ask NAME" with the data
 * on standard input and the answer on standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kbus/kbus_bus.h"

enum { MOST = 500000 };

static void must(kbus_bus_t *b, int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "echo: %s: %s\n", strerror(-result), b ? kbus_bus_why(b) : "");
	exit(1);
}

static void answer(kbus_bus_t *b, const char *name, int count)
{
	kbus_bus_msg_t m;
	must(b, kbus_bus_bind(b, name, KBUS_BUS_REPLIER));
	for (; count > 0; count--) {
		must(b, kbus_bus_receive(b, &m, -1));
		must(b, kbus_bus_reply(b, &m, m.data, m.data_len, NULL));
	}
}

static void ask(kbus_bus_t *b, const char *name)
{
	static char    data[MOST];
	kbus_bus_msg_t reply, request = {0};
	request.flags = KBUS_BIT_WANT_A_REPLY;
	request.name = name;
	request.name_len = (uint32_t)strlen(name);
	request.data = data;
	request.data_len = (uint32_t)fread(data, 1, MOST, stdin);
	must(b, kbus_bus_call(b, &request, &reply, NULL, -1));
	fwrite(reply.data, 1, reply.data_len, stdout);
}

int main(int argc, char **argv)
{
	kbus_bus_t *b = NULL;
	if (argc < 3)
		return 2;
	must(b, kbus_bus_open(&b, 0, KBUS_BUS_READ | KBUS_BUS_WRITE));
	if (strcmp(argv[1], "answer") == 0)
		answer(b, argv[2], argc > 3 ? atoi(argv[3]) : 1);
	else
		ask(b, argv[2]);
	kbus_bus_close(b);
	return 0;
}

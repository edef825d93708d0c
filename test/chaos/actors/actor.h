/* What the two actors in C share: the rules of ../actor.go. */
#ifndef CHAOS_ACTOR_H
#define CHAOS_ACTOR_H

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_REQUESTS = 8, HELD = 2 }; /* so many Requests are held back, for somebody to die with them */

static int      own, count, finishing, open_requests, told_done;
static uint32_t open_serial[OPEN_REQUESTS];
static unsigned seed;

static void say(const char *format, ...)
{
	char    line[200];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	line[n++] = '\n';
	if (write(1, line, (size_t)n) != n)
		exit(0);
}

static void begin(char **argv)
{
	own = atoi(argv[1]);
	count = atoi(argv[2]);
	seed = (unsigned)atoi(argv[3]);
	srandom(seed);
}

/* What to send next: -1 nothing, -2 an announcement, else a Request to that actor. */
static int next_step(void)
{
	struct pollfd in = {0, POLLIN, 0};
	char          line[100];
	if (!finishing && poll(&in, 1, 0) > 0) {
		finishing = 1;
		if (read(0, line, sizeof line) <= 0)
			exit(0);
	}
	if (finishing || open_requests >= OPEN_REQUESTS)
		return -1;
	return random() % 2 ? -2 : (int)(random() % count);
}

static void asked(uint32_t serial)
{
	open_serial[open_requests++] = serial;
	say("ask 0:%" PRIu32, serial);
}

static void ended(uint32_t serial, const char *name, int name_len)
{
	say("end 0:%" PRIu32 " %.*s", serial, name_len, name);
	for (int i = 0; i < open_requests; i++)
		if (open_serial[i] == serial) {
			open_serial[i] = open_serial[--open_requests];
			break;
		}
}

static void look_whether_done(void)
{
	if (finishing && open_requests == 0 && !told_done) {
		told_done = 1;
		say("done");
	}
}

#endif

#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines in: LABEL VERB ARGUMENT FLAGS TO NETWORK:SERIAL DATA TIMEOUT KEEP, where - stands for nothing and data are in
 * hexadecimal. Lines out: LABEL, and what became of it. */

static pthread_mutex_t out = PTHREAD_MUTEX_INITIALIZER;
static int (*perform)(const struct op *);

static void begin(const struct op *o, const char *what)
{
	pthread_mutex_lock(&out);
	printf("%s %s", o->label, what);
}

static void end(void)
{
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&out);
}

static void hex(const void *p, size_t n)
{
	putchar(' ');
	if (n == 0)
		putchar('-');
	for (size_t i = 0; i < n; i++)
		printf("%02x", ((const unsigned char *)p)[i]);
}

void ends(const struct op *o)
{
	begin(o, "ends");
	end();
}

void ends_with(const struct op *o, uint32_t number)
{
	begin(o, "ends");
	printf(" %" PRIu32, number);
	end();
}

void has_sent(const struct op *o, int pending, const kbus_bus_sent_t *s)
{
	begin(o, pending ? "pending" : "sent");
	printf(" %" PRIu32 ":%" PRIu32 " %" PRIu32 " %" PRIu32, s->id.network_id, s->id.serial_num, s->reached, s->skipped);
	end();
}

void gets(const struct op *o, const kbus_bus_msg_t *m)
{
	begin(o, "gets");
	hex(m->name, m->name_len);
	printf(" %" PRIu32 ":%" PRIu32 " %" PRIu32 ":%" PRIu32, m->id.network_id, m->id.serial_num, m->in_reply_to.network_id,
	       m->in_reply_to.serial_num);
	printf(" %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32, m->to, m->from, m->flags, m->missed);
	hex(m->data, m->data_len);
	end();
}

void gets_nothing(const struct op *o)
{
	begin(o, "nothing");
	end();
}

void gives_up(const struct op *o)
{
	begin(o, "late");
	end();
}

void fails(const struct op *o, int err, const char *why)
{
	begin(o, "fails");
	printf(" %d %s", err < 0 ? -err : err, why ? why : "");
	end();
}

static void *run(void *op)
{
	struct op *o = op;
	if (!perform(o))
		fails(o, ENOSYS, "the door has no such operation");
	free(o->argument);
	free(o->data);
	free(o);
	return NULL;
}

static unsigned char *bytes_of(const char *text, uint32_t *n)
{
	size_t         digits = strcmp(text, "-") == 0 ? 0 : strlen(text);
	unsigned char *p = calloc(1, digits / 2 + 1);
	for (size_t i = 0; p && i < digits / 2; i++) {
		unsigned byte = 0;
		sscanf(text + 2 * i, "%2x", &byte);
		p[i] = (unsigned char)byte;
	}
	*n = (uint32_t)(digits / 2);
	return p;
}

static struct op *parse(char *line)
{
	char       argument[2048], data[1 << 16];
	struct op *o = calloc(1, sizeof *o);
	if (!o || sscanf(line, "%31s %31s %2047s %" SCNu32 " %" SCNu32 " %" SCNu32 ":%" SCNu32 " %65535s %d %d", o->label, o->verb,
	                 argument, &o->flags, &o->to, &o->request[0], &o->request[1], data, &o->timeout_ms, &o->keep) != 10) {
		fprintf(stderr, "not understood: %s\n", line);
		exit(2);
	}
	o->argument = strdup(argument);
	o->data = bytes_of(data, &o->data_len);
	return o;
}

int main(int argc, char **argv)
{
	static char line[1 << 17];
	if (argc != 2)
		return 2;
	perform = strcmp(argv[1], "compatible") != 0 ? perform_modern : perform_compatible;
	while (fgets(line, sizeof line, stdin)) {
		pthread_t  thread;
		struct op *o = parse(line);
		if (pthread_create(&thread, NULL, run, o) != 0)
			return 2;
		pthread_detach(thread);
	}
	return 0;
}

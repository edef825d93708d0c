#include "driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The conformance driver of the C library: a program that reads commands on its standard input, one a line, does each
 * through the library and answers in a line. test/conformance starts it, so the C library runs the same table of cases as
 * every other front end. */

const char *device_prefix;

static const struct door *door;

enum { WORDS = 6 };

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of hex, with a zero byte behind them. NULL if it is none. */
static unsigned char *from_hex(const char *hex, size_t *n)
{
	size_t digits = strcmp(hex, "-") == 0 ? 0 : strlen(hex);
	if (digits % 2)
		return NULL;
	unsigned char *p = calloc(1, digits / 2 + 1);
	for (size_t i = 0; p && i < digits / 2; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
		if (high < 0 || low < 0) {
			free(p);
			return NULL;
		}
		p[i] = (unsigned char)(high << 4 | low);
	}
	*n = digits / 2;
	return p;
}

static void print_hex(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	if (n == 0)
		putchar('-');
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
}

/* A name as the functions of C take it: they cannot be given one with a zero byte in it, so there it has another byte
 * that no name may have. */
static char *name_of(const char *hex)
{
	size_t n = 0;
	char  *name = (char *)from_hex(hex, &n);
	for (size_t i = 0; name && i < n; i++)
		if (name[i] == 0)
			name[i] = 1;
	return name;
}

static int not_understood(void)
{
	puts("22 not-understood");
	return 0;
}

static uint32_t number(const char *text) { return (uint32_t)strtoul(text, NULL, 10); }

static int do_binding(int k, char **word)
{
	char *name = name_of(word[2]);
	if (!name)
		return not_understood();
	printf("%d\n", (*word[0] == 'b' ? door->bind : door->unbind)(k, name, number(word[3])));
	free(name);
	return 0;
}

static int do_replier(int k, char **word)
{
	uint32_t id = 0;
	char    *name = name_of(word[2]);
	if (!name)
		return not_understood();
	int err = door->replier(k, name, &id);
	printf("%d %d %" PRIu32 "\n", err, id != 0, id);
	free(name);
	return 0;
}

/* The outcome of a send; only the modern functions give how many it reached. */
static void print_sent(int err, const kbus_bus_sent_t *sent)
{
	printf("%d %" PRIu32 " %" PRIu32, err, sent->id.network_id, sent->id.serial_num);
	if (door == &modern)
		printf(" %" PRIu32 " %" PRIu32, sent->reached, sent->skipped);
	putchar('\n');
}

/* Puts n bytes before a page that cannot be read. They stay for as long as we live. */
static unsigned char *put_last(const unsigned char *bytes, size_t n)
{
	size_t         page = (size_t)sysconf(_SC_PAGESIZE), readable = (n + page - 1) / page * page;
	unsigned char *at = mmap(NULL, readable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || mprotect(at + readable, page, PROT_NONE))
		abort();
	return memcpy(at + readable - n, bytes, n);
}

static int do_bytes(int k, char **word)
{
	size_t         n = 0;
	unsigned char *p = from_hex(word[2], &n);
	kbus_bus_sent_t sent = {{0, 0}, 0, 0};
	if (!p)
		return not_understood();
	if (strcmp(word[0], "write") == 0) {
		int err = door->write(k, p, n);
		printf("%d %zu\n", err, err ? 0 : n);
	} else if (strcmp(word[0], "sendmessage") == 0) {
		int err = door->send_message(k, p, n, &sent);
		print_sent(err, &sent);
	} else if (strcmp(word[0], "putlast") == 0) {
		printf("0 %" PRIuPTR "\n", (uintptr_t)put_last(p, n));
	} else { /* put: it stays for as long as we live */
		printf("0 %" PRIuPTR "\n", (uintptr_t)p);
		return 0;
	}
	free(p);
	return 0;
}

static int do_encode(int k, char **word)
{
	size_t         n = 0, m = 0;
	unsigned char *p = from_hex(word[1], &n), *again = NULL;
	(void)k;
	if (!p)
		return not_understood();
	printf("%d ", door->encode(p, n, &again, &m));
	print_hex(again, m);
	putchar('\n');
	free(p);
	free(again);
	return 0;
}

static int do_send(int k, char **word)
{
	kbus_bus_sent_t sent = {{0, 0}, 0, 0};
	(void)word;
	int err = door->send(k, &sent);
	print_sent(err, &sent);
	return 0;
}

static int do_last_sent(int k, char **word)
{
	kbus_msg_id_t id = {0, 0};
	(void)word;
	int err = door->last_sent(k, &id);
	printf("%d %" PRIu32 " %" PRIu32 "\n", err, id.network_id, id.serial_num);
	return 0;
}

static int do_next(int k, char **word)
{
	int      ret = 0;
	uint32_t length = 0;
	(void)word;
	int err = door->next(k, &ret, &length);
	printf("%d %d %" PRIu32 "\n", err, ret, length);
	return 0;
}

static int do_read(int k, char **word)
{
	size_t         n = number(word[2]), got = 0;
	unsigned char *p = malloc(n + 1);
	if (!p)
		return not_understood();
	int err = door->read(k, p, n, &got);
	printf("%d %zu ", err, err ? 0 : got);
	print_hex(p, err ? 0 : got);
	putchar('\n');
	free(p);
	return 0;
}

static int do_receive(int k, char **word)
{
	unsigned char *p = NULL;
	size_t         n = 0;
	(void)word;
	int err = door->receive(k, &p, &n);
	printf("%d %d ", err, n > 0);
	print_hex(p, n);
	putchar('\n');
	free(p);
	return 0;
}

static int do_poll(int k, char **word)
{
	int bits = 0;
	(void)word;
	int err = door->poll(k, &bits);
	printf("%d %d %d\n", err, bits & 1, bits >> 1 & 1);
	return 0;
}

static int do_value(int k, char **word)
{
	uint32_t out = 0;
	int      err = door->value(k, word[2], number(word[3]), &out);
	printf("%d %" PRIu32 "\n", err, out);
	return 0;
}

static int do_plain(int k, char **word)
{
	printf("%d\n", door->plain(k, word[2]));
	return 0;
}

static int do_unknown(int k, char **word)
{
	printf("%d\n", door->unknown(k, number(word[2])));
	return 0;
}

static int do_open(int k, char **word)
{
	uint32_t  id = 0;
	const int mode = strcmp(word[3], "r") == 0 ? 1 : strcmp(word[3], "w") == 0 ? 2 : 3;
	int       err = door->open(k, number(word[2]), mode, &id);
	printf("%d %" PRIu32 "\n", err, id);
	return 0;
}

static int do_close(int k, char **word)
{
	(void)word;
	printf("%d\n", door->close(k));
	return 0;
}

static int do_report(int k, char **word)
{
	char *text = NULL;
	(void)k;
	int err = door->report(*word[0] == 's', &text);
	printf("%d ", err);
	print_hex(text, text ? strlen(text) : 0);
	putchar('\n');
	free(text);
	return 0;
}

static int do_caps(int k, char **word)
{
	(void)k, (void)word;
	/* Pointy messages can be had through the socket and rings, too (put); but the bus gets them whole, and shows them
	 * so in its report. */
	if (door == &modern)
		puts("whole reports results modern traces");
	else
		puts(device_prefix ? "bytes pointers unknown original" : "bytes whole unknown reports original");
	return 0;
}

static int do_trace(int k, char **word)
{
	size_t           parent = 0, state = 0;
	unsigned char   *p = from_hex(word[2], &parent), *s = from_hex(word[3], &state);
	kbus_bus_trace_t t = {.parent = (char *)p, .state = (char *)s, .parent_len = (uint32_t)parent, .state_len = (uint32_t)state};
	if (p && s && door->set_trace)
		printf("%d\n", door->set_trace(k, parent > 0 ? &t : NULL));
	else
		not_understood();
	free(p);
	free(s);
	return 0;
}

static int do_traced(int k, char **word)
{
	kbus_bus_trace_t t = {NULL, NULL, 0, 0};
	(void)word;
	if (!door->trace)
		return not_understood();
	printf("%d ", door->trace(k, &t));
	print_hex(t.parent, t.parent_len);
	putchar(' ');
	print_hex(t.state, t.state_len);
	putchar('\n');
	return 0;
}

static int do_end(int k, char **word)
{
	(void)k, (void)word;
	puts("0");
	return 1;
}

static const struct {
	const char *name;
	int         words;
	int (*run)(int k, char **word);
} commands[] = {
	{"caps", 1, do_caps},       {"open", 4, do_open},     {"close", 2, do_close},     {"bind", 4, do_binding},
	{"unbind", 4, do_binding},  {"replier", 3, do_replier}, {"write", 3, do_bytes},   {"send", 2, do_send},
	{"next", 2, do_next},       {"read", 3, do_read},     {"lastsent", 2, do_last_sent},   {"poll", 2, do_poll},
	{"value", 4, do_value},     {"plain", 3, do_plain},   {"unknown", 3, do_unknown}, {"put", 3, do_bytes},
	{"putlast", 3, do_bytes},
	{"sendmessage", 3, do_bytes}, {"receive", 2, do_receive}, {"encode", 2, do_encode}, {"bindings", 1, do_report},
	{"stats", 1, do_report},    {"trace", 4, do_trace},   {"traced", 2, do_traced},   {"end", 1, do_end},
};

static int perform(char *line)
{
	char *word[WORDS], *rest = line;
	int   n = 0;
	for (char *w; n < WORDS && (w = strsep(&rest, " ")) != NULL;)
		word[n++] = w;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (rest || n == 0 || strcmp(word[0], commands[i].name) != 0 || n != commands[i].words)
			continue;
		int k = n > 1 && commands[i].run != do_encode ? (int)number(word[1]) : 0;
		return k >= 0 && k < DRIVER_KSOCKS ? commands[i].run(k, word) : not_understood();
	}
	return not_understood();
}

int header_of(const unsigned char *entire, size_t n, kbus_message_t *h)
{
	uint32_t end;
	if (n < sizeof *h + sizeof end)
		return EINVAL;
	memcpy(h, entire, sizeof *h);
	memcpy(&end, entire + n - sizeof end, sizeof end);
	if (h->start_guard != KBUS_MSG_START_GUARD || h->end_guard != KBUS_MSG_END_GUARD || end != KBUS_MSG_END_GUARD)
		return EINVAL;
	return h->name || h->data || KBUS_ENTIRE_MSG_LEN((size_t)h->name_len, (size_t)h->data_len) != n ? EINVAL : 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	if (argc == 4 && strcmp(argv[2], "--device-prefix") == 0)
		device_prefix = argv[3];
	if (strcmp(name, "socket") == 0 || strcmp(name, "rings") == 0 || (strcmp(name, "device") == 0 && device_prefix))
		door = &compatible;
	else if (strcmp(name, "modern") == 0 || strcmp(name, "modern-socket") == 0)
		door = &modern;
	if (!door) {
		fprintf(stderr, "usage: %s socket|rings|modern|modern-socket, or %s device --device-prefix PATH\n", argv[0], argv[0]);
		return 2;
	}
	modern_flags = strcmp(name, "modern-socket") == 0 ? KBUS_BUS_NO_RINGS : 0;
	if (door == &compatible)
		setenv("KBUS_RINGS", strcmp(name, "socket") == 0 ? "off" : "on", 1);
	char   *line = NULL;
	size_t  size = 0;
	ssize_t n;
	for (int end = 0; !end && (n = getline(&line, &size, stdin)) > 0; fflush(stdout)) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		end = perform(line);
	}
	free(line);
	return 0;
}

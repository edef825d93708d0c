/* What a tap in C is shown, a line for each event, until somebody says $.End. See taps_test.go for the line and the
 * arguments. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kbus/kbus_tap.h>

static const char *const kinds[] = {"lost", "sent", "status", "taken", "opened", "closed", "bound", "unbound"};

static int has(const char *list, const char *word)
{
	const char *at = strstr(list, word);
	size_t      n = strlen(word);
	return at && (at == list || at[-1] == ',') && (at[n] == 0 || at[n] == ',');
}

static void print(const kbus_tap_event_t *e)
{
	const kbus_bus_msg_t *m = &e->message;
	printf("%s %d %.*s ", kinds[e->kind], -e->error, m->name_len ? (int)m->name_len : 1, m->name_len ? m->name : "-");
	for (uint32_t i = 0; i < m->data_len; i++)
		printf("%02x", ((const unsigned char *)m->data)[i]);
	printf("%s %u:%u %u:%u %u %u %u %u %d %u %s %d %u %u %u %u %u\n", m->data_len ? "" : "-", m->id.network_id, m->id.serial_num,
	       m->in_reply_to.network_id, m->in_reply_to.serial_num, m->from, m->to, m->flags, e->ksock, e->pid, e->uid,
	       *e->program ? e->program : "-", e->as_replier, e->replier, e->reached, e->skipped, e->set_aside, e->data_bytes);
}

int main(int argc, char **argv)
{
	kbus_tap_filter_t filter = {0};
	kbus_tap_event_t  event;
	kbus_tap_t       *tap;
	unsigned long     shown = 0, lost = 0;
	int               n, slow;
	if (argc < 7)
		return 2;
	slow = atoi(argv[1]);
	filter.only_failures = atoi(argv[2]);
	filter.max_data = strcmp(argv[3], "all") == 0 ? 0 : atoi(argv[3]) ? (uint32_t)atoi(argv[3]) : KBUS_TAP_NO_DATA;
	filter.ksock = (uint32_t)atoi(argv[4]);
	for (int i = 0; i < 8; i++)
		filter.kinds |= has(argv[5], kinds[i]) && (i != KBUS_TAP_SENT || *argv[6] == '-') ? KBUS_TAP_KIND(i) : 0;
	filter.kinds |= has(argv[6], "announcement") ? KBUS_TAP_ANNOUNCEMENTS : 0;
	filter.kinds |= has(argv[6], "request") ? KBUS_TAP_REQUESTS : 0;
	filter.kinds |= has(argv[6], "reply") ? KBUS_TAP_REPLIES : 0;
	filter.patterns = (const char *const *)(argv + 7);
	n = kbus_tap_open(&tap, 0, &filter);
	if (n < 0) {
		printf("refused %d\n", -n);
		return 0;
	}
	puts("ready");
	fflush(stdout);
	if (slow)
		getchar();
	while ((n = kbus_tap_next(tap, &event, -1)) == 1) {
		shown += event.kind != KBUS_TAP_LOST;
		lost += event.lost;
		if (!slow)
			print(&event);
		if ((slow && lost > 0) || (event.message.name_len == 5 && memcmp(event.message.name, "$.End", 5) == 0))
			break;
	}
	if (slow)
		printf("lost some of %lu\n", shown + lost);
	if (n < 0)
		printf("ended %d %s\n", -n, kbus_tap_why(tap));
	kbus_tap_close(tap);
	return 0;
}

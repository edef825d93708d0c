#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kbus/kbus.h"

/* Messages as text (R10.6). */

enum { ABBREVIATED = 20 };

static int begins(const kbus_message_t *msg, const char *with)
{
	size_t n = strlen(with);
	return msg->name_len >= n && memcmp(kbus_msg_name_ptr(msg), with, n) == 0;
}

static int is_status(const kbus_message_t *msg)
{
	static const char status[] = "$.KBUS.";
	return kbus_msg_is_reply(msg) && msg->name_len >= sizeof status && begins(msg, status);
}

static int is_bind_event(const kbus_message_t *msg)
{
	static const char event[] = KBUS_MSG_NAME_REPLIER_BIND_EVENT;
	return msg->name_len == sizeof event - 1 && begins(msg, event);
}

static const char *kind(const kbus_message_t *msg)
{
	if (is_status(msg))
		return "Status";
	if (kbus_msg_is_reply(msg))
		return "Reply";
	if (kbus_msg_is_request(msg))
		return "Request";
	return is_bind_event(msg) ? "ReplierBindEvent" : "Announcement";
}

static void print_flags(FILE *out, uint32_t flags)
{
	static const struct {
		uint32_t    bit;
		const char *word;
	} words[] = {
		{KBUS_BIT_WANT_A_REPLY, "REQ"}, {KBUS_BIT_WANT_YOU_TO_REPLY, "YOU"}, {KBUS_BIT_SYNTHETIC, "SYN"},
		{KBUS_BIT_URGENT, "URG"},       {KBUS_BIT_ALL_OR_FAIL, "aFL"},       {KBUS_BIT_ALL_OR_WAIT, "aWT"},
	};
	fprintf(out, " flags=0x%" PRIx32, flags);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (flags & words[i].bit)
			fprintf(out, " %s", words[i].word);
}

static void print_bytes(FILE *out, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x20 && p[i] < 0x7F)
			fputc(p[i], out);
		else
			fprintf(out, "\\x%02x", p[i]);
}

static void print_data(FILE *out, const kbus_message_t *msg, int flags)
{
	uint32_t is_bind, binder;
	char    *name;
	if (is_bind_event(msg) && kbus_msg_split_bind_event(msg, &is_bind, &binder, &name) == 0) {
		fprintf(out, " data= [%s '%s' for %" PRIu32 "]", is_bind ? "Bind" : "Unbind", name, binder);
		free(name);
		return;
	}
	const int cut = flags & KBUS_MSG_PRINT_FLAGS_ABBREVIATE && msg->data_len > ABBREVIATED;
	fputs(" data=", out);
	print_bytes(out, kbus_msg_data_ptr(msg), cut ? ABBREVIATED : msg->data_len);
	if (cut)
		fputs("...", out);
}

void kbus_msg_print2(FILE *stream, const kbus_message_t *msg, int flags)
{
	fprintf(stream, "<%s", kind(msg));
	if (strcmp(kind(msg), "ReplierBindEvent") != 0)
		fprintf(stream, " '%.*s'", (int)msg->name_len, kbus_msg_name_ptr(msg));
	if (msg->id.network_id || msg->id.serial_num)
		fprintf(stream, " id=[%" PRIu32 ":%" PRIu32 "]", msg->id.network_id, msg->id.serial_num);
	if (msg->to)
		fprintf(stream, " to=%" PRIu32, msg->to);
	if (msg->from)
		fprintf(stream, " from=%" PRIu32, msg->from);
	if (msg->orig_from.network_id || msg->orig_from.local_id)
		fprintf(stream, " orig_from=(%" PRIu32 ",%" PRIu32 ")", msg->orig_from.network_id, msg->orig_from.local_id);
	if (msg->final_to.network_id || msg->final_to.local_id)
		fprintf(stream, " final_to=(%" PRIu32 ",%" PRIu32 ")", msg->final_to.network_id, msg->final_to.local_id);
	if (kbus_msg_is_reply(msg))
		fprintf(stream, " in_reply_to=[%" PRIu32 ":%" PRIu32 "]", msg->in_reply_to.network_id, msg->in_reply_to.serial_num);
	if (msg->flags)
		print_flags(stream, msg->flags);
	if (msg->data_len > 0)
		print_data(stream, msg, flags);
	fputc('>', stream);
}

void kbus_msg_print(FILE *stream, const kbus_message_t *msg)
{
	kbus_msg_print2(stream, msg, KBUS_MSG_PRINT_FLAGS_ABBREVIATE);
}

void kbus_msg_dump(const kbus_message_t *msg, int dump_data)
{
	printf("%s message, %s\n", kind(msg), kbus_msg_is_entire(msg) ? "entire" : "pointy");
	printf("  start guard %08" PRIx32 ", end guard %08" PRIx32 "\n", msg->start_guard, msg->end_guard);
	printf("  id          %" PRIu32 ":%" PRIu32 "\n", msg->id.network_id, msg->id.serial_num);
	printf("  in_reply_to %" PRIu32 ":%" PRIu32 "\n", msg->in_reply_to.network_id, msg->in_reply_to.serial_num);
	printf("  to          %" PRIu32 "\n  from        %" PRIu32 "\n", msg->to, msg->from);
	printf("  orig_from   %" PRIu32 ",%" PRIu32 "\n", msg->orig_from.network_id, msg->orig_from.local_id);
	printf("  final_to    %" PRIu32 ",%" PRIu32 "\n", msg->final_to.network_id, msg->final_to.local_id);
	printf("  extra       %" PRIu32 "\n ", msg->extra);
	print_flags(stdout, msg->flags);
	printf("\n  name        %" PRIu32 " bytes '%.*s'\n", msg->name_len, (int)msg->name_len, kbus_msg_name_ptr(msg));
	printf("  data        %" PRIu32 " bytes", msg->data_len);
	if (dump_data && msg->data_len > 0) {
		putchar(' ');
		print_bytes(stdout, kbus_msg_data_ptr(msg), msg->data_len);
	}
	putchar('\n');
}

/* Messages by themselves: layout, making, printing, and how they travel between Limpets. No bus. */
#include <stddef.h>

#include "check.h"
#include "kbus.h"
#include "limpet.h"

static void layout(void)
{
	EQUAL(sizeof(kbus_message_t), 88);
	EQUAL(offsetof(kbus_message_t, name), 64);
	EQUAL(offsetof(kbus_message_t, end_guard), 80);
	EQUAL(KBUS_ENTIRE_MSG_LEN(6, 0), 100); /* the examples of R2.6 */
	EQUAL(KBUS_ENTIRE_MSG_LEN(6, 7), 108);
	EQUAL(KBUS_ENTIRE_MSG_LEN(3, 0), 96);
	EQUAL(KBUS_ENTIRE_MSG_LEN(1000, 0), 1096);
	EQUAL(KBUS_IOC_BIND, 0x40086B02);
	EQUAL(KBUS_IOC_REPLIER, 0xC0086B05);
	EQUAL(KBUS_IOC_NEXTMSG, 0x80086B06);
	EQUAL(KBUS_IOC_DISCARD, 0x00006B09);
	EQUAL(KBUS_IOC_MAXMSGSIZE, 0xC0086B12);
}

static void expect(const kbus_message_t *msg, int flags, const char *want)
{
	char  *text = NULL;
	size_t n = 0;
	FILE  *out = open_memstream(&text, &n);
	kbus_msg_print2(out, msg, flags);
	fclose(out);
	if (strcmp(text, want) != 0) {
		fprintf(stderr, "it prints %s\n   instead of %s\n", text, want);
		exit(1);
	}
	free(text);
}

static void making(void)
{
	kbus_message_t *m = NULL, *r = NULL, *s = NULL;
	static const char data[] = "abc"; /* with its zero byte */
	EQUAL(kbus_msg_create_request(&m, "$.Fred", 6, data, 4, 0), 0);
	m->id.serial_num = 7;
	m->to = 3;
	m->from = 1;
	m->flags |= KBUS_BIT_WANT_YOU_TO_REPLY;
	expect(m, 1, "<Request '$.Fred' id=[0:7] to=3 from=1 flags=0x3 REQ YOU data=abc\\x00>"); /* R10.7 */
	EQUAL(kbus_msg_sizeof(m), 88);
	CHECK(!kbus_msg_is_entire(m) && kbus_msg_is_request(m) && kbus_msg_is_stateful_request(m));
	CHECK(kbus_msg_wants_us_to_reply(m) && !kbus_msg_is_reply(m));

	EQUAL(kbus_msg_create_entire_reply_to(&r, m, "0123456789012345678901", 22, KBUS_BIT_URGENT), 0);
	EQUAL(kbus_msg_sizeof(r), 88 + 8 + 24 + 4); /* lengths not swapped (B33) */
	EQUAL(*kbus_msg_end_ptr((kbus_entire_message_t *)(void *)r), KBUS_MSG_END_GUARD);
	expect(r, 1, "<Reply '$.Fred' to=1 in_reply_to=[0:7] flags=0x8 URG data=01234567890123456789...>");
	expect(r, 0, "<Reply '$.Fred' to=1 in_reply_to=[0:7] flags=0x8 URG data=0123456789012345678901>");

	r->from = 9;
	r->orig_from.network_id = 2;
	r->orig_from.local_id = 5;
	EQUAL(kbus_msg_create_stateful_request(&s, r, "$.Next", 6, "\xe9", 1, 0), 0);
	expect(s, 1, "<Request '$.Next' to=9 final_to=(2,5) flags=0x1 REQ data=\\xe9>"); /* B32, B34 */
	kbus_msg_delete(&s);
	EQUAL(kbus_msg_create_entire_stateful_request(&s, m, "$.Next", 6, NULL, 0, 0), 0);
	EQUAL(s->to, 3);
	kbus_msg_delete(&s);
	kbus_msg_delete(&m);
	CHECK(m == NULL);
	EQUAL(kbus_msg_create(&m, "$.Plain", 7, NULL, 0, 0), 0);
	EQUAL(kbus_msg_create_reply_to(&s, m, NULL, 0, 0), -EBADMSG);
	EQUAL(kbus_msg_create_stateful_request(&s, m, "$.X", 3, NULL, 0, 0), -EBADMSG);
	EQUAL(kbus_msg_create(&s, NULL, 0, NULL, 0, 0), -EBADMSG);
	kbus_msg_delete(&m);
	kbus_msg_delete(&m);
	kbus_msg_delete(&r);

	EQUAL(kbus_msg_create_request(&m, strdup("$.Mine"), 6, strdup("x"), 1, 0), 0);
	kbus_msg_delete_all(&m);
	CHECK(m == NULL);
	const kbus_msg_id_t a = {1, 2}, b = {1, 3}, c = {2, 0};
	EQUAL(kbus_msg_compare_ids(&a, &a), 0);
	EQUAL(kbus_msg_compare_ids(&a, &b), -1);
	EQUAL(kbus_msg_compare_ids(&c, &b), 1);
}

static kbus_message_t *event(uint32_t is_bind, uint32_t binder, const char *name)
{
	uint32_t        data[8] = {is_bind, binder, (uint32_t)strlen(name)};
	kbus_message_t *m = NULL;
	memcpy(data + 3, name, strlen(name));
	EQUAL(kbus_msg_create_entire(&m, KBUS_MSG_NAME_REPLIER_BIND_EVENT, 23, data, 20, KBUS_BIT_SYNTHETIC), 0);
	return m;
}

static void travelling(void)
{
	static const unsigned char wire[64] = {
		0x73, 0x75, 0x62, 0x4B, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7,
		0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 10, 0, 0, 0, 11, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 14, 0x4B, 0x62, 0x75, 0x73,
	};
	uint32_t       words[16], back[16];
	kbus_message_t m;
	memcpy(words, wire, sizeof wire);
	memcpy(back, wire, sizeof wire);
	kbus_unserialise_message_header(back, &m);
	CHECK(m.name == NULL && m.data == NULL);
	EQUAL(m.start_guard, KBUS_MSG_START_GUARD);
	EQUAL(m.in_reply_to.serial_num, 4);
	EQUAL(m.final_to.local_id, 10);
	EQUAL(m.data_len, 14);
	EQUAL(back[15], KBUS_MSG_END_GUARD);
	kbus_serialise_message_header(&m, back);
	CHECK(memcmp(words, back, sizeof words) == 0);

	kbus_message_t *e = event(1, 5, "$.Fred");
	uint32_t        is_bind, binder;
	char           *name;
	kbus_limpet_ReplierBindEvent_hton(e);
	CHECK(memcmp(kbus_msg_data_ptr(e), "\0\0\0\1\0\0\0\5\0\0\0\6$.Fred", 18) == 0);
	EQUAL(kbus_msg_split_bind_event(e, &is_bind, &binder, &name), -EBADMSG); /* 0x06000000 bytes of name: not believed */
	kbus_limpet_ReplierBindEvent_ntoh(e);
	EQUAL(kbus_msg_split_bind_event(e, &is_bind, &binder, &name), 0);
	EQUAL(is_bind, 1);
	EQUAL(binder, 5);
	CHECK(strcmp(name, "$.Fred") == 0);
	free(name);
	expect(e, 1, "<ReplierBindEvent flags=0x4 SYN data= [Bind '$.Fred' for 5]>");
	kbus_msg_delete(&e);
}

int main(void)
{
	layout();
	making();
	travelling();
	return 0;
}

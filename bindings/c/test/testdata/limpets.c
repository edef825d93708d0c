/* Two Limpets join buses 0 and 1, in one process: what each amends is handed to the other as it would travel. */
#include <fcntl.h>

#include "check.h"
#include "kbus/kbus_bus.h"
#include "limpet.h"

static kbus_ksock_t           side[2], client[2];
static kbus_limpet_context_t *limpet[2];

static void hand_over(int to, kbus_message_t *msg);

/* Sends over the wire and back: the header as words, name and data beside it. */
static void travel(int to, const kbus_message_t *msg)
{
	uint32_t       words[KBUS_SERIALISED_HDR_LEN];
	kbus_message_t m;
	char           name[KBUS_MAX_NAME_LEN + 1] = {0}, data[256] = {0};
	CHECK(msg->name_len <= KBUS_MAX_NAME_LEN && msg->data_len <= sizeof data);
	kbus_serialise_message_header(msg, words);
	kbus_unserialise_message_header(words, &m);
	memcpy(name, kbus_msg_name_ptr(msg), m.name_len);
	if (m.data_len > 0)
		memcpy(data, kbus_msg_data_ptr(msg), m.data_len);
	m.name = name;
	m.data = m.data_len > 0 ? data : NULL;
	hand_over(to, &m);
}

static void hand_over(int to, kbus_message_t *msg)
{
	kbus_message_t *error = NULL;
	kbus_msg_id_t   id;
	int             n = kbus_limpet_amend_msg_to_kbus(limpet[to], msg, &error);
	CHECK(n >= 0);
	if (n == 0 && (n = kbus_ksock_send_msg(side[to], msg, &id)) < 0)
		n = kbus_limpet_could_not_send_to_kbus_msg(limpet[to], msg, n, &error) == 0 ? 2 : 1;
	if (n == 2)
		travel(!to, error);
	kbus_msg_delete_all(&error);
}

/* Until nobody has anything to say. */
static void join(void)
{
	for (int quiet = 0; quiet < 2; quiet++)
		for (int i = 0; i < 2; i++) {
			kbus_message_t *m = NULL;
			EQUAL(kbus_ksock_read_next_msg(side[i], &m), 0);
			if (!m)
				continue;
			quiet = -1;
			int n = kbus_limpet_amend_msg_from_kbus(limpet[i], m);
			CHECK(n >= 0);
			if (n == 0)
				travel(!i, m);
			kbus_msg_delete(&m);
		}
}

static kbus_message_t *next(int i)
{
	kbus_message_t *m = NULL;
	join();
	EQUAL(kbus_ksock_read_next_msg(client[i], &m), 0);
	return m;
}

static int named(const kbus_message_t *m, const char *name)
{
	return m && m->name_len == strlen(name) && memcmp(kbus_msg_name_ptr(m), name, m->name_len) == 0;
}

static kbus_msg_id_t sent(int i, kbus_message_t *m)
{
	kbus_msg_id_t id;
	EQUAL(kbus_ksock_send_msg(client[i], m, &id), 0);
	kbus_msg_delete(&m);
	return id;
}

static kbus_message_t *request(const char *name)
{
	kbus_message_t *m = NULL;
	EQUAL(kbus_msg_create_request(&m, name, (uint32_t)strlen(name), NULL, 0, 0), 0);
	return m;
}

/* Answers what client i has been asked, and gives what the other gets. */
static kbus_message_t *answered(int i, const char *data)
{
	kbus_message_t *m = next(i), *r = NULL;
	CHECK(m && kbus_msg_wants_us_to_reply(m));
	EQUAL(kbus_msg_create_entire_reply_to(&r, m, data, (uint32_t)strlen(data), 0), 0);
	sent(i, r);
	kbus_msg_delete(&m);
	return next(!i);
}

int main(void)
{
	uint32_t n, id;
	for (int i = 0; i < 2; i++) {
		side[i] = kbus_ksock_open((uint32_t)i, O_RDWR);
		client[i] = kbus_ksock_open((uint32_t)i, O_RDWR);
		CHECK(side[i] >= 0 && client[i] >= 0);
	}
	EQUAL(kbus_ksock_bind(client[1], "$.Far.*", 1), 0); /* before there are Limpets: the report tells of it */
	EQUAL(kbus_limpet_new_context(side[0], 1, 1, "$.*", 1, &limpet[0]), -EINVAL);
	EQUAL(kbus_limpet_new_context(side[0], 1, 0, "$.*", 1, &limpet[0]), -EINVAL); /* B19 */
	EQUAL(kbus_limpet_new_context(side[0], 1, 2, "$.", 1, &limpet[0]), -EBADMSG);
	for (int i = 0; i < 2; i++)
		EQUAL(kbus_limpet_new_context(side[i], (uint32_t)i + 1, 2 - (uint32_t)i, "$.*", 1, &limpet[i]), 0);
	join();
	EQUAL(kbus_ksock_find_replier(client[0], "$.Far.*", &id), 0);
	EQUAL(kbus_ksock_id(side[0], &n), 0);
	EQUAL(id, n); /* proxied */

	kbus_msg_id_t   asked = sent(0, request("$.Far.Lamp"));
	kbus_message_t *reply = answered(1, "yes"), *again = NULL;
	CHECK(reply && kbus_msg_compare_ids(&reply->in_reply_to, &asked) == 0 && reply->orig_from.network_id == 2);

	EQUAL(kbus_msg_create_stateful_request(&again, reply, "$.Far.Lamp", 10, NULL, 0, 0), 0); /* bound by wildcard (B22) */
	asked = sent(0, again);
	kbus_msg_delete(&reply);
	reply = answered(1, "once more");
	CHECK(reply && kbus_msg_compare_ids(&reply->in_reply_to, &asked) == 0 && reply->data_len == 9);

	EQUAL(kbus_msg_create_stateful_request(&again, reply, "$.Far.Lamp", 10, NULL, 0, 0), 0);
	again->final_to.local_id += 1000; /* somebody else over there */
	sent(0, again);
	kbus_msg_delete(&reply);
	reply = next(0);
	CHECK(named(reply, KBUS_MSG_NOT_SAME_KSOCK));
	kbus_msg_delete(&reply);

	/* Requests between two clients of one bus are heard by Listeners on the other and make nobody owe anything (B24),
	 * nor is their Reply taken for another's (B23). */
	kbus_ksock_t local = kbus_ksock_open(0, O_RDWR);
	EQUAL(kbus_ksock_bind(local, "$.Near", 1), 0);
	EQUAL(kbus_ksock_bind(client[1], "$.Near", 0), 0);
	join();
	for (int i = 0; i < 200; i++) {
		kbus_message_t *m = NULL;
		sent(0, request("$.Near"));
		EQUAL(kbus_ksock_read_next_msg(local, &m), 0);
		CHECK(m && kbus_msg_create_reply_to(&again, m, NULL, 0, 0) == 0);
		EQUAL(kbus_ksock_send_msg(local, again, &asked), 0);
		kbus_msg_delete(&again);
		kbus_msg_delete(&m);
		reply = next(0);
		CHECK(reply && kbus_msg_is_reply(reply));
		kbus_msg_delete(&reply);
		for (int heard = 0; heard < 1; heard++) { /* the Request, as something overheard */
			m = next(1);
			CHECK(m && !kbus_msg_is_request(m) && m->orig_from.network_id == 1);
			kbus_msg_delete(&m);
		}
		for (kbus_message_t *more; (more = next(1)) != NULL;)
			kbus_msg_delete(&more);
		EQUAL(kbus_ksock_num_unreplied_to(side[0], &n), 0);
		EQUAL(n, 0);
		EQUAL(kbus_ksock_num_unreplied_to(side[1], &n), 0);
		EQUAL(n, 0);
	}

	/* A Reply that is a Request too is the Reply to who asked, though the rest is for somebody else there (R1.15). */
	kbus_message_t *both = NULL, *question;
	asked = sent(0, request("$.Far.Lamp"));
	question = next(1);
	CHECK(question && kbus_msg_create_reply_to(&both, question, NULL, 0, KBUS_BIT_WANT_A_REPLY) == 0);
	both->name = (char *)"$.Near";
	both->name_len = 6;
	sent(1, both);
	kbus_msg_delete(&question);
	reply = next(0);
	CHECK(reply && kbus_msg_is_reply(reply) && kbus_msg_compare_ids(&reply->in_reply_to, &asked) == 0);
	kbus_msg_delete(&reply);
	EQUAL(kbus_ksock_read_next_msg(local, &question), 0);
	CHECK(question && kbus_msg_wants_us_to_reply(question) && !kbus_msg_is_reply(question));
	kbus_msg_delete(&question);
	for (kbus_message_t *more; (more = next(1)) != NULL;) /* it listens to what it has said itself */
		kbus_msg_delete(&more);

	/* A Reply that the bus of who asked does not take becomes a Status. */
	kbus_bus_t *settings;
	uint32_t    most;
	EQUAL(kbus_bus_open(&settings, 0, KBUS_BUS_READ | KBUS_BUS_WRITE), 0);
	EQUAL(kbus_bus_max_message_size(settings, 250, &most), 0);
	asked = sent(0, request("$.Far.Lamp"));
	question = next(1);
	char much[200] = {0};
	CHECK(question && kbus_msg_create_reply_to(&both, question, much, sizeof much, 0) == 0);
	sent(1, both);
	kbus_msg_delete(&question);
	reply = next(0);
	CHECK(named(reply, "$.KBUS.RemoteError.90") && kbus_msg_compare_ids(&reply->in_reply_to, &asked) == 0);
	kbus_msg_delete(&reply);
	kbus_bus_close(settings);

	EQUAL(kbus_ksock_unbind(client[1], "$.Far.*", 1), 0);
	join();
	EQUAL(kbus_ksock_find_replier(client[0], "$.Far.*", &id), 0);
	EQUAL(id, 0);
	kbus_message_t *error = NULL;
	again = request("$.Far.Lamp");
	again->id.network_id = 1;
	again->id.serial_num = 9;
	EQUAL(kbus_limpet_could_not_send_to_kbus_msg(limpet[1], again, -EADDRNOTAVAIL, &error), 0);
	CHECK(named(error, "$.KBUS.RemoteError.99") && error->in_reply_to.serial_num == 9); /* a name that lives (B35) */
	kbus_msg_delete_all(&error);
	again->flags = 0;
	EQUAL(kbus_limpet_could_not_send_to_kbus_msg(limpet[1], again, -EADDRNOTAVAIL, &error), 1);
	kbus_msg_delete(&again);
	for (int i = 0; i < 2; i++) {
		kbus_limpet_free_context(&limpet[i]);
		CHECK(limpet[i] == NULL);
		kbus_ksock_close(side[i]);
		kbus_ksock_close(client[i]);
	}
	kbus_ksock_close(local);
	return 0;
}

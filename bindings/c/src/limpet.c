#include "kbus/limpet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "limpet_tables.h"

/* What becomes of a message between a bus and the pair of its Limpet (R9.20 to R9.37, with the holes of the original
 * closed: B21 to B25). Requests that were sent to us as proxy Replier are remembered until their Reply comes back;
 * names that we are proxy Replier for are remembered with their binder beyond the pair. */

struct kbus_limpet_context {
	kbus_ksock_t   ksock;
	uint32_t       ksock_id, own, pair;
	int            verbosity;
	struct entries requests, repliers;
};

static const kbus_msg_id_t nothing = {0, 0};

static int is(const kbus_message_t *msg, const char *name)
{
	return msg->name_len == strlen(name) && memcmp(kbus_msg_name_ptr(msg), name, msg->name_len) == 0;
}

static void log_message(const kbus_limpet_context_t *c, const char *what, const kbus_message_t *msg)
{
	if (c->verbosity < 1)
		return;
	fprintf(stderr, "limpet %" PRIu32 ": %s ", c->own, what);
	kbus_msg_print(stderr, msg);
	fputc('\n', stderr);
}

int kbus_limpet_new_context(kbus_ksock_t ksock, uint32_t network_id, uint32_t other_network_id,
                            const char *message_name,
                            int verbosity, kbus_limpet_context_t **context)
{
	if (!message_name || strlen(message_name) < 3)
		return -EBADMSG;
	if (network_id == 0 || other_network_id == 0 || network_id == other_network_id)
		return -EINVAL;
	kbus_limpet_context_t *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->ksock = ksock;
	c->own = network_id;
	c->pair = other_network_id;
	c->verbosity = verbosity;
	int err = kbus_ksock_id(ksock, &c->ksock_id);
	if (err >= 0)
		err = kbus_ksock_only_once(ksock, 1);
	if (err >= 0)
		err = kbus_ksock_bind(ksock, message_name, 0);
	if (err >= 0)
		err = kbus_ksock_bind(ksock, KBUS_MSG_NAME_REPLIER_BIND_EVENT, 0);
	if (err >= 0)
		err = kbus_ksock_report_replier_binds(ksock, 1); /* events of the Repliers there are come at once */
	if (err < 0) {
		free(c);
		return err;
	}
	*context = c;
	return 0;
}

void kbus_limpet_set_verbosity(kbus_limpet_context_t *context, int verbosity) { context->verbosity = verbosity; }

void kbus_limpet_free_context(kbus_limpet_context_t **context)
{
	if (!context || !*context)
		return;
	kb_free_entries(&(*context)->requests);
	kb_free_entries(&(*context)->repliers);
	free(*context);
	*context = NULL;
}

int kbus_limpet_amend_msg_from_kbus(kbus_limpet_context_t *c, kbus_message_t *msg)
{
	uint32_t word[3];
	if (is(msg, KBUS_MSG_NAME_UNBIND_EVENTS_LOST)) { /* of this bus only; the report tells what was lost (B25) */
		int err = kbus_ksock_report_replier_binds(c->ksock, 1);
		return err < 0 && err != -EBUSY ? err : 1;
	}
	if (is(msg, KBUS_MSG_NAME_REPLIER_BIND_EVENT) && msg->data_len >= sizeof word) {
		memcpy(word, kbus_msg_data_ptr(msg), sizeof word);
		if (word[1] == c->ksock_id)
			return 1; /* our own proxy binding */
	}
	if (kbus_msg_wants_us_to_reply(msg)) {
		if (kb_find_id(&c->requests, msg->id)) {
			log_message(c, "ignores a Request with an id that is in use:", msg);
			return 1;
		}
		int err = kb_add_entry(&c->requests, msg->id, msg->from, NULL, 0);
		if (err)
			return err;
		msg->in_reply_to = nothing; /* a Reply that is a Request too comes as each (R1.15), and travels as each */
	} else if (kbus_msg_is_reply(msg)) {
		msg->flags &= ~KBUS_BIT_WANT_A_REPLY;
	}
	if (msg->id.network_id == c->pair)
		return 1; /* it came from there */
	if (msg->id.network_id == 0)
		msg->id.network_id = c->own;
	if (kbus_msg_is_reply(msg) && msg->in_reply_to.network_id == 0)
		msg->in_reply_to.network_id = c->own; /* so that it is not taken for the answer to a Request there (B23) */
	if (msg->orig_from.network_id == 0) {
		msg->orig_from.network_id = c->own;
		msg->orig_from.local_id = msg->from;
	}
	return 0;
}

/* A message for the pair, in reply to one that came from there. Name is copied. */
static int error_message(const kbus_message_t *msg, const char *name, kbus_message_t **error)
{
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	int err = kbus_msg_create(error, copy, (uint32_t)strlen(name), NULL, 0, 0);
	if (err) {
		free(copy);
		return err;
	}
	(*error)->to = msg->from;
	(*error)->in_reply_to = msg->id;
	return 2;
}

static int bind_event(kbus_limpet_context_t *c, const kbus_message_t *msg)
{
	uint32_t is_bind, binder;
	char    *name;
	int      err = kbus_msg_split_bind_event(msg, &is_bind, &binder, &name);
	if (err)
		return err;
	struct entry *e = kb_find_name(&c->repliers, name, strlen(name));
	if (is_bind && e) {
		log_message(c, "has bound already:", msg);
	} else if (is_bind) {
		err = kbus_ksock_bind(c->ksock, name, 1);
		if (err == 0)
			err = kb_add_entry(&c->repliers, nothing, binder, name, strlen(name));
	} else if (e) {
		err = kbus_ksock_unbind(c->ksock, name, 1);
		if (err == 0)
			kb_remove_entry(&c->repliers, e);
	}
	if (err)
		log_message(c, "cannot follow:", msg);
	free(name);
	return err ? err : 1;
}

static int reply(kbus_limpet_context_t *c, kbus_message_t *msg)
{
	if (msg->in_reply_to.network_id != c->own && msg->in_reply_to.network_id == 0)
		return 1; /* between two clients over there, from a Limpet that does not say so */
	if (msg->in_reply_to.network_id == c->own)
		msg->in_reply_to.network_id = 0;
	struct entry *e = kb_find_id(&c->requests, msg->in_reply_to);
	if (!e)
		return 1; /* a Listener's copy, or the second answer */
	msg->to = e->from;
	msg->id = nothing;
	msg->flags &= ~KBUS_BIT_WANT_A_REPLY; /* here it is the answer, and nothing else */
	kb_remove_entry(&c->requests, e);
	return 0;
}

/* The Ksock that would get a Request of that name: bound to it, else to the longest wildcard, % before * (R1.27,
 * B22). */
static int resolve(const kbus_limpet_context_t *c, const kbus_message_t *msg, uint32_t *id)
{
	char name[KBUS_MAX_NAME_LEN + 2];
	if (msg->name_len == 0 || msg->name_len > KBUS_MAX_NAME_LEN)
		return -EBADMSG;
	memcpy(name, kbus_msg_name_ptr(msg), msg->name_len);
	name[msg->name_len] = 0;
	int   err = kbus_ksock_find_replier(c->ksock, name, id);
	char *dot = strrchr(name, '.');
	if (err == 0 && *id == 0 && dot) {
		strcpy(dot + 1, "%");
		err = kbus_ksock_find_replier(c->ksock, name, id);
	}
	for (; err == 0 && *id == 0 && dot; dot = strrchr(name, '.')) {
		strcpy(dot + 1, "*");
		err = kbus_ksock_find_replier(c->ksock, name, id);
		*dot = 0;
	}
	return err;
}

static int stateful_request(kbus_limpet_context_t *c, kbus_message_t *msg, kbus_message_t **error)
{
	uint32_t   id = 0;
	const int  local = msg->final_to.network_id == c->own;
	int        err = resolve(c, msg, &id);
	if (local)
		msg->final_to.network_id = 0;
	if (err)
		return err;
	if (id == 0)
		return error_message(msg, KBUS_MSG_NAME_REPLIER_GONEAWAY, error);
	if (local && id != msg->final_to.local_id)
		return error_message(msg, KBUS_MSG_NOT_SAME_KSOCK, error);
	msg->to = id;
	return 0;
}

int kbus_limpet_amend_msg_to_kbus(kbus_limpet_context_t *c, kbus_message_t *msg, kbus_message_t **error)
{
	*error = NULL;
	if (c->verbosity > 1)
		log_message(c, "from the pair:", msg);
	if (is(msg, KBUS_MSG_NAME_REPLIER_BIND_EVENT))
		return bind_event(c, msg);
	if (kbus_msg_is_reply(msg))
		return reply(c, msg);
	if (kbus_msg_is_request(msg) && !(msg->flags & KBUS_BIT_WANT_YOU_TO_REPLY)) {
		msg->flags &= ~KBUS_BIT_WANT_A_REPLY; /* only overheard there: here, too, it is for Listeners only (B24) */
		msg->to = 0;
		return 0;
	}
	return kbus_msg_is_stateful_request(msg) ? stateful_request(c, msg, error) : 0;
}

/* A Status on our own bus in the place of a Reply, for there is no other answer. If that cannot be sent either, nobody
 * waits for it. */
static int answer(const kbus_limpet_context_t *c, const kbus_message_t *reply, const char *name)
{
	kbus_message_t *status = NULL;
	kbus_msg_id_t   id;
	int             err = kbus_msg_create(&status, name, (uint32_t)strlen(name), NULL, 0, 0);
	if (err)
		return err;
	status->to = reply->to;
	status->in_reply_to = reply->in_reply_to;
	kbus_ksock_send_msg(c->ksock, status, &id);
	kbus_msg_delete(&status);
	return 1;
}

int kbus_limpet_could_not_send_to_kbus_msg(kbus_limpet_context_t *c, const kbus_message_t *msg, int errnum,
                                           kbus_message_t **error)
{
	char name[sizeof KBUS_MSG_REMOTE_ERROR_PREFIX + 12];
	*error = NULL;
	log_message(c, "could not send:", msg);
	snprintf(name, sizeof name, "%s%d", KBUS_MSG_REMOTE_ERROR_PREFIX, errnum < 0 ? -errnum : errnum);
	if (kbus_msg_is_reply(msg))
		return answer(c, msg, name);
	if (!kbus_msg_is_request(msg))
		return 1;
	int err = error_message(msg, name, error);
	return err == 2 ? 0 : err;
}

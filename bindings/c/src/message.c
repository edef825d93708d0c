#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ksock.h"

/* Making messages, and taking them apart. */

static int create(kbus_message_t **msg, size_t bytes, const char *name, uint32_t name_len, uint32_t data_len,
                  uint32_t flags)
{
	if (!name)
		return -EBADMSG;
	kbus_message_t *m = calloc(1, bytes);
	if (!m)
		return -ENOMEM;
	m->start_guard = KBUS_MSG_START_GUARD;
	m->end_guard = KBUS_MSG_END_GUARD;
	m->name_len = name_len;
	m->data_len = data_len;
	m->flags = flags;
	*msg = m;
	return 0;
}

int kbus_msg_create(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data, uint32_t data_len,
                    uint32_t flags)
{
	int err = create(msg, sizeof **msg, name, name_len, data_len, flags);
	if (err)
		return err;
	(*msg)->name = (char *)(uintptr_t)name;
	(*msg)->data = (void *)(uintptr_t)data;
	return 0;
}

int kbus_msg_create_entire(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                           uint32_t data_len, uint32_t flags)
{
	size_t bytes = KBUS_ENTIRE_MSG_LEN((size_t)name_len, (size_t)data_len) + sizeof(uint32_t);
	int    err = create(msg, bytes, name, name_len, data_len, flags);
	if (err)
		return err;
	memcpy(kbus_msg_name_ptr(*msg), name, name_len);
	if (data_len > 0)
		memcpy(kbus_msg_data_ptr(*msg), data, data_len);
	*kbus_msg_end_ptr((kbus_entire_message_t *)(void *)*msg) = KBUS_MSG_END_GUARD;
	return 0;
}

int kbus_msg_create_request(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                            uint32_t data_len, uint32_t flags)
{
	return kbus_msg_create(msg, name, name_len, data, data_len, flags | KBUS_BIT_WANT_A_REPLY);
}

int kbus_msg_create_entire_request(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                                   uint32_t data_len, uint32_t flags)
{
	return kbus_msg_create_entire(msg, name, name_len, data, data_len, flags | KBUS_BIT_WANT_A_REPLY);
}

typedef int maker(kbus_message_t **, const char *, uint32_t, const void *, uint32_t, uint32_t);

static int reply(maker *make, kbus_message_t **msg, const kbus_message_t *request, const void *data, uint32_t data_len,
                 uint32_t flags)
{
	if (!kbus_msg_wants_us_to_reply(request))
		return -EBADMSG;
	int err = make(msg, kbus_msg_name_ptr(request), request->name_len, data, data_len, flags);
	if (err)
		return err;
	(*msg)->to = request->from;
	(*msg)->in_reply_to = request->id;
	return 0;
}

int kbus_msg_create_reply_to(kbus_message_t **msg, const kbus_message_t *in_reply_to, const void *data,
                             uint32_t data_len, uint32_t flags)
{
	return reply(kbus_msg_create, msg, in_reply_to, data, data_len, flags);
}

int kbus_msg_create_entire_reply_to(kbus_message_t **msg, const kbus_message_t *in_reply_to, const void *data,
                                    uint32_t data_len, uint32_t flags)
{
	return reply(kbus_msg_create_entire, msg, in_reply_to, data, data_len, flags);
}

static int stateful(maker *make, kbus_message_t **msg, const kbus_message_t *earlier, const char *name,
                    uint32_t name_len, const void *data, uint32_t data_len, uint32_t flags)
{
	kbus_orig_from_t final_to;
	uint32_t         to;
	if (kbus_msg_is_reply(earlier)) {
		to = earlier->from;
		final_to = earlier->orig_from;
	} else if (kbus_msg_is_stateful_request(earlier)) {
		to = earlier->to;
		final_to = earlier->final_to;
	} else {
		return -EBADMSG;
	}
	int err = make(msg, name, name_len, data, data_len, flags | KBUS_BIT_WANT_A_REPLY);
	if (err)
		return err;
	(*msg)->to = to;
	(*msg)->final_to = final_to;
	return 0;
}

int kbus_msg_create_stateful_request(kbus_message_t **msg, const kbus_message_t *earlier_msg, const char *name,
                                     uint32_t name_len, const void *data, uint32_t data_len, uint32_t flags)
{
	return stateful(kbus_msg_create, msg, earlier_msg, name, name_len, data, data_len, flags);
}

int kbus_msg_create_entire_stateful_request(kbus_message_t **msg, const kbus_message_t *earlier_msg, const char *name,
                                            uint32_t name_len, const void *data, uint32_t data_len, uint32_t flags)
{
	return stateful(kbus_msg_create_entire, msg, earlier_msg, name, name_len, data, data_len, flags);
}

void kbus_msg_delete(kbus_message_t **msg)
{
	if (!msg)
		return;
	free(*msg);
	*msg = NULL;
}

void kbus_msg_delete_all(kbus_message_t **msg)
{
	if (!msg)
		return;
	if (*msg && !kbus_msg_is_entire(*msg)) {
		free((*msg)->name);
		free((*msg)->data);
	}
	kbus_msg_delete(msg);
}

int kbus_msg_split_bind_event(const kbus_message_t *msg, uint32_t *is_bind, uint32_t *binder, char **name)
{
	uint32_t head[3];
	if (msg->data_len < sizeof head)
		return -EBADMSG;
	const char *data = kbus_msg_data_ptr(msg);
	memcpy(head, data, sizeof head);
	if (head[2] > msg->data_len - sizeof head)
		return -EBADMSG;
	char *copy = calloc(1, (size_t)head[2] + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data + sizeof head, head[2]);
	*is_bind = head[0];
	*binder = head[1];
	*name = copy;
	return 0;
}

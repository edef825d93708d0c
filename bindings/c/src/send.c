#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "ksock.h"

/* Writing and sending. What is written goes to the daemon as it is, which finds every mistake at the moment at which
 * a device would; so a message may be written in any pieces. We remember its header, because the daemon cannot follow
 * the pointers of a pointy message: when that is sent we drop it there and send the message whole.
 * kbus_ksock_send_msg sends whole messages to begin with, unless something about one is unusual. */

enum { PIECE_BYTES = 32 << 10 };

static int write_bytes(struct ksock *k, const unsigned char *p, size_t n)
{
	struct frame f;
	do {
		struct iovec part = {(void *)(uintptr_t)p, n < PIECE_BYTES ? n : PIECE_BYTES};
		int          err = kb_ask(&k->link, OP_WRITE, 0, &part, 1, &f);
		if (err) {
			if (err != -EALREADY)
				k->drafted = 0;
			return err;
		}
		if (k->drafted < sizeof k->draft) {
			size_t room = sizeof k->draft - k->drafted;
			memcpy((char *)&k->draft + k->drafted, p, part.iov_len < room ? part.iov_len : room);
		}
		k->drafted += part.iov_len;
		p += part.iov_len;
		n -= part.iov_len;
	} while (n > 0);
	return 0;
}

static size_t bytes_of(const kbus_message_t *msg)
{
	if (msg->name)
		return sizeof *msg;
	return sizeof *msg + KBUS_PADDED_NAME_LEN((size_t)msg->name_len) + KBUS_PADDED_DATA_LEN((size_t)msg->data_len) + 4;
}

int kbus_msg_sizeof(const kbus_message_t *msg)
{
	size_t n = bytes_of(msg);
	return n <= INT32_MAX ? (int)n : -EMSGSIZE;
}

static void describe(const kbus_message_t *msg, kbus_bus_msg_t *m)
{
	m->id = msg->id;
	m->in_reply_to = msg->in_reply_to;
	m->to = msg->to;
	m->from = 0;
	m->orig_from = msg->orig_from;
	m->final_to = msg->final_to;
	m->flags = msg->flags;
	m->name_len = msg->name_len;
	m->data_len = msg->data_len;
}

/* Puts a whole message into what is to be sent. */
static int put_message(struct link *l, const kbus_message_t *msg, const void *name, const void *data, uint32_t *seq)
{
	kbus_bus_msg_t m;
	unsigned char  head[MESSAGE_BYTES];
	describe(msg, &m);
	kb_put_message(head, &m);
	const struct iovec parts[] = {
		{head, sizeof head}, {(void *)(uintptr_t)name, msg->name_len}, {(void *)(uintptr_t)data, msg->data_len},
	};
	if (kb_asked_room(&l->asked))
		return -ENOMEM;
	return kb_put(l, OP_SEND_MESSAGE, 0, 0, parts, 3, seq);
}

/* What a result of SendMessage or Send means. */
static int sent(struct link *l, const struct frame *f, int request, int again, kbus_msg_id_t *id)
{
	kbus_bus_sent_t s;
	kb_get_sent(l->in, f->bytes, &s);
	if (again)
		kb_book_resent(l, f->condition);
	else
		kb_book_sent(l, request, f->condition, s.id);
	if ((f->condition == CONDITION_OK || f->condition == CONDITION_PENDING) && id)
		*id = s.id;
	return -kb_errno(f->condition);
}

/* Copies memory of the program, which may not be there. */
static int fetch(void *to, const void *from, size_t n)
{
	struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};
	if (n == 0 || process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)n)
		return 0;
	if (errno != EPERM && errno != ENOSYS)
		return -EFAULT;
	memcpy(to, from, n); /* the call is not allowed here */
	return 0;
}

static int send_pointy(struct ksock *k, kbus_msg_id_t *id)
{
	struct link         *l = &k->link;
	const kbus_message_t msg = k->draft;
	uint32_t             discard, seq;
	struct frame         f;
	char                *copy = malloc((size_t)msg.name_len + msg.data_len + 1);
	int                  err = copy ? fetch(copy, msg.name, msg.name_len) : -ENOMEM;
	if (err == 0)
		err = fetch(copy + msg.name_len, msg.data, msg.data_len);
	if (err == 0)
		err = kb_put(l, OP_DISCARD, 0, 0, NULL, 0, &discard);
	else
		kb_ask(l, OP_DISCARD, 0, NULL, 0, &f);
	if (err == 0)
		err = put_message(l, &msg, copy, copy + msg.name_len, &seq);
	if (err == 0)
		err = kb_push(l);
	if (err == 0)
		err = kb_result(l, seq, &f);
	free(copy);
	return err ? err : sent(l, &f, msg.flags & KBUS_BIT_WANT_A_REPLY, 0, id);
}

static int send_written(struct ksock *k, kbus_msg_id_t *id)
{
	struct link *l = &k->link;
	struct frame f;
	uint32_t     seq;
	size_t       drafted = k->drafted;
	k->drafted = 0;
	if (l->gone)
		return kb_lose(l);
	if (drafted == sizeof k->draft && k->draft.name)
		return send_pointy(k, id);
	int err = kb_asked_room(&l->asked);
	if (err == 0)
		err = kb_request(l, OP_SEND, 0, NULL, 0, &seq);
	if (err == 0)
		err = kb_result(l, seq, &f);
	if (err)
		return err;
	return sent(l, &f, drafted >= sizeof k->draft && k->draft.flags & KBUS_BIT_WANT_A_REPLY, drafted == 0, id);
}

/* Whether a message can be sent whole: everything that a write would refuse, and SendMessage would not, or in another
 * order, is written. */
static int usual(const struct link *l, const kbus_message_t *msg)
{
	if (msg->start_guard != KBUS_MSG_START_GUARD || msg->end_guard != KBUS_MSG_END_GUARD || msg->name_len == 0 ||
	    msg->name_len > KBUS_MAX_NAME_LEN || !(l->mode & KBUS_BUS_WRITE))
		return 0;
	if (msg->data_len >= l->most)
		return 0;
	if (msg->name)
		return (msg->data != NULL) == (msg->data_len != 0);
	return msg->data == NULL && *kbus_msg_end_ptr((const kbus_entire_message_t *)(const void *)msg) == KBUS_MSG_END_GUARD;
}

static int send_whole(struct link *l, const kbus_message_t *msg, kbus_msg_id_t *id)
{
	uint32_t     seq;
	struct frame f;
	if (l->gone)
		return kb_lose(l);
	int err = put_message(l, msg, kbus_msg_name_ptr(msg), kbus_msg_data_ptr(msg), &seq);
	if (err == 0)
		err = kb_push(l);
	if (err == 0)
		err = kb_result(l, seq, &f);
	return err ? err : sent(l, &f, kbus_msg_is_request(msg), 0, id);
}

int kbus_ksock_write_data(kbus_ksock_t ksock, uint8_t *data, size_t length)
{
	struct ksock *k = kb_enter(ksock);
	if (!k)
		return kb_device_write(ksock, data, length);
	return kb_leave(k, write_bytes(k, data, length), 0);
}

int kbus_ksock_write_msg(kbus_ksock_t ksock, const kbus_message_t *msg)
{
	struct ksock *k = kb_enter(ksock);
	if (!k)
		return kb_device_write(ksock, msg, bytes_of(msg));
	return kb_leave(k, write_bytes(k, (const unsigned char *)msg, bytes_of(msg)), 0);
}

int kbus_ksock_send(kbus_ksock_t ksock, kbus_msg_id_t *msg_id)
{
	struct ksock *k = kb_enter(ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_SEND, msg_id);
	return kb_leave(k, send_written(k, msg_id), 0);
}

int kbus_ksock_send_msg(kbus_ksock_t ksock, const kbus_message_t *msg, kbus_msg_id_t *msg_id)
{
	struct ksock *k = kb_enter(ksock);
	if (!k) {
		int err = kb_device_write(ksock, msg, bytes_of(msg));
		return err ? err : kb_ioctl(ksock, KBUS_IOC_SEND, msg_id);
	}
	int err;
	if (k->drafted == 0 && usual(&k->link, msg)) {
		err = send_whole(&k->link, msg, msg_id);
	} else {
		err = write_bytes(k, (const unsigned char *)msg, bytes_of(msg));
		if (err == 0)
			err = send_written(k, msg_id);
	}
	return kb_leave(k, err, 0);
}

int kbus_ksock_discard(kbus_ksock_t ksock)
{
	struct ksock *k = kb_enter(ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_DISCARD, NULL);
	k->drafted = 0;
	return kb_leave(k, kb_discard(&k->link), 0);
}

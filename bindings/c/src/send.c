#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "device.h"
#include "ksock.h"
#include "reach.h"

/* Writing and sending. What is written goes to the daemon as it is, which finds every mistake at the moment at which
 * a device would; so a message may be written in any pieces. We remember its header, because the daemon cannot follow
 * the pointers of a pointy message: when that is sent we drop it there and send the message whole.
 * kbus_ksock_send_msg sends whole messages to begin with, unless something about one is unusual. */

enum { PIECE_BYTES = 32 << 10 };

/* Bytes that cannot be read are found out when they are written, and then the message is lost. */
static int unreadable(struct ksock *k)
{
	struct frame f;
	int          err = kb_ask(&k->link, OP_WRITE, 0, NULL, 0, &f); /* which finds what else is wrong */
	if (err)
		return err;
	k->drafted = 0;
	err = kb_ask(&k->link, OP_DISCARD, 0, NULL, 0, &f);
	return err ? err : -EFAULT;
}

static int write_bytes(struct ksock *k, const unsigned char *p, size_t n)
{
	struct frame f;
	do {
		struct iovec part = {(void *)(uintptr_t)p, n < PIECE_BYTES ? n : PIECE_BYTES};
		if (kb_reach(p, part.iov_len))
			return unreadable(k);
		int err = kb_ask(&k->link, OP_WRITE, 0, &part, 1, &f);
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

/* Sends a whole message, whose name and data are there. */
static int send_whole(struct link *l, const kbus_message_t *msg, const char *name, const void *data, kbus_msg_id_t *id)
{
	const kbus_bus_msg_t m = {
		.id = msg->id, .in_reply_to = msg->in_reply_to, .to = msg->to, .orig_from = msg->orig_from, .final_to = msg->final_to,
		.flags = msg->flags, .name = name, .name_len = msg->name_len, .data = data, .data_len = msg->data_len,
	};
	kbus_bus_sent_t what = {{0, 0}, 0, 0};
	if (l->gone)
		return kb_lose(l);
	int err = kb_send(l, &m, &what);
	if ((what.id.network_id || what.id.serial_num) && id)
		*id = what.id;
	return err;
}

/* What a result of Send means. */
static int sent(struct link *l, const struct frame *f, int request, int again, kbus_msg_id_t *id)
{
	kbus_bus_sent_t s;
	if (kb_get_sent(l->in, f, &s))
		return kb_lose(l);
	if (again)
		kb_book_resent(l, f->condition);
	else
		kb_book_sent(l, request, f->condition, s.id);
	if ((f->condition == CONDITION_OK || f->condition == CONDITION_PENDING) && id)
		*id = s.id;
	return -kb_errno(f->condition);
}

static int send_pointy(struct ksock *k, kbus_msg_id_t *id)
{
	struct link         *l = &k->link;
	const kbus_message_t msg = k->draft;
	uint32_t             discard;
	struct frame         f;
	char                *copy = malloc((size_t)msg.name_len + msg.data_len + 1);
	int                  err = copy ? kb_fetch(copy, msg.name, (size_t)msg.name_len + 1) : -ENOMEM; /* with its terminator */
	if (err == 0)
		err = kb_fetch(copy + msg.name_len, msg.data, msg.data_len);
	if (err == 0)
		err = kb_put(l, OP_DISCARD, 0, 0, NULL, 0, &discard);
	else
		kb_ask(l, OP_DISCARD, 0, NULL, 0, &f);
	if (err == 0)
		err = send_whole(l, &msg, copy, copy + msg.name_len, id);
	free(copy);
	return err;
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
 * order, is written. So is what cannot be read. */
static int usual(const struct link *l, const kbus_message_t *msg)
{
	if (msg->start_guard != KBUS_MSG_START_GUARD || msg->end_guard != KBUS_MSG_END_GUARD || msg->name_len == 0 ||
	    msg->name_len > KBUS_MAX_NAME_LEN || !(l->mode & KBUS_BUS_WRITE))
		return 0;
	if (msg->data_len >= l->most)
		return 0;
	if (msg->name)
		return (msg->data != NULL) == (msg->data_len != 0) && kb_reach(msg->name, (size_t)msg->name_len + 1) == 0 &&
		       kb_reach(msg->data, msg->data_len) == 0;
	return msg->data == NULL && kb_reach(msg, bytes_of(msg)) == 0 &&
	       *kbus_msg_end_ptr((const kbus_entire_message_t *)(const void *)msg) == KBUS_MSG_END_GUARD;
}

int kbus_ksock_write_data(kbus_ksock_t ksock, uint8_t *data, size_t length)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_device_write(ksock, data, length);
	return kb_leave(k, write_bytes(k, data, length), 0);
}

int kbus_ksock_write_msg(kbus_ksock_t ksock, const kbus_message_t *msg)
{
	if (kb_reach(msg, sizeof *msg))
		return -EFAULT;
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_device_write(ksock, msg, bytes_of(msg));
	return kb_leave(k, write_bytes(k, (const unsigned char *)msg, bytes_of(msg)), 0);
}

/* A program that does not ask for the id gives NULL. */
static int device_send(int fd, kbus_msg_id_t *msg_id)
{
	kbus_msg_id_t unasked;
	return kb_ioctl(fd, KBUS_IOC_SEND, msg_id ? msg_id : &unasked);
}

int kbus_ksock_send(kbus_ksock_t ksock, kbus_msg_id_t *msg_id)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return device_send(ksock, msg_id);
	return kb_leave(k, send_written(k, msg_id), 0);
}

int kbus_ksock_send_msg(kbus_ksock_t ksock, const kbus_message_t *msg, kbus_msg_id_t *msg_id)
{
	if (kb_reach(msg, sizeof *msg))
		return -EFAULT;
	struct ksock *k = kb_enter(&ksock);
	if (!k) {
		int err = kb_device_write(ksock, msg, bytes_of(msg));
		return err ? err : device_send(ksock, msg_id);
	}
	int err;
	if (k->drafted == 0 && usual(&k->link, msg)) {
		err = send_whole(&k->link, msg, kbus_msg_name_ptr(msg), kbus_msg_data_ptr(msg), msg_id);
	} else {
		err = write_bytes(k, (const unsigned char *)msg, bytes_of(msg));
		if (err == 0)
			err = send_written(k, msg_id);
	}
	return kb_leave(k, err, 0);
}

int kbus_ksock_discard(kbus_ksock_t ksock)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_DISCARD, NULL);
	k->drafted = 0;
	return kb_leave(k, kb_discard(&k->link), 0);
}

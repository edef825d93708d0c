#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "ksock.h"

/* Reading. kbus_ksock_next_msg and kbus_ksock_read_msg are the bus's own NEXTMSG and read, so a message may be read in
 * any pieces, by several processes; kbus_ksock_read_next_msg takes a whole message by the shortest way. */

int kb_entire(const kbus_bus_msg_t *m, kbus_message_t **msg)
{
	/* Room for the structure, which may be longer than the message. */
	kbus_message_t *e = calloc(1, KBUS_ENTIRE_MSG_LEN((size_t)m->name_len, (size_t)m->data_len) + sizeof(uint32_t));
	if (!e)
		return -ENOMEM;
	e->start_guard = KBUS_MSG_START_GUARD;
	e->id = m->id;
	e->in_reply_to = m->in_reply_to;
	e->to = m->to;
	e->from = m->from;
	e->orig_from = m->orig_from;
	e->final_to = m->final_to;
	e->flags = m->flags;
	e->name_len = m->name_len;
	e->data_len = m->data_len;
	e->end_guard = KBUS_MSG_END_GUARD;
	memcpy(kbus_msg_name_ptr(e), m->name, m->name_len);
	if (m->data_len > 0)
		memcpy(kbus_msg_data_ptr(e), m->data, m->data_len);
	*kbus_msg_end_ptr((kbus_entire_message_t *)(void *)e) = KBUS_MSG_END_GUARD;
	*msg = e;
	return 0;
}

static void drop_kept(struct ksock *k)
{
	free(k->kept);
	k->kept = NULL;
}

/* Announces a Status of our own. */
static int next_status(struct ksock *k, uint32_t *length)
{
	kbus_bus_msg_t  m;
	kbus_message_t *msg;
	int             n = kb_status(&k->link, &m);
	if (n > 0 && (n = kb_entire(&m, &msg)) == 0) {
		k->kept = (unsigned char *)msg;
		k->kept_len = KBUS_ENTIRE_MSG_LEN(m.name_len, m.data_len);
		k->kept_at = 0;
		*length = (uint32_t)k->kept_len;
		n = 1;
	}
	return n;
}

static int next(struct ksock *k, uint32_t *length)
{
	struct frame f;
	drop_kept(k);
	int err = kb_ask(&k->link, OP_NEXT_MSG, 0, NULL, 0, &f);
	if (k->link.gone)
		return next_status(k, length);
	if (err)
		return err;
	k->link.shared->reading = f.arg;
	k->fresh = 1;
	*length = f.arg;
	return f.arg > 0;
}

/* Reads at most n bytes of the message being read. */
static int64_t read_bytes(struct ksock *k, void *p, size_t n)
{
	struct frame f;
	if (k->kept) {
		size_t left = k->kept_len - k->kept_at;
		n = n < left ? n : left;
		memcpy(p, k->kept + k->kept_at, n);
		k->kept_at += n;
		if (k->kept_at == k->kept_len)
			drop_kept(k);
		return (int64_t)n;
	}
	int err = kb_ask(&k->link, OP_READ, (uint32_t)(n < UINT32_MAX ? n : UINT32_MAX), NULL, 0, &f);
	if (err)
		return err;
	n = f.bytes < n ? f.bytes : n;
	memcpy(p, k->link.in, n);
	k->link.shared->reading -= (uint32_t)n;
	return (int64_t)n;
}

/* A message that has been read from its beginning may be the answer to a Request of ours. */
static void book(struct ksock *k, const kbus_message_t *msg, size_t n)
{
	if (!k->fresh || n < sizeof *msg)
		return;
	const kbus_bus_msg_t m = {.in_reply_to = msg->in_reply_to, .to = msg->to};
	k->fresh = 0;
	kb_book_came(&k->link, &m);
}

static int read_msg(struct ksock *k, int fd, kbus_message_t **msg, size_t length)
{
	size_t          got = 0;
	kbus_message_t *m = length > sizeof *m ? calloc(1, length + sizeof(uint32_t)) : calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	while (got < length) {
		int64_t n = k ? read_bytes(k, (char *)m + got, length - got) : kb_device_read(fd, (char *)m + got, length - got);
		if (n < 0) {
			free(m);
			return (int)n;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got == 0) {
		free(m);
		return -EBADMSG;
	}
	if (k)
		book(k, m, got);
	*msg = m;
	return 0;
}

int kbus_ksock_next_msg(kbus_ksock_t ksock, uint32_t *message_length)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_NEXTMSG, message_length);
	int n = next(k, message_length);
	return kb_leave(k, n, n == 0);
}

int kbus_ksock_len_left(kbus_ksock_t ksock, uint32_t *len_left)
{
	struct frame  f;
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_LENLEFT, len_left);
	if (k->kept) {
		*len_left = (uint32_t)(k->kept_len - k->kept_at);
		return kb_leave(k, 0, 0);
	}
	int err = kb_ask(&k->link, OP_LEN_LEFT, 0, NULL, 0, &f);
	if (err == 0)
		*len_left = f.arg;
	return kb_leave(k, err, 0);
}

int kbus_ksock_read_msg(kbus_ksock_t ksock, kbus_message_t **msg, size_t length)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return read_msg(NULL, ksock, msg, length);
	return kb_leave(k, read_msg(k, -1, msg, length), 0);
}

/* By NEXTMSG and reading: on a device, when something else is being read, and on a Ksock that may not read. */
static int read_next_slowly(struct ksock *k, int fd, kbus_message_t **msg)
{
	uint32_t length = 0;
	int      n = k ? next(k, &length) : kb_ioctl(fd, KBUS_IOC_NEXTMSG, &length);
	if (n <= 0)
		return n;
	n = read_msg(k, fd, msg, length);
	return n < 0 ? n : 1;
}

static int read_next(struct ksock *k, kbus_message_t **msg)
{
	kbus_bus_msg_t m;
	int            taken;
	if (k->kept || k->link.shared->reading || !(k->link.mode & KBUS_BUS_READ))
		return read_next_slowly(k, -1, msg);
	int n = kb_next(&k->link, &m, &taken);
	if (n <= 0)
		return n;
	int err = kb_entire(&m, msg);
	if (taken)
		kb_release_shown(&k->link);
	return err ? err : 1;
}

int kbus_ksock_read_next_msg(kbus_ksock_t ksock, kbus_message_t **msg)
{
	kbus_message_t *m = NULL;
	struct ksock   *k = kb_enter(&ksock);
	int             n = k ? read_next(k, &m) : read_next_slowly(NULL, ksock, &m);
	if (k)
		n = kb_leave(k, n, n == 0);
	if (n < 0)
		return n;
	*msg = m;
	return 0;
}

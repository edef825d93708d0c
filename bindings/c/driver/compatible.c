#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kbus/kbus.h"

/* The door of the compatible functions. */

static kbus_ksock_t ksocks[DRIVER_KSOCKS]; /* plus 1 */
static int          modes[DRIVER_KSOCKS];

static kbus_ksock_t of(int k) { return ksocks[k] - 1; }

static int open_(int k, unsigned device, int mode, uint32_t *id)
{
	static const int flags[] = {0, O_RDONLY, O_WRONLY, O_RDWR};
	char             path[4096];
	kbus_ksock_t     fd;
	if (device_prefix) {
		snprintf(path, sizeof path, "%s%u", device_prefix, device);
		fd = kbus_ksock_open_by_name(path, flags[mode]);
	} else {
		fd = kbus_ksock_open(device, flags[mode]);
	}
	if (fd < 0)
		return -fd;
	ksocks[k] = fd + 1;
	modes[k] = mode;
	return -kbus_ksock_id(fd, id);
}

static int close_(int k) { return -kbus_ksock_close(of(k)); }

static int bind_(int k, const char *name, uint32_t replier) { return -kbus_ksock_bind(of(k), name, replier); }
static int unbind(int k, const char *name, uint32_t replier) { return -kbus_ksock_unbind(of(k), name, replier); }
static int replier(int k, const char *name, uint32_t *id) { return -kbus_ksock_find_replier(of(k), name, id); }

static int write_(int k, const unsigned char *p, size_t n)
{
	return -kbus_ksock_write_data(of(k), (uint8_t *)(uintptr_t)p, n);
}

static int send_(int k, kbus_bus_sent_t *sent) { return -kbus_ksock_send(of(k), &sent->id); }

static int next(int k, int *ret, uint32_t *length)
{
	int n = kbus_ksock_next_msg(of(k), length);
	*ret = n;
	return n < 0 ? -n : 0;
}

static int read_(int k, unsigned char *p, size_t n, size_t *got)
{
	uint32_t        left = 0;
	kbus_message_t *msg = NULL;
	int             err = -kbus_ksock_len_left(of(k), &left);
	if (err)
		return err;
	*got = n < left ? n : left;
	err = -kbus_ksock_read_msg(of(k), &msg, n); /* n of 0, or nothing left: EBADMSG stands for reading 0 bytes */
	if (err == EBADMSG)
		return *got = 0, 0;
	if (err == 0)
		memcpy(p, msg, *got);
	kbus_msg_delete(&msg);
	return err;
}

static int last_sent(int k, kbus_msg_id_t *id) { return -kbus_ksock_last_msg_id(of(k), id); }

/* The descriptor must say what the bus says, if there is reading from it. A bell may take a moment to come; one for a message
 * that is there no more may come after the library has looked for it, and is gone when it has looked once more. */
static int poll_(int k, int *bits)
{
	struct pollfd p = {of(k), POLLIN, 0};
	for (int late = 0; late < 2; late++) {
		*bits = kbus_ksock_poll(of(k));
		if (*bits < 0)
			return -*bits;
		if (!(modes[k] & 1))
			return 0;
		int readable = poll(&p, 1, *bits & KBUS_KSOCK_READABLE ? 5000 : 0) > 0;
		if (readable == (*bits & KBUS_KSOCK_READABLE))
			return 0;
	}
	return EIO;
}

static int value(int k, const char *what, uint32_t in, uint32_t *out)
{
	static const struct {
		const char *name;
		int (*ask)(kbus_ksock_t, uint32_t *);
		int (*change)(kbus_ksock_t, uint32_t);
	} values[] = {
		{"ksockid", kbus_ksock_id, NULL},
		{"lenleft", kbus_ksock_len_left, NULL},
		{"nummsgs", kbus_ksock_num_messages, NULL},
		{"unrepliedto", kbus_ksock_num_unreplied_to, NULL},
		{"newdevice", kbus_ksock_new_device, NULL},
		{"maxmsgs", kbus_ksock_max_messages, NULL},
		{"maxmsgsize", kbus_ksock_max_message_size, NULL},
		{"msgonlyonce", NULL, kbus_ksock_only_once},
		{"verbose", NULL, kbus_ksock_kernel_module_verbose},
		{"reportreplierbinds", NULL, kbus_ksock_report_replier_binds},
	};
	if (strcmp(what, "missed") == 0) {
		uint64_t total = 0;
		int      err = -kbus_ksock_missed(of(k), NULL, &total);
		return *out = (uint32_t)total, err;
	}
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		if (strcmp(values[i].name, what) != 0)
			continue;
		*out = in;
		if (values[i].ask)
			return -values[i].ask(of(k), out);
		int before = values[i].change(of(k), in);
		*out = before < 0 ? 0 : (uint32_t)before;
		return before < 0 ? -before : 0;
	}
	return EINVAL;
}

static int plain(int k, const char *what)
{
	if (strcmp(what, "discard") == 0)
		return -kbus_ksock_discard(of(k));
	if (device_prefix) /* there is no function for it, because it does nothing */
		return ioctl(of(k), KBUS_IOC_RESET) < 0 ? errno : 0;
	return 0;
}

/* The descriptor is a socket, if it is not a device, and knows as little of that number. */
static int unknown(int k, unsigned code)
{
	uint32_t argument[4] = {0};
	if (ioctl(of(k), code, argument) == 0)
		return 0;
	return errno == ENOSYS ? ENOTTY : errno; /* an emulator of another machine says that of what it does not know */
}

/* A message of our own with everything that the one in the entire form has. */
static int decode(const unsigned char *entire, size_t n, kbus_message_t **msg)
{
	kbus_message_t h;
	int            err = header_of(entire, n, &h);
	if (err)
		return err;
	const char *name = (const char *)entire + sizeof h;
	const void *data = name + KBUS_PADDED_NAME_LEN(h.name_len);
	err = kbus_msg_create_entire(msg, name, h.name_len, data, h.data_len, h.flags);
	if (err)
		return -err;
	(*msg)->id = h.id;
	(*msg)->in_reply_to = h.in_reply_to;
	(*msg)->to = h.to;
	(*msg)->from = h.from;
	(*msg)->orig_from = h.orig_from;
	(*msg)->final_to = h.final_to;
	(*msg)->extra = h.extra;
	return 0;
}

static int send_message(int k, const unsigned char *entire, size_t n, kbus_bus_sent_t *sent)
{
	kbus_message_t *msg = NULL;
	int             err = decode(entire, n, &msg);
	if (err == 0)
		err = -kbus_ksock_send_msg(of(k), msg, &sent->id);
	kbus_msg_delete(&msg);
	return err;
}

static int receive(int k, unsigned char **entire, size_t *n)
{
	kbus_message_t *msg = NULL;
	int             err = -kbus_ksock_read_next_msg(of(k), &msg);
	if (err == 0 && msg) {
		*n = (size_t)kbus_msg_sizeof(msg);
		*entire = (unsigned char *)msg;
	}
	return err;
}

static int encode(const unsigned char *entire, size_t n, unsigned char **again, size_t *m)
{
	kbus_message_t *msg = NULL;
	int             err = decode(entire, n, &msg);
	if (err)
		return err;
	*m = (size_t)kbus_msg_sizeof(msg);
	*again = (unsigned char *)msg;
	return 0;
}

static int report(int stats, char **text) { return device_prefix ? ENOSYS : report_of_all(stats, text); }

const struct door compatible = {
	open_, close_, bind_, unbind, replier, write_, send_, next, read_, last_sent, poll_, value,
	plain, unknown, send_message, receive, encode, report, NULL, NULL,
};

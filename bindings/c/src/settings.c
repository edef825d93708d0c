#include <string.h>

#include "device.h"
#include "ksock.h"
#include "reach.h"

/* Operations that take a name, or a number and give one. */

/* Names of more bytes than any can have are refused by the bus, so no more of one than shows that is sent. */
static int ask_name(struct ksock *k, int op, uint32_t arg, const char *name, struct frame *f)
{
	int n = kb_name_length(name);
	if (n < 0)
		return n;
	struct iovec part = {(void *)(uintptr_t)name, (size_t)n};
	return kb_ask(&k->link, op, arg, &part, 1, f);
}

static int bind_or_unbind(kbus_ksock_t ksock, int op, unsigned long code, const char *name, uint32_t is_replier)
{
	struct frame  f;
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_device_bind(ksock, code, name, is_replier);
	return kb_leave(k, ask_name(k, op, is_replier != 0, name, &f), 0);
}

int kbus_ksock_bind(kbus_ksock_t ksock, const char *name, uint32_t is_replier)
{
	return bind_or_unbind(ksock, OP_BIND, KBUS_IOC_BIND, name, is_replier);
}

int kbus_ksock_unbind(kbus_ksock_t ksock, const char *name, uint32_t is_replier)
{
	return bind_or_unbind(ksock, OP_UNBIND, KBUS_IOC_UNBIND, name, is_replier);
}

int kbus_ksock_find_replier(kbus_ksock_t ksock, const char *name, uint32_t *ksock_id)
{
	struct frame  f;
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_device_replier(ksock, name, ksock_id);
	int err = ask_name(k, OP_REPLIER, 0, name, &f);
	if (err == 0)
		*ksock_id = f.arg;
	return kb_leave(k, err, 0);
}

/* Gives value to the bus and sets it to what the bus gives. */
static int number(kbus_ksock_t ksock, int op, unsigned long code, uint32_t argument, uint32_t *value)
{
	struct frame  f;
	struct ksock *k = kb_enter(&ksock);
	if (!k) {
		int n = kb_ioctl(ksock, code, &argument);
		if (n >= 0)
			*value = argument;
		return n < 0 ? n : 0;
	}
	int err = kb_ask(&k->link, op, argument, NULL, 0, &f);
	if (err == 0)
		*value = f.arg;
	return kb_leave(k, err, 0);
}

static int previous(kbus_ksock_t ksock, int op, unsigned long code, uint32_t request)
{
	uint32_t before = 0;
	int      err = number(ksock, op, code, request, &before);
	return err ? err : (int)before;
}

int kbus_ksock_id(kbus_ksock_t ksock, uint32_t *ksock_id)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_KSOCKID, ksock_id);
	*ksock_id = k->link.id;
	return kb_leave(k, 0, 0);
}

int kbus_ksock_max_messages(kbus_ksock_t ksock, uint32_t *max_messages)
{
	return number(ksock, OP_MAX_MESSAGES, KBUS_IOC_MAXMSGS, *max_messages, max_messages);
}

int kbus_ksock_num_messages(kbus_ksock_t ksock, uint32_t *num_messages)
{
	return number(ksock, OP_NUM_MESSAGES, KBUS_IOC_NUMMSGS, 0, num_messages);
}

int kbus_ksock_num_unreplied_to(kbus_ksock_t ksock, uint32_t *num_messages)
{
	return number(ksock, OP_NUM_UNREPLIED, KBUS_IOC_UNREPLIEDTO, 0, num_messages);
}

int kbus_ksock_only_once(kbus_ksock_t ksock, uint32_t request)
{
	return previous(ksock, OP_ONLY_ONCE, KBUS_IOC_MSGONLYONCE, request);
}

int kbus_ksock_report_replier_binds(kbus_ksock_t ksock, uint32_t request)
{
	return previous(ksock, OP_REPORT_REPLIER_BINDS, KBUS_IOC_REPORTREPLIERBINDS, request);
}

int kbus_ksock_kernel_module_verbose(kbus_ksock_t ksock, uint32_t request)
{
	return previous(ksock, OP_VERBOSE, KBUS_IOC_VERBOSE, request);
}

int kbus_ksock_max_message_size(kbus_ksock_t ksock, uint32_t *max_size)
{
	return number(ksock, OP_MAX_MESSAGE_SIZE, KBUS_IOC_MAXMSGSIZE, *max_size, max_size);
}

int kbus_ksock_new_device(kbus_ksock_t ksock, uint32_t *device_number)
{
	return number(ksock, OP_NEW_BUS, KBUS_IOC_NEWDEVICE, 0, device_number);
}

int kbus_ksock_last_msg_id(kbus_ksock_t ksock, kbus_msg_id_t *msg_id)
{
	struct ksock *k = kb_enter(&ksock);
	if (!k)
		return kb_ioctl(ksock, KBUS_IOC_LASTSENT, msg_id);
	return kb_leave(k, kb_last_sent(&k->link, msg_id), 0);
}

int kbus_ksock_missed(kbus_ksock_t ksock, uint32_t *before, uint64_t *total)
{
	struct frame  f;
	uint32_t      word[3] = {0, 0, 0};
	struct ksock *k = kb_enter(&ksock);
	int           err;
	if (k) {
		err = kb_ask(&k->link, OP_MISSED, 0, NULL, 0, &f);
		if (err == 0 && f.bytes >= 8) {
			word[0] = f.arg;
			word[1] = kb_get32(k->link.in);
			word[2] = kb_get32(k->link.in + 4);
		}
		err = kb_leave(k, err, 0);
	} else {
		err = kb_ioctl(ksock, KBUS_IOC_MISSED, word);
	}
	if (err < 0)
		return err;
	if (before)
		*before = word[0];
	if (total)
		*total = word[1] | (uint64_t)word[2] << 32;
	return 0;
}

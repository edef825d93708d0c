/* What a message is, and the numbers of a KBUS device (parts 2, 3 and 7 of the specification). Nothing here needs the
 * library: a program that talks to a device by itself needs this header only. It brings what such a program uses, as
 * that of the original did; so do all headers of KBUS, which include it.
 *
 * All numbers are in the byte order of the machine. A message has two forms. The pointy form is the header alone, whose
 * pointers say where name and data are. In the entire form both pointers are NULL and name and data follow the header,
 * each padded with zeros to a multiple of four bytes, the name with at least one; then comes a second end guard. Both
 * forms can be written; what is read is always entire. */
#ifndef KBUS_DEFNS_H
#define KBUS_DEFNS_H

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <linux/ioctl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A message id. {0,0} is the id of no message. */
struct kbus_msg_id {
	uint32_t network_id;
	uint32_t serial_num;
};
typedef struct kbus_msg_id kbus_msg_id_t;

/* A Ksock on another bus, as Limpets tell it. */
struct kbus_orig_from {
	uint32_t network_id;
	uint32_t local_id;
};
typedef struct kbus_orig_from kbus_orig_from_t;

/* The argument of KBUS_IOC_BIND and KBUS_IOC_UNBIND. */
struct kbus_bind_request {
	uint32_t is_replier;
	uint32_t name_len;
	char    *name;
};
typedef struct kbus_bind_request kbus_bind_request_t;

/* The argument of KBUS_IOC_REPLIER. */
struct kbus_bind_query {
	uint32_t return_id;
	uint32_t name_len;
	char    *name;
};
typedef struct kbus_bind_query kbus_bind_query_t;

struct kbus_message_header {
	uint32_t         start_guard;
	kbus_msg_id_t    id;          /* network 0: the bus chooses the serial number */
	kbus_msg_id_t    in_reply_to; /* of a Reply or Status: the id of the Request */
	uint32_t         to;          /* Ksock id, or 0 */
	uint32_t         from;        /* Ksock id of the sender; 0 is the bus itself */
	kbus_orig_from_t orig_from;   /* for Limpets */
	kbus_orig_from_t final_to;    /* for Limpets */
	uint32_t         extra;       /* 0 */
	uint32_t         flags;
	uint32_t         name_len;    /* bytes, without terminator */
	uint32_t         data_len;    /* bytes */
#if UINTPTR_MAX > 0xFFFFFFFFu
	char            *name;
	void            *data;
	uint32_t         end_guard;
#else /* in the places that they have on a machine of 64 bits: the form is the same everywhere */
	uint32_t         before_name;
	char            *name;
	uint32_t         before_data;
	void            *data;
	uint32_t         before_end_guard;
	uint32_t         end_guard;
	uint32_t         after_end_guard;
#endif
};
typedef struct kbus_message_header kbus_message_t;

/* The entire form. The compiler may make it longer than the message is: see KBUS_ENTIRE_MSG_LEN. */
struct kbus_entire_message {
	struct kbus_message_header header;
	__extension__ uint32_t     rest[];
};
typedef struct kbus_entire_message kbus_entire_message_t;

/* The data of a $.KBUS.ReplierBindEvent. */
struct kbus_replier_bind_event_data {
	uint32_t is_bind;  /* 1 bound, 0 unbound */
	uint32_t binder;   /* Ksock id */
	uint32_t name_len; /* bytes; the name follows, padded as in a message */
	__extension__ uint32_t rest[];
};
typedef struct kbus_replier_bind_event_data kbus_replier_bind_event_data_t;

#define KBUS_MSG_START_GUARD 0x7375624B
#define KBUS_MSG_END_GUARD   0x4B627573

#define KBUS_MAX_NAME_LEN 1000

/* Lengths in bytes of a padded name, padded data and an entire message. For lengths below 2 to the 31. */
#define KBUS_PADDED_NAME_LEN(name_len) (4 * (((name_len) + 1 + 3) / 4))
#define KBUS_PADDED_DATA_LEN(data_len) (4 * (((data_len) + 3) / 4))
#define KBUS_ENTIRE_MSG_LEN(name_len, data_len) \
	(sizeof(struct kbus_message_header) + KBUS_PADDED_NAME_LEN(name_len) + KBUS_PADDED_DATA_LEN(data_len) + 4)

/* Where data and second end guard are in rest[] of an entire message. The name is at index 0. */
#define KBUS_ENTIRE_MSG_DATA_INDEX(name_len) (((name_len) + 1 + 3) / 4)
#define KBUS_ENTIRE_MSG_END_GUARD_INDEX(name_len, data_len) \
	(((name_len) + 1 + 3) / 4 + ((data_len) + 3) / 4)

/* Flags. Bits 16 to 31 are the user's. */
#define KBUS_BIT_WANT_A_REPLY      0x00000001u /* this is a Request */
#define KBUS_BIT_WANT_YOU_TO_REPLY 0x00000002u /* set by the bus: the reader of this copy must reply */
#define KBUS_BIT_SYNTHETIC         0x00000004u /* set by the bus: made by the bus itself */
#define KBUS_BIT_URGENT            0x00000008u /* to the front of every queue */
#define KBUS_BIT_ALL_OR_WAIT       0x00000100u /* everybody gets it, or it waits until they can */
#define KBUS_BIT_ALL_OR_FAIL       0x00000200u /* everybody gets it, or nobody does */

/* Names of messages from the bus itself. */
#define KBUS_MSG_NAME_REPLIER_GONEAWAY    "$.KBUS.Replier.GoneAway"
#define KBUS_MSG_NAME_REPLIER_IGNORED     "$.KBUS.Replier.Ignored"
#define KBUS_MSG_NAME_REPLIER_UNBOUND     "$.KBUS.Replier.Unbound"
#define KBUS_MSG_NAME_REPLIER_DISAPPEARED "$.KBUS.Replier.Disappeared"
#define KBUS_MSG_NAME_REPLIER_NOT_STARTED "$.KBUS.Replier.NotStarted" /* its data says why */
#define KBUS_MSG_NAME_ERROR_SENDING       "$.KBUS.ErrorSending"
#define KBUS_MSG_NAME_UNBIND_EVENTS_LOST  "$.KBUS.UnbindEventsLost"
#define KBUS_MSG_NAME_REPLIER_BIND_EVENT  "$.KBUS.ReplierBindEvent"
#define KBUS_MSG_NAME_BUS_GONEAWAY        "$.KBUS.Bus.GoneAway" /* from this library: the bus itself is lost */
/* Names of messages from Limpets. */
#define KBUS_MSG_NOT_SAME_KSOCK      "$.KBUS.Replier.NotSameKsock"
#define KBUS_MSG_REMOTE_ERROR_PREFIX "$.KBUS.RemoteError."

/* The ioctls of a device. The size in each number is that of a pointer, whatever the argument is. */
#define KBUS_IOC_MAGIC       'k'
#define KBUS_IOC_RESET       _IO(KBUS_IOC_MAGIC, 1)
#define KBUS_IOC_BIND        _IOW(KBUS_IOC_MAGIC, 2, char *)
#define KBUS_IOC_UNBIND      _IOW(KBUS_IOC_MAGIC, 3, char *)
#define KBUS_IOC_KSOCKID     _IOR(KBUS_IOC_MAGIC, 4, char *)
#define KBUS_IOC_REPLIER     _IOWR(KBUS_IOC_MAGIC, 5, char *)
#define KBUS_IOC_NEXTMSG     _IOR(KBUS_IOC_MAGIC, 6, char *)
#define KBUS_IOC_LENLEFT     _IOR(KBUS_IOC_MAGIC, 7, char *)
#define KBUS_IOC_SEND        _IOR(KBUS_IOC_MAGIC, 8, char *)
#define KBUS_IOC_DISCARD     _IO(KBUS_IOC_MAGIC, 9)
#define KBUS_IOC_LASTSENT    _IOR(KBUS_IOC_MAGIC, 10, char *)
#define KBUS_IOC_MAXMSGS     _IOWR(KBUS_IOC_MAGIC, 11, char *)
#define KBUS_IOC_NUMMSGS     _IOR(KBUS_IOC_MAGIC, 12, char *)
#define KBUS_IOC_UNREPLIEDTO _IOR(KBUS_IOC_MAGIC, 13, char *)
#define KBUS_IOC_MSGONLYONCE _IOWR(KBUS_IOC_MAGIC, 14, char *)
#define KBUS_IOC_VERBOSE     _IOWR(KBUS_IOC_MAGIC, 15, char *)
#define KBUS_IOC_NEWDEVICE   _IOR(KBUS_IOC_MAGIC, 16, char *)
#define KBUS_IOC_REPORTREPLIERBINDS _IOWR(KBUS_IOC_MAGIC, 17, char *)
#define KBUS_IOC_MAXMSGSIZE  _IOWR(KBUS_IOC_MAGIC, 18, char *)
#define KBUS_IOC_MAXNR       18
/* Ours, far from the numbers that later versions of the original may have taken. Gives three words: how many messages were
 * missed just before the one taken last, because the queue was full, and how many in all (lower half, upper half). */
#define KBUS_IOC_MISSED      _IOR(KBUS_IOC_MAGIC, 64, uint32_t[3])

/* Where the parts of a message are, in either form. The data of a pointy message without data is NULL. */
static inline char *kbus_msg_name_ptr(const struct kbus_message_header *msg)
{
	if (msg->name)
		return msg->name;
	return (char *)((uintptr_t)msg + sizeof *msg);
}

static inline void *kbus_msg_data_ptr(const struct kbus_message_header *msg)
{
	if (msg->name)
		return msg->data;
	return (void *)((uintptr_t)msg + sizeof *msg + KBUS_PADDED_NAME_LEN(msg->name_len));
}

static inline uint32_t *kbus_msg_end_ptr(const struct kbus_entire_message *msg)
{
	uintptr_t rest = (uintptr_t)msg + sizeof msg->header;
	return (uint32_t *)(rest + 4 * (uintptr_t)KBUS_ENTIRE_MSG_END_GUARD_INDEX(msg->header.name_len, msg->header.data_len));
}

#ifdef __cplusplus
}
#endif

#endif

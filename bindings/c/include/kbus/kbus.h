/* KBUS from C, source-compatible with the original library (part 10 of the specification). docs/c.md tells how it fits
 * together and what differs. Every comment here is also a manual page.
 *
 * Unless it says otherwise a function returns 0, or a number that is not negative, for success, and -errno for failure;
 * what it gives through a pointer is written on success only. After the bus is lost every function returns -ENOTCONN,
 * once the messages that were left have been read. A Ksock may be used by several threads, and by a process and its
 * forked children. */
#ifndef KBUS_H
#define KBUS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kbus_defns.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef KBUS_API
#define KBUS_API __attribute__((visibility("default")))
#endif

/* A Ksock is a descriptor. It can be polled: it is readable while a message waits. */
typedef int kbus_ksock_t;

#define KBUS_KSOCK_READABLE 1
#define KBUS_KSOCK_WRITABLE 2

#define KBUS_MSG_PRINT_FLAGS_ABBREVIATE 1

/* Opens a Ksock on bus number device. flags is O_RDONLY, O_WRONLY or O_RDWR; other bits are ignored. The bus is the
 * socket of kbusd in the runtime directory ($KBUS_DIR, else /run/kbus for root, else $XDG_RUNTIME_DIR/kbus, or
 * /run/kbus if there is no such directory); if there is none, the device /dev/kbus<device>. Returns the Ksock, or
 * -ENOENT if there is no such bus, -EACCES without permission, -EDQUOT or -ENFILE at a limit, -ESHUTDOWN when the bus
 * is ending; -EINVAL for a $KBUS_DIR that begins with @, and -ENAMETOOLONG for a path of a socket over 107 bytes. */
KBUS_API kbus_ksock_t kbus_ksock_open(uint32_t device, int flags);

/* Opens a Ksock by path: a device (a character device or a file of a FUSE mount), or the socket of a bus. If there is
 * nothing at a path of the form /dev/kbus<N>, it is bus number N of kbusd. Returns as kbus_ksock_open. */
KBUS_API kbus_ksock_t kbus_ksock_open_by_name(const char *path, int flags);

/* Closes a Ksock. When it returns the bus has taken note: its bindings are gone, and each Request that it had not
 * answered has got its Status. */
KBUS_API int kbus_ksock_close(kbus_ksock_t ksock);

/* Binds to a name, which may end in a wildcard: as Replier if is_replier is not 0, else as Listener. -EBADMSG for an
 * invalid name, -ENAMETOOLONG, -EADDRINUSE if the name has a Replier, -EAGAIN if a Listener to bind events has not
 * caught up: try again. */
KBUS_API int kbus_ksock_bind(kbus_ksock_t ksock, const char *name, uint32_t is_replier);

/* Takes the newest binding of exactly that name and role back, with the messages queued through it. Fails as
 * kbus_ksock_bind does; -EINVAL if there is no such binding. */
KBUS_API int kbus_ksock_unbind(kbus_ksock_t ksock, const char *name, uint32_t is_replier);

/* Gives the id of the Ksock. */
KBUS_API int kbus_ksock_id(kbus_ksock_t ksock, uint32_t *ksock_id);

/* Takes the next message out of the queue, to be read with kbus_ksock_read_msg, and gives its length in bytes. What was
 * left of the one before is dropped. Returns 1, or 0 (and length 0) if there is none. */
KBUS_API int kbus_ksock_next_msg(kbus_ksock_t ksock, uint32_t *message_length);

/* Gives how many bytes of the message being read are left. */
KBUS_API int kbus_ksock_len_left(kbus_ksock_t ksock, uint32_t *len_left);

/* Gives the id of the message that was sent last, {0,0} before the first. */
KBUS_API int kbus_ksock_last_msg_id(kbus_ksock_t ksock, kbus_msg_id_t *msg_id);

/* Gives the id of the Replier bound to exactly that name, 0 if there is none. -ENAMETOOLONG for an empty name or one of
 * more than 1000 bytes. */
KBUS_API int kbus_ksock_find_replier(kbus_ksock_t ksock, const char *name, uint32_t *ksock_id);

/* Sets how many messages the queue may hold, 0 to ask only, and gives the limit now in force. */
KBUS_API int kbus_ksock_max_messages(kbus_ksock_t ksock, uint32_t *max_messages);

/* Gives how many messages wait to be read. */
KBUS_API int kbus_ksock_num_messages(kbus_ksock_t ksock, uint32_t *num_messages);

/* Gives how many Requests this Ksock has read and not replied to. */
KBUS_API int kbus_ksock_num_unreplied_to(kbus_ksock_t ksock, uint32_t *num_messages);

/* Gives how many messages this Ksock has missed because its queue was full: just before the one taken last, and in all.
 * Either may be NULL. (The original did not tell.) */
KBUS_API int kbus_ksock_missed(kbus_ksock_t ksock, uint32_t *before, uint64_t *total);

/* Says whether this Ksock gets one copy only of a message that matches several of its bindings. request is 0, 1 or
 * 0xFFFFFFFF to ask only, else -EINVAL. Returns the previous value, 0 or 1. */
KBUS_API int kbus_ksock_only_once(kbus_ksock_t ksock, uint32_t request);

/* Says, for the whole bus, whether Repliers coming and going are announced; turning it on puts an event for each
 * Replier there is into this Ksock's queue (-EBUSY without room). Otherwise as kbus_ksock_only_once. */
KBUS_API int kbus_ksock_report_replier_binds(kbus_ksock_t ksock, uint32_t request);

/* Turns logging on or off, for the whole bus. Otherwise as kbus_ksock_only_once. */
KBUS_API int kbus_ksock_kernel_module_verbose(kbus_ksock_t ksock, uint32_t request);

/* Sets the greatest length of a message in bytes, for the whole bus, and gives the one now in force. 0 asks only; 1
 * asks for the absolute maximum. -EINVAL out of range. */
KBUS_API int kbus_ksock_max_message_size(kbus_ksock_t ksock, uint32_t *max_size);

/* Makes one more bus and gives its number. -EINVAL if there are 256. */
KBUS_API int kbus_ksock_new_device(kbus_ksock_t ksock, uint32_t *device_number);

/* Waits until the Ksock is readable (wait_for has KBUS_KSOCK_READABLE) or writable (KBUS_KSOCK_WRITABLE), and returns
 * which of those asked for it is. A Ksock is not writable while a message of its own waits for room. */
KBUS_API int kbus_wait_for_message(kbus_ksock_t ksock, int wait_for);

/* Tells at once what kbus_wait_for_message would wait for: KBUS_KSOCK_READABLE, KBUS_KSOCK_WRITABLE, both or 0. A
 * message that waits for room is tried again first. (The original has no such function; its programs called poll.) */
KBUS_API int kbus_ksock_poll(kbus_ksock_t ksock);

/* Reads the rest of the message that kbus_ksock_next_msg has announced, length bytes, in the entire form. The message
 * is the caller's, to be given to kbus_msg_delete. -EBADMSG if there is nothing to read. */
KBUS_API int kbus_ksock_read_msg(kbus_ksock_t ksock, kbus_message_t **msg, size_t length);

/* Reads the next message, in the entire form. *msg is NULL if there is none. The message is the caller's, to be given
 * to kbus_msg_delete. */
KBUS_API int kbus_ksock_read_next_msg(kbus_ksock_t ksock, kbus_message_t **msg);

/* Writes a message of either form, to be sent with kbus_ksock_send. Name and data of a pointy one are looked at when it
 * is sent. -EALREADY while a message waits for room; -EINVAL, -ENAMETOOLONG, -EMSGSIZE, -EBADMSG for one that is not as
 * it should be. */
KBUS_API int kbus_ksock_write_msg(kbus_ksock_t ksock, const kbus_message_t *msg);

/* Writes part of a message, length bytes. Fails as kbus_ksock_write_msg does. */
KBUS_API int kbus_ksock_write_data(kbus_ksock_t ksock, uint8_t *data, size_t length);

/* Sends what has been written, and gives the id that the message has got. -EAGAIN is not a failure: the message is
 * ALL_OR_WAIT, has its id (in *msg_id), and waits for room. Else -ENOMSG if nothing was written, -EINVAL if it is not
 * complete, -EADDRNOTAVAIL without a Replier, or if the Ksock that asked is closed, -EBUSY if a queue is full,
 * -ENOLCK if the own queue has no room for the Reply, -EPIPE if the Replier has changed, -ECONNREFUSED for a Reply
 * not expected. */
KBUS_API int kbus_ksock_send(kbus_ksock_t ksock, kbus_msg_id_t *msg_id);

/* Writes a message and sends it: kbus_ksock_write_msg and kbus_ksock_send in one. */
KBUS_API int kbus_ksock_send_msg(kbus_ksock_t ksock, const kbus_message_t *msg, kbus_msg_id_t *msg_id);

/* Drops the message that is being written or waits for room. */
KBUS_API int kbus_ksock_discard(kbus_ksock_t ksock);

/* Makes a pointy message that refers to name and data, which must live as long as it is used. -EBADMSG if name is
 * NULL; other mistakes are found when it is written. Free it with kbus_msg_delete. */
KBUS_API int kbus_msg_create(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                             uint32_t data_len, uint32_t flags);

/* Makes an entire message, with copies of name and data. Otherwise as kbus_msg_create. */
KBUS_API int kbus_msg_create_entire(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                                    uint32_t data_len, uint32_t flags);

/* Makes a pointy Request: kbus_msg_create with the flag KBUS_BIT_WANT_A_REPLY. */
KBUS_API int kbus_msg_create_request(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                                     uint32_t data_len, uint32_t flags);

/* Makes an entire Request: kbus_msg_create_entire with the flag KBUS_BIT_WANT_A_REPLY. */
KBUS_API int kbus_msg_create_entire_request(kbus_message_t **msg, const char *name, uint32_t name_len, const void *data,
                                            uint32_t data_len, uint32_t flags);

/* Makes a pointy Reply to a Request, which it refers to for its name. -EBADMSG unless the Request wants us to reply. */
KBUS_API int kbus_msg_create_reply_to(kbus_message_t **msg, const kbus_message_t *in_reply_to, const void *data,
                                      uint32_t data_len, uint32_t flags);

/* Makes an entire Reply. Otherwise as kbus_msg_create_reply_to. */
KBUS_API int kbus_msg_create_entire_reply_to(kbus_message_t **msg, const kbus_message_t *in_reply_to, const void *data,
                                             uint32_t data_len, uint32_t flags);

/* Makes a pointy stateful Request: for the Ksock that sent earlier_msg, a Reply, or that earlier_msg, a stateful
 * Request, was for. -EBADMSG if it is neither. */
KBUS_API int kbus_msg_create_stateful_request(kbus_message_t **msg, const kbus_message_t *earlier_msg, const char *name,
                                              uint32_t name_len, const void *data, uint32_t data_len, uint32_t flags);

/* Makes an entire stateful Request. Otherwise as kbus_msg_create_stateful_request. */
KBUS_API int kbus_msg_create_entire_stateful_request(kbus_message_t **msg, const kbus_message_t *earlier_msg,
                                                     const char *name, uint32_t name_len, const void *data,
                                                     uint32_t data_len, uint32_t flags);

/* Frees a message, but not name and data that a pointy one refers to, and sets *msg to NULL. */
KBUS_API void kbus_msg_delete(kbus_message_t **msg);

/* Frees a message, of a pointy one also name and data, which must have come from malloc, and sets *msg to NULL. */
KBUS_API void kbus_msg_delete_all(kbus_message_t **msg);

/* Returns how many bytes are to be written for a message: those of its header if it is pointy, else all. */
KBUS_API int kbus_msg_sizeof(const kbus_message_t *msg);

/* Takes the data of a $.KBUS.ReplierBindEvent apart. *name is the caller's, to be freed. -EBADMSG if it is none. */
KBUS_API int kbus_msg_split_bind_event(const kbus_message_t *msg, uint32_t *is_bind, uint32_t *binder, char **name);

/* Prints a message on one line, without newline, and of its data 20 bytes at most. */
KBUS_API void kbus_msg_print(FILE *stream, const kbus_message_t *msg);

/* Prints a message on one line, without newline; of its data 20 bytes at most if flags has
 * KBUS_MSG_PRINT_FLAGS_ABBREVIATE, else all. */
KBUS_API void kbus_msg_print2(FILE *stream, const kbus_message_t *msg, int flags);

/* Prints a message on standard output, a line for each field; the data too if dump_data is not 0. */
KBUS_API void kbus_msg_dump(const kbus_message_t *msg, int dump_data);

/* Whether a message is in the entire form. */
static inline int kbus_msg_is_entire(const kbus_message_t *msg) { return msg->name == NULL; }

/* Whether a message is a Reply (or Status). */
static inline int kbus_msg_is_reply(const kbus_message_t *msg)
{
	return msg->in_reply_to.network_id != 0 || msg->in_reply_to.serial_num != 0;
}

/* Whether a message is a Request. */
static inline int kbus_msg_is_request(const kbus_message_t *msg) { return (msg->flags & KBUS_BIT_WANT_A_REPLY) != 0; }

/* Whether a message is a stateful Request. */
static inline int kbus_msg_is_stateful_request(const kbus_message_t *msg)
{
	return (msg->flags & KBUS_BIT_WANT_A_REPLY) != 0 && msg->to != 0;
}

/* Whether a message is a Request that its reader must reply to. */
static inline int kbus_msg_wants_us_to_reply(const kbus_message_t *msg)
{
	return (msg->flags & KBUS_BIT_WANT_A_REPLY) != 0 && (msg->flags & KBUS_BIT_WANT_YOU_TO_REPLY) != 0;
}

/* Compares two ids, network first: -1, 0 or 1. */
static inline int kbus_msg_compare_ids(const kbus_msg_id_t *first, const kbus_msg_id_t *second)
{
	if (first->network_id != second->network_id)
		return first->network_id < second->network_id ? -1 : 1;
	if (first->serial_num != second->serial_num)
		return first->serial_num < second->serial_num ? -1 : 1;
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif

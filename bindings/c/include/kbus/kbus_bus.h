/* KBUS from C, the modern way: a handle instead of a descriptor, what became of a message, messages read where they
 * lie, time limits. It needs kbusd; a device is for <kbus/kbus.h>. Every comment here is also a manual page.
 *
 * A handle is for one thread at a time; threads that work in parallel open one each. A child process must not use the
 * handle of its parent. Functions return 0, or what they say, and -errno for failure; kbus_bus_why then tells more,
 * for people. A timeout is in milliseconds: 0 does not wait, -1 waits for ever. When the bus is lost, every Request
 * that was accepted and not answered gets the Status $.KBUS.Bus.GoneAway from kbus_bus_receive, and after the last of
 * them everything is -ENOTCONN. */
#ifndef KBUS_BUS_H
#define KBUS_BUS_H

#include <stddef.h>
#include <stdint.h>

#include "kbus_defns.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef KBUS_API
#define KBUS_API __attribute__((visibility("default")))
#endif

typedef struct kbus_bus kbus_bus_t;

#define KBUS_BUS_OBSERVE  0 /* no Ksock: reports only */
#define KBUS_BUS_READ     1
#define KBUS_BUS_WRITE    2
#define KBUS_BUS_NO_RINGS 4 /* through the socket only */

#define KBUS_BUS_LISTENER 0
#define KBUS_BUS_REPLIER  1

/* A message. Of one to be sent, set name, name_len (0: it ends at a zero byte), data and data_len, flags, and what a
 * Reply or stateful Request needs; name and data are not kept. Name and data of one that was received are not
 * terminated, and valid until the next call that receives. */
typedef struct kbus_bus_msg {
	kbus_msg_id_t    id;
	kbus_msg_id_t    in_reply_to;
	uint32_t         to;
	uint32_t         from;
	kbus_orig_from_t orig_from;
	kbus_orig_from_t final_to;
	uint32_t         flags;
	uint32_t         name_len;
	uint32_t         data_len;
	const char      *name;
	const void      *data;
} kbus_bus_msg_t;

/* What became of a message that was accepted. */
typedef struct kbus_bus_sent {
	kbus_msg_id_t id;
	uint32_t      reached; /* recipients in whose queue it is */
	uint32_t      skipped; /* Listener bindings that missed it because their queue was full */
} kbus_bus_sent_t;

/* What became of all messages that were posted. */
typedef struct kbus_bus_totals {
	uint64_t accepted;
	uint64_t failed;
	uint64_t reached;
	uint64_t skipped;
	int      first_error; /* -errno of the first that failed since the last flush, else 0 */
} kbus_bus_totals_t;

/* Opens bus number number of kbusd. flags is KBUS_BUS_READ, KBUS_BUS_WRITE or both, perhaps with KBUS_BUS_NO_RINGS; or
 * KBUS_BUS_OBSERVE. Rings are also off if KBUS_RINGS is "off" in the environment. Fails as kbus_ksock_open does. */
KBUS_API int kbus_bus_open(kbus_bus_t **bus, uint32_t number, int flags);

/* Opens the bus whose socket has that path. Otherwise as kbus_bus_open. */
KBUS_API int kbus_bus_open_at(kbus_bus_t **bus, const char *path, int flags);

/* Closes a bus; when it returns the bus has taken note. Messages posted and not flushed are sent, their results lost.
 * */
KBUS_API void kbus_bus_close(kbus_bus_t *bus);

/* Tells why the last call failed, for people. Valid until the next call. */
KBUS_API const char *kbus_bus_why(const kbus_bus_t *bus);

/* Returns the id of the Ksock, 0 of an observer. */
KBUS_API uint32_t kbus_bus_id(const kbus_bus_t *bus);

/* Returns a descriptor to be polled, readable while a message waits; do nothing else with it. From the first call on
 * each call of a function with this handle costs a little more, so ask only if you poll. */
KBUS_API int kbus_bus_fd(kbus_bus_t *bus);

/* Binds to a name as KBUS_BUS_LISTENER or KBUS_BUS_REPLIER. Fails as kbus_ksock_bind does. */
KBUS_API int kbus_bus_bind(kbus_bus_t *bus, const char *name, int role);

/* Takes a binding back. Fails as kbus_ksock_unbind does. */
KBUS_API int kbus_bus_unbind(kbus_bus_t *bus, const char *name, int role);

/* Gives the id of the Replier bound to exactly that name, 0 if there is none. Fails as kbus_ksock_find_replier does. */
KBUS_API int kbus_bus_replier(kbus_bus_t *bus, const char *name, uint32_t *id);

/* Sends a message and tells what became of it; sent may be NULL. Fails as kbus_ksock_send does; with -EAGAIN sent is
 * given too. */
KBUS_API int kbus_bus_send(kbus_bus_t *bus, const kbus_bus_msg_t *msg, kbus_bus_sent_t *sent);

/* Sends a Reply to a Request that was received. sent may be NULL. -EBADMSG unless the Request wants us to reply. */
KBUS_API int kbus_bus_reply(kbus_bus_t *bus, const kbus_bus_msg_t *request, const void *data, uint32_t data_len,
                            kbus_bus_sent_t *sent);

/* Puts a message on its way without waiting for what becomes of it, many times faster than kbus_bus_send. It is sent
 * together with others, at the latest by the next call of another function. Not for Requests nor for ALL_OR_WAIT
 * (-EINVAL). What is returned is about this message's form only; kbus_bus_flush tells the rest. */
KBUS_API int kbus_bus_post(kbus_bus_t *bus, const kbus_bus_msg_t *msg);

/* Waits until it is known what became of all messages posted, and gives the totals since the bus was opened; totals may
 * be NULL. */
KBUS_API int kbus_bus_flush(kbus_bus_t *bus, kbus_bus_totals_t *totals);

/* Tries again to send the message that waits for room. -ENOMSG if none does, because it was sent meanwhile; the bus
 * tries by itself, so there is no need to. sent may be NULL. */
KBUS_API int kbus_bus_resend(kbus_bus_t *bus, kbus_bus_sent_t *sent);

/* Drops the message that waits for room. */
KBUS_API int kbus_bus_discard(kbus_bus_t *bus);

/* Waits until no message of ours waits for room. -ETIMEDOUT. */
KBUS_API int kbus_bus_wait_sent(kbus_bus_t *bus, int timeout_ms);

/* Gives the next message where it lies. Returns 1, or 0 if there is none within the timeout. The message is valid until
 * the next call that receives, or kbus_bus_release. */
KBUS_API int kbus_bus_receive(kbus_bus_t *bus, kbus_bus_msg_t *msg, int timeout_ms);

/* Gives the next message with copies of its name and data in a buffer of size bytes. Returns 1, or 0 if there is none
 * within the timeout. -ENOBUFS if they do not fit; msg then tells the lengths, and the message is given again. */
KBUS_API int kbus_bus_receive_into(kbus_bus_t *bus, kbus_bus_msg_t *msg, void *buffer, size_t size, int timeout_ms);

/* Gives the place of the message received last back, before the next one is received. */
KBUS_API void kbus_bus_release(kbus_bus_t *bus);

/* Sends a Request and waits for its Reply, or a Status. Other messages stay in the queue. Returns 1; -ETIMEDOUT if
 * none has come in time, and then it will come as any other message, in reply to request id *id. id may be NULL. The
 * reply is valid as from kbus_bus_receive. */
KBUS_API int kbus_bus_call(kbus_bus_t *bus, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id,
                           int timeout_ms);

/* Whether a message is a Status, and not a Reply: whether its name begins with $.KBUS. */
KBUS_API int kbus_bus_is_status(const kbus_bus_msg_t *msg);

/* Tells whether there is something to receive and whether a message can be sent: bits KBUS_BUS_READ, KBUS_BUS_WRITE. */
KBUS_API int kbus_bus_poll(kbus_bus_t *bus);

/* Gives the id of the message that was sent last. */
KBUS_API int kbus_bus_last_sent(kbus_bus_t *bus, kbus_msg_id_t *id);

/* Sets how many messages the queue may hold, 0 to ask only; *now is the limit in force. */
KBUS_API int kbus_bus_max_messages(kbus_bus_t *bus, uint32_t limit, uint32_t *now);

/* Gives how many messages wait to be received. */
KBUS_API int kbus_bus_num_messages(kbus_bus_t *bus, uint32_t *count);

/* Gives how many Requests were received and not replied to. */
KBUS_API int kbus_bus_num_unreplied(kbus_bus_t *bus, uint32_t *count);

/* Says whether one copy of a message is enough however many bindings match: 0, 1, or 0xFFFFFFFF to ask only. Returns
 * the previous value. */
KBUS_API int kbus_bus_only_once(kbus_bus_t *bus, uint32_t request);

/* Says, for the whole bus, whether Repliers coming and going are announced. Returns the previous value. */
KBUS_API int kbus_bus_report_replier_binds(kbus_bus_t *bus, uint32_t request);

/* Turns logging on or off, for the whole bus. Returns the previous value. */
KBUS_API int kbus_bus_verbose(kbus_bus_t *bus, uint32_t request);

/* Sets the greatest length of a message, for the whole bus; 0 asks only, 1 asks for the absolute maximum. */
KBUS_API int kbus_bus_max_message_size(kbus_bus_t *bus, uint32_t size, uint32_t *now);

/* Makes one more bus and gives its number. */
KBUS_API int kbus_bus_new_bus(kbus_bus_t *bus, uint32_t *number);

/* Gives the report of all bindings of this bus as text, to be freed. */
KBUS_API int kbus_bus_bindings(kbus_bus_t *bus, char **text);

/* Gives the report of all Ksocks of this bus as text, to be freed. */
KBUS_API int kbus_bus_stats(kbus_bus_t *bus, char **text);

#ifdef __cplusplus
}
#endif

#endif

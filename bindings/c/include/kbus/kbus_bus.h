/* KBUS from C, the modern way: a handle instead of a descriptor, what became of a message, messages read where they
 * lie, time limits. It needs kbusd; a device is for <kbus/kbus.h>. Every comment here is also a manual page.
 *
 * A handle is for one thread at a time; threads that work in parallel open one each. A function that is called while
 * another thread is in one waits for its turn; but any thread may close the handle at any time. A signal handler that has
 * interrupted a function of the same handle in its own thread gets -EDEADLK. After the handle was closed, and in a child
 * process of the one that has opened it, everything is -EBADF.
 *
 * Functions return 0, or what they say, and -errno for failure; kbus_bus_why then tells more, for people. A timeout is in
 * milliseconds: 0 does not wait, -1 waits for ever. It holds also if the daemon stands still; kbus_bus_patience sets one
 * for the functions that take none. Signals do not make it longer. When the bus is lost, every Request that was accepted
 * and not answered gets the Status $.KBUS.Bus.GoneAway from kbus_bus_receive, and after the last of them everything is
 * -ENOTCONN. */
#ifndef KBUS_BUS_H
#define KBUS_BUS_H

#include <stddef.h>
#include <stdint.h>

#include "kbus_defns.h"
#include "kbus_version.h"

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

#define KBUS_BUS_KEEP_LATE_ANSWER 1 /* for kbus_bus_call_with */

#define KBUS_BUS_LISTENER 0
#define KBUS_BUS_REPLIER  1
#define KBUS_BUS_STANDBY  2 /* Replier, or next in line to be it when the one that there is goes */

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
	uint32_t         missed; /* of one that was received: how many were lost just before it, because the queue was full */
	const char      *name;
	const void      *data;
} kbus_bus_msg_t;

/* A trace context, as the W3C has it for HTTP (docs/traces.md): the values of traceparent and tracestate. To KBUS they are bytes; a
 * length of 0 means that the value ends at a zero byte. state may be NULL, or empty. */
#define KBUS_BUS_MAX_TRACEPARENT 128
#define KBUS_BUS_MAX_TRACESTATE  512
typedef struct kbus_bus_trace {
	const char *parent;
	const char *state;
	uint32_t    parent_len;
	uint32_t    state_len;
} kbus_bus_trace_t;

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
 * Another thread that waits in a function of this handle gets -EBADF. A signal handler may close a handle that its own
 * thread is using: that takes effect when the interrupted function returns. If the daemon stands still it is waited for
 * one second. */
KBUS_API void kbus_bus_close(kbus_bus_t *bus);

/* Says how long functions without a time limit of their own may wait for the daemon, in milliseconds; -1, as it is at
 * first, for ever. Returns what it was. After -ETIMEDOUT it is not known whether the function has had its effect. */
KBUS_API int kbus_bus_patience(kbus_bus_t *bus, int timeout_ms);

/* What kbus_bus_reopen has done. */
typedef struct kbus_bus_reopened {
	uint32_t old_id; /* the Ksock's id before */
	uint32_t id;     /* and now; the same if the bus was not lost */
	uint32_t bound;  /* bindings that were made again, in the order in which they were first made */
	uint32_t failed; /* that could not be made again, and are forgotten: see kbus_bus_not_reopened */
} kbus_bus_reopened_t;

/* Opens a bus anew after -ENOTCONN: with the same mode, queue limit and kbus_bus_only_once, and bound to the same names.
 * It is a new Ksock to the bus, with a new id, an empty queue and no Requests. What it had still to receive, the Statuses
 * for its Requests among it, can still be received; a message that was received is no longer valid, and a descriptor of
 * kbus_bus_fd must be asked for again. If the bus is not lost nothing is done. Fails as kbus_bus_open does, with -ETIMEDOUT
 * after the time that kbus_bus_patience allows, and with -ENOTCONN if the bus is lost once more. Until it has succeeded the
 * handle is as before: nothing is forgotten, and it may be tried again. reopened may be NULL. */
KBUS_API int kbus_bus_reopen(kbus_bus_t *bus, kbus_bus_reopened_t *reopened);

/* Gives a binding that the last kbus_bus_reopen could not make again, counted from 0, and returns why: mostly
 * -EADDRINUSE, when another Ksock was quicker. The name is valid until the next kbus_bus_reopen. -EINVAL if there were
 * not so many. */
KBUS_API int kbus_bus_not_reopened(kbus_bus_t *bus, uint32_t index, const char **name, int *role);

/* Tells why the last call failed, for people. Valid until the next call. */
KBUS_API const char *kbus_bus_why(const kbus_bus_t *bus);

/* Returns the id of the Ksock, 0 of an observer. */
KBUS_API uint32_t kbus_bus_id(const kbus_bus_t *bus);

/* Returns a descriptor to be polled, readable while a message waits; do nothing else with it. From the first call on
 * each call of a function with this handle costs a little more, so ask only if you poll. */
KBUS_API int kbus_bus_fd(kbus_bus_t *bus);

/* Binds to a name as KBUS_BUS_LISTENER, KBUS_BUS_REPLIER or KBUS_BUS_STANDBY. Fails as kbus_ksock_bind does. A standby is the
 * Replier at once if there is none; else it becomes it in the step in which the one before it goes, and no Request finds the
 * name without a Replier. Nothing tells it so but the Requests that come. As standby -EADDRINUSE means that this handle is the
 * Replier or stands by already, or that the Replier is on another bus. */
KBUS_API int kbus_bus_bind(kbus_bus_t *bus, const char *name, int role);

/* Takes a binding back; KBUS_BUS_REPLIER and KBUS_BUS_STANDBY mean the same here. Fails as kbus_ksock_unbind does. */
KBUS_API int kbus_bus_unbind(kbus_bus_t *bus, const char *name, int role);

/* Attaches a card to the binding by which this handle is the Replier of exactly that name or wildcard, or stands by: JSON with the
 * keys "description", "contentType" and "schema", of at most 16384 bytes. NULL or "" takes it away. It goes with the binding, and
 * kbus_bus_reopen does not attach it again. -EINVAL without such a binding, or if it is no card: kbus_bus_why tells line and
 * column. -EMSGSIZE; -EDQUOT or -ENOBUFS at a limit; -ENOTTY from a daemon older than this. */
KBUS_API int kbus_bus_describe(kbus_bus_t *bus, const char *name, const char *card);

/* Gives the card of the Replier that is bound to exactly that name or wildcard, else of the one that a Request of that name would go
 * to, as text to be freed; "" if there is none. */
KBUS_API int kbus_bus_card(kbus_bus_t *bus, const char *name, char **card);

/* Gives the id of the Replier bound to exactly that name, 0 if there is none. Fails as kbus_ksock_find_replier does. */
KBUS_API int kbus_bus_replier(kbus_bus_t *bus, const char *name, uint32_t *id);

/* Sends a message and tells what became of it; sent may be NULL. Fails as kbus_ksock_send does; with -EAGAIN sent is
 * given too. */
KBUS_API int kbus_bus_send(kbus_bus_t *bus, const kbus_bus_msg_t *msg, kbus_bus_sent_t *sent);

/* Sends a Reply to a Request that was received. sent may be NULL. -EBADMSG unless the Request wants us to reply. */
KBUS_API int kbus_bus_reply(kbus_bus_t *bus, const kbus_bus_msg_t *request, const void *data, uint32_t data_len,
                            kbus_bus_sent_t *sent);

/* Has everything that is sent through this handle from now on carry that trace context, which is copied; NULL ends that. It is no part of
 * the data, and goes to those who ask for it (kbus_bus_trace). While there is none, kbus_bus_reply gives a Reply that of its
 * Request, if the Request was received last. A daemon older than this carries none. -EMSGSIZE if it is too long. */
KBUS_API int kbus_bus_set_trace(kbus_bus_t *bus, const kbus_bus_trace_t *trace);

/* Gives the trace context that a message has carried, to be looked at until the next message is received; ask as soon as the message
 * was received. Returns 1, or 0 if it has none. The values are not terminated. */
KBUS_API int kbus_bus_trace(kbus_bus_t *bus, const kbus_bus_msg_t *msg, kbus_bus_trace_t *trace);

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

/* Gives the next message where it lies. Returns 1, or 0 if there is none within the timeout; -EINTR if a signal handler
 * has run while it waited, and then nothing was taken. The message is valid until the next call that receives, or
 * kbus_bus_release. */
KBUS_API int kbus_bus_receive(kbus_bus_t *bus, kbus_bus_msg_t *msg, int timeout_ms);

/* Gives the next message with copies of its name and data in a buffer of size bytes. Returns 1, or 0 if there is none
 * within the timeout. -ENOBUFS if they do not fit; msg then tells the lengths, and the message is given again. */
KBUS_API int kbus_bus_receive_into(kbus_bus_t *bus, kbus_bus_msg_t *msg, void *buffer, size_t size, int timeout_ms);

/* Takes the next message as kbus_bus_receive does, but for as long as the program likes: it is valid until
 * kbus_bus_give_back, whatever is received meanwhile, at most until the bus is closed or reopened. Its data is for reading
 * only. Large messages stay where they are, up to 16 at a time; others are copied. -ENOMEM if there is no memory for that,
 * and then the message is given again. */
KBUS_API int kbus_bus_borrow(kbus_bus_t *bus, kbus_bus_msg_t *msg, int timeout_ms);

/* Gives a message of kbus_bus_borrow back, in any order. */
KBUS_API void kbus_bus_give_back(kbus_bus_t *bus, const kbus_bus_msg_t *msg);

/* Gives the place of the message received last back, before the next one is received. */
KBUS_API void kbus_bus_release(kbus_bus_t *bus);

/* Sends a Request and waits for its Reply, or a Status. Other messages stay in the queue. Returns 1; -ETIMEDOUT if
 * none has come in time: the Request stays with its Replier, but its answer is dropped when it comes. id, which may be
 * NULL, gets the id of the Request, {0,0} if it is not known. Signals do not end the waiting. The reply is valid as from
 * kbus_bus_receive. */
KBUS_API int kbus_bus_call(kbus_bus_t *bus, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply, kbus_msg_id_t *id,
                           int timeout_ms);

/* kbus_bus_call with flags: KBUS_BUS_KEEP_LATE_ANSWER has an answer that comes after its time received as any other
 * message, in reply to request *id. */
KBUS_API int kbus_bus_call_with(kbus_bus_t *bus, const kbus_bus_msg_t *request, kbus_bus_msg_t *reply,
                                kbus_msg_id_t *id, int timeout_ms, int flags);

/* The process that sent a message. */
typedef struct kbus_bus_peer {
	uint32_t uid, gid; /* as at its opening */
	int32_t  pid;
	int      connected; /* whether the Ksock is still open */
	char     program[256];
} kbus_bus_peer_t;

/* Gives the process that opened the Ksock of that id, the from of a message; also of a Ksock that has closed, as
 * long as its message was not handed out or a Request of it is not answered. -ESRCH if the bus does not know it any
 * more. */
KBUS_API int kbus_bus_peer(kbus_bus_t *bus, uint32_t ksock_id, kbus_bus_peer_t *peer);

/* Returns a pidfd of that process, to be closed, which can be no other process. -ESRCH if the Ksock is closed, -ENOSYS if
 * the system has no such thing. */
KBUS_API int kbus_bus_peer_pidfd(kbus_bus_t *bus, uint32_t ksock_id);

/* Gives how many messages this Ksock has missed since it was opened because its queue was full. Each message says in
 * missed how many were missed just before it. */
KBUS_API int kbus_bus_missed(kbus_bus_t *bus, uint64_t *total);

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

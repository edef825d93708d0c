/* What a bus does, from C: a tap is shown every message that is sent, with the program that sent it and what came of it,
 * and every Ksock and binding that comes or goes. It has no Ksock and no queue, and disturbs nobody: when it is too slow it
 * misses events, and is told how many and where. It needs kbusd, whose setting taps says who may look.
 *
 * A tap is for one thread at a time. Functions return 0, or what they say, and -errno for failure; kbus_tap_why then tells
 * more, for people. A timeout is in milliseconds: 0 does not wait, -1 waits for ever. In a child process of the one that
 * has opened a tap, everything is -EBADF. */
#ifndef KBUS_TAP_H
#define KBUS_TAP_H

#include "kbus_bus.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kbus_tap kbus_tap_t;

/* What a bus did: kind of an event. An event that has an error tells of what was refused. */
#define KBUS_TAP_LOST    0 /* nothing more than that events were lost: the tap was too slow */
#define KBUS_TAP_SENT    1 /* a message was sent. With -EAGAIN it waits for room, and comes again when it goes */
#define KBUS_TAP_STATUS  2 /* the bus answered a Request in its Replier's stead */
#define KBUS_TAP_TAKEN   3 /* a Replier has taken a Request, as far as the bus has noticed; there is no data */
#define KBUS_TAP_OPENED  4 /* a Ksock was opened */
#define KBUS_TAP_CLOSED  5 /* a Ksock was closed */
#define KBUS_TAP_BOUND   6 /* a binding was made; the message has its name */
#define KBUS_TAP_UNBOUND 7 /* a binding ended */

/* For kinds of a filter: a kind; and of messages that are sent only these. */
#define KBUS_TAP_KIND(kind)    (UINT32_C(1) << (kind))
#define KBUS_TAP_ANNOUNCEMENTS (UINT32_C(1) << 16)
#define KBUS_TAP_REQUESTS      (UINT32_C(1) << 17)
#define KBUS_TAP_REPLIES       (UINT32_C(1) << 18)

#define KBUS_TAP_NO_DATA UINT32_MAX /* for max_data */

/* What of a bus a tap wants to see. All zero is everything. */
typedef struct kbus_tap_filter {
	const char *const *patterns;      /* names and wildcards as for kbus_bus_bind; NULL at the end. NULL: all */
	uint32_t           kinds;         /* those that are wanted, or'ed together; 0: all */
	uint32_t           ksock;         /* only what this Ksock does, sends or is sent, Requests for it among that; 0: all */
	uint32_t           max_data;      /* bytes of each message's data that are shown; 0: all, or KBUS_TAP_NO_DATA */
	int                only_failures; /* only what was refused, what somebody missed, and Statuses */
} kbus_tap_filter_t;

/* Something that a bus did. Name and data of the message are valid until the next call with the tap. */
typedef struct kbus_tap_event {
	kbus_bus_msg_t message;  /* of KBUS_TAP_SENT, _STATUS and _TAKEN; of bindings the name only */
	int            kind;
	int            error;    /* 0, or -errno: why it was refused */
	const char    *why;      /* the same for people; "" if it was not */
	uint64_t       lost;     /* events that this tap was too slow for, just before this one */
	int64_t        wall_ns;  /* when: since 1970 */
	int64_t        boot_ns;  /* the same by the clock that never jumps: since the machine was started */
	uint32_t       ksock;    /* whose doing; 0: the bus itself */
	uint32_t       uid, gid; /* of its process */
	int32_t        pid;
	int            as_replier; /* of bindings */
	uint32_t       replier;    /* of a Request that was sent: the Ksock that must answer it */
	uint32_t       reached;    /* copies of the message that were queued */
	uint32_t       skipped;    /* bindings of Listeners whose queue was full */
	uint32_t       set_aside;  /* bindings of Listeners for whom a bind event was set aside */
	uint32_t       data_bytes; /* length of the message's data, of which less may be shown */
	char           program[256];
} kbus_tap_event_t;

/* Begins to look at bus number number of kbusd. Everything that happens after it has returned is shown. filter may be
 * NULL: everything. Fails as kbus_bus_open does; with -EPERM where the daemon's setting taps does not let the user look;
 * with -EBADMSG or -ENAMETOOLONG for a pattern. */
KBUS_API int kbus_tap_open(kbus_tap_t **tap, uint32_t number, const kbus_tap_filter_t *filter);

/* Begins to look at the bus whose socket has that path. Otherwise as kbus_tap_open. */
KBUS_API int kbus_tap_open_at(kbus_tap_t **tap, const char *path, const kbus_tap_filter_t *filter);

/* Gives the next event. Returns 1, or 0 if there is none within the timeout; -EINTR if a signal handler has run while it
 * waited, and then nothing is lost; -ENOTCONN when the bus is gone, after all that it had shown. */
KBUS_API int kbus_tap_next(kbus_tap_t *tap, kbus_tap_event_t *event, int timeout_ms);

/* Gives the trace context of the message in the event that was given last, as kbus_bus_trace. Returns 1, or 0 if it has none. */
KBUS_API int kbus_tap_trace(kbus_tap_t *tap, kbus_bus_trace_t *trace);

/* Returns a descriptor to be polled; do nothing else with it. It is readable when something has come; then call
 * kbus_tap_next with a timeout of 0 until it returns 0, for events come together. */
KBUS_API int kbus_tap_fd(kbus_tap_t *tap);

/* Tells why the last call failed, for people. Valid until the next call. */
KBUS_API const char *kbus_tap_why(const kbus_tap_t *tap);

/* Ends it. Nobody on the bus notices. */
KBUS_API void kbus_tap_close(kbus_tap_t *tap);

#ifdef __cplusplus
}
#endif

#endif

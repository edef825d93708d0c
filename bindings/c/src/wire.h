/* Frames, as docs/protocol.md has them: 16 bytes of header and a payload, all numbers little-endian. */
#ifndef KB_WIRE_H
#define KB_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "kbus/kbus_bus.h"
#include "arena.h"

enum kb_op {
	OP_HELLO = 1, OP_RESET, OP_BIND, OP_UNBIND, OP_REPLIER, OP_NEXT, OP_NEXT_WAIT, OP_NEXT_REPLY, OP_SEND_MESSAGE, OP_CALL,
	OP_RESEND, OP_DISCARD, OP_WAIT_SENT, OP_POLL, OP_CANCEL, OP_LAST_SENT, OP_MAX_MESSAGES, OP_NUM_MESSAGES,
	OP_NUM_UNREPLIED, OP_ONLY_ONCE, OP_VERBOSE, OP_REPORT_REPLIER_BINDS, OP_MAX_MESSAGE_SIZE, OP_NEW_BUS, OP_WRITE,
	OP_SEND, OP_NEXT_MSG, OP_READ, OP_LEN_LEFT, OP_BINDINGS_REPORT, OP_STATS_REPORT, OP_LIST, OP_WHO, OP_INFO,
	OP_STOPPING, OP_WAIT_READABLE = 41, OP_GIVE_UP = 45, OP_MISSED, OP_PEER, OP_TAP, OP_TAPPED,
	OP_DESCRIBE = 51, OP_CARD
};

enum { FRAME_BYTES = 16, MESSAGE_BYTES = 56, SENT_BYTES = 16 };
enum { FLAG_LAZY = 1 };
enum { FEATURE_ARENA = 2, FEATURE_ORIGINAL = 8, FEATURE_MISSED = 16, FEATURE_RINGS = 32, FEATURE_SOCKET_BELL = 64, FEATURE_RUNS = 128,
       FEATURE_TRACE = 256 };
enum { RING_FEATURES = FEATURE_RINGS | FEATURE_ARENA, MODERN_FEATURES = FEATURE_MISSED | FEATURE_RUNS | FEATURE_TRACE };

/* Flags of a message that are not the sender's: four bytes behind the data tell how many were missed before it; and behind those is its
 * trace context. */
enum { MESSAGE_MISSED = 0x10, MISSED_BYTES = 4, MESSAGE_TRACE = 0x400 };

/* What stands in a window for data in the arena: where it is. */
enum { OFFSET_BYTES = 8 };

/* Conditions that something here depends on; all of them are in condition.c. */
enum { CONDITION_OK = 0, CONDITION_PENDING = 1, CONDITION_UNKNOWN_OPERATION = 28, CONDITION_CANCELED = 41 };

struct frame {
	uint32_t bytes; /* of the payload */
	uint8_t  op;
	uint8_t  flags;
	uint16_t condition;
	uint32_t seq;
	uint32_t arg;
};

void     kb_put16(unsigned char *p, uint32_t v);
void     kb_put32(unsigned char *p, uint32_t v);
uint32_t kb_get16(const unsigned char *p);
uint32_t kb_get32(const unsigned char *p);

void kb_put_frame(unsigned char p[FRAME_BYTES], const struct frame *f);
void kb_get_frame(const unsigned char p[FRAME_BYTES], struct frame *f);

/* The header of a message in a payload; name and data follow it. */
void kb_put_message(unsigned char p[MESSAGE_BYTES], const kbus_bus_msg_t *m);

/* A trace context, and of which message it is; see trace.h. */
enum { TRACE_LENGTHS = 4, TRACE_BYTES = TRACE_LENGTHS + KBUS_BUS_MAX_TRACEPARENT + KBUS_BUS_MAX_TRACESTATE };

struct trace {
	kbus_msg_id_t id, in_reply_to; /* of its message */
	uint32_t      bytes;           /* 0: there is none */
	unsigned char raw[TRACE_BYTES];
};

/* Takes a message of n bytes apart, in place, and keeps its trace context, if it has one, in t. 0, or -EPROTO if it is none. */
int kb_get_message(const unsigned char *p, size_t n, kbus_bus_msg_t *m, struct trace *t);

/* The same for one whose data lies in an arena: -EPROTO also if it does not. */
int kb_get_reference(const unsigned char *p, size_t n, const struct arena *arena, kbus_bus_msg_t *m, struct trace *t);

/* What a result with the payload "sent" says: zeros, if it is a failure. 0, or -EPROTO if it has no such payload. */
int kb_get_sent(const unsigned char *p, const struct frame *f, kbus_bus_sent_t *sent);

/* The errno of a condition, and what it means. */
int         kb_errno(unsigned condition);
const char *kb_text(unsigned condition);

#endif

/* Frames, as docs/protocol.md has them: 16 bytes of header and a payload, all numbers little-endian. */
#ifndef KB_WIRE_H
#define KB_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "kbus/kbus_bus.h"

enum kb_op {
	OP_HELLO = 1, OP_RESET, OP_BIND, OP_UNBIND, OP_REPLIER, OP_NEXT, OP_NEXT_WAIT, OP_NEXT_REPLY, OP_SEND_MESSAGE, OP_CALL,
	OP_RESEND, OP_DISCARD, OP_WAIT_SENT, OP_POLL, OP_CANCEL, OP_LAST_SENT, OP_MAX_MESSAGES, OP_NUM_MESSAGES,
	OP_NUM_UNREPLIED, OP_ONLY_ONCE, OP_VERBOSE, OP_REPORT_REPLIER_BINDS, OP_MAX_MESSAGE_SIZE, OP_NEW_BUS, OP_WRITE,
	OP_SEND, OP_NEXT_MSG, OP_READ, OP_LEN_LEFT, OP_BINDINGS_REPORT, OP_STATS_REPORT, OP_LIST, OP_WHO, OP_INFO,
	OP_STOPPING, OP_WAIT_READABLE = 41
};

enum { FRAME_BYTES = 16, MESSAGE_BYTES = 56, SENT_BYTES = 16 };
enum { FLAG_LAZY = 1 };
enum { FEATURE_RINGS = 1 };

/* Conditions that something here depends on; all of them are in condition.c. */
enum { CONDITION_OK = 0, CONDITION_PENDING = 1, CONDITION_CANCELED = 41 };

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

/* Takes a message of n bytes apart, in place. 0, or -EPROTO if it is none. */
int kb_get_message(const unsigned char *p, size_t n, kbus_bus_msg_t *m);

/* What a result with the payload "sent" says. */
void kb_get_sent(const unsigned char *p, size_t n, kbus_bus_sent_t *sent);

/* The errno of a condition, and what it means. */
int         kb_errno(unsigned condition);
const char *kb_text(unsigned condition);

#endif

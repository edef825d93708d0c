/* The bytes of a tap: its request, and what it is shown (docs/protocol.md, section 18). */
#ifndef KB_TAPWIRE_H
#define KB_TAPWIRE_H

#include "kbus/kbus_tap.h"
#include "wire.h"

/* Gives the payload that asks for a tap, to be freed. 0 or -errno: a pattern may be too long for its place. */
int kb_put_tap_filter(const kbus_tap_filter_t *filter, unsigned char **payload, size_t *bytes);

/* Takes apart what was shown, in place. 0, or -EPROTO if it is nothing that a tap is shown. */
int kb_get_tap_event(const struct frame *f, const unsigned char *payload, kbus_tap_event_t *event, struct trace *trace);

#endif

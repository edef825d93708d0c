/* Trace contexts, as the W3C has them for HTTP. They are bytes that follow the data of a message (docs/protocol.md, section 5),
 * and kbus_bus_msg_t has no place for them: a program that was built before there were any knows how long that is. So the
 * link has one that goes with what is sent, and the one that came last, with the id of its message (struct trace, wire.h). */
#ifndef KB_TRACE_H
#define KB_TRACE_H

#include "wire.h"

/* Whether it is the one of that message. */
int kb_trace_is_of(const struct trace *t, const kbus_bus_msg_t *m);

/* Makes one of what a program gives; NULL is none. 0, or -EMSGSIZE with a text in *why. */
int kb_make_trace(struct trace *t, const kbus_bus_trace_t *from, const char **why);

/* Gives it to a program, which may look at it as long as it stays here. */
void kb_give_trace(const struct trace *t, kbus_bus_trace_t *to);

#endif

#include "handle.h"
#include "trace.h"

/* What a program says and asks of trace contexts. */

int kbus_bus_set_trace(kbus_bus_t *bus, const kbus_bus_trace_t *trace)
{
	const char  *why = "";
	struct trace made;
	int          err = kb_turn(bus, -1);
	if (err)
		return err;
	err = kb_make_trace(&made, trace, &why);
	if (err)
		return kb_leave_turn(bus, kb_fail(&bus->link, -err, why));
	bus->link.sends = made;
	return kb_leave_turn(bus, 0);
}

int kbus_bus_trace(kbus_bus_t *bus, const kbus_bus_msg_t *msg, kbus_bus_trace_t *trace)
{
	int err = kb_turn(bus, -1);
	if (err)
		return err;
	const int there = kb_trace_is_of(&bus->link.found, msg);
	if (there)
		kb_give_trace(&bus->link.found, trace);
	return kb_leave_turn(bus, there);
}

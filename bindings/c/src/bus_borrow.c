#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"

/* Messages that outlast the next one. The data of a large message lies in the arena, which has room for many; so such a
 * message can stay where it is while others are received. The bus keeps its place, and those of all behind it, until it
 * is given back; so only a few are kept (MOST_KEPT). Everything else is copied: what lies in the window would take its
 * room from those that come next. Nobody waits for either. */

/* Lends out a copy of it. */
static int copy(kbus_bus_t *b, kbus_bus_msg_t *m)
{
	char       *bytes = malloc((size_t)m->name_len + m->data_len + 1);
	struct loan one = {.name = bytes, .copied = 1};
	if (!bytes || kb_loans_add(&b->loans, &one)) {
		free(bytes);
		b->last = *m;
		b->again = 1;
		return kb_fail(&b->link, ENOMEM, kb_text(30));
	}
	memcpy(bytes, m->name, m->name_len);
	if (m->data_len > 0)
		memcpy(bytes + m->name_len, m->data, m->data_len);
	m->name = bytes;
	m->data = bytes + m->name_len;
	kb_release(b);
	return 1;
}

/* For whoever has the turn, and has just received m. */
static int lend(kbus_bus_t *b, kbus_bus_msg_t *m)
{
	struct ring_positions *at = b->taken == IN_ARENA ? &b->link.shared->at : NULL;
	struct loan            one = {.name = m->name};
	if (!at || at->keeping == MOST_KEPT || kb_loans_add(&b->loans, &one))
		return copy(b, m);
	b->loans.list[b->loans.count - 1].number = (uint16_t)kb_window_keep(at);
	kb_release(b);
	return 1;
}

int kbus_bus_borrow(kbus_bus_t *bus, kbus_bus_msg_t *msg, int timeout_ms)
{
	int n = kb_turn(bus, timeout_ms);
	if (n)
		return n == -ETIMEDOUT ? 0 : n;
	n = kb_receive(bus, msg, timeout_ms);
	return kb_end_receive(bus, n > 0 ? lend(bus, msg) : n);
}

static void give_back(kbus_bus_t *b, const char *name)
{
	struct loans *t = &b->loans;
	for (size_t i = t->count; i-- > 0;)
		if (t->list[i].name == name) {
			if (t->list[i].copied)
				free((void *)(uintptr_t)name);
			else
				kb_window_let_go(&b->link.seg, &b->link.shared->at, t->list[i].number);
			t->list[i] = t->list[--t->count];
			return;
		}
}

void kbus_bus_give_back(kbus_bus_t *bus, const kbus_bus_msg_t *msg)
{
	if (kb_turn(bus, -1))
		return;
	give_back(bus, msg->name);
	kb_leave_turn(bus, 0);
}

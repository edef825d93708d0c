#include <errno.h>
#include <string.h>

#include "ksock.h"

/* Taking the next message. With rings it is taken from the window, which costs no system call; only a window that shows
 * nothing makes us ask, because the bus may have news. */

int kb_status(struct link *l, kbus_bus_msg_t *m)
{
	static const char name[] = KBUS_MSG_NAME_BUS_GONEAWAY;
	kbus_msg_id_t     id;
	if (!kb_asked_pop(&l->asked, &id))
		return kb_lose(l);
	memset(m, 0, sizeof *m);
	m->in_reply_to = id;
	m->to = l->id;
	m->flags = KBUS_BIT_SYNTHETIC;
	m->name = name;
	m->name_len = sizeof name - 1;
	m->data = "";
	return 1;
}

int kb_take_shown(struct link *l, kbus_bus_msg_t *m)
{
	const unsigned char *p;
	size_t               n;
	int                  got = l->seg.mem ? kb_window_take(&l->seg, &l->shared->at, &p, &n) : 0;
	if (got == 0)
		return 0;
	if (got < 0 || (got == IN_ARENA ? kb_get_reference(p, n, &l->arena, m, &l->found) : kb_get_message(p, n, m, &l->found)))
		return kb_lose(l);
	kb_book_came(l, m);
	return got;
}

int kb_next(struct link *l, kbus_bus_msg_t *m, int *taken)
{
	*taken = 0;
	if (l->gone && !l->seg.mem)
		return kb_status(l, m);
	if (l->mode & KBUS_BUS_READ) {
		int got = kb_take_shown(l, m);
		if (got < 0)
			return got;
		*taken = got;
		if (got > 0)
			return 1;
	}
	struct frame f;
	int          err = kb_ask(l, OP_NEXT, 1, NULL, 0, &f);
	if (err == -ENOTCONN && l->gone)
		return kb_status(l, m);
	if (err || f.arg == 0)
		return err;
	if (kb_get_message(l->in, f.bytes, m, &l->found))
		return kb_lose(l);
	kb_book_came(l, m);
	return 1;
}

/* A sender that waits for the room of a message has it when that message is handed out, as if the message had been
 * asked for. */
int kb_release_shown(struct link *l)
{
	struct frame f;
	if (!kb_window_release(&l->seg, &l->shared->at))
		return 0;
	kb_ring_bell(l);
	return l->gone ? 0 : kb_ask(l, OP_RESET, 0, NULL, 0, &f);
}

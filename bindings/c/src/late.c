#include "late.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"

/* Results that come after their function has gone; late.h says why. */

void kb_late(struct link *l, uint32_t seq, int op, unsigned flags)
{
	struct lates *t = &l->late;
	if (t->count == t->size) {
		size_t size = t->size ? 2 * t->size : 8;
		void  *list = realloc(t->list, size * sizeof *t->list);
		if (!list) {
			kb_lose(l); /* a result could not be told from another */
			return;
		}
		t->list = list;
		t->size = size;
	}
	t->list[t->count].seq = seq;
	t->list[t->count].op = (uint8_t)op;
	t->list[t->count++].flags = (uint8_t)flags;
	if (op == OP_NEXT || op == OP_NEXT_WAIT)
		t->next = seq;
}

int kb_keep(struct link *l, const kbus_bus_msg_t *m)
{
	struct kept *k = malloc(sizeof *k + (size_t)m->name_len + m->data_len);
	if (!k)
		return -ENOMEM;
	memcpy(k->bytes, m->name, m->name_len);
	if (m->data_len > 0)
		memcpy(k->bytes + m->name_len, m->data, m->data_len);
	k->next = NULL;
	k->msg = *m;
	k->msg.name = (char *)k->bytes;
	k->msg.data = k->bytes + m->name_len;
	if (l->late.last)
		l->late.last->next = k;
	else
		l->late.first = k;
	l->late.last = k;
	return 0;
}

struct kept *kb_kept(struct link *l)
{
	struct kept *k = l->late.first;
	if (k && !(l->late.first = k->next))
		l->late.last = NULL;
	return k;
}

static void keep_result(struct link *l, const struct frame *f)
{
	kbus_bus_msg_t m;
	if (f->condition != CONDITION_OK || f->arg == 0)
		return;
	if (kb_get_message(l->in, f->bytes, &m, &l->found)) {
		kb_lose(l);
		return;
	}
	kb_book_came(l, &m);
	if (kb_keep(l, &m))
		kb_lose(l);
}

static void late_call(struct link *l, const struct frame *f, unsigned flags)
{
	if (!(flags & LATE_KEEP))
		return;
	if (f->condition == CONDITION_CANCELED && f->bytes >= 8) { /* the answer will come as any other message */
		const kbus_msg_id_t id = {kb_get32(l->in), kb_get32(l->in + 4)};
		kb_asked_add(&l->asked, id);
	} else {
		keep_result(l, f);
	}
}

int kb_late_came(struct link *l, const struct frame *f)
{
	struct lates *t = &l->late;
	size_t        i = 0;
	while (i < t->count && (t->list[i].seq != f->seq || t->list[i].op != f->op))
		i++;
	if (i == t->count)
		return 0;
	const unsigned flags = t->list[i].flags;
	t->count--;
	memmove(t->list + i, t->list + i + 1, (t->count - i) * sizeof *t->list);
	kbus_bus_sent_t sent;
	switch (f->op) {
	case OP_NEXT:
	case OP_NEXT_WAIT:
		t->next = 0;
		keep_result(l, f);
		break;
	case OP_CALL:
		late_call(l, f, flags);
		break;
	case OP_SEND_MESSAGE:
		if (kb_get_sent(l->in, f, &sent))
			kb_lose(l);
		else
			kb_book_sent(l, flags & LATE_REQUEST, f->condition, sent.id);
		break;
	case OP_RESEND:
		kb_book_resent(l, f->condition);
		break;
	default: /* it has had its effect */
		break;
	}
	return 1;
}

void kb_late_free(struct lates *t)
{
	for (struct kept *k = t->first; k; k = t->first) {
		t->first = k->next;
		free(k);
	}
	free(t->list);
	memset(t, 0, sizeof *t);
}

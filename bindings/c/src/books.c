#include "books.h"

#include <errno.h>

/* The books of a Ksock: which Requests still have no answer, and whether a message waits for room. Each result from the
 * daemon is entered here once, also one that comes after its function has given up waiting, because the Statuses for a
 * lost bus are made from these books. */

void kb_book_sent(struct link *l, int request, unsigned condition, kbus_msg_id_t id)
{
	const kbus_msg_id_t none = {0, 0};
	if (condition == CONDITION_PENDING)
		l->shared->sending = 1;
	else if (kb_errno(condition) != EALREADY) /* then what waits still waits */
		l->unsent = none;
	if (!request || (condition != CONDITION_OK && condition != CONDITION_PENDING))
		return;
	kb_asked_add(&l->asked, id);
	if (condition == CONDITION_PENDING)
		l->unsent = id;
}

void kb_book_resent(struct link *l, unsigned condition)
{
	const kbus_msg_id_t none = {0, 0};
	if (condition == CONDITION_PENDING)
		return;
	l->shared->sending = 0;
	if (condition != CONDITION_OK && condition != 10) /* nothing waited: it was sent meanwhile; else there is no Status */
		kb_asked_remove(&l->asked, l->unsent);
	l->unsent = none;
}

void kb_book_came(struct link *l, const kbus_bus_msg_t *m)
{
	if (m->to == l->id && (m->in_reply_to.network_id != 0 || m->in_reply_to.serial_num != 0))
		kb_asked_remove(&l->asked, m->in_reply_to);
}

#include "handle.h"

/* Coming back after the loss of the bus. Nothing does so by itself: what was queued is gone, other Ksocks have other
 * ids, and only the program knows what that means to it. But when it has decided to go on, everything can be made as it
 * was.
 *
 * That is done on a link of its own, which takes the place of the lost one when all has been made again, and not before.
 * So there is nothing between a handle that is lost and one that is back. An attempt that is given up leaves nothing but
 * its link, which is shut; the next attempt waits until the daemon has closed it, for the names that were bound there
 * must be free again. */

/* Keeps all that can still be received from the lost bus. */
static int rescue(kbus_bus_t *b)
{
	struct link   *l = &b->link;
	kbus_bus_msg_t m;
	int            taken, n, err = 0;
	while (err == 0 && (n = kb_next(l, &m, &taken)) > 0)
		err = kb_keep(l, &m);
	return err;
}

/* Waits until the daemon has closed what an attempt that was given up has left: the names that were bound there are free
 * then. */
static int clear_attempt(kbus_bus_t *b)
{
	if (!b->attempting)
		return 0;
	b->attempt.deadline = b->link.deadline;
	if (!kb_link_parted(&b->attempt))
		return kb_fail(&b->link, ETIMEDOUT, "the daemon has not noticed yet that an earlier kbus_bus_reopen was given up");
	kb_drop_attempt(b);
	return 0;
}

static int begin_attempt(kbus_bus_t *b)
{
	uint32_t features = MODERN_FEATURES | (b->remembered.flags & KBUS_BUS_NO_RINGS || !kb_rings_wanted() ? 0 : RING_FEATURES);
	kb_begin_attempt(b);
	int err = kb_link_open(&b->attempt, b->remembered.path, b->link.mode, features, b->link.deadline, &b->closing);
	if (err) {
		kb_drop_attempt(b);
		return kb_fail(&b->link, -err, err == -ENOENT ? kb_text(26) : strerror(-err));
	}
	b->attempt.deadline = b->link.deadline;
	return 0;
}

static int restore_settings(struct link *l, const struct remembered *m)
{
	struct frame f;
	int          err = 0;
	if (m->max_messages)
		err = kb_ask(l, OP_MAX_MESSAGES, m->max_messages, NULL, 0, &f);
	if (err == 0 && m->only_once)
		err = kb_ask(l, OP_ONLY_ONCE, 1, NULL, 0, &f);
	return err;
}

/* Binds again to all names, and notes at each what came of it. Only the loss of the bus, and the end of patience, stop it. */
static int restore_bindings(struct link *l, const struct remembered *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct frame  f;
		struct bound *one = &m->bound[i];
		struct iovec  name = {one->name, strlen(one->name)};
		one->error = kb_ask(l, OP_BIND, (uint32_t)one->role, &name, 1, &f);
		if (l->gone || one->error == -ETIMEDOUT)
			return one->error;
	}
	return 0;
}

/* What can still be received from the lost bus, and the books, go over to the new link. */
static int take_along(kbus_bus_t *b)
{
	struct link *new = &b->attempt;
	kb_release(b);
	kb_loans_end(&b->loans);
	int err = rescue(b);
	if (err)
		return err;
	new->posts.totals = b->link.posts.totals;
	new->sends = b->link.sends;
	new->late.first = b->link.late.first;
	new->late.last = b->link.late.last;
	err = b->link.pollable ? kb_make_pollable(new) : 0;
	if (err)
		new->late.first = new->late.last = NULL;
	else
		b->link.late.first = b->link.late.last = NULL;
	return err;
}

/* It has succeeded: the new link is the handle's, and what could not be bound is forgotten. */
static void conclude(kbus_bus_t *b, struct bound *failed, kbus_bus_reopened_t *r)
{
	struct remembered *m = &b->remembered;
	size_t             kept = 0, i;
	for (i = 0; i < m->failures; i++)
		free(m->failed[i].name);
	free(m->failed);
	m->failed = failed;
	m->failures = 0;
	for (i = 0; i < m->count; i++)
		if (m->bound[i].error)
			m->failed[m->failures++] = m->bound[i];
		else
			m->bound[kept++] = m->bound[i];
	m->count = kept;
	b->taken = b->again = 0;
	kb_use_attempt(b);
	r->id = b->link.id;
	r->bound = (uint32_t)kept;
	r->failed = (uint32_t)m->failures;
}

static int attempt(kbus_bus_t *b, kbus_bus_reopened_t *r)
{
	struct bound *failed = calloc(b->remembered.count + 1, sizeof *failed);
	int           err = failed ? begin_attempt(b) : kb_fail(&b->link, ENOMEM, kb_text(30));
	if (err) {
		free(failed);
		return err;
	}
	err = restore_settings(&b->attempt, &b->remembered);
	if (err == 0)
		err = restore_bindings(&b->attempt, &b->remembered);
	if (err)
		kb_fail(&b->link, -err, b->attempt.why);
	else if ((err = take_along(b)))
		kb_fail(&b->link, -err, strerror(-err));
	if (err == 0) {
		conclude(b, failed, r);
		return 0;
	}
	free(failed);
	kb_link_shut(&b->attempt);
	return err;
}

static int reopen(kbus_bus_t *b, kbus_bus_reopened_t *r)
{
	struct frame f;
	memset(r, 0, sizeof *r);
	r->old_id = r->id = b->link.id;
	if (!b->link.gone) { /* perhaps not noticed yet */
		int err = kb_ask(&b->link, OP_RESET, 0, NULL, 0, &f);
		if (!b->link.gone)
			return b->link.mode == KBUS_BUS_OBSERVE && err != -ETIMEDOUT ? 0 : err;
	}
	int err = clear_attempt(b);
	return err ? err : attempt(b, r);
}

int kbus_bus_reopen(kbus_bus_t *bus, kbus_bus_reopened_t *reopened)
{
	kbus_bus_reopened_t r;
	int                 err = kb_turn(bus, __atomic_load_n(&bus->patience, __ATOMIC_RELAXED));
	if (err)
		return err;
	err = reopen(bus, &r);
	if (err && __atomic_load_n(&bus->closing, __ATOMIC_SEQ_CST)) /* by another thread, however far we were */
		err = -EBADF;
	if (reopened)
		*reopened = r;
	return kb_end(bus, err);
}

int kbus_bus_not_reopened(kbus_bus_t *bus, uint32_t index, const char **name, int *role)
{
	int err = kb_turn(bus, -1);
	if (err)
		return err;
	const struct remembered *m = &bus->remembered;
	if (index >= m->failures)
		return kb_leave_turn(bus, kb_fail(&bus->link, EINVAL, "so many have not failed"));
	*name = m->failed[index].name;
	*role = m->failed[index].role;
	return kb_leave_turn(bus, m->failed[index].error);
}

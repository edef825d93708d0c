#include "handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "own.h"

/* Opening a bus the modern way, and the operations that take a name or a number. */

static int open_at(kbus_bus_t **bus, const char *path, int flags)
{
	kbus_bus_t *b = kb_handle_new();
	if (!b)
		return -ENOMEM;
	uint32_t rings = !(flags & KBUS_BUS_NO_RINGS) && kb_rings_wanted() ? RING_FEATURES : 0;
	int      err = kb_link_open(&b->link, path, (uint32_t)flags & 3, MODERN_FEATURES | rings, 0, NULL);
	b->remembered.flags = flags;
	if (err == 0 && !(b->remembered.path = strdup(path)))
		err = -ENOMEM;
	if (err) {
		kb_link_close(&b->link, 0);
		kb_handle_free(b);
		return err;
	}
	kb_handle_open(b);
	*bus = b;
	return 0;
}

int kbus_bus_open_at(kbus_bus_t **bus, const char *path, int flags)
{
	const int cancel = kb_hold_cancel();
	const int err = open_at(bus, path, flags);
	kb_let_cancel(cancel);
	return err;
}

int kbus_bus_open(kbus_bus_t **bus, uint32_t number, int flags)
{
	char path[4096];
	int  err = kb_socket_path(path, sizeof path, number);
	return err ? err : kbus_bus_open_at(bus, path, flags);
}

int kbus_bus_patience(kbus_bus_t *bus, int timeout_ms)
{
	return __atomic_exchange_n(&bus->patience, timeout_ms < 0 ? -1 : timeout_ms, __ATOMIC_RELAXED);
}

const char *kbus_bus_why(const kbus_bus_t *bus)
{
	return __atomic_load_n(&bus->closing, __ATOMIC_SEQ_CST) ? kb_text(40) : bus->link.why;
}

uint32_t kbus_bus_id(const kbus_bus_t *bus) { return bus->link.id; }

int kbus_bus_fd(kbus_bus_t *bus)
{
	int err = kb_turn(bus, __atomic_load_n(&bus->patience, __ATOMIC_RELAXED));
	if (err)
		return err;
	err = bus->link.pollable ? 0 : kb_make_pollable(&bus->link);
	return kb_leave_turn(bus, err ? err : kb_poll_fd(&bus->link));
}

static int ask_name(kbus_bus_t *bus, int op, uint32_t arg, const char *name, uint32_t *value)
{
	struct frame f;
	size_t       n = strlen(name);
	struct iovec part = {(void *)(uintptr_t)name, n <= KBUS_MAX_NAME_LEN ? n : KBUS_MAX_NAME_LEN + 1};
	int          err = kb_ask(&bus->link, op, arg, &part, 1, &f);
	if (err == 0 && value)
		*value = f.arg;
	return err;
}

static int known_role(int role)
{
	return role == KBUS_BUS_REPLIER || role == KBUS_BUS_STANDBY ? role : KBUS_BUS_LISTENER;
}

int kbus_bus_bind(kbus_bus_t *bus, const char *name, int role)
{
	int err = kb_begin(bus);
	if (err)
		return err;
	err = ask_name(bus, OP_BIND, (uint32_t)known_role(role), name, NULL);
	if (err == 0)
		kb_remember(&bus->remembered, name, known_role(role));
	return kb_end(bus, err);
}

int kbus_bus_unbind(kbus_bus_t *bus, const char *name, int role)
{
	int err = kb_begin(bus);
	if (err)
		return err;
	err = ask_name(bus, OP_UNBIND, (uint32_t)known_role(role), name, NULL);
	if (err == 0)
		kb_forget_binding(&bus->remembered, name, known_role(role));
	return kb_end(bus, err);
}

int kbus_bus_describe(kbus_bus_t *bus, const char *name, const char *card)
{
	struct frame f;
	size_t       n = strlen(name);
	struct iovec parts[] = {{(void *)(uintptr_t)name, n}, {(void *)(uintptr_t)card, card ? strlen(card) : 0}};
	int          err = kb_begin(bus);
	return err ? err : kb_end(bus, kb_ask(&bus->link, OP_DESCRIBE, (uint32_t)n, parts, 2, &f));
}

int kbus_bus_replier(kbus_bus_t *bus, const char *name, uint32_t *id)
{
	int err = kb_begin(bus);
	return err ? err : kb_end(bus, ask_name(bus, OP_REPLIER, 0, name, id));
}

static int ask_number(kbus_bus_t *bus, int op, uint32_t arg, uint32_t *value)
{
	struct frame f;
	int          err = kb_begin(bus);
	if (err)
		return err;
	err = kb_ask(&bus->link, op, arg, NULL, 0, &f);
	if (err == 0 && value)
		*value = f.arg;
	if (err == 0 && op == OP_MAX_MESSAGES && arg)
		bus->remembered.max_messages = arg;
	if (err == 0 && op == OP_ONLY_ONCE && arg <= 1)
		bus->remembered.only_once = (int)arg;
	return kb_end(bus, err);
}

static int previous(kbus_bus_t *bus, int op, uint32_t request)
{
	uint32_t before = 0;
	int      err = ask_number(bus, op, request, &before);
	return err ? err : (int)before;
}

int kbus_bus_max_messages(kbus_bus_t *bus, uint32_t limit, uint32_t *now)
{
	return ask_number(bus, OP_MAX_MESSAGES, limit, now);
}

int kbus_bus_num_messages(kbus_bus_t *bus, uint32_t *count)
{
	struct frame f;
	int          err = kb_begin(bus);
	if (err)
		return err;
	err = kb_ask(&bus->link, OP_NUM_MESSAGES, 0, NULL, 0, &f);
	if (err == 0) {
		*count = f.arg;
		for (const struct kept *k = bus->link.late.first; k; k = k->next)
			++*count;
	}
	return kb_end(bus, err);
}

int kbus_bus_num_unreplied(kbus_bus_t *bus, uint32_t *count) { return ask_number(bus, OP_NUM_UNREPLIED, 0, count); }
int kbus_bus_only_once(kbus_bus_t *bus, uint32_t request) { return previous(bus, OP_ONLY_ONCE, request); }
int kbus_bus_verbose(kbus_bus_t *bus, uint32_t request) { return previous(bus, OP_VERBOSE, request); }

int kbus_bus_report_replier_binds(kbus_bus_t *bus, uint32_t request)
{
	return previous(bus, OP_REPORT_REPLIER_BINDS, request);
}

int kbus_bus_max_message_size(kbus_bus_t *bus, uint32_t size, uint32_t *now)
{
	return ask_number(bus, OP_MAX_MESSAGE_SIZE, size, now);
}

int kbus_bus_new_bus(kbus_bus_t *bus, uint32_t *number) { return ask_number(bus, OP_NEW_BUS, 0, number); }

int kbus_bus_poll(kbus_bus_t *bus)
{
	struct frame f;
	int          err = kb_turn(bus, __atomic_load_n(&bus->patience, __ATOMIC_RELAXED));
	if (err)
		return err;
	const int waits = bus->again || bus->link.late.first;
	err = kb_ask(&bus->link, OP_POLL, 0, NULL, 0, &f);
	if (bus->link.gone && (waits || kb_readable(&bus->link)))
		return kb_end(bus, KBUS_BUS_READ);
	return kb_end(bus, err ? err : (int)f.arg | (waits ? KBUS_BUS_READ : 0));
}

int kb_last_sent(struct link *l, kbus_msg_id_t *id)
{
	struct frame f;
	int          err = kb_ask(l, OP_LAST_SENT, 0, NULL, 0, &f);
	if (err == 0 && f.bytes >= 8) {
		id->network_id = kb_get32(l->in);
		id->serial_num = kb_get32(l->in + 4);
	}
	return err;
}

int kbus_bus_last_sent(kbus_bus_t *bus, kbus_msg_id_t *id)
{
	int err = kb_begin(bus);
	return err ? err : kb_end(bus, kb_last_sent(&bus->link, id));
}

static int report(kbus_bus_t *bus, int op, const char *name, char **text)
{
	struct frame f;
	struct iovec part = {(void *)(uintptr_t)name, strlen(name)};
	int          err = kb_begin(bus);
	if (err)
		return err;
	err = kb_ask(&bus->link, op, 0, &part, 1, &f);
	if (err == 0) {
		char *copy = malloc((size_t)f.bytes + 1);
		if (!copy)
			return kb_end(bus, kb_fail(&bus->link, ENOMEM, kb_text(30)));
		if (f.bytes > 0)
			memcpy(copy, bus->link.in, f.bytes);
		copy[f.bytes] = 0;
		*text = copy;
	}
	return kb_end(bus, err);
}

int kbus_bus_bindings(kbus_bus_t *bus, char **text) { return report(bus, OP_BINDINGS_REPORT, "", text); }
int kbus_bus_stats(kbus_bus_t *bus, char **text) { return report(bus, OP_STATS_REPORT, "", text); }
int kbus_bus_card(kbus_bus_t *bus, const char *name, char **card) { return report(bus, OP_CARD, name, card); }

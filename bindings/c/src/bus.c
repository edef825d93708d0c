#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opening a bus the modern way, and what is asked for with a name or a number. */

int kbus_bus_open_at(kbus_bus_t **bus, const char *path, int flags)
{
	kbus_bus_t *b = calloc(1, sizeof *b);
	if (!b)
		return -ENOMEM;
	int rings = !(flags & KBUS_BUS_NO_RINGS) && kb_rings_wanted();
	int err = kb_link_open(&b->link, path, (uint32_t)flags & 3, rings);
	if (err) {
		free(b);
		return err;
	}
	*bus = b;
	return 0;
}

int kbus_bus_open(kbus_bus_t **bus, uint32_t number, int flags)
{
	char path[4096];
	int  err = kb_socket_path(path, sizeof path, number);
	return err ? err : kbus_bus_open_at(bus, path, flags);
}

void kbus_bus_close(kbus_bus_t *bus)
{
	if (!bus)
		return;
	if (!bus->link.gone && bus->link.posts.collected)
		kb_push(&bus->link);
	kb_link_close(&bus->link, 1);
	free(bus->held);
	free(bus);
}

int kb_begin(kbus_bus_t *b)
{
	if (b->link.gone)
		return kb_lose(&b->link);
	b->link.why[0] = 0;
	return 0;
}

int kb_end(kbus_bus_t *b, int result)
{
	kb_settle(&b->link, 0);
	return result;
}

const char *kbus_bus_why(const kbus_bus_t *bus) { return bus->link.why; }
uint32_t    kbus_bus_id(const kbus_bus_t *bus) { return bus->link.id; }

int kbus_bus_fd(kbus_bus_t *bus)
{
	int err = bus->link.pollable ? 0 : kb_make_pollable(&bus->link);
	return err ? err : bus->link.fd;
}

static int ask_name(kbus_bus_t *bus, int op, uint32_t arg, const char *name, uint32_t *value)
{
	struct frame f;
	size_t       n = strlen(name);
	struct iovec part = {(void *)(uintptr_t)name, n <= KBUS_MAX_NAME_LEN ? n : KBUS_MAX_NAME_LEN + 1};
	int          err = kb_begin(bus);
	if (err == 0)
		err = kb_ask(&bus->link, op, arg, &part, 1, &f);
	if (err == 0 && value)
		*value = f.arg;
	return kb_end(bus, err);
}

int kbus_bus_bind(kbus_bus_t *bus, const char *name, int role)
{
	return ask_name(bus, OP_BIND, role == KBUS_BUS_REPLIER, name, NULL);
}

int kbus_bus_unbind(kbus_bus_t *bus, const char *name, int role)
{
	return ask_name(bus, OP_UNBIND, role == KBUS_BUS_REPLIER, name, NULL);
}

int kbus_bus_replier(kbus_bus_t *bus, const char *name, uint32_t *id)
{
	return ask_name(bus, OP_REPLIER, 0, name, id);
}

static int ask_number(kbus_bus_t *bus, int op, uint32_t arg, uint32_t *value)
{
	struct frame f;
	int          err = kb_begin(bus);
	if (err == 0)
		err = kb_ask(&bus->link, op, arg, NULL, 0, &f);
	if (err == 0 && value)
		*value = f.arg;
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

int kbus_bus_num_messages(kbus_bus_t *bus, uint32_t *count) { return ask_number(bus, OP_NUM_MESSAGES, 0, count); }
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
	uint32_t bits = 0;
	int      err = ask_number(bus, OP_POLL, 0, &bits);
	if (bus->link.gone && kb_readable(&bus->link))
		return KBUS_BUS_READ;
	return err ? err : (int)bits | (bus->again ? KBUS_BUS_READ : 0);
}

int kbus_bus_last_sent(kbus_bus_t *bus, kbus_msg_id_t *id)
{
	struct frame f;
	int          err = kb_begin(bus);
	if (err == 0)
		err = kb_ask(&bus->link, OP_LAST_SENT, 0, NULL, 0, &f);
	if (err == 0 && f.bytes >= 8) {
		id->network_id = kb_get32(bus->link.in);
		id->serial_num = kb_get32(bus->link.in + 4);
	}
	return kb_end(bus, err);
}

static int report(kbus_bus_t *bus, int op, char **text)
{
	struct frame f;
	int          err = kb_begin(bus);
	if (err == 0)
		err = kb_ask(&bus->link, op, 0, NULL, 0, &f);
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

int kbus_bus_bindings(kbus_bus_t *bus, char **text) { return report(bus, OP_BINDINGS_REPORT, text); }
int kbus_bus_stats(kbus_bus_t *bus, char **text) { return report(bus, OP_STATS_REPORT, text); }

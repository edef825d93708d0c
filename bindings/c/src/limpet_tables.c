#include "limpet_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The two tables of a Limpet, see limpet_tables.h. */

struct entry *kb_find_id(const struct entries *t, kbus_msg_id_t id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].id.network_id == id.network_id && t->list[i].id.serial_num == id.serial_num)
			return &t->list[i];
	return NULL;
}

struct entry *kb_find_name(const struct entries *t, const char *name, size_t n)
{
	for (size_t i = 0; i < t->count; i++)
		if (strlen(t->list[i].name) == n && memcmp(t->list[i].name, name, n) == 0)
			return &t->list[i];
	return NULL;
}

int kb_add_entry(struct entries *t, kbus_msg_id_t id, uint32_t from, const char *name, size_t n)
{
	if (t->count == t->size) {
		size_t        size = t->size ? 2 * t->size : 16;
		struct entry *list = realloc(t->list, size * sizeof *list);
		if (!list)
			return -ENOMEM;
		t->list = list;
		t->size = size;
	}
	struct entry e = {id, from, NULL};
	if (name) {
		e.name = calloc(1, n + 1);
		if (!e.name)
			return -ENOMEM;
		memcpy(e.name, name, n);
	}
	t->list[t->count++] = e;
	return 0;
}

void kb_remove_entry(struct entries *t, struct entry *e)
{
	free(e->name);
	t->count--;
	memmove(e, e + 1, (size_t)(t->list + t->count - e) * sizeof *e);
}

void kb_free_entries(struct entries *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i].name);
	free(t->list);
	memset(t, 0, sizeof *t);
}

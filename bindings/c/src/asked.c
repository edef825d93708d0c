#include "asked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The list in asked.h. What is taken from the front leaves a gap that is closed when the list is full. */

int kb_asked_room(struct asked *a)
{
	if (a->first + a->count < a->size)
		return 0;
	if (a->first > a->size / 2) {
		memmove(a->ids, a->ids + a->first, a->count * sizeof *a->ids);
		a->first = 0;
		return 0;
	}
	size_t         size = a->size ? 2 * a->size : 16;
	kbus_msg_id_t *ids = realloc(a->ids, size * sizeof *ids);
	if (!ids)
		return -ENOMEM;
	a->ids = ids;
	a->size = size;
	return 0;
}

void kb_asked_add(struct asked *a, kbus_msg_id_t id)
{
	if (kb_asked_room(a) == 0)
		a->ids[a->first + a->count++] = id;
}

void kb_asked_remove(struct asked *a, kbus_msg_id_t id)
{
	for (size_t i = 0; i < a->count; i++) {
		kbus_msg_id_t *at = a->ids + a->first + i;
		if (at->network_id != id.network_id || at->serial_num != id.serial_num)
			continue;
		if (i == 0)
			a->first++;
		else
			memmove(at, at + 1, (a->count - i - 1) * sizeof *at);
		if (--a->count == 0)
			a->first = 0;
		return;
	}
}

int kb_asked_pop(struct asked *a, kbus_msg_id_t *id)
{
	if (a->count == 0)
		return 0;
	*id = a->ids[a->first];
	kb_asked_remove(a, *id);
	return 1;
}

void kb_asked_free(struct asked *a)
{
	free(a->ids);
	memset(a, 0, sizeof *a);
}

#include "remembered.h"

#include <stdlib.h>
#include <string.h>

/* What a handle was set to, for kbus_bus_reopen. What does not fit into memory is not remembered. */

void kb_remember(struct remembered *m, const char *name, int role)
{
	if (m->count == m->size) {
		size_t size = m->size ? 2 * m->size : 8;
		void  *list = realloc(m->bound, size * sizeof *m->bound);
		if (!list)
			return;
		m->bound = list;
		m->size = size;
	}
	const struct bound one = {strdup(name), role, 0};
	if (one.name)
		m->bound[m->count++] = one;
}

void kb_forget_binding(struct remembered *m, const char *name, int role)
{
	for (size_t i = m->count; i-- > 0;)
		if (!m->bound[i].role == !role && strcmp(m->bound[i].name, name) == 0) {
			free(m->bound[i].name);
			m->count--;
			memmove(m->bound + i, m->bound + i + 1, (m->count - i) * sizeof *m->bound);
			return;
		}
}

static void free_bound(struct bound *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].name);
	free(list);
}

void kb_remembered_free(struct remembered *m)
{
	free_bound(m->bound, m->count);
	free_bound(m->failed, m->failures);
	free(m->path);
	memset(m, 0, sizeof *m);
}

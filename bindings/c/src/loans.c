#include "loans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The list of what a program has borrowed. It knows nothing of connections: what lies in an arena goes with the arena. */

int kb_loans_add(struct loans *t, const struct loan *one)
{
	if (t->count == t->size) {
		size_t size = t->size ? 2 * t->size : 8;
		void  *list = realloc(t->list, size * sizeof *t->list);
		if (!list)
			return -ENOMEM;
		t->list = list;
		t->size = size;
	}
	t->list[t->count++] = *one;
	return 0;
}

void kb_loans_end(struct loans *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].copied)
			free((void *)(uintptr_t)t->list[i].name);
	free(t->list);
	memset(t, 0, sizeof *t);
}

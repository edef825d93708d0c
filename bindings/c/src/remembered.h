/* What a handle was told to be, so that it can be made so again (reopen.c). */
#ifndef KB_REMEMBERED_H
#define KB_REMEMBERED_H

#include <stddef.h>
#include <stdint.h>

struct remembered {
	struct bound {
		char *name;
		int   role, error; /* error: why it could not be made again */
	}          *bound;
	size_t      count, size;
	struct bound *failed;
	size_t      failures;
	char       *path;
	int         flags;
	uint32_t    max_messages; /* 0: never set */
	int         only_once;
};

void kb_remember(struct remembered *m, const char *name, int role);
void kb_forget_binding(struct remembered *m, const char *name, int role);
void kb_remembered_free(struct remembered *m);

#endif

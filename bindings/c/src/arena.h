/* The arena of a bus (docs/protocol.md, section 17): memory that the daemon writes and all clients of the bus map to read.
 * The data of a large message lies there once, and a window says where. What it says is checked each time: a daemon that
 * errs must not have us read elsewhere. The length of the memory cannot change, for it is sealed. */
#ifndef KB_ARENA_H
#define KB_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
	const unsigned char *mem; /* NULL: none was granted */
	size_t               bytes;
};

/* Maps an arena. 0, -EPROTO if it is none, or CRAMPED of segment.h. */
int  kb_arena_map(struct arena *g, int fd);
void kb_arena_unmap(struct arena *g);

/* So many bytes of it, or NULL if they do not lie in it. */
const unsigned char *kb_arena_at(const struct arena *g, uint64_t at, uint32_t bytes);

#endif

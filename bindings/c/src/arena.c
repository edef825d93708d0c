#include "arena.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "segment.h"

/* The least and the most that an arena has; less on machines without addresses for it. */
#define LEAST_ARENA ((uint64_t)256 << 10)
#define MOST_ARENA ((uint64_t)1 << (sizeof(void *) > 4 ? 31 : 30))

int kb_arena_map(struct arena *g, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size < LEAST_ARENA || (uint64_t)st.st_size > MOST_ARENA)
		return -EPROTO;
	void *mem = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return CRAMPED;
	g->mem = mem;
	g->bytes = (size_t)st.st_size;
	return 0;
}

void kb_arena_unmap(struct arena *g)
{
	if (g->mem)
		munmap((void *)(uintptr_t)g->mem, g->bytes);
	g->mem = NULL;
}

const unsigned char *kb_arena_at(const struct arena *g, uint64_t at, uint32_t bytes)
{
	return g->mem && at <= g->bytes && bytes <= g->bytes - at ? g->mem + at : NULL;
}

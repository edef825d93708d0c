#include "segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Offsets of the words. */
enum {
	MAGIC = 0x6773626B, VERSION = 1,
	UP_TAIL = 64, UP_SKIP = 128, UP_HEAD = 192, UP_ASLEEP = 256, UP_STRANDED = 320,
	DOWN_TAIL = 384, DOWN_SKIP = 448, DOWN_HEAD = 512, DOWN_ASLEEP = 576, DOWN_STRANDED = 640,
	STATE = 704, RELEASED = 768, WANT = 832, MORE = 896, SLOTS = 960, SLOT_BYTES = 8
};

/* How far from the beginning an empty ring may be before we begin again there, so that only as much memory as is used
 * becomes resident and stays in the cache. */
enum { BEGIN_AGAIN = 4096 };

static uint32_t *word32(const struct segment *g, size_t at) { return (uint32_t *)(void *)(g->mem + at); }
static uint64_t *word64(const struct segment *g, size_t at) { return (uint64_t *)(void *)(g->mem + at); }

static uint64_t load64(const struct segment *g, size_t at) { return __atomic_load_n(word64(g, at), __ATOMIC_SEQ_CST); }

static void store64(const struct segment *g, size_t at, uint64_t v)
{
	__atomic_store_n(word64(g, at), v, __ATOMIC_SEQ_CST);
}

static int swap_if64(const struct segment *g, size_t at, uint64_t old, uint64_t new)
{
	return __atomic_compare_exchange_n(word64(g, at), &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

uint32_t kb_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
void     kb_store(uint32_t *word, uint32_t v) { __atomic_store_n(word, v, __ATOMIC_SEQ_CST); }
uint32_t kb_swap(uint32_t *word, uint32_t v) { return __atomic_exchange_n(word, v, __ATOMIC_SEQ_CST); }

uint32_t *kb_up_asleep(const struct segment *g) { return word32(g, UP_ASLEEP); }
uint32_t *kb_up_stranded(const struct segment *g) { return word32(g, UP_STRANDED); }
uint32_t *kb_down_asleep(const struct segment *g) { return word32(g, DOWN_ASLEEP); }
uint32_t *kb_down_stranded(const struct segment *g) { return word32(g, DOWN_STRANDED); }

static int power_of_two(uint32_t n, uint32_t least,
                        uint32_t most) { return n >= least && n <= most && (n & (n - 1)) == 0; }

int kb_segment_map(struct segment *g, int fd)
{
	uint32_t    head[6];
	struct stat st;
	if (fstat(fd, &st) < 0 || pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return -EPROTO;
	for (int i = 2; i < 6; i++)
		if (!power_of_two(head[i], i < 5 ? 4096 : 1, 1 << 26))
			return -EPROTO;
	g->up_bytes = head[2];
	g->down_bytes = head[3];
	g->window_bytes = head[4];
	g->window_slots = head[5];
	g->bytes = SLOTS + (size_t)g->window_slots * SLOT_BYTES + g->up_bytes + g->down_bytes + g->window_bytes;
	if (head[0] != MAGIC || head[1] != VERSION || st.st_size < 0 || (size_t)st.st_size != g->bytes)
		return -EPROTO;
	void *mem = mmap(NULL, g->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	g->mem = mem;
	g->slots = g->mem + SLOTS;
	g->up = g->slots + (size_t)g->window_slots * SLOT_BYTES;
	g->down = g->up + g->up_bytes;
	g->window = g->down + g->down_bytes;
	return 0;
}

void kb_segment_unmap(struct segment *g)
{
	if (g->mem)
		munmap(g->mem, g->bytes);
	g->mem = NULL;
}

static int look(const struct segment *g, struct ring_positions *at)
{
	uint64_t head = load64(g, UP_HEAD);
	at->seen = head > at->began ? head : at->began;
	return at->tail - at->seen > g->up_bytes ? -EPROTO : 0;
}

int64_t kb_ring_append(const struct segment *g, struct ring_positions *at, const void *p, size_t n)
{
	size_t size = g->up_bytes, offset = at->tail & (size - 1);
	if (at->tail - at->seen + n > size || offset >= BEGIN_AGAIN) {
		if (look(g, at))
			return -EPROTO;
		if (at->tail == at->seen && offset >= BEGIN_AGAIN) {
			at->tail += size - offset;
			at->seen = at->began = at->tail;
			offset = 0;
			store64(g, UP_SKIP, at->tail); /* before tail, after which the daemon looks at it */
		}
	}
	size_t room = size - (size_t)(at->tail - at->seen);
	n = n < room ? n : room;
	size_t first = n < size - offset ? n : size - offset;
	memcpy(g->up + offset, p, first);
	memcpy(g->up, (const unsigned char *)p + first, n - first);
	at->tail += n;
	return (int64_t)n;
}

void kb_ring_announce(const struct segment *g, const struct ring_positions *at) { store64(g, UP_TAIL, at->tail); }

int kb_ring_full(const struct segment *g, struct ring_positions *at)
{
	return look(g, at) ? -EPROTO : at->tail - at->seen >= g->up_bytes;
}

int64_t kb_ring_available(const struct segment *g, struct ring_positions *at)
{
	uint64_t tail = load64(g, DOWN_TAIL);
	if (tail == at->head)
		return 0;
	uint64_t skip = load64(g, DOWN_SKIP);
	if (skip - at->head <= tail - at->head && skip - at->head < g->down_bytes)
		at->head = skip;
	return tail - at->head > g->down_bytes ? -EPROTO : (int64_t)(tail - at->head);
}

void kb_ring_take(const struct segment *g, struct ring_positions *at, void *p, size_t n)
{
	size_t size = g->down_bytes, offset = at->head & (size - 1);
	size_t first = n < size - offset ? n : size - offset;
	memcpy(p, g->down + offset, first);
	memcpy((unsigned char *)p + first, g->down, n - first);
	at->head += n;
	store64(g, DOWN_HEAD, at->head);
}

int kb_window_empty(const struct segment *g)
{
	uint64_t state = load64(g, STATE);
	return (uint32_t)(state >> 32) == (uint32_t)state;
}

int kb_window_more(const struct segment *g) { return kb_load(word32(g, MORE)) != 0; }

int kb_window_claim(const struct segment *g, struct ring_positions *at, const unsigned char **p, size_t *n)
{
	uint64_t state;
	uint32_t shown, claimed;
	do {
		state = load64(g, STATE);
		shown = (uint32_t)(state >> 32);
		claimed = (uint32_t)state;
		if (shown == claimed)
			return 0;
	} while (!swap_if64(g, STATE, state, (uint64_t)shown << 32 | (uint32_t)(claimed + 1)));
	at->claimed = claimed + 1;
	uint32_t slot[2];
	memcpy(slot, g->slots + (size_t)(claimed & (g->window_slots - 1)) * SLOT_BYTES, sizeof slot);
	if ((uint64_t)slot[0] + slot[1] > g->window_bytes)
		return -EPROTO;
	*p = g->window + slot[0];
	*n = slot[1];
	return 1;
}

int kb_window_release(const struct segment *g, const struct ring_positions *at)
{
	kb_store(word32(g, RELEASED), at->claimed);
	uint64_t want = load64(g, WANT);
	return want != 0 && (int32_t)(at->claimed - (uint32_t)want) >= 0 && swap_if64(g, WANT, want, 0);
}

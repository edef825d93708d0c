#include "segment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Offsets of the words. */
enum {
	MAGIC = 0x6773626B, VERSION = 2,
	UP_TAIL = 64, UP_SKIP = 128, UP_HEAD = 192, UP_ASLEEP = 256, UP_STRANDED = 320,
	DOWN_TAIL = 384, DOWN_SKIP = 448, DOWN_HEAD = 512, DOWN_ASLEEP = 576, DOWN_STRANDED = 640,
	STATE = 704, RELEASED = 768, WANT = 832, MORE = 896, SLOTS = 960, SLOT_BYTES = 8
};

/* How far from the beginning an empty ring may be before we begin again there, so that only as much memory as is used
 * becomes resident and stays in the cache. */
enum { BEGIN_AGAIN = 4096 };

/* Marks that up.skip and down.skip say something; and after how many bytes what we have said there is taken back. Both
 * because positions come round after 4 GiB. */
enum { SKIPPING = 1, FORGET_SKIP = 1 << 30 };

/* Marks, in the length of a slot, that the data lies in the arena. */
#define ARENA_BIT ((uint32_t)1 << 31)

static uint32_t *word32(const struct segment *g, size_t at) { return (uint32_t *)(void *)(g->mem + at); }

static uint32_t load(const struct segment *g, size_t at) { return __atomic_load_n(word32(g, at), __ATOMIC_SEQ_CST); }

static void store(const struct segment *g, size_t at, uint32_t v)
{
	__atomic_store_n(word32(g, at), v, __ATOMIC_SEQ_CST);
}

static int swap_if(const struct segment *g, size_t at, uint32_t old, uint32_t new)
{
	return __atomic_compare_exchange_n(word32(g, at), &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
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
		if (!power_of_two(head[i], i < 5 ? 4096 : 1, i < 5 ? 1 << 26 : 1 << 14))
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
		return CRAMPED;
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
	uint32_t head = load(g, UP_HEAD);
	if (at->skipped && at->tail - at->skip > FORGET_SKIP) {
		at->skipped = 0;
		store(g, UP_SKIP, 0);
	}
	if (at->began && at->seen - head - 1 < g->up_bytes) /* it is where we were before we began again */
		return 0;
	at->began = 0;
	if (at->tail - head > g->up_bytes)
		return -EPROTO;
	at->seen = head;
	return 0;
}

int64_t kb_ring_append(const struct segment *g, struct ring_positions *at, const void *p, size_t n)
{
	size_t size = g->up_bytes, offset = at->tail & (size - 1);
	if (at->tail - at->seen + n > size || offset >= BEGIN_AGAIN) {
		if (look(g, at))
			return -EPROTO;
		if (at->tail == at->seen && offset >= BEGIN_AGAIN) {
			at->tail += (uint32_t)(size - offset);
			at->seen = at->skip = at->tail;
			at->began = at->skipped = 1;
			offset = 0;
			store(g, UP_SKIP, at->tail | SKIPPING); /* before tail, after which the daemon looks at it */
		}
	}
	size_t room = size - (at->tail - at->seen);
	n = n < room ? n : room;
	size_t first = n < size - offset ? n : size - offset;
	memcpy(g->up + offset, p, first);
	memcpy(g->up, (const unsigned char *)p + first, n - first);
	at->tail += (uint32_t)n;
	return (int64_t)n;
}

void kb_ring_announce(const struct segment *g, const struct ring_positions *at) { store(g, UP_TAIL, at->tail); }

int kb_ring_full(const struct segment *g, struct ring_positions *at)
{
	return look(g, at) ? -EPROTO : at->tail - at->seen >= g->up_bytes;
}

int64_t kb_ring_available(const struct segment *g, struct ring_positions *at)
{
	uint32_t tail = load(g, DOWN_TAIL);
	if (tail == at->head)
		return 0;
	uint32_t skip = load(g, DOWN_SKIP), on = skip - SKIPPING - at->head;
	if (skip & SKIPPING && on <= tail - at->head && on < g->down_bytes)
		at->head += on;
	return tail - at->head > g->down_bytes ? -EPROTO : (int64_t)(tail - at->head);
}

void kb_ring_take(const struct segment *g, struct ring_positions *at, void *p, size_t n)
{
	size_t size = g->down_bytes, offset = at->head & (size - 1);
	size_t first = n < size - offset ? n : size - offset;
	memcpy(p, g->down + offset, first);
	memcpy((unsigned char *)p + first, g->down, n - first);
	at->head += (uint32_t)n;
	store(g, DOWN_HEAD, at->head);
}

int kb_window_empty(const struct segment *g)
{
	uint32_t state = load(g, STATE);
	return state >> 16 == (state & 0xFFFF);
}

int kb_window_more(const struct segment *g) { return kb_load(word32(g, MORE)) != 0; }

int kb_window_take(const struct segment *g, struct ring_positions *at, const unsigned char **p, size_t *n)
{
	uint32_t state, taken;
	do {
		state = load(g, STATE);
		taken = state & 0xFFFF;
		if (state >> 16 == taken)
			return 0;
		at->taken = (uint16_t)(taken + 1);
	} while (!swap_if(g, STATE, state, (state & 0xFFFF0000) | at->taken));
	uint32_t slot[2];
	memcpy(slot, g->slots + (size_t)(taken & (g->window_slots - 1)) * SLOT_BYTES, sizeof slot);
	const uint32_t bytes = slot[1] & ~ARENA_BIT;
	if ((uint64_t)slot[0] + bytes > g->window_bytes)
		return -EPROTO;
	*p = g->window + slot[0];
	*n = bytes;
	return slot[1] & ARENA_BIT ? IN_ARENA : 1;
}

/* Up to where the places can be given back. That is done in order, so those behind the oldest one kept cannot yet. */
static void release(const struct segment *g, const struct ring_positions *at)
{
	kb_store(word32(g, RELEASED), at->keeping > 0 ? at->kept[0] : at->taken);
}

int kb_window_release(const struct segment *g, const struct ring_positions *at)
{
	release(g, at);
	uint32_t want = load(g, WANT);
	return want != 0 && (int16_t)(uint16_t)(at->taken - want) >= 0 && swap_if(g, WANT, want, 0);
}

int kb_window_keep(struct ring_positions *at)
{
	if (at->keeping == MOST_KEPT)
		return -1;
	at->kept[at->keeping] = (uint16_t)(at->taken - 1);
	return at->kept[at->keeping++];
}

void kb_window_let_go(const struct segment *g, struct ring_positions *at, uint16_t number)
{
	uint16_t i = 0;
	while (i < at->keeping && at->kept[i] != number)
		i++;
	if (i == at->keeping)
		return;
	at->keeping--;
	memmove(at->kept + i, at->kept + i + 1, (size_t)(at->keeping - i) * sizeof *at->kept);
	release(g, at);
}

/* What is counted in a segment comes round: positions after 4 GiB, messages after 65536. This begins just before that. The
 * daemon's side is played here, one thread after the other. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/segment.h"

enum { RING = 8192, SLOTS = 512, CONTROL = 960 };

#define CHECK(x) ((x) ? (void)0 : (printf("%s:%d: %s\n", __FILE__, __LINE__, #x), exit(1)))

static struct segment g;

static uint32_t *word(size_t at) { return (uint32_t *)(void *)(g.mem + at); }

static void map(void)
{
	const uint32_t head[6] = {0x6773626B, 2, RING, RING, 4096, SLOTS};
	int            fd = memfd_create("round", 0);
	CHECK(fd >= 0 && ftruncate(fd, CONTROL + SLOTS * 8 + RING * 2 + 4096) == 0);
	CHECK(pwrite(fd, head, sizeof head, 0) == sizeof head);
	CHECK(kb_segment_map(&g, fd) == 0);
	close(fd);
}

/* Bytes to the bus: each is its number, and none is lost or read twice, also when the ring begins again. */
static void up(uint32_t from)
{
	struct ring_positions at = {.tail = from, .seen = from};
	uint32_t              head = from;
	unsigned char         put = 0, want = 0, p[3000];
	*word(64) = *word(192) = from;
	*word(128) = 0;
	for (int round = 0; round < 60; round++) {
		size_t n = (size_t)(1 + round * 997 % 3000);
		for (size_t i = 0; i < n; i++)
			p[i] = (unsigned char)(put + i);
		int64_t did = kb_ring_append(&g, &at, p, n);
		CHECK(did >= 0 && did <= (int64_t)n);
		put = (unsigned char)(put + did);
		kb_ring_announce(&g, &at);
		if (round % 3 == 1)
			continue;
		uint32_t tail = *word(64), skip = *word(128);
		if (skip & 1 && skip - 1 - head <= tail - head && skip - 1 - head < RING)
			head = skip - 1;
		CHECK(tail - head <= RING);
		for (; head != tail; head++)
			CHECK(g.up[head & (RING - 1)] == want++);
		*word(192) = head;
	}
	CHECK(put == want || at.tail != head);
}

/* An old place to begin again, that positions come by anew, is none. */
static void old_skip(void)
{
	struct ring_positions at = {.head = (uint32_t)-10};
	*word(448) = 0;
	*word(384) = 20;
	CHECK(kb_ring_available(&g, &at) == 30 && at.head == (uint32_t)-10);

	struct ring_positions to = {.tail = 5 + (1u << 30) + 1, .seen = 5 + (1u << 30) + 1, .skip = 5, .skipped = 1};
	*word(192) = to.tail;
	*word(128) = 5 | 1;
	CHECK(kb_ring_full(&g, &to) == 0 && *word(128) == 0);
}

static void window(void)
{
	struct ring_positions at = {0};
	uint16_t              shown = 0xFFF0, taken = shown;
	for (int round = 0; round < 70000; round++) {
		uint32_t             slot[2] = {(uint32_t)(round % 4000), 4}, value = (uint32_t)round;
		const unsigned char *p;
		size_t               n;
		memcpy(g.slots + (shown & (SLOTS - 1)) * 8, slot, sizeof slot);
		memcpy(g.window + slot[0], &value, sizeof value);
		shown++;
		*word(704) = (uint32_t)shown << 16 | taken;
		*word(832) = 1u << 16 | shown; /* wanted */
		CHECK(!kb_window_empty(&g) && kb_window_take(&g, &at, &p, &n) == 1 && n == 4 && memcmp(p, &value, 4) == 0);
		CHECK(kb_window_release(&g, &at) == 1 && *word(832) == 0 && *word(768) == shown);
		taken++;
		CHECK(*word(704) == ((uint32_t)shown << 16 | taken) && kb_window_empty(&g));
		CHECK(kb_window_take(&g, &at, &p, &n) == 0);
		*word(832) = 1u << 16 | (uint16_t)(shown + 1); /* the next one, which has not come */
		CHECK(kb_window_release(&g, &at) == 0 && *word(832) != 0);
	}
}

int main(void)
{
	map();
	for (uint32_t before = 0; before < 3 * RING; before += 511)
		up(0 - before);
	old_skip();
	window();
	return 0;
}

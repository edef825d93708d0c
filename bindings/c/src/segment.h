/* The memory that a connection shares with the daemon (docs/protocol.md, section 15): a ring each way, and a window
 * on the front of the Ksock's queue. Here is what is done to its words; who sleeps and who rings is for link.c. All
 * accesses are sequentially consistent, because "announce, then look whether somebody sleeps" against "say that one
 * sleeps, then look once more" needs that. Our own positions are not read back from the segment, so what happens to
 * it cannot confuse us. */
#ifndef KB_SEGMENT_H
#define KB_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

struct segment {
	unsigned char *mem; /* NULL: there are no rings */
	size_t         bytes;
	uint32_t       up_bytes, down_bytes, window_bytes, window_slots;
	unsigned char *slots, *up, *down, *window;
};

/* Our own positions. */
struct ring_positions {
	uint64_t tail;    /* of the ring to the bus */
	uint64_t seen;    /* its head, as we last saw it */
	uint64_t began;   /* where we last began again; an older head means this one */
	uint64_t head;    /* of the ring from the bus */
	uint32_t claimed; /* last claim in the window */
};

/* Maps a segment, and checks that it is one. 0 or -errno. */
int  kb_segment_map(struct segment *g, int fd);
void kb_segment_unmap(struct segment *g);

/* Words that sleep and wake is made of. */
uint32_t *kb_up_asleep(const struct segment *g);
uint32_t *kb_up_stranded(const struct segment *g);
uint32_t *kb_down_asleep(const struct segment *g);
uint32_t *kb_down_stranded(const struct segment *g);
uint32_t  kb_load(const uint32_t *word);
void      kb_store(uint32_t *word, uint32_t v);
uint32_t  kb_swap(uint32_t *word, uint32_t v);

/* Copies as much of p as there is room for behind the tail, unannounced. -EPROTO if the head cannot be. */
int64_t kb_ring_append(const struct segment *g, struct ring_positions *at, const void *p, size_t n);
void    kb_ring_announce(const struct segment *g, const struct ring_positions *at);
int     kb_ring_full(const struct segment *g, struct ring_positions *at); /* looks at the head again */

/* How many bytes have come. -EPROTO if that cannot be. */
int64_t kb_ring_available(const struct segment *g, struct ring_positions *at);

/* Copies n bytes that have come and gives their room back. */
void kb_ring_take(const struct segment *g, struct ring_positions *at, void *p, size_t n);

int kb_window_empty(const struct segment *g);
int kb_window_more(const struct segment *g);

/* Claims the first message: 1, 0 if there is none, -EPROTO if it lies where it cannot. Release it before the next. */
int kb_window_claim(const struct segment *g, struct ring_positions *at, const unsigned char **p, size_t *n);

/* Gives its place back. 1 if the daemon must be woken, because somebody waits for the room. */
int kb_window_release(const struct segment *g, const struct ring_positions *at);

#endif

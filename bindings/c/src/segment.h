/* The memory that a connection shares with the daemon (docs/protocol.md, section 15): a ring each way, and a window
 * on the front of the Ksock's queue. Here is what is done to its words; link.c sleeps and rings. All accesses are
 * sequentially consistent, because "announce, then look whether the other side sleeps" against "note the sleep, then
 * look once more" needs that. Our own positions are not read back from the segment, so what happens to it cannot
 * confuse us.
 *
 * All words have 32 bits, because wider ones are not atomic between processes on every machine; so positions are
 * modulo 2^32, counts of messages modulo 2^16, and only differences mean something (internal/ring says why that is
 * enough). */
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

/* How many messages of the window are kept at a time while others are taken. */
enum { MOST_KEPT = 16 };

/* Our own positions. */
struct ring_positions {
	uint32_t      tail;    /* of the ring to the bus */
	uint32_t      seen;    /* its head, as we last saw it */
	uint32_t      head;    /* of the ring from the bus */
	uint32_t      skip;    /* where we last began again, */
	unsigned char skipped; /* if the segment says so */
	unsigned char began;   /* the head has not been seen there yet: an older one means this */
	uint16_t      taken;   /* last message taken from the window */
	uint16_t      keeping; /* how many messages are kept */
	uint16_t      kept[MOST_KEPT]; /* their numbers, the oldest first */
};

/* Maps a segment, and checks that it is one. 0, -errno, or CRAMPED: there are no addresses left for it, as may be on a
 * machine of 32 bits. Then we can still talk through the socket. */
enum { CRAMPED = 1 };
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

/* Takes the first message: 1, 0 if there is none, -EPROTO if it lies where it cannot; IN_ARENA if its data is in the arena.
 * Release it before the next, or keep it. */
enum { IN_ARENA = 2 };
int kb_window_take(const struct segment *g, struct ring_positions *at, const unsigned char **p, size_t *n);

/* Gives its place back. 1 if the daemon must be woken, because a sender waits for the room. */
int kb_window_release(const struct segment *g, const struct ring_positions *at);

/* Keeps the message last taken beyond the next, and gives its number. -1 if too many are kept. It must be released
 * all the same: what the daemon waits for is the taking. */
int kb_window_keep(struct ring_positions *at);

/* Gives the place of a message that was kept back. Nobody waits for that. */
void kb_window_let_go(const struct segment *g, struct ring_positions *at, uint16_t number);

#endif

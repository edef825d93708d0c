#include "line.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gauge.h"

/* Lines as in line.h, both kinds. */

enum { RING_BYTES = 1 << 20 };

/* Both counters only grow; their difference is what is in the ring. A side that is going to sleep says so first and
 * then looks again; the other side writes its counter first and then looks whether somebody sleeps. With both in one
 * total order, which is what plain operations on _Atomic mean, no wake-up is lost. */
struct line {
	int is_ring;
	int socket[2];
	int reader_bell, writer_bell;
	_Alignas(64) _Atomic uint64_t written;
	_Alignas(64) _Atomic uint64_t taken;
	_Alignas(64) _Atomic int reader_sleeps;
	_Alignas(64) _Atomic int writer_sleeps;
	_Alignas(64) char bytes[RING_BYTES];
};

struct line *line_new(int is_ring)
{
	struct line *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l == MAP_FAILED)
		gauge_die("mmap failed");
	l->is_ring = is_ring;
	if (!is_ring) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, l->socket))
			gauge_die("socketpair failed");
		return l;
	}
	l->reader_bell = eventfd(0, 0);
	l->writer_bell = eventfd(0, 0);
	return l;
}

static void sleep_on(int bell)
{
	uint64_t rung;
	if (read(bell, &rung, sizeof rung) < 0)
		gauge_die("eventfd failed");
}

static void wake(_Atomic int *sleeps, int bell)
{
	uint64_t one = 1;
	if (*sleeps && atomic_exchange(sleeps, 0) && write(bell, &one, sizeof one) < 0)
		gauge_die("eventfd failed");
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t ring_room(struct line *l) { return RING_BYTES - (l->written - l->taken); }

static void ring_send(struct line *l, const char *data, size_t size)
{
	while (size > 0) {
		size_t at = l->written % RING_BYTES, enough = least(size, RING_BYTES / 2), room;
		while ((room = ring_room(l)) < enough) {
			l->writer_sleeps = 1;
			if (ring_room(l) >= enough && atomic_exchange(&l->writer_sleeps, 0))
				continue;
			sleep_on(l->writer_bell);
		}
		size_t n = least(least(size, room), RING_BYTES - at);
		memcpy(l->bytes + at, data, n);
		l->written += n;
		data += n;
		size -= n;
	}
	wake(&l->reader_sleeps, l->reader_bell);
}

static size_t ring_receive(struct line *l, void *data, size_t most)
{
	size_t there;
	while ((there = l->written - l->taken) == 0) {
		l->reader_sleeps = 1;
		if (l->written != l->taken && atomic_exchange(&l->reader_sleeps, 0))
			continue;
		sleep_on(l->reader_bell);
	}
	size_t at = l->taken % RING_BYTES, n = least(least(there, most), RING_BYTES - at);
	memcpy(data, l->bytes + at, n);
	l->taken += n;
	if (l->written - l->taken <= RING_BYTES / 2)
		wake(&l->writer_sleeps, l->writer_bell);
	return n;
}

void line_send(struct line *l, const void *data, size_t size)
{
	const char *rest = data;
	if (l->is_ring) {
		ring_send(l, rest, size);
		return;
	}
	while (size > 0) {
		ssize_t n = write(l->socket[0], rest, size);
		if (n < 0)
			gauge_die("write failed");
		rest += n;
		size -= (size_t)n;
	}
}

size_t line_receive(struct line *l, void *data, size_t most)
{
	if (l->is_ring)
		return ring_receive(l, data, most);
	ssize_t n = read(l->socket[1], data, most);
	if (n <= 0)
		gauge_die("read failed");
	return (size_t)n;
}

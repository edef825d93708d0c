#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "late.h"
#include "own.h"

/* Going. The daemon closes first, when it has done all that closing means (R6.7); so a program that comes next finds this
 * Ksock gone. A connection that another process uses too is left to that process. */

enum { FAREWELL_MS = 1000 };

static int parted(int fd, int64_t end)
{
	char trash[4096];
	for (;;) {
		const int     left = end ? kb_left_until(end) : -1;
		struct pollfd p = {fd, POLLIN, 0};
		const int     n = poll(&p, 1, left);
		ssize_t       got = n > 0 ? recv(fd, trash, sizeof trash, MSG_DONTWAIT) : -1;
		if (got == 0 || (n > 0 && got < 0 && errno != EAGAIN && errno != EINTR))
			return 1;
		if (n <= 0 && left == 0)
			return 0;
	}
}

static void farewell(const struct link *l) { (void)parted(l->fd, kb_now_ms() + FAREWELL_MS); }

int kb_link_parted(const struct link *l) { return parted(l->fd, l->deadline); }

int kb_link_own(const struct link *l)
{
	return l->shared && l->shared->owner == getpid() && !__atomic_load_n(&l->shared->others, __ATOMIC_RELAXED);
}

void kb_link_shut(const struct link *l)
{
	sigset_t signals;
	kb_hold_forks(&signals);
	if (l->opening) /* there is nothing yet that the daemon must hear of in order */
		shutdown(l->fd, SHUT_RDWR);
	else if (kb_link_own(l))
		shutdown(l->fd, SHUT_WR);
	kb_let_forks(&signals);
}

void kb_link_stop(const struct link *l)
{
	sigset_t signals;
	kb_hold_forks(&signals);
	shutdown(l->fd, SHUT_RDWR);
	kb_let_forks(&signals);
}

void kb_link_farewell(const struct link *l)
{
	if (!kb_link_own(l))
		return;
	farewell(l);
	shutdown(l->fd, SHUT_RDWR);
}

static void cut_off(const void *memory, size_t bytes, int access)
{
	if (memory)
		(void)!mmap((void *)(uintptr_t)memory, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void kb_close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static void close_descriptors(struct link *l)
{
	kb_close_all(&l->fd, 1);
	kb_close_all(&l->bell, 1);
	kb_close_all(&l->own_bell, 1);
	kb_close_all(&l->edge, 1);
	kb_close_all(l->brought, BROUGHT);
}

void kb_link_cut(struct link *l)
{
	close_descriptors(l);
	cut_off(l->seg.mem, l->seg.bytes, PROT_READ | PROT_WRITE);
	cut_off(l->arena.mem, l->arena.bytes, PROT_READ);
	cut_off(l->shared, sizeof *l->shared, PROT_READ | PROT_WRITE);
	l->gone = 1;
}

void kb_link_init(struct link *l)
{
	memset(l, 0, sizeof *l);
	l->fd = l->bell = l->own_bell = l->edge = -1;
	for (int i = 0; i < BROUGHT; i++)
		l->brought[i] = -1;
}

/* With forks held. */
static void end(struct link *l)
{
	close_descriptors(l);
	kb_disown(l);
	kb_segment_unmap(&l->seg);
	kb_arena_unmap(&l->arena);
	if (l->shared)
		munmap(l->shared, sizeof *l->shared);
	kb_asked_free(&l->asked);
	kb_late_free(&l->late);
	free(l->in);
	free(l->rest);
	free(l->posts.buf);
	kb_link_init(l);
}

void kb_link_close(struct link *l, int orderly)
{
	sigset_t signals;
	if (orderly && kb_link_own(l) && shutdown(l->fd, SHUT_WR) == 0)
		farewell(l);
	kb_hold_forks(&signals);
	end(l);
	kb_let_forks(&signals);
}

void kb_link_move(struct link *to, struct link *from)
{
	sigset_t signals;
	kb_hold_forks(&signals);
	end(to);
	kb_disown(from);
	*to = *from;
	kb_own(to, kb_link_cut);
	kb_link_init(from);
	kb_let_forks(&signals);
}

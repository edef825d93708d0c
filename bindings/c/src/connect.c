#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "bell.h"
#include "late.h"

/* Coming and going. The first frame is Hello, and its result brings the descriptors of the rings, if they are
 * granted. */

enum { PATIENCE_MS = 5000, FAREWELL_MS = 1000 };

/* How long writing to a socket, and connecting it, may take; -1: for ever. */
static void limit(int fd, int ms)
{
	const struct timeval t = {ms > 0 ? ms / 1000 : 0, ms > 0 ? ms % 1000 * 1000 : 0};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

/* When connecting must be done: the deadline, if that is sooner than patience lasts. */
static int64_t end_of(int64_t deadline)
{
	const int64_t end = kb_now_ms() + PATIENCE_MS;
	return deadline && deadline < end ? deadline : end;
}

static int left_until(int64_t end)
{
	const int64_t left = end - kb_now_ms();
	return left > 0 ? (int)left : 0;
}

/* A signal does not make the time longer. */
static int dial(const char *path, int64_t end)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int n, left;
	do {
		left = left_until(end);
		limit(fd, left);
		n = left > 0 ? connect(fd, (const struct sockaddr *)&a, sizeof a) : -1;
	} while (n < 0 && left > 0 && errno == EINTR);
	if (n == 0)
		return fd;
	n = left > 0 ? errno : EAGAIN;
	close(fd);
	if (n == EAGAIN) /* the daemon does not accept it */
		return -ETIMEDOUT;
	return n == ECONNREFUSED || n == ENOTDIR ? -ENOENT : -n;
}

/* The descriptors that come with rings: those that have not come are -1. */
enum { SEGMENT, BELL, ARENA, OWN_BELL, RIGHTS };

/* Receives, and with the first bytes the descriptors. */
static ssize_t receive(int fd, void *p, size_t n, int rights[RIGHTS])
{
	union {
		struct cmsghdr head;
		char           bytes[CMSG_SPACE(RIGHTS * sizeof(int))];
	} control;
	struct iovec  part = {p, n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t       got;
	do
		got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	for (struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len <= CMSG_LEN(RIGHTS * sizeof(int)))
			memcpy(rights, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return got;
}

static int receive_all(int fd, unsigned char *p, size_t n, int rights[RIGHTS], int64_t end)
{
	while (n > 0) {
		struct pollfd f = {fd, POLLIN, 0};
		int           left = left_until(end);
		if (left == 0)
			return -ETIMEDOUT;
		if (poll(&f, 1, left) <= 0)
			continue;
		ssize_t got = receive(fd, p, n, rights);
		if (got <= 0)
			return -ENOTCONN;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int hello(struct link *l, uint32_t features, uint32_t *granted, int rights[RIGHTS], int64_t end)
{
	unsigned char p[FRAME_BYTES + 256] = {0};
	struct frame  f = {.bytes = 12, .op = OP_HELLO, .seq = 1, .arg = l->mode};
	kb_put_frame(p, &f);
	memcpy(p + FRAME_BYTES, "KBUS", 4);
	kb_put16(p + FRAME_BYTES + 4, 1);
	kb_put16(p + FRAME_BYTES + 6, 1);
	kb_put32(p + FRAME_BYTES + 8, features);
	(void)!send(l->fd, p, FRAME_BYTES + 12, MSG_NOSIGNAL); /* a refusal may be there already, though this fails */
	int err = receive_all(l->fd, p, FRAME_BYTES, rights, end);
	if (err)
		return err;
	kb_get_frame(p, &f);
	if (f.op != OP_HELLO || f.bytes > 4096)
		return -EPROTO;
	size_t kept = f.bytes < 256 ? f.bytes : 256;
	err = receive_all(l->fd, p, kept, rights, end);
	for (uint32_t left = f.bytes - (uint32_t)kept; err == 0 && left > 0; left--) {
		unsigned char more;
		err = receive_all(l->fd, &more, 1, rights, end);
	}
	if (err)
		return err;
	if (f.condition)
		return -kb_errno(f.condition);
	if (kept < 16 || kb_get16(p) != 1)
		return -EPROTO;
	l->id = f.arg;
	l->bus = kb_get32(p + 4);
	*granted = l->granted = kb_get32(p + 8);
	l->most = kb_get32(p + 12);
	return 0;
}

static struct shared *share(void)
{
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK); /* a signal handler may find it locked by its own thread */
	pthread_mutex_init(&s->lock, &a);
	pthread_mutexattr_destroy(&a);
	s->owner = getpid();
	s->seq = 1; /* the Hello */
	return s;
}

/* What the daemon has granted, when the Hello has been answered. CRAMPED if there are no addresses or no descriptors left
 * for it. */
static int take_up(struct link *l, uint32_t granted, const int rights[RIGHTS])
{
	const int socket = (granted & FEATURE_SOCKET_BELL) != 0, arena = (granted & FEATURE_ARENA) != 0;
	if (!(granted & FEATURE_RINGS))
		return 0;
	if (rights[socket ? (arena ? ARENA : BELL) : OWN_BELL] < 0)
		return CRAMPED;
	int err = kb_segment_map(&l->seg, rights[SEGMENT]);
	if (err == 0 && arena)
		err = kb_arena_map(&l->arena, rights[ARENA]);
	return err || socket ? err : kb_light(l, EPOLL_CTL_ADD, 0);
}

static int open_with(struct link *l, const char *path, uint32_t mode, uint32_t features, int64_t end)
{
	int      rights[RIGHTS] = {-1, -1, -1, -1};
	uint32_t granted = 0;
	memset(l, 0, sizeof *l);
	l->bell = l->own_bell = l->edge = -1;
	l->mode = mode;
	l->fd = dial(path, end);
	if (l->fd < 0)
		return l->fd;
	l->shared = share();
	int err = l->shared ? hello(l, features, &granted, rights, end) : -ENOMEM;
	if (!(granted & FEATURE_ARENA) && rights[OWN_BELL] < 0) { /* then the third is the last */
		rights[OWN_BELL] = rights[ARENA];
		rights[ARENA] = -1;
	}
	l->bell = rights[BELL];
	l->own_bell = rights[OWN_BELL];
	if (err == 0)
		err = take_up(l, granted, rights);
	if (rights[SEGMENT] >= 0)
		close(rights[SEGMENT]);
	if (rights[ARENA] >= 0)
		close(rights[ARENA]);
	if (err)
		kb_link_close(l, 0);
	else
		limit(l->fd, -1);
	return err;
}

int kb_link_open(struct link *l, const char *path, uint32_t mode, uint32_t features, int64_t deadline)
{
	const uint32_t alone = features & ~(uint32_t)(FEATURE_RINGS | FEATURE_ARENA | FEATURE_SOCKET_BELL);
	const int64_t  end = end_of(deadline);
	int            err = open_with(l, path, mode, mode == 0 ? alone : features, end);
	if (err == CRAMPED && features & FEATURE_ARENA) /* which is by far the largest */
		err = open_with(l, path, mode, features & ~(uint32_t)FEATURE_ARENA, end);
	return err == CRAMPED ? open_with(l, path, mode, alone, end) : err;
}

/* The daemon closes first, when it has done all that closing means (R6.7); so a program that comes next finds this
 * Ksock gone. A connection that another process uses too is left to that process. */
static int parted(int fd, int64_t end)
{
	char trash[4096];
	for (;;) {
		const int     left = end ? left_until(end) : -1;
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
	if (kb_link_own(l))
		shutdown(l->fd, SHUT_WR);
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

void kb_link_cut(struct link *l)
{
	int *fds[] = {&l->fd, &l->bell, &l->own_bell, &l->edge};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	cut_off(l->seg.mem, l->seg.bytes, PROT_READ | PROT_WRITE);
	cut_off(l->arena.mem, l->arena.bytes, PROT_READ);
	cut_off(l->shared, sizeof *l->shared, PROT_READ | PROT_WRITE);
	l->gone = 1;
}

void kb_link_close(struct link *l, int orderly)
{
	if (orderly && kb_link_own(l) && shutdown(l->fd, SHUT_WR) == 0)
		farewell(l);
	const int fds[] = {l->fd, l->bell, l->own_bell, l->edge};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	kb_segment_unmap(&l->seg);
	kb_arena_unmap(&l->arena);
	if (l->shared)
		munmap(l->shared, sizeof *l->shared);
	kb_asked_free(&l->asked);
	kb_late_free(&l->late);
	free(l->in);
	free(l->rest);
	free(l->posts.buf);
	memset(l, 0, sizeof *l);
	l->fd = l->bell = l->own_bell = l->edge = -1;
}

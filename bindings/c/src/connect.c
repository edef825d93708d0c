#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "bell.h"
#include "own.h"

/* Coming. The first frame is Hello, and its result brings the descriptors of the rings, if they are granted.
 *
 * Another thread may fork or close the handle at any moment of it. So whatever the link has is noted in the link in the same
 * step, with forks held, and who closes the handle ends the socket that is there by then, or keeps us from making one. */

enum { PATIENCE_MS = 5000, TURN_MS = 100 };

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

static int is_given_up(const int *given_up) { return given_up && __atomic_load_n(given_up, __ATOMIC_SEQ_CST); }

int kb_check_path(const char *path)
{
	const struct sockaddr_un a = {0};
	if (*path == '@') /* an abstract socket has no directory, and no permissions */
		return -EINVAL;
	return strlen(path) < sizeof a.sun_path ? 0 : -ENAMETOOLONG;
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

/* Gives the link its socket. */
static int begin(struct link *l, const int *given_up)
{
	sigset_t signals;
	int      err = 0;
	kb_hold_forks(&signals);
	kb_own(l, kb_link_cut);
	l->opening = 1;
	if (is_given_up(given_up))
		err = -EBADF;
	else if ((l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		err = -errno;
	else if (!(l->shared = share()))
		err = -ENOMEM;
	kb_let_forks(&signals);
	return err;
}

/* Connects. While the daemon has too many others to accept, nothing but the kernel's own waiting tells when there is room, and
 * nothing but the end of it lets us go; so it has turns. A signal does not make the time longer. */
static int dial(const struct link *l, const char *path, int64_t end, const int *given_up)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int                n = EAGAIN, left;
	strcpy(a.sun_path, path);
	while ((n == EAGAIN || n == EINTR) && (left = kb_left_until(end)) > 0) {
		if (is_given_up(given_up))
			return -EBADF;
		limit(l->fd, left < TURN_MS ? left : TURN_MS);
		n = connect(l->fd, (const struct sockaddr *)&a, sizeof a) < 0 ? errno : 0;
	}
	if (n == EAGAIN || n == EINTR) /* the daemon does not accept it */
		return -ETIMEDOUT;
	return n == ECONNREFUSED || n == ENOTDIR ? -ENOENT : -n;
}

/* The descriptors that come with rings: those that have not come are -1. */
enum { SEGMENT, BELL, ARENA, OWN_BELL };

/* Receives what is there, and with the first bytes the descriptors. How many bytes, or -errno. */
static ssize_t receive(struct link *l, void *p, size_t n)
{
	union {
		struct cmsghdr head;
		char           bytes[CMSG_SPACE(sizeof l->brought)];
	} control;
	struct iovec  part = {p, n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	sigset_t      signals;
	kb_hold_forks(&signals);
	ssize_t got = recvmsg(l->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	for (struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len <= CMSG_LEN(sizeof l->brought)) {
			kb_close_all(l->brought, BROUGHT);
			memcpy(l->brought, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
		}
	if (got < 0)
		got = -errno;
	kb_let_forks(&signals);
	return got;
}

static int receive_all(struct link *l, unsigned char *p, size_t n, int64_t end)
{
	while (n > 0) {
		struct pollfd f = {l->fd, POLLIN, 0};
		int           left = kb_left_until(end);
		if (l->fd < 0) /* this is a child: a signal handler has forked */
			return -EBADF;
		if (left == 0)
			return -ETIMEDOUT;
		if (poll(&f, 1, left) <= 0)
			continue;
		ssize_t got = receive(l, p, n);
		if (got == -EAGAIN || got == -EINTR)
			continue;
		if (got <= 0)
			return -ENOTCONN;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int hello(struct link *l, uint32_t features, int64_t end)
{
	unsigned char p[FRAME_BYTES + 256] = {0};
	struct frame  f = {.bytes = 12, .op = OP_HELLO, .seq = 1, .arg = l->mode};
	kb_put_frame(p, &f);
	memcpy(p + FRAME_BYTES, "KBUS", 4);
	kb_put16(p + FRAME_BYTES + 4, 1);
	kb_put16(p + FRAME_BYTES + 6, 1);
	kb_put32(p + FRAME_BYTES + 8, features);
	(void)!send(l->fd, p, FRAME_BYTES + 12, MSG_NOSIGNAL); /* a refusal may be there already, though this fails */
	int err = receive_all(l, p, FRAME_BYTES, end);
	if (err)
		return err;
	kb_get_frame(p, &f);
	if (f.op != OP_HELLO || f.bytes > 4096)
		return -EPROTO;
	size_t kept = f.bytes < 256 ? f.bytes : 256;
	err = receive_all(l, p, kept, end);
	for (uint32_t left = f.bytes - (uint32_t)kept; err == 0 && left > 0; left--) {
		unsigned char more;
		err = receive_all(l, &more, 1, end);
	}
	if (err)
		return err;
	if (f.condition)
		return -kb_errno(f.condition);
	if (kept < 16 || kb_get16(p) != 1)
		return -EPROTO;
	l->id = f.arg;
	l->bus = kb_get32(p + 4);
	l->granted = kb_get32(p + 8);
	l->most = kb_get32(p + 12);
	return 0;
}

/* What the daemon has granted, with forks held. CRAMPED if there are no addresses or no descriptors left for it. */
static int take_up(struct link *l)
{
	const int socket = (l->granted & FEATURE_SOCKET_BELL) != 0, arena = (l->granted & FEATURE_ARENA) != 0;
	int *const brought = l->brought;
	if (!(l->granted & FEATURE_RINGS))
		return 0;
	if (!arena && brought[OWN_BELL] < 0) { /* then the third is the last */
		brought[OWN_BELL] = brought[ARENA];
		brought[ARENA] = -1;
	}
	if (brought[socket ? (arena ? ARENA : BELL) : OWN_BELL] < 0)
		return CRAMPED;
	l->bell = brought[BELL];
	l->own_bell = brought[OWN_BELL];
	brought[BELL] = brought[OWN_BELL] = -1;
	int err = kb_segment_map(&l->seg, brought[SEGMENT]);
	if (err == 0 && arena)
		err = kb_arena_map(&l->arena, brought[ARENA]);
	return err || socket ? err : kb_light(l, EPOLL_CTL_ADD, 0);
}

/* The link is open. */
static int finish(struct link *l)
{
	sigset_t signals;
	kb_hold_forks(&signals);
	const int err = take_up(l);
	kb_close_all(l->brought, BROUGHT);
	l->opening = 0;
	kb_let_forks(&signals);
	limit(l->fd, -1);
	return err;
}

static int open_with(struct link *l, const char *path, uint32_t mode, uint32_t features, int64_t end, const int *given_up)
{
	l->mode = mode;
	int err = kb_check_path(path);
	if (err == 0)
		err = begin(l, given_up);
	if (err == 0)
		err = dial(l, path, end, given_up);
	if (err == 0)
		err = hello(l, features, end);
	if (err == 0)
		err = finish(l);
	if (err)
		kb_link_close(l, 0);
	return err;
}

int kb_link_open(struct link *l, const char *path, uint32_t mode, uint32_t features, int64_t deadline, const int *given_up)
{
	const uint32_t alone = features & ~(uint32_t)(FEATURE_RINGS | FEATURE_ARENA | FEATURE_SOCKET_BELL);
	const int64_t  end = end_of(deadline);
	int            err = open_with(l, path, mode, mode == 0 ? alone : features, end, given_up);
	if (err == CRAMPED && features & FEATURE_ARENA) /* which is by far the largest */
		err = open_with(l, path, mode, features & ~(uint32_t)FEATURE_ARENA, end, given_up);
	return err == CRAMPED ? open_with(l, path, mode, alone, end, given_up) : err;
}

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "link.h"

/* Coming and going. The first frame is Hello, and its result brings the descriptors of the rings, if they are
 * granted. */

enum { PATIENCE_S = 5, FAREWELL_MS = 1000 };

static void limit(int fd, int seconds)
{
	const struct timeval t = {seconds, 0};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static int dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	limit(fd, PATIENCE_S);
	int n;
	do
		n = connect(fd, (const struct sockaddr *)&a, sizeof a);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return fd;
	n = errno;
	close(fd);
	return n == ECONNREFUSED || n == ENOTDIR ? -ENOENT : -n;
}

/* Receives, and with the first bytes up to two descriptors. */
static ssize_t receive(int fd, void *p, size_t n, int rights[2])
{
	union {
		struct cmsghdr head;
		char           bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec  part = {p, n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t       got;
	do
		got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	for (struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(2 * sizeof(int)))
			memcpy(rights, CMSG_DATA(c), 2 * sizeof(int));
	return got;
}

static int receive_all(int fd, unsigned char *p, size_t n, int rights[2])
{
	while (n > 0) {
		ssize_t got = receive(fd, p, n, rights);
		if (got <= 0)
			return got < 0 && errno == EAGAIN ? -ETIMEDOUT : -ENOTCONN;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int hello(struct link *l, int rings, uint32_t *granted, int rights[2])
{
	unsigned char p[FRAME_BYTES + 256] = {0};
	struct frame  f = {.bytes = 12, .op = OP_HELLO, .seq = 1, .arg = l->mode};
	kb_put_frame(p, &f);
	memcpy(p + FRAME_BYTES, "KBUS", 4);
	kb_put16(p + FRAME_BYTES + 4, 1);
	kb_put16(p + FRAME_BYTES + 6, 1);
	kb_put32(p + FRAME_BYTES + 8, rings ? FEATURE_RINGS : 0);
	(void)!send(l->fd, p, FRAME_BYTES + 12, MSG_NOSIGNAL); /* a refusal may be there already, though this fails */
	int err = receive_all(l->fd, p, FRAME_BYTES, rights);
	if (err)
		return err;
	kb_get_frame(p, &f);
	if (f.op != OP_HELLO || f.bytes > 4096)
		return -EPROTO;
	size_t kept = f.bytes < 256 ? f.bytes : 256;
	err = receive_all(l->fd, p, kept, rights);
	for (uint32_t left = f.bytes - (uint32_t)kept; err == 0 && left > 0; left--) {
		unsigned char more;
		err = receive_all(l->fd, &more, 1, rights);
	}
	if (err)
		return err;
	if (f.condition)
		return -kb_errno(f.condition);
	if (kept < 16 || kb_get16(p) != 1)
		return -EPROTO;
	l->id = f.arg;
	l->bus = kb_get32(p + 4);
	*granted = kb_get32(p + 8);
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
	pthread_mutex_init(&s->lock, &a);
	pthread_mutexattr_destroy(&a);
	s->owner = getpid();
	s->seq = 1; /* the Hello */
	return s;
}

int kb_link_open(struct link *l, const char *path, uint32_t mode, int rings)
{
	int      rights[2] = {-1, -1};
	uint32_t granted = 0;
	memset(l, 0, sizeof *l);
	l->bell = l->edge = -1;
	l->mode = mode;
	l->fd = dial(path);
	if (l->fd < 0)
		return l->fd;
	l->shared = share();
	int err = l->shared ? hello(l, rings && mode, &granted, rights) : -ENOMEM;
	if (err == 0 && granted) {
		err = granted != FEATURE_RINGS || rights[0] < 0 ? -EPROTO : kb_segment_map(&l->seg, rights[0]);
		l->bell = rights[1];
	} else if (rights[1] >= 0) {
		close(rights[1]);
	}
	if (rights[0] >= 0)
		close(rights[0]);
	if (err)
		kb_link_close(l, 0);
	else
		limit(l->fd, 0);
	return err;
}

/* The daemon closes first, when it has done all that closing means (R6.7); so whoever comes next finds us gone. A
 * connection that another process uses too is left to it. */
static void farewell(const struct link *l)
{
	char trash[4096];
	if (shutdown(l->fd, SHUT_WR) < 0)
		return;
	int64_t began = kb_now_ms();
	for (int left = FAREWELL_MS; left > 0; left = kb_left_ms(began, FAREWELL_MS)) {
		struct pollfd p = {l->fd, POLLIN, 0};
		if (poll(&p, 1, left) > 0 && recv(l->fd, trash, sizeof trash, MSG_DONTWAIT) == 0)
			return;
	}
}

void kb_link_close(struct link *l, int orderly)
{
	if (orderly && !l->gone && l->shared->owner == getpid() && !l->shared->others)
		farewell(l);
	const int fds[] = {l->fd, l->bell, l->edge};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	kb_segment_unmap(&l->seg);
	if (l->shared)
		munmap(l->shared, sizeof *l->shared);
	kb_asked_free(&l->asked);
	free(l->in);
	free(l->posts.buf);
	memset(l, 0, sizeof *l);
	l->fd = l->bell = l->edge = -1;
}

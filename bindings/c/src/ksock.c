#include "ksock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>

#include "own.h"

/* Opening and closing, and the table from descriptors to Ksocks. The table has two levels, of which the second is
 * never freed, so that looking up needs no lock.
 *
 * One thread may close a Ksock while others are in it. So its place in the table counts the threads inside, and the
 * last one to leave frees it; only then is the descriptor closed, and its number free for another. Threads that wait
 * in it wake, because closing tells the daemon, which ends the connection. Forks and signals are kept off while the table
 * changes (own.h): a child has the table, too, and a handler may open and close. */

enum { CHUNK = 1024, CHUNKS = 1024, PATIENCE_S = 1 };

struct holder {
	struct ksock *k;
	struct ksock *dying;   /* closed, and not yet left by everybody */
	uint32_t      closing; /* how many those are */
	uint32_t      users;   /* how many are in any of them */
};

static struct holder    *table[CHUNKS];
static pthread_once_t   once = PTHREAD_ONCE_INIT;
static int              forked; /* this process is a child of one that has opened Ksocks */

/* A child has one thread, and no other is in anything. */
static void note_fork(void)
{
	forked = 1;
	for (int i = 0; i < CHUNKS; i++)
		for (int j = 0; table[i] && j < CHUNK; j++)
			table[i][j].users = 0;
}

static void watch_forks(void) { kb_when_forked(note_fork); }

static struct holder *holder_of(kbus_ksock_t fd)
{
	if (fd < 0 || fd >= CHUNK * CHUNKS)
		return NULL;
	struct holder *chunk = __atomic_load_n(&table[fd / CHUNK], __ATOMIC_ACQUIRE);
	return chunk ? &chunk[fd % CHUNK] : NULL;
}

static void kb_ksock_free(struct ksock *k, int orderly)
{
	kb_link_close(&k->link, orderly);
	free(k->kept);
	free(k);
}

static struct ksock *hold(struct holder *at)
{
	__atomic_add_fetch(&at->users, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&at->k, __ATOMIC_SEQ_CST);
}

/* Frees a closed Ksock when no thread is in it. A thread that comes now finds an open one, which is never freed
 * here. */
static void bury(struct holder *at)
{
	const int     cancel = kb_hold_cancel();
	struct ksock *dead = NULL;
	sigset_t      before;
	kb_hold_forks(&before);
	if (__atomic_load_n(&at->users, __ATOMIC_SEQ_CST) == 0) {
		dead = at->dying;
		at->dying = NULL;
	}
	kb_let_forks(&before);
	for (struct ksock *next; dead; dead = next) {
		next = dead->next;
		kb_ksock_free(dead, 0);
		__atomic_sub_fetch(&at->closing, 1, __ATOMIC_SEQ_CST);
	}
	kb_let_cancel(cancel);
}

static void drop(struct holder *at)
{
	uint32_t users = __atomic_load_n(&at->users, __ATOMIC_SEQ_CST);
	while (users > 0 && !__atomic_compare_exchange_n(&at->users, &users, users - 1, 0, __ATOMIC_SEQ_CST,
	                                                 __ATOMIC_SEQ_CST))
		;
	if (users <= 1 && __atomic_load_n(&at->closing, __ATOMIC_SEQ_CST) > 0)
		bury(at);
}

static int closed(const struct ksock *k) { return __atomic_load_n(&k->closing, __ATOMIC_SEQ_CST); }

/* Locks a Ksock that we hold. If that cannot be, it is left: -EDEADLK for a signal handler that has interrupted its use,
 * -EBADF if it has been closed. Until it is unlocked the thread is not cancelled. */
static int lock(struct ksock *k)
{
	const int      cancel = kb_hold_cancel();
	struct shared *s = k->link.shared;
	int            err = pthread_mutex_lock(&s->lock);
	if (err == EOWNERDEAD) { /* a process was killed in the middle of something */
		pthread_mutex_consistent(&s->lock);
		kb_lose(&k->link);
		err = 0;
	}
	if (err == 0 && closed(k)) {
		pthread_mutex_unlock(&s->lock);
		err = EBADF;
	}
	if (err) {
		drop(holder_of(k->number));
		kb_let_cancel(cancel);
		return -err;
	}
	k->cancel = cancel;
	if (forked && !s->others && s->owner != getpid())
		__atomic_store_n(&s->others, 1, __ATOMIC_RELAXED);
	return 0;
}

struct ksock *kb_enter(kbus_ksock_t *fd)
{
	struct holder *at = holder_of(*fd);
	if (*fd < 0)
		*fd = -EBADF;
	if (!at)
		return NULL;
	struct ksock *k = __atomic_load_n(&at->k, __ATOMIC_SEQ_CST) || __atomic_load_n(&at->closing, __ATOMIC_SEQ_CST)
	                      ? hold(at)
	                      : NULL;
	if (k) {
		int err = lock(k);
		if (err == 0)
			return k;
		*fd = err;
	} else if (__atomic_load_n(&at->closing, __ATOMIC_SEQ_CST)) {
		*fd = -EBADF;
		drop(at);
	}
	return NULL;
}

int kb_leave(struct ksock *k, int result, int looked)
{
	const int cancel = k->cancel;
	if (!closed(k))
		kb_sync(&k->link, looked);
	if (closed(k) && result == -ENOTCONN)
		result = -EBADF;
	pthread_mutex_unlock(&k->link.shared->lock);
	drop(holder_of(k->number));
	kb_let_cancel(cancel);
	return result;
}

int kb_leave_to_wait(struct ksock *k)
{
	const int      cancel = k->cancel;
	struct shared *s = k->link.shared;
	uint32_t       waits = s->wait_sent;
	kb_sync(&k->link, 1);
	int came = waits && (s->wait_sent != waits || (k->link.seg.mem && kb_ring_available(&k->link.seg, &s->at) != 0));
	pthread_mutex_unlock(&s->lock);
	kb_let_cancel(cancel);
	return came;
}

int kb_come_back(struct ksock *k) { return lock(k); }

void kb_abandon(void *k) { drop(holder_of(((struct ksock *)k)->number)); }

/* Makes k known by its descriptor, so that a child shares it, and forgets whatever was known by it before, because the program has closed its
 * descriptor by itself, so that the number is another's now. k may be NULL. */
static int know(kbus_ksock_t fd, struct ksock *k)
{
	sigset_t signals;
	int      err = fd >= CHUNK * CHUNKS ? -EMFILE : 0;
	pthread_once(&once, watch_forks);
	kb_hold_forks(&signals);
	if (err == 0 && !table[fd / CHUNK] && k) {
		struct holder *chunk = calloc(CHUNK, sizeof *chunk);
		if (chunk)
			__atomic_store_n(&table[fd / CHUNK], chunk, __ATOMIC_RELEASE);
		else
			err = -ENOMEM;
	}
	if (err == 0 && k)
		kb_disown(&k->link);
	struct holder *at = err ? NULL : holder_of(fd);
	struct ksock *stale = at ? __atomic_exchange_n(&at->k, k, __ATOMIC_SEQ_CST) : NULL;
	if (stale) {
		__atomic_add_fetch(&at->users, 1, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&at->closing, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&stale->closing, 1, __ATOMIC_SEQ_CST);
		stale->link.fd = -1;
		stale->next = at->dying;
		at->dying = stale;
	}
	kb_let_forks(&signals);
	if (stale)
		drop(at);
	return err;
}

/* Forgets the Ksock of a place that we hold, and returns it. */
static struct ksock *forget(struct holder *at)
{
	sigset_t signals;
	kb_hold_forks(&signals);
	struct ksock *k = at->k;
	if (k) {
		__atomic_add_fetch(&at->closing, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&k->closing, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&at->k, NULL, __ATOMIC_SEQ_CST);
		k->next = at->dying;
		at->dying = k;
	}
	kb_let_forks(&signals);
	return k;
}

/* Waits until the threads in a Ksock that was shut have noticed. Not for its own thread, if this is a signal
 * handler; nor for ever, if the daemon stands still. */
static int quiet(struct ksock *k)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += PATIENCE_S;
	int err = pthread_mutex_timedlock(&k->link.shared->lock, &t);
	if (err == EOWNERDEAD)
		pthread_mutex_consistent(&k->link.shared->lock);
	return err == 0 || err == EOWNERDEAD;
}

static int close_ksock(kbus_ksock_t ksock)
{
	struct holder *at = holder_of(ksock);
	if (at) {
		hold(at);
		struct ksock *k = forget(at);
		const int     closing = __atomic_load_n(&at->closing, __ATOMIC_SEQ_CST) != 0;
		if (k) {
			kb_link_shut(&k->link);
			if (quiet(k)) {
				kb_link_farewell(&k->link);
				pthread_mutex_unlock(&k->link.shared->lock);
			} else if (kb_link_own(&k->link)) {
				shutdown(k->link.fd, SHUT_RDWR);
			}
		}
		drop(at);
		if (k || closing)
			return k ? 0 : -EBADF;
	}
	return close(ksock) < 0 ? -errno : 0;
}

int kbus_ksock_close(kbus_ksock_t ksock)
{
	const int cancel = kb_hold_cancel();
	const int err = close_ksock(ksock);
	kb_let_cancel(cancel);
	return err;
}

static kbus_ksock_t open_ksock(const char *path, int flags)
{
	static const uint32_t modes[] = {[O_RDONLY] = 1, [O_WRONLY] = 2, [O_RDWR] = 3};
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	struct ksock *k = calloc(1, sizeof *k);
	if (!k)
		return -ENOMEM;
	kb_link_init(&k->link);
	/* Programs poll the socket, so that must be the bell. */
	uint32_t rings = kb_rings_wanted() ? RING_FEATURES | FEATURE_SOCKET_BELL : 0;
	int      err = kb_link_open(&k->link, path, modes[flags & O_ACCMODE], FEATURE_ORIGINAL | rings, 0, NULL);
	if (err) {
		free(k);
		return err;
	}
	const kbus_ksock_t fd = k->number = k->link.fd;
	err = kb_make_pollable(&k->link);
	if (err == 0)
		err = know(fd, k);
	if (err) {
		kb_ksock_free(k, 1);
		return err;
	}
	return fd;
}

static kbus_ksock_t open_socket(const char *path, int flags)
{
	const int          cancel = kb_hold_cancel();
	const kbus_ksock_t fd = open_ksock(path, flags);
	kb_let_cancel(cancel);
	return fd;
}

static kbus_ksock_t open_device(const char *path, int flags)
{
	int fd = open(path, (flags & O_ACCMODE) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	know(fd, NULL);
	return fd;
}

kbus_ksock_t kbus_ksock_open(uint32_t device, int flags)
{
	char path[sizeof "/dev/kbus4294967295"], socket[4096];
	int  err = kb_socket_path(socket, sizeof socket, device);
	if (err == 0)
		err = open_socket(socket, flags);
	if (err != -ENOENT)
		return err;
	snprintf(path, sizeof path, "/dev/kbus%u", (unsigned)device);
	return open_device(path, flags);
}

kbus_ksock_t kbus_ksock_open_by_name(const char *path, int flags)
{
	struct stat st;
	unsigned    number;
	char        end;
	if (stat(path, &st) == 0)
		return S_ISSOCK(st.st_mode) ? open_socket(path, flags) : open_device(path, flags);
	if (errno != ENOENT)
		return -errno;
	if (sscanf(path, "/dev/kbus%u%c", &number, &end) == 1)
		return kbus_ksock_open(number, flags);
	const int err = kb_check_path(path);
	return err ? err : -ENOENT;
}

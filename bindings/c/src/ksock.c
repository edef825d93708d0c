#include "ksock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening and closing, and the table from descriptors to Ksocks. The table has two levels, of which the second is never
 * freed, so that looking up needs no lock. */

enum { CHUNK = 1024, CHUNKS = 1024 };

static struct ksock   **table[CHUNKS];
static pthread_mutex_t  table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t   once = PTHREAD_ONCE_INIT;
static int              forked; /* this process is a child of one that has opened Ksocks */

static void note_fork(void) { forked = 1; }
static void watch_forks(void) { pthread_atfork(NULL, NULL, note_fork); }

static struct ksock **slot(kbus_ksock_t fd)
{
	if (fd < 0 || fd >= CHUNK * CHUNKS)
		return NULL;
	struct ksock **chunk = __atomic_load_n(&table[fd / CHUNK], __ATOMIC_ACQUIRE);
	return chunk ? &chunk[fd % CHUNK] : NULL;
}

struct ksock *kb_enter(kbus_ksock_t fd)
{
	struct ksock **at = slot(fd), *k = at ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : NULL;
	if (!k)
		return NULL;
	struct shared *s = k->link.shared;
	if (pthread_mutex_lock(&s->lock) == EOWNERDEAD) { /* a process was killed in the middle of something */
		pthread_mutex_consistent(&s->lock);
		kb_lose(&k->link);
	}
	if (forked && !s->others && s->owner != getpid())
		s->others = 1;
	return k;
}

int kb_leave(struct ksock *k, int result, int looked)
{
	kb_settle(&k->link, looked);
	pthread_mutex_unlock(&k->link.shared->lock);
	return result;
}

int kb_leave_to_wait(struct ksock *k)
{
	struct shared *s = k->link.shared;
	uint32_t       waits = s->wait_sent;
	kb_settle(&k->link, 1);
	int came = waits && (s->wait_sent != waits || (k->link.seg.mem && kb_ring_available(&k->link.seg, &s->at) != 0));
	pthread_mutex_unlock(&s->lock);
	return came;
}

int kb_know(kbus_ksock_t fd, struct ksock *k)
{
	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&table_lock);
	int err = fd >= CHUNK * CHUNKS ? -EMFILE : 0;
	if (err == 0 && !table[fd / CHUNK] && k) {
		struct ksock **chunk = calloc(CHUNK, sizeof(struct ksock *));
		if (chunk)
			__atomic_store_n(&table[fd / CHUNK], chunk, __ATOMIC_RELEASE);
		else
			err = -ENOMEM;
	}
	struct ksock **at = err ? NULL : slot(fd), *before = NULL;
	if (at)
		before = __atomic_exchange_n(at, k, __ATOMIC_ACQ_REL);
	pthread_mutex_unlock(&table_lock);
	if (before && before != k) { /* the program has closed its descriptor by itself, so the number is another's now */
		before->link.fd = -1;
		kb_ksock_free(before, 0);
	}
	return err;
}

struct ksock *kb_forget(kbus_ksock_t fd)
{
	struct ksock **at = slot(fd);
	return at ? __atomic_exchange_n(at, NULL, __ATOMIC_ACQ_REL) : NULL;
}

void kb_ksock_free(struct ksock *k, int orderly)
{
	kb_link_close(&k->link, orderly);
	free(k->kept);
	free(k);
}

static kbus_ksock_t open_socket(const char *path, int flags)
{
	static const uint32_t modes[] = {[O_RDONLY] = 1, [O_WRONLY] = 2, [O_RDWR] = 3};
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	struct ksock *k = calloc(1, sizeof *k);
	if (!k)
		return -ENOMEM;
	int err = kb_link_open(&k->link, path, modes[flags & O_ACCMODE], kb_rings_wanted());
	if (err) {
		free(k);
		return err;
	}
	err = kb_make_pollable(&k->link);
	if (err == 0)
		err = kb_know(k->link.fd, k);
	if (err) {
		kb_ksock_free(k, 1);
		return err;
	}
	return k->link.fd;
}

static kbus_ksock_t open_device(const char *path, int flags)
{
	int fd = open(path, (flags & O_ACCMODE) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	kb_know(fd, NULL);
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
	if (errno == ENOENT && sscanf(path, "/dev/kbus%u%c", &number, &end) == 1)
		return kbus_ksock_open(number, flags);
	return -errno;
}

int kbus_ksock_close(kbus_ksock_t ksock)
{
	struct ksock *k = kb_forget(ksock);
	if (!k)
		return close(ksock) < 0 ? -errno : 0;
	kb_ksock_free(k, 1);
	return 0;
}

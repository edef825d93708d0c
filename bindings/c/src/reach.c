#include "reach.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kbus/kbus_defns.h"

/* Whether the memory of a message can be read. The kernel knows, and raises no signal. The cheapest question is a
 * call that reads memory and then finds that something else about it is wrong: rt_sigtimedwait copies its set before
 * it refuses a time that is none. That takes a third of what madvise does, so two or three of them for a message
 * cost little. It reads eight bytes. A piece that has fewer in a page is asked about with madvise, so that nothing
 * is read that does not belong to the message: checkers of memory would complain. So are many pages.
 *
 * madvise can make pages readable, or say that it cannot; a kernel that is older than that (5.14) can read a byte of
 * each page for us. Where none of these is allowed, memory is trusted. */

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* The set that the kernel takes: on MIPS there are 128 signals. */
enum { PAGES_TOGETHER = 64, PAGES_PROBED = 8, SET_BYTES = _NSIG / 8 };

static size_t page_bytes(void)
{
	static size_t bytes;
	size_t        known = __atomic_load_n(&bytes, __ATOMIC_RELAXED);
	if (known == 0) {
		known = (size_t)sysconf(_SC_PAGESIZE);
		__atomic_store_n(&bytes, known, __ATOMIC_RELAXED);
	}
	return known;
}

/* Reads a byte of each page from first to last. */
static int read_pages(uintptr_t first, uintptr_t last)
{
	const size_t page = page_bytes();
	while (first <= last) {
		char         trash[PAGES_TOGETHER];
		struct iovec local = {trash, 0}, remote[PAGES_TOGETHER];
		int          n = 0;
		for (; n < PAGES_TOGETHER && first <= last; n++, first += page) {
			remote[n].iov_base = (void *)first;
			remote[n].iov_len = 1;
			if (first > UINTPTR_MAX - page)
				last = 0;
		}
		local.iov_len = (size_t)n;
		ssize_t got = process_vm_readv(getpid(), &local, 1, remote, (unsigned long)n, 0);
		if (got != n)
			return got < 0 && (errno == EPERM || errno == ENOSYS) ? 0 : -EFAULT;
	}
	return 0;
}

/* Asks for n bytes in that way, as far as it goes. 0 if they are there, -EFAULT, or 1: ask otherwise. */
static int probe(uintptr_t at, size_t n)
{
#ifdef SYS_rt_sigtimedwait
	static const long no_time[2] = {0, -1};
	if (n > PAGES_PROBED * page_bytes())
		return 1;
	while (n > 0) {
		size_t here = page_bytes() - (at & (page_bytes() - 1));
		if (here > n)
			here = n;
		if (here < SET_BYTES || syscall(SYS_rt_sigtimedwait, at, NULL, no_time, SET_BYTES) >= 0)
			return 1;
		if (errno != EINVAL)
			return errno == EFAULT ? -EFAULT : 1;
		at += here;
		n -= here;
	}
	return 0;
#else
	(void)at, (void)n;
	return 1;
#endif
}

int kb_reach(const void *p, size_t n)
{
	const uintptr_t at = (uintptr_t)p, mask = ~(uintptr_t)(page_bytes() - 1);
	if (n == 0)
		return 0;
	if (at > UINTPTR_MAX - (n - 1))
		return -EFAULT;
	const int probed = probe(at, n);
	if (probed <= 0)
		return probed;
	const uintptr_t first = at & mask, last = (at + (n - 1)) & mask;
	if (last - first > UINTPTR_MAX - page_bytes())
		return -EFAULT;
	if (madvise((void *)first, last - first + page_bytes(), MADV_POPULATE_READ) == 0)
		return 0;
	return errno == ENOMEM || errno == EFAULT ? -EFAULT : read_pages(first, last);
}

int kb_fetch(void *to, const void *from, size_t n)
{
	struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};
	ssize_t      got = n > 0 ? process_vm_readv(getpid(), &local, 1, &remote, 1, 0) : 0;
	if (got == (ssize_t)n)
		return 0;
	if (got >= 0 || (errno != EPERM && errno != ENOSYS))
		return -EFAULT;
	memcpy(to, from, n); /* the call is not allowed here */
	return 0;
}

int kb_name_length(const char *name)
{
	const size_t page = page_bytes();
	size_t       n = 0;
	while (n <= KBUS_MAX_NAME_LEN) {
		size_t room = page - ((uintptr_t)(name + n) & (page - 1)), most = KBUS_MAX_NAME_LEN + 1 - n;
		if (room > most)
			room = most;
		if (kb_reach(name + n, 1))
			return -EFAULT;
		size_t more = strnlen(name + n, room);
		n += more;
		if (more < room)
			break;
	}
	return (int)n;
}

#include "device.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kbus/kbus.h"
#include "reach.h"

/* A device: the kernel does everything, and so it is exact for dup, fork and exec, too. */

int kb_ioctl(int fd, unsigned long code, void *argument)
{
	if (fd < 0)
		return fd;
	int n = ioctl(fd, code, argument);
	return n < 0 ? -errno : n;
}

int kb_device_bind(int fd, unsigned long code, const char *name, uint32_t is_replier)
{
	int n = kb_name_length(name);
	if (n < 0)
		return n;
	kbus_bind_request_t r = {is_replier, (uint32_t)n, (char *)(uintptr_t)name};
	return kb_ioctl(fd, code, &r);
}

int kb_device_replier(int fd, const char *name, uint32_t *id)
{
	int n = kb_name_length(name);
	if (n < 0)
		return n;
	kbus_bind_query_t q = {0, (uint32_t)n, (char *)(uintptr_t)name};
	n = kb_ioctl(fd, KBUS_IOC_REPLIER, &q);
	if (n < 0)
		return n;
	*id = q.return_id;
	return 0;
}

int kb_device_write(int fd, const void *p, size_t n)
{
	if (fd < 0)
		return fd;
	do {
		ssize_t wrote = write(fd, p, n);
		if (wrote < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (wrote > 0) {
			p = (const char *)p + wrote;
			n -= (size_t)wrote;
		}
	} while (n > 0);
	return 0;
}

int64_t kb_device_read(int fd, void *p, size_t n)
{
	size_t got = 0;
	if (fd < 0)
		return fd;
	while (got < n) {
		ssize_t more = read(fd, (char *)p + got, n - got);
		if (more == 0)
			break;
		if (more > 0)
			got += (size_t)more;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return (int64_t)got;
}

int kb_device_wait(int fd, int wait_for, int timeout_ms)
{
	struct pollfd p = {fd, 0, 0};
	if (fd < 0)
		return fd;
	if (wait_for & KBUS_KSOCK_READABLE)
		p.events |= POLLIN;
	if (wait_for & KBUS_KSOCK_WRITABLE)
		p.events |= POLLOUT;
	if (poll(&p, 1, timeout_ms) < 0)
		return -errno;
	if (p.revents & POLLNVAL)
		return -EBADF;
	if (p.revents & (POLLERR | POLLHUP) && !(p.revents & (POLLIN | POLLOUT)))
		return -ENOTCONN;
	return (p.revents & POLLIN ? KBUS_KSOCK_READABLE : 0) | (p.revents & POLLOUT ? KBUS_KSOCK_WRITABLE : 0);
}

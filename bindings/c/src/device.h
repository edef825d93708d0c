/* Operations of a Ksock that is a device. All return -errno for failure; a descriptor that is negative is one, and is
 * given back. */
#ifndef KB_DEVICE_H
#define KB_DEVICE_H

#include <stddef.h>
#include <stdint.h>

int     kb_ioctl(int fd, unsigned long code, void *argument);
int     kb_device_bind(int fd, unsigned long code, const char *name, uint32_t is_replier);
int     kb_device_replier(int fd, const char *name, uint32_t *id);
int     kb_device_write(int fd, const void *p, size_t n);
int64_t kb_device_read(int fd, void *p, size_t n); /* how many bytes were read */
int     kb_device_wait(int fd, int wait_for, int timeout_ms);

#endif

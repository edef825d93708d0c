#include "handle.h"

#include <sys/syscall.h>

/* The process behind a message. The daemon knows it from the kernel, since its connect. */

enum { PEER_BYTES = 16, STATE_CONNECTED = 1 };

static int peer(kbus_bus_t *b, uint32_t ksock_id, kbus_bus_peer_t *p)
{
	struct frame f;
	int          err = kb_ask(&b->link, OP_PEER, ksock_id, NULL, 0, &f);
	if (err)
		return err;
	const unsigned char *in = b->link.in;
	if (f.bytes < PEER_BYTES)
		return kb_lose(&b->link);
	memset(p, 0, sizeof *p);
	p->uid = kb_get32(in);
	p->gid = kb_get32(in + 4);
	p->pid = (int32_t)kb_get32(in + 8);
	p->connected = (kb_get32(in + 12) & STATE_CONNECTED) != 0;
	size_t n = f.bytes - PEER_BYTES < sizeof p->program - 1 ? f.bytes - PEER_BYTES : sizeof p->program - 1;
	memcpy(p->program, in + PEER_BYTES, n);
	return 0;
}

int kbus_bus_peer(kbus_bus_t *bus, uint32_t ksock_id, kbus_bus_peer_t *p)
{
	int err = kb_begin(bus);
	return err ? err : kb_end(bus, peer(bus, ksock_id, p));
}

/* A process that still has its connection after we have got the descriptor is the one that we have got. */
int kbus_bus_peer_pidfd(kbus_bus_t *bus, uint32_t ksock_id)
{
	kbus_bus_peer_t p, again;
	int             err = kb_begin(bus);
	if (err)
		return err;
	err = peer(bus, ksock_id, &p);
	if (err)
		return kb_end(bus, err);
#ifdef SYS_pidfd_open
	int fd = (int)syscall(SYS_pidfd_open, p.pid, 0);
	if (fd < 0)
		return kb_end(bus, kb_fail(&bus->link, errno, "the process has ended, or the kernel has no pidfd"));
	err = peer(bus, ksock_id, &again);
	if (err == 0 && !again.connected)
		err = kb_fail(&bus->link, ESRCH, "the sender has closed its Ksock, so its process may be another now");
	if (err)
		close(fd);
	return kb_end(bus, err ? err : fd);
#else
	(void)again;
	return kb_end(bus, kb_fail(&bus->link, ENOSYS, "this system has no pidfd"));
#endif
}

int kbus_bus_missed(kbus_bus_t *bus, uint64_t *total)
{
	struct frame f;
	int          err = kb_begin(bus);
	if (err)
		return err;
	err = kb_ask(&bus->link, OP_MISSED, 0, NULL, 0, &f);
	if (err == 0 && f.bytes >= 8)
		*total = kb_get32(bus->link.in) | (uint64_t)kb_get32(bus->link.in + 4) << 32;
	return kb_end(bus, err);
}

#include "bell.h"

#include <errno.h>
#include <sys/epoll.h>

/* Ringing, hearing, and saying that one sleeps. No request is sent here: what needs one is in ready.c, which stands on the
 * stream, which stands on this. */

int kb_poll_fd(const struct link *l) { return l->own_bell >= 0 ? l->own_bell : l->fd; }

int kb_light(struct link *l, int op, int on)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | (on ? EPOLLOUT : 0)};
	l->shared->lit = (unsigned char)on;
	return epoll_ctl(l->own_bell, op, l->fd, &e) < 0 ? -errno : 0;
}

int kb_wait_bell(struct link *l, int timeout_ms)
{
	struct epoll_event e[2];
	int                ended = 0;
	if (l->shared->lit)
		kb_light(l, EPOLL_CTL_MOD, 0);
	int n = epoll_wait(l->own_bell, e, 2, timeout_ms);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		ended |= e[i].data.u64 == 0; /* the socket: nothing comes there but the end */
	if (n > ended && kb_load(kb_down_asleep(&l->seg)) == 0)
		l->shared->armed = 0;
	return ended ? -ENOTCONN : n;
}

void kb_note_bell(struct link *l)
{
	if (l->own_bell < 0 && l->shared->armed && kb_load(kb_down_asleep(&l->seg)) == 0) {
		l->shared->armed = 0;
		l->shared->bells++;
	}
}

void kb_arm(struct link *l)
{
	kb_note_bell(l);
	if (!l->shared->armed) {
		l->shared->armed = 1;
		kb_store(kb_down_asleep(&l->seg), 1);
	}
}

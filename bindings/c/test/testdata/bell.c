/* A bell that can take no more is rung all the same: who watches it sees it each time. Else a program of an emulated machine
 * of the other byte order stands still for ever after some hundred bells. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../src/link.h"
#include "check.h"

int main(void)
{
	const uint64_t     most = UINT64_MAX - 1;
	struct link        l = {.bell = eventfd(0, EFD_NONBLOCK)};
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	int                watch = epoll_create1(0);
	CHECK(epoll_ctl(watch, EPOLL_CTL_ADD, l.bell, &e) == 0);
	CHECK(write(l.bell, &most, sizeof most) == sizeof most);
	EQUAL(epoll_wait(watch, &e, 1, 0), 1);
	for (int i = 0; i < 3; i++) {
		kb_ring_bell(&l);
		EQUAL(epoll_wait(watch, &e, 1, 0), 1);
	}
	return 0;
}

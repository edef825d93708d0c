/* A link is one connection to kbusd, through rings if the daemon grants them, else through the socket. It sends
 * requests and takes results. There is no thread behind it: whoever waits reads.
 *
 * A link is used by one thread of one process at a time. Those that may be used by several (ksock.c) have a lock, and
 * what the users must agree about is in struct shared, which is in memory that forked children share. */
#ifndef KB_LINK_H
#define KB_LINK_H

#include <pthread.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "asked.h"
#include "segment.h"
#include "wire.h"

struct shared {
	pthread_mutex_t       lock;
	struct ring_positions at;
	uint32_t              seq;
	uint32_t              wait_sent;  /* sequence of a WaitSent on its way; 0: none */
	uint32_t              bells;      /* bytes that are in the socket, or on their way into it: see ready.c */
	uint32_t              reading;    /* bytes left of the message that kbus_ksock_next_msg has announced */
	pid_t                 owner;      /* the process that opened it */
	unsigned char         armed;      /* we have said that we sleep, and have not seen that taken back */
	unsigned char         watching;   /* socket only: a WaitReadable is unanswered, or its result lies in the socket */
	unsigned char         sending;    /* a message waits for room, as far as we know */
	unsigned char         others;     /* another process has used it */
};

struct posts {
	uint64_t          posted, done;
	size_t            collected; /* bytes in the ring or in buf that the daemon has not been told of */
	unsigned          unsent;    /* messages among them */
	unsigned char    *buf;       /* socket only */
	size_t            held;
	kbus_bus_totals_t totals;
};

struct link {
	int            fd;   /* the socket; with rings it is the bell that the daemon rings */
	int            bell; /* the daemon's; -1 without rings */
	int            edge; /* epoll of fd, edge-triggered; -1 unless pollable and with rings */
	struct segment seg;
	struct shared *shared;

	uint32_t id, bus, mode, most; /* Ksock id, bus number, mode, absolute maximum message size */
	int      pollable;            /* fd must be readable exactly while a message waits */
	int      gone;                /* the bus is lost */
	int      hung_up;             /* the socket has ended; the ring may have something left */

	unsigned char *in; /* payload of the frame taken last */
	size_t         in_size;

	struct asked  asked;
	kbus_msg_id_t unsent; /* id of a Request that waits for room, as far as we know */
	struct posts  posts;
	char          why[160];
};

/* Connects to the socket at path. rings says whether to ask for them. 0 or -errno. */
int kb_link_open(struct link *l, const char *path, uint32_t mode, int rings);

/* Ends it. orderly waits until the bus has taken note. */
void kb_link_close(struct link *l, int orderly);

/* Sends one request with a sequence of its own, which it gives. 0 or -errno. */
int kb_request(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq);

/* Puts one frame into what is to be sent; kb_push sends it. */
int kb_put(struct link *l, int op, int flags, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq);
int kb_push(struct link *l);

/* Takes the next frame, its payload into l->in. timeout_ms -1: waits for it; 0 does not wait. 1, 0 if there is none, or
 * -errno: -EINTR only if timeout_ms is not -1. */
int kb_take(struct link *l, struct frame *f, int timeout_ms);

/* Takes frames until the result of request seq comes, and deals with all others. */
int kb_result(struct link *l, uint32_t seq, struct frame *f);

/* Deals with a frame that nobody waits for. */
void kb_other(struct link *l, const struct frame *f);

/* Sends a request and takes its result. Its condition as -errno. */
int kb_ask(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, struct frame *f);

/* Waits until something has come from the daemon, at most timeout_ms (-1: for ever), or for no reason. With rings there
 * must not have been anything to see since kb_doze. 1, 0 after the time, -EINTR, or -ENOTCONN at the end. */
int kb_sleep(struct link *l, int timeout_ms);

/* With rings: says that we are about to sleep; and takes it back. */
void kb_doze(struct link *l);
void kb_awake(struct link *l);

/* With rings: wakes the daemon. */
void kb_ring_bell(const struct link *l);

/* The bus is lost. Always -ENOTCONN. */
int kb_lose(struct link *l);

/* Notes why something failed. Always -error. */
int kb_fail(struct link *l, int error, const char *why);

/* Milliseconds of a clock that does not jump, and what is left of a time that began then. */
int64_t kb_now_ms(void);
int     kb_left_ms(int64_t began, int timeout_ms);

/* Where the bus of that number is. 0, or -ENAMETOOLONG. */
int kb_socket_path(char *path, size_t size, uint32_t number);

/* Whether rings are wanted. */
int kb_rings_wanted(void);

/* The size of the largest payload that the daemon takes. */
uint64_t kb_largest(const struct link *l);

#endif

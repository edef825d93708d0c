/* A link is one connection to kbusd, through rings if the daemon grants them, else through the socket. It sends
 * requests and takes results. There is no thread behind it: the thread that waits also reads.
 *
 * A link is used by one thread of one process at a time. Those that may be used by several (ksock.c) have a lock,
 * and what the users must agree about is in struct shared, which is in memory that forked children share. */
#ifndef KB_LINK_H
#define KB_LINK_H

#include <pthread.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "asked.h"
#include "arena.h"
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
	unsigned char         armed;      /* the segment says that we sleep, as far as we know */
	unsigned char         lit;        /* own_bell only: it is made readable, because a message waits */
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

/* What is late (late.h): results that are still to come, and messages that have come and nobody has asked for since. */
struct kept {
	struct kept   *next;
	kbus_bus_msg_t msg; /* name and data are in bytes */
	unsigned char  bytes[];
};

struct lates {
	struct {
		uint32_t seq;
		uint8_t  op, flags;
	}           *list;
	size_t       count, size;
	uint32_t     next; /* sequence of the Next or NextWait among them; 0: none */
	struct kept *first, *last;
};

/* How many descriptors come with rings, at most. */
enum { BROUGHT = 4 };

/* A deadline that is over, for who does not wait. */
enum { AT_ONCE = 1 };

struct link {
	int            fd;       /* the socket; with rings and without own_bell it is the bell that the daemon rings */
	int            bell;     /* the daemon's; -1 without rings */
	int            own_bell; /* an epoll: our bell, and the end of the socket; -1 without either */
	int            edge;     /* epoll of fd, edge-triggered; -1 unless pollable and with rings and without own_bell */
	int            brought[BROUGHT]; /* those that have come with rings, until they are taken up; else -1 */
	struct segment seg;
	struct arena   arena;
	struct shared *shared;

	uint32_t id, bus, mode, most; /* Ksock id, bus number, mode, absolute maximum message size */
	int      pollable;            /* fd must be readable exactly while a message waits */
	uint32_t granted;             /* features */
	int      gone;                /* the bus is lost */
	int      hung_up;             /* the socket has ended; the ring may have something left */

	int64_t deadline;      /* of kb_now_ms: until then the function that runs may wait; 0: for ever; or AT_ONCE */
	int     interruptible; /* and a signal ends its waiting */

	/* A frame that has come in part, or gone in part, when the time was over. The bytes that are here are kept for who
	 * looks next; those that are missing go before anything else. */
	unsigned char  head[FRAME_BYTES];
	uint64_t       got;
	unsigned char *rest;
	size_t         rest_bytes;

	unsigned char *in; /* payload of the frame taken last */
	size_t         in_size;

	struct lates late;
	struct trace sends, found; /* what is sent carries this one; and that came last */

	struct asked  asked;
	kbus_msg_id_t unsent; /* id of a Request that waits for room, as far as we know */
	struct posts  posts;
	char          why[400];

	/* For who holds forks (own.h). */
	void (*cut)(struct link *); /* what a child does with it. Not NULL: it is in the list of this process's links, */
	struct link *next, *before; /* between these */
	int          opening;       /* nobody has heard of it yet */
};

/* Makes it one that has nothing, as kb_link_close leaves it. */
void kb_link_init(struct link *l);

/* Connects such a link to the socket at path, with those features if they are granted, until a deadline (0: none of the caller's). 0 or
 * -errno. When another thread has set *given_up and called kb_link_shut, or in either order, it is over: -EBADF or -ENOTCONN.
 * NULL: nobody does. */
int kb_link_open(struct link *l, const char *path, uint32_t mode, uint32_t features, int64_t deadline, const int *given_up);

/* Whether that can be the path of a daemon's socket: 0, -EINVAL for a name of an abstract one, or -ENAMETOOLONG. */
int kb_check_path(const char *path);

/* Whether no other process uses it. */
int kb_link_own(const struct link *l);

/* Tells the daemon that nothing more will come. It then ends the connection, which wakes every thread that waits for
 * it. */
void kb_link_shut(const struct link *l);

/* Ends the connection without the daemon, for every thread that waits for it. */
void kb_link_stop(const struct link *l);

/* Waits until it has ended one that was shut; 0 if it has not by the deadline. */
int kb_link_parted(const struct link *l);

/* Waits until it has, at most a second; after that no thread waits in any case. */
void kb_link_farewell(const struct link *l);

/* In a child of the process that has opened it: closes the descriptors and cuts the memory off, without a word. */
void kb_link_cut(struct link *l);

/* Ends it. orderly waits until the bus has taken note. */
void kb_link_close(struct link *l, int orderly);

/* Ends one link, and another takes its place. */
void kb_link_move(struct link *to, struct link *from);

/* Closes those that are not -1, which they are then. */
void kb_close_all(int *fds, size_t n);

/* Sends one request with a sequence of its own, which it gives. 0 or -errno. */
int kb_request(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq);

/* Has a request without payload sent behind what is left of another. 0 or -errno. */
int kb_later(struct link *l, int op, uint32_t arg);

/* Puts one frame into what is to be sent; kb_push sends it. -ETIMEDOUT if there was no room for any of it until the
 * deadline: it will not be sent. If there was room for some, the rest follows later, and both say 0. */
int kb_put(struct link *l, int op, int flags, uint32_t arg, const struct iovec *parts, int count, uint32_t *seq);
int kb_push(struct link *l);

/* Takes the next frame, its payload into l->in. If wait is not 0, it waits for it until the deadline. 1, 0 if there is
 * none, or -errno: -EINTR only if the link is interruptible. */
int kb_take(struct link *l, struct frame *f, int wait);

/* Takes frames until the result of request seq comes, and deals with all others. -ETIMEDOUT at the deadline: then
 * note the request with kb_late, which deals with its result. */
int kb_result(struct link *l, uint32_t seq, struct frame *f);

/* Deals with a frame for which no caller waits. */
void kb_other(struct link *l, const struct frame *f);

/* Sends a request and takes its result. Its condition as -errno. */
int kb_ask(struct link *l, int op, uint32_t arg, const struct iovec *parts, int count, struct frame *f);

/* Gives up a waiting request by op, which is GiveUp or Cancel. 0: f is its result after all; -ETIMEDOUT if the daemon does
 * not say so soon, and then it is for kb_late. *op becomes Cancel if the daemon does not know GiveUp. */
int kb_give_up(struct link *l, uint32_t seq, int *op, struct frame *f);

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

/* Notes what a result says that is a failure, in the daemon's words if it has any: -errno, or 0 if it is none. */
int kb_failed(struct link *l, const struct frame *f);

/* Notes why something failed. Always -error. */
int kb_fail(struct link *l, int error, const char *why);

/* Milliseconds of a clock that does not jump; what is left of a time that began then; until an end; and of that until the
 * deadline: -1 if there is none. */
int64_t kb_now_ms(void);
int     kb_left_ms(int64_t began, int timeout_ms);
int     kb_left_until(int64_t end);
int     kb_left(const struct link *l);

/* Sets a deadline so many milliseconds from now; -1: none. */
void kb_limit(struct link *l, int timeout_ms);

/* Moves the deadline, if there is one, so that at least so many milliseconds are left. */
void kb_at_least(struct link *l, int ms);

/* Where the bus of that number is. 0, or -ENAMETOOLONG, also where kb_check_path would not say so. */
int kb_socket_path(char *path, size_t size, uint32_t number);

/* Whether rings are wanted. */
int kb_rings_wanted(void);

/* The size of the largest payload that the daemon takes. */
int kb_too_long(struct link *l, uint64_t bytes); /* fails with EMSGSIZE, and says why */
uint64_t kb_largest(const struct link *l);

#endif

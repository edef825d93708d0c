/* The handle of the modern functions. */
#ifndef KB_HANDLE_H
#define KB_HANDLE_H

#include "ksock.h"
#include "late.h"
#include "loans.h"
#include "remembered.h"

struct kbus_bus {
	/* The thread that uses the handle has the turn. A thread without the turn that closes the handle or replaces
	 * its connection has the door. */
	pthread_mutex_t  turn, door;
	struct kbus_bus *next, *before; /* among all handles that are open; or the next that is free */
	int              open;          /* for the thread that has the door */
	int              closing;       /* it has been closed */
	int              cancel;        /* whether the thread that has the turn could be cancelled before */
	int              orphaned;      /* and the rest is left to the thread that has the turn */

	struct link    link;
	struct link    attempt;    /* the one that is to take its place (reopen.c), or that was given up, */
	int            attempting; /* if there is one; for the thread that has the door too */
	int            patience;  /* of functions without a time limit of their own, milliseconds; -1: for ever */
	int            taken;     /* the message received last lies in the window: what kb_take_shown has said */
	int            again;     /* it is to be received once more: it did not fit */
	kbus_bus_msg_t last;
	unsigned char *held;      /* where it lies otherwise: the buffer that was the link's */
	size_t         held_size;
	struct loans   loans;
	struct remembered remembered;
};

/* A new handle that no program has yet, or NULL. Open its link; then call kb_handle_open, or kb_handle_free if that
 * failed. */
kbus_bus_t *kb_handle_new(void);
void        kb_handle_open(kbus_bus_t *b);
void        kb_handle_free(kbus_bus_t *b);

/* Takes the turn; what is done then may wait so long. 0, -ETIMEDOUT, -EDEADLK for a signal handler that has interrupted
 * its own thread's turn, or -EBADF. */
int kb_turn(kbus_bus_t *b, int timeout_ms);

/* The same for a function that has no time limit of its own, and none of whose business can be done when the bus is lost:
 * -ENOTCONN. */
int kb_begin(kbus_bus_t *b);

/* Gives the turn back, and returns result. kb_end sees to the descriptor first. */
int kb_leave_turn(kbus_bus_t *b, int result);
int kb_end(kbus_bus_t *b, int result);

/* For reopen.c, with the turn: there is an attempt from now on, whose link can be opened; there is none any more; and it takes the
 * place of the handle's own. */
void kb_begin_attempt(kbus_bus_t *b);
void kb_drop_attempt(kbus_bus_t *b);
void kb_use_attempt(kbus_bus_t *b);

/* Puts a message into what is to be sent. 0 or -errno; nothing is put then. */
int kb_put_bus_msg(struct link *l, int op, int flags, const kbus_bus_msg_t *msg, uint32_t *seq);

/* Keeps the message in l->in until the next call that receives. */
void kb_hold(kbus_bus_t *b, const kbus_bus_msg_t *m);

/* For whoever has the turn: receives a message, as kbus_bus_receive; and gives the turn back then. Who was told that there
 * is none finds the descriptor saying the same. */
int kb_receive(kbus_bus_t *b, kbus_bus_msg_t *m, int timeout_ms);
int kb_end_receive(kbus_bus_t *b, int n);

/* Gives the place of the message received last back. */
void kb_release(kbus_bus_t *b);

#endif

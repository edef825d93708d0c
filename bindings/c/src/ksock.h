/* The Ksocks that the compatible functions know by their descriptor. A descriptor that is not among them is a device,
 * or nothing that we have opened, and goes to the kernel (device.c).
 *
 * Such a Ksock is not a handle of the modern functions (handle.h) with another name. Whoever has the descriptor has the
 * Ksock, a forked child too, so its lock lies in shared memory and outlives a process that is killed with it; a message is
 * read and written in pieces; no function has a limit of time. A handle is of one process, hands messages out where they
 * lie, and gives up in time. Both stand on a link and what it is asked: below is what they share beside that. */
#ifndef KB_KSOCK_H
#define KB_KSOCK_H

#include "kbus/kbus.h"
#include "books.h"
#include "link.h"
#include "ready.h"

/* The device form, which is what the byte-wise frames carry, has a header of 88 bytes, that of 64-bit machines. */
typedef char kb_header_has_88_bytes[sizeof(kbus_message_t) == 88 ? 1 : -1];

struct ksock {
	struct link     link;
	kbus_ksock_t    number;
	int             cancel;   /* whether the thread that has locked it could be cancelled before */
	int             closing;  /* it has been closed; threads in it finish, and the last frees it */
	struct ksock   *next;     /* among those */
	kbus_message_t  draft;    /* the header of the message being written, as far as it has come */
	size_t          drafted;  /* bytes written of that message */
	unsigned char  *kept;     /* a message of our own being read: a Status for a lost bus */
	size_t          kept_len, kept_at;
	int             fresh;    /* nothing has been read of the message that next_msg has announced */
};

/* Finds a Ksock and locks it. NULL if the descriptor is none of ours, and so perhaps a device; or if it is but must not be
 * used: then *fd becomes -errno, which the functions of device.c give back. */
struct ksock *kb_enter(kbus_ksock_t *fd);

/* Unlocks it again, after seeing to its descriptor, and returns result. looked: see kb_sync. */
int kb_leave(struct ksock *k, int result, int looked);

/* The same before waiting for the descriptor. 1 if the caller must not wait: the news of room came before the
 * descriptor could show it, or was taken while it was made to. kb_come_back locks the Ksock again; if that is not 0,
 * the Ksock has been closed, and left. */
int kb_leave_to_wait(struct ksock *k);
int kb_come_back(struct ksock *k);

/* Instead of coming back, for a thread that is cancelled meanwhile. */
void kb_abandon(void *k);

/* A message in the entire form, allocated. 0 or -ENOMEM. */
int kb_entire(const kbus_bus_msg_t *m, kbus_message_t **msg);

/* Takes the first message of the window: 1, or IN_ARENA if its data lies in the arena; 0 if there is none, or -errno. */
int kb_take_shown(struct link *l, kbus_bus_msg_t *m);

/* Takes the next message: from what a lost bus has left, from the window, or by asking. 1, 0 or -errno. What m refers
 * to is valid until kb_release_shown if it was taken there, else in l->in; *taken is what kb_take_shown has said. */
int kb_next(struct link *l, kbus_bus_msg_t *m, int *taken);
int kb_release_shown(struct link *l);

/* The Status for a Request that a lost bus owes. */
int kb_status(struct link *l, kbus_bus_msg_t *m);

/* Sends a whole message. 0 or -errno; *sent, if not NULL, is set if it was accepted or waits for room. */
int kb_send(struct link *l, const kbus_bus_msg_t *msg, kbus_bus_sent_t *sent);

/* Drops the message that is written or waits for room. */
int kb_discard(struct link *l);

/* The id that the bus gave last. */
int kb_last_sent(struct link *l, kbus_msg_id_t *id);

#endif

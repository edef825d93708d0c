/* The Ksocks that the compatible functions know by their descriptor. A descriptor that is not among them is a device,
 * or nothing that we have opened, and goes to the kernel (device.c). */
#ifndef KB_KSOCK_H
#define KB_KSOCK_H

#include "kbus/kbus.h"
#include "link.h"
#include "ready.h"

/* The device form, which is what the byte-wise frames carry, has a header of 88 bytes, that of 64-bit machines. */
typedef char kb_header_has_88_bytes[sizeof(kbus_message_t) == 88 ? 1 : -1];

struct ksock {
	struct link     link;
	kbus_message_t  draft;    /* the header of the message being written, as far as it has come */
	size_t          drafted;  /* bytes written of that message */
	unsigned char  *kept;     /* a message of our own being read: a Status for a lost bus */
	size_t          kept_len, kept_at;
	int             fresh;    /* nothing has been read of the message that next_msg has announced */
};

/* Finds a Ksock and locks it. NULL if the descriptor is none of ours. */
struct ksock *kb_enter(kbus_ksock_t fd);

/* Unlocks it again, after seeing to its descriptor, and returns result. looked: see kb_settle. */
int kb_leave(struct ksock *k, int result, int looked);

/* The same for who is about to wait for the descriptor. 1 if there must be no waiting: the word that there is room came
 * before the descriptor could tell of it, or was taken while it was seen to. */
int kb_leave_to_wait(struct ksock *k);

/* Makes k known by its descriptor, and forgets whatever was known by it before; k may be NULL. 0 or -ENOMEM. */
int kb_know(kbus_ksock_t fd, struct ksock *k);

/* Forgets a Ksock, and returns it. */
struct ksock *kb_forget(kbus_ksock_t fd);

void kb_ksock_free(struct ksock *k, int orderly);

/* A message in the entire form, allocated. 0 or -ENOMEM. */
int kb_entire(const kbus_bus_msg_t *m, kbus_message_t **msg);

/* Keeps the books of Requests that are owed an answer: what a send has brought, and a message that has come. */
void kb_book_sent(struct link *l, int request, unsigned condition, kbus_msg_id_t id);
void kb_book_resent(struct link *l, unsigned condition);
void kb_book_came(struct link *l, const kbus_bus_msg_t *m);

/* Takes the next message: from what a lost bus has left, from the window, or by asking. 1, 0 or -errno. What m refers
 * to is valid until kb_took, unless it is in l->in. */
int kb_next(struct link *l, kbus_bus_msg_t *m, int *claimed);
int kb_took(struct link *l);

/* The Status for a Request that a lost bus owes. */
int kb_status(struct link *l, kbus_bus_msg_t *m);

/* Drops the message that is written or waits for room. */
int kb_discard(struct link *l);

#endif

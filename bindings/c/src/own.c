#include "own.h"

#include <pthread.h>

#include "link.h"

/* A child has copies of all descriptors of its parent. As long as it has one of a connection, the daemon does not see that the
 * parent has died. So the child closes them, at once. For that all links are listed, from before they have their first
 * descriptor: another thread may fork while one of them is still being opened, when no program has heard of it.
 *
 * A link that processes may share (ksock.c) leaves the list as soon as a program can know its descriptor. */

enum { PARTIES = 2 }; /* handle.c and ksock.c, once each */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t  once = PTHREAD_ONCE_INIT;
static struct link    *first;
static void (*parties[PARTIES])(void);
static int             those;
static sigset_t        forking;
static int             cancel; /* of the thread that has the lock */

int kb_hold_cancel(void)
{
	int before;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

void kb_let_cancel(int before) { pthread_setcancelstate(before, &before); }

static void take(sigset_t *before)
{
	const int could = kb_hold_cancel();
	sigset_t  signals;
	sigfillset(&signals);
	pthread_sigmask(SIG_SETMASK, &signals, before);
	pthread_mutex_lock(&lock);
	cancel = could;
}

void kb_let_forks(const sigset_t *before)
{
	const sigset_t mask = *before;
	const int      could = cancel;
	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	kb_let_cancel(could);
}

static void before_fork(void) { take(&forking); }

static void in_parent(void) { kb_let_forks(&forking); }

static void in_child(void)
{
	while (first) {
		struct link *l = first;
		void (*cut)(struct link *) = l->cut;
		kb_disown(l);
		cut(l);
	}
	for (int i = 0; i < those; i++)
		parties[i]();
	kb_let_forks(&forking);
}

static void watch_forks(void) { pthread_atfork(before_fork, in_parent, in_child); }

void kb_hold_forks(sigset_t *before)
{
	pthread_once(&once, watch_forks);
	take(before);
}

void kb_own(struct link *l, void (*cut)(struct link *))
{
	l->cut = cut;
	l->before = NULL;
	l->next = first;
	if (first)
		first->before = l;
	first = l;
}

void kb_disown(struct link *l)
{
	if (!l->cut)
		return;
	l->cut = NULL;
	if (l->before)
		l->before->next = l->next;
	else
		first = l->next;
	if (l->next)
		l->next->before = l->before;
}

void kb_when_forked(void (*forget)(void))
{
	sigset_t signals;
	int      i = 0;
	kb_hold_forks(&signals);
	while (i < those && parties[i] != forget) /* a child may have it from a parent that was just here */
		i++;
	if (i == those && those < PARTIES)
		parties[those++] = forget;
	kb_let_forks(&signals);
}

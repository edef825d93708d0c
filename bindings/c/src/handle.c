#include "handle.h"

#include <time.h>

#include "own.h"

/* Handles, and the turn to use them. A handle is for one thread at a time, but one thread may close it while another
 * waits in it. The waiting thread then wakes, because closing tells the daemon, which ends the connection, and its
 * call fails with "closed". So does every later call with that handle. A thread is not cancelled while it has the turn. So the memory of a handle is never given
 * back, and is used for another only after many others were closed.
 *
 * A child process has none of its parent's handles: their links are cut off there (own.h), and they are closed. */

enum { FREE_HANDLES = 256, FAREWELL_MS = 1000 };

static pthread_once_t  once = PTHREAD_ONCE_INIT;
static kbus_bus_t     *all, *first_free, *last_free;
static int             free_handles;

static void init_locks(kbus_bus_t *b)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&b->turn, &a);
	pthread_mutex_init(&b->door, &a);
	pthread_mutexattr_destroy(&a);
}

static void in_child(void)
{
	for (kbus_bus_t *b = all; b; b = b->next) {
		__atomic_store_n(&b->closing, 1, __ATOMIC_SEQ_CST);
		init_locks(b);
	}
	for (kbus_bus_t *b = first_free; b; b = b->next)
		init_locks(b);
}

static void watch_forks(void) { kb_when_forked(in_child); }

kbus_bus_t *kb_handle_new(void)
{
	sigset_t    signals;
	kbus_bus_t *b = NULL;
	pthread_once(&once, watch_forks);
	kb_hold_forks(&signals);
	if (free_handles > FREE_HANDLES) {
		b = first_free;
		first_free = b->next;
		free_handles--;
	}
	kb_let_forks(&signals);
	if (!b) {
		b = calloc(1, sizeof *b);
		if (b) {
			init_locks(b);
			kb_link_init(&b->link);
			kb_link_init(&b->attempt);
		}
	}
	return b;
}

/* Takes it from those that are open, if it is, and puts it among those that are free, as the last. */
static void retire(kbus_bus_t *b, int open)
{
	sigset_t signals;
	kb_hold_forks(&signals);
	__atomic_store_n(&b->closing, 1, __ATOMIC_SEQ_CST);
	if (open && b->before)
		b->before->next = b->next;
	else if (open)
		all = b->next;
	if (open && b->next)
		b->next->before = b->before;
	b->next = NULL;
	if (free_handles++ == 0)
		first_free = b;
	else
		last_free->next = b;
	last_free = b;
	kb_let_forks(&signals);
}

void kb_handle_free(kbus_bus_t *b) { retire(b, 0); }

void kb_handle_open(kbus_bus_t *b)
{
	sigset_t signals;
	kb_hold_forks(&signals); /* it is closed still: so it is in a child that finds its locks taken */
	b->before = NULL;
	b->next = all;
	if (all)
		all->before = b;
	all = b;
	kb_let_forks(&signals);
	pthread_mutex_lock(&b->turn);
	pthread_mutex_lock(&b->door);
	b->open = 1;
	pthread_mutex_unlock(&b->door);
	b->patience = -1;
	b->taken = b->again = b->orphaned = b->attempting = 0;
	__atomic_store_n(&b->closing, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&b->turn);
}

/* Frees what a handle has. The caller has the turn, and gives it back here. */
static void end(kbus_bus_t *b)
{
	const int open = b->open;
	if (open) {
		pthread_mutex_lock(&b->door);
		b->open = 0;
		kb_link_close(&b->link, 0);
		kb_link_close(&b->attempt, 0);
		b->attempting = 0;
		pthread_mutex_unlock(&b->door);
		kb_loans_end(&b->loans);
		free(b->held);
		b->held = NULL;
		b->held_size = 0;
		kb_remembered_free(&b->remembered);
	}
	pthread_mutex_unlock(&b->turn);
	if (open)
		retire(b, 1);
}

static void end_orphan(kbus_bus_t *b)
{
	if (__atomic_load_n(&b->orphaned, __ATOMIC_SEQ_CST) && pthread_mutex_trylock(&b->turn) == 0)
		end(b);
}

static int closed(const kbus_bus_t *b) { return __atomic_load_n(&b->closing, __ATOMIC_SEQ_CST); }

static int take_turn(kbus_bus_t *b, int timeout_ms)
{
	struct timespec t;
	int             err = pthread_mutex_trylock(&b->turn);
	if (err == 0)
		return 0;
	if (timeout_ms < 0)
		return pthread_mutex_lock(&b->turn);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return pthread_mutex_timedlock(&b->turn, &t);
}

static int turn(kbus_bus_t *b, int timeout_ms)
{
	const int64_t began = timeout_ms > 0 ? kb_now_ms() : 0;
	int           err = take_turn(b, timeout_ms);
	if (err)
		return -err;
	if (closed(b)) {
		pthread_mutex_unlock(&b->turn);
		end_orphan(b);
		return -EBADF;
	}
	b->link.deadline = timeout_ms > 0 ? began + timeout_ms : timeout_ms == 0 ? AT_ONCE : 0;
	b->link.why[0] = 0;
	return 0;
}

int kb_turn(kbus_bus_t *b, int timeout_ms)
{
	const int cancel = kb_hold_cancel();
	const int err = turn(b, timeout_ms);
	if (err)
		kb_let_cancel(cancel);
	else
		b->cancel = cancel;
	return err;
}

int kb_begin(kbus_bus_t *b)
{
	int err = kb_turn(b, __atomic_load_n(&b->patience, __ATOMIC_RELAXED));
	if (err == 0 && b->link.gone)
		return kb_leave_turn(b, kb_lose(&b->link));
	return err;
}

int kb_leave_turn(kbus_bus_t *b, int result)
{
	const int over = closed(b), cancel = b->cancel;
	if (over && result == -ENOTCONN)
		result = -EBADF;
	pthread_mutex_unlock(&b->turn);
	if (over)
		end_orphan(b);
	kb_let_cancel(cancel);
	return result;
}

int kb_end(kbus_bus_t *b, int result)
{
	if (!closed(b))
		kb_sync(&b->link, 0);
	return kb_leave_turn(b, result);
}

/* Ends what a thread in the handle waits for. If our own thread has the door, because we are in a signal handler and it is
 * replacing the connection, it finds that the handle is closed. */
static void shut(kbus_bus_t *b, int at_once)
{
	if (pthread_mutex_lock(&b->door))
		return;
	struct link *links[] = {&b->link, b->attempting ? &b->attempt : NULL};
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (b->open && links[i] && at_once)
			kb_link_stop(links[i]);
		else if (b->open && links[i])
			kb_link_shut(links[i]);
	pthread_mutex_unlock(&b->door);
}

static void set_attempt(kbus_bus_t *b, int attempting)
{
	pthread_mutex_lock(&b->door);
	kb_link_close(&b->attempt, 0);
	b->attempting = attempting;
	pthread_mutex_unlock(&b->door);
}

void kb_begin_attempt(kbus_bus_t *b) { set_attempt(b, 1); }
void kb_drop_attempt(kbus_bus_t *b) { set_attempt(b, 0); }

void kb_use_attempt(kbus_bus_t *b)
{
	pthread_mutex_lock(&b->door);
	kb_link_move(&b->link, &b->attempt);
	b->attempting = 0;
	if (closed(b)) /* by a signal handler that found the door taken */
		kb_link_shut(&b->link);
	pthread_mutex_unlock(&b->door);
}

static void close_handle(kbus_bus_t *b)
{
	if (__atomic_exchange_n(&b->closing, 1, __ATOMIC_SEQ_CST))
		return;
	int have = pthread_mutex_trylock(&b->turn) == 0;
	if (have && !b->link.gone) { /* what was posted is sent */
		kb_limit(&b->link, FAREWELL_MS);
		kb_push(&b->link);
	}
	shut(b, 0);
	if (!have)
		have = take_turn(b, FAREWELL_MS) == 0;
	if (have) {
		kb_link_farewell(&b->link);
		if (b->attempting)
			kb_link_farewell(&b->attempt);
		end(b);
		return;
	}
	/* A signal handler has interrupted its own thread, or the daemon stands still. */
	shut(b, 1);
	__atomic_store_n(&b->orphaned, 1, __ATOMIC_SEQ_CST);
	end_orphan(b);
}

void kbus_bus_close(kbus_bus_t *b)
{
	const int cancel = kb_hold_cancel();
	if (b)
		close_handle(b);
	kb_let_cancel(cancel);
}

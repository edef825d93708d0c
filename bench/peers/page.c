#include "page.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "gauge.h"
#include "process.h"

/* The shared page; page.h says what it is for. */

static struct {
	_Atomic uint32_t ready;  /* the measuring process sleeps on it */
	_Atomic uint32_t bell;   /* the producer sleeps on it */
	_Atomic uint32_t failed;
	_Alignas(64) _Atomic uint64_t target; /* the producer sleeps until all have that many; 0: it does not sleep */
	struct {
		_Alignas(64) _Atomic uint64_t took;
	} consumer[MAX_CONSUMERS];
} *page;

static const uint64_t stall = 20000000000; /* ns without any progress, after which the measurement has failed */

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	struct timespec limit = {.tv_sec = 1};
	syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0);
}

void page_make(void)
{
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		gauge_die("mmap failed");
}

void page_ready(void)
{
	page->ready++;
	futex_wake(&page->ready);
}

void page_fail(void)
{
	if (!page)
		return;
	page->failed = 1;
	page->bell++;
	futex_wake(&page->bell);
	futex_wake(&page->ready);
}

static void check_progress(uint64_t since, const char *what, uint64_t have, uint64_t want)
{
	if (page->failed)
		gauge_die("a client process has failed");
	if (clock_ns() - since > stall)
		gauge_die("%s: %llu of %llu, and no more come", what, (unsigned long long)have, (unsigned long long)want);
}

void page_wait_ready(uint32_t processes)
{
	uint32_t n;
	for (uint64_t since = clock_ns(); (n = page->ready) < processes; futex_wait(&page->ready, n))
		check_progress(since, "clients ready", n, processes);
}

uint64_t page_took(int consumer)
{
	uint64_t n = ++page->consumer[consumer].took;
	uint64_t target = page->target;
	if (target && n >= target) {
		page->bell++;
		futex_wake(&page->bell);
	}
	return n;
}

uint64_t page_slowest(int consumers)
{
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < consumers; i++) {
		uint64_t n = page->consumer[i].took;
		least = n < least ? n : least;
	}
	return least;
}

/* The target is written before the counts are read, and consumers count before they read the target, so one sees the
 * other. The bell is read first of all: what rings between looking and sleeping is not lost. */
void page_wait_took(int consumers, uint64_t messages)
{
	uint64_t before = 0, since = clock_ns();
	for (;;) {
		uint32_t rung = page->bell;
		page->target = messages;
		uint64_t n = page_slowest(consumers);
		if (n >= messages)
			break;
		if (n != before) {
			before = n;
			since = clock_ns();
		}
		check_progress(since, "messages of the slowest consumer", n, messages);
		futex_wait(&page->bell, rung);
	}
	page->target = 0;
}

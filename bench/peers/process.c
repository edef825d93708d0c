#include "process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gauge.h"
#include "page.h"

/* Starting and ending processes, and what they have used; see process.h. */

static pid_t started[MAX_CONSUMERS + 8], brokers[16];
static int is_broker[MAX_CONSUMERS + 8]; /* of those that were started */
static int starts, broker_count;

static uint64_t ns(const struct timespec *t) { return (uint64_t)t->tv_sec * 1000000000 + t->tv_nsec; }

uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return ns(&t);
}

static uint64_t processor_time(pid_t pid)
{
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return ns(&t);
}

int process_start(void)
{
	pid_t pid = fork();
	if (pid < 0)
		gauge_die("fork failed");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		starts = 0;
		return 1;
	}
	started[starts++] = pid;
	return 0;
}

int process_start_broker(void)
{
	is_broker[starts] = 1;
	return process_start();
}

void process_end_all(void)
{
	for (int i = 0; i < starts; i++)
		kill(started[i], SIGKILL);
	while (starts > 0)
		waitpid(started[--starts], NULL, 0);
}

struct used process_used(void)
{
	struct used u = {.clients = processor_time(getpid())};
	for (int i = 0; i < starts; i++)
		*(is_broker[i] ? &u.broker : &u.clients) += processor_time(started[i]);
	for (int i = 0; i < broker_count; i++)
		u.broker += processor_time(brokers[i]);
	u.at = clock_ns();
	return u;
}

long process_memory(const char *key)
{
	long sum = 0;
	for (int i = 0; i < broker_count; i++) {
		char line[256];
		snprintf(line, sizeof line, "/proc/%d/smaps_rollup", (int)brokers[i]);
		FILE *f = fopen(line, "r");
		if (!f)
			gauge_die("cannot read %s", line);
		while (fgets(line, sizeof line, f))
			if (strncmp(line, key, strlen(key)) == 0)
				sum += atol(line + strlen(key));
		fclose(f);
	}
	return sum;
}

static void add_broker(int pid)
{
	if (broker_count == (int)(sizeof brokers / sizeof *brokers))
		gauge_die("too many broker processes");
	brokers[broker_count++] = pid;
}

void process_brokers(const char *list)
{
	while (list && *list) {
		char *end;
		long pid = strtol(list, &end, 10);
		if (end == list)
			gauge_die("BROKER_PID: %s is not a process number", list);
		add_broker((int)pid);
		list = end + strspn(end, ", ");
	}
}

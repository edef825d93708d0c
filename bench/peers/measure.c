#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "page.h"
#include "process.h"

/* Starts processes of one role and waits until they can begin. */
static void hire(enum role role, int n)
{
	for (int i = 0; i < n; i++)
		if (process_start())
			gauge_be(role, i);
	page_wait_ready((uint32_t)n);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void measure_round_trips(void)
{
	uint64_t *times = malloc(plan.count * sizeof *times);
	if (!times)
		gauge_die("no memory");
	hire(REPLIER, 1);
	client.open(REQUESTER, 0);
	for (uint64_t i = 0; i < plan.warm_up; i++)
		gauge_round_trip();
	struct used began = process_used();
	uint64_t last = began.at;
	for (uint64_t i = 0; i < plan.count; i++) {
		gauge_round_trip();
		uint64_t now = clock_ns();
		times[i] = now - last;
		last = now;
	}
	struct used ended = process_used();
	qsort(times, plan.count, sizeof *times, by_value);
	double n = 1e3 * plan.count, broker = ended.broker - began.broker;
	printf("{\"peer\":\"%s\",\"test\":\"rtt\",\"size\":%zu,\"n\":%llu,\"min_us\":%.2f,\"p50_us\":%.2f,\"p99_us\":%.2f,"
	       "\"mean_us\":%.2f,\"cpu_us\":%.2f,\"broker_cpu_us\":%.2f}\n",
	       peer, plan.size, (unsigned long long)plan.count, times[0] / 1e3, times[plan.count / 2] / 1e3,
	       times[plan.count * 99 / 100] / 1e3, (last - began.at) / n,
	       (ended.clients - began.clients + broker) / n, broker / n);
}

/* Sends what has been collected, and waits until every consumer has that many messages. */
static void drain(uint64_t messages)
{
	client.flush();
	page_wait_took(plan.consumers, messages);
}

void measure_throughput(void)
{
	uint64_t seen = 0; /* messages that every consumer had when we last looked */
	struct used began = {0};
	hire(CONSUMER, plan.consumers);
	client.open(PRODUCER, 0);
	for (uint64_t i = 0; i < plan.warm_up + plan.count; i++) {
		if (i == plan.warm_up) {
			drain(i);
			began = process_used();
		}
		if (i - seen >= plan.window && i - (seen = page_slowest(plan.consumers)) >= plan.window)
			drain(i - plan.window / 2);
		client.publish(gauge_numbered(i), plan.size);
	}
	drain(plan.warm_up + plan.count);
	struct used ended = process_used();
	double n = plan.count, rate = n / ((ended.at - began.at) / 1e9), broker = ended.broker - began.broker;
	printf("{\"peer\":\"%s\",\"test\":\"pub\",\"size\":%zu,\"consumers\":%d,\"window\":%llu,\"n\":%llu,\"msg_s\":%.0f,"
	       "\"deliveries_s\":%.0f,\"mib_s\":%.1f,\"cpu_us\":%.3f,\"broker_cpu_us\":%.3f}\n",
	       peer, plan.size, plan.consumers, (unsigned long long)plan.window, (unsigned long long)plan.count, rate,
	       rate * plan.consumers, rate * plan.consumers * plan.size / (1 << 20),
	       (ended.clients - began.clients + broker) / 1e3 / n, broker / 1e3 / n);
}

/* Connections that do nothing, from processes that have 100 each: more than some libraries can have in one, which wait
 * by select. */
static void hire_idlers(int clients)
{
	const int each = 100;
	uint32_t processes = 0;
	for (int first = 0; first < clients; first += each, processes++)
		if (process_start()) {
			for (int i = first; i < clients && i < first + each; i++)
				client.open(IDLER, i);
			page_ready();
			for (;;)
				pause();
		}
	page_wait_ready(processes);
}

void measure_memory(int clients)
{
	long rss = process_memory("Rss:"), pss = process_memory("Pss:"), dirty = process_memory("Private_Dirty:");
	hire_idlers(clients);
	usleep(500000); /* for what a bus does after a connection */
	printf("{\"peer\":\"%s\",\"test\":\"mem\",\"clients\":%d,\"rss_idle_kib\":%ld,\"rss_kib\":%ld,\"pss_idle_kib\":%ld,"
	       "\"pss_kib\":%ld,\"dirty_idle_kib\":%ld,\"dirty_kib\":%ld}\n",
	       peer, clients, rss, process_memory("Rss:"), pss, process_memory("Pss:"), dirty,
	       process_memory("Private_Dirty:"));
}

/* The measuring frame of the clients written in C: what internal/gauge is for those in Go. It runs the same
 * measurements in the same way and prints the same lines. A client defines `client` and is linked with gauge.c,
 * measure.c, page.c and process.c. Every client is a process of its own with one connection, so it keeps its state in
 * static variables. */
#ifndef GAUGE_H
#define GAUGE_H

#include <stddef.h>
#include <stdint.h>

enum role { REQUESTER, REPLIER, PRODUCER, CONSUMER, IDLER };

struct plan {
	size_t size;     /* bytes of data in a message */
	uint64_t count;  /* round trips, or messages that the producer sends */
	uint64_t warm_up; /* as many more before the clock starts */
	uint64_t window; /* how far the producer may be ahead of the slowest consumer */
	int consumers;
};

struct client {
	/* Before any other process starts; for what all of them share. NULL if there is nothing to do. */
	void (*prepare)(const struct plan *plan);

	/* Connects. When it returns, whatever is sent to this role from then on arrives here. */
	void (*open)(enum role role, int index);

	/* Sends a request, waits for the answer and hands it to gauge_answer. */
	void (*request)(const void *data, size_t size);

	/* Answers requests with their own data, for ever. */
	void (*serve)(void);

	/* Sends to all consumers, or collects until flush. */
	void (*publish)(const void *data, size_t size);
	void (*flush)(void);

	/* Hands each message to gauge_take until that says that it was the last. */
	void (*consume)(void);
};

extern const struct client client;

void gauge_answer(const void *data, size_t size);
int gauge_take(const void *data, size_t size); /* 1: that was the last one */
void gauge_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The value of an environment variable that must be there. */
const char *gauge_setting(const char *name);

#endif

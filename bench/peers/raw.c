/* The physical limit: no bus at all, but a process in the middle that passes bytes on, over lines of the kind RAW_LINE,
 * "ring" or "stream". Messages have no name, no header and no length of their own, since everybody knows how long they
 * are; nobody counts, checks or remembers anything. */
#include <stdlib.h>
#include <string.h>

#include "gauge.h"
#include "line.h"
#include "page.h"
#include "process.h"

enum { CHUNK = 64 << 10 };

static size_t size; /* of a message */
static int consumers;
static struct line *to_relay, *from_relay, *to_replier, *from_replier, *to_consumer[MAX_CONSUMERS];
static struct line *in, *out; /* of this process */
static char *message;

/* Output is collected where nobody waits for it at once, and input is taken in chunks. */
static char input[CHUNK], output[CHUNK];
static size_t input_begins, input_ends, collected;

static void receive(void *to, size_t n)
{
	for (char *at = to; n > 0;) {
		if (input_begins == input_ends) {
			input_begins = 0;
			input_ends = line_receive(in, input, sizeof input);
		}
		size_t k = input_ends - input_begins;
		k = k < n ? k : n;
		memcpy(at, input + input_begins, k);
		input_begins += k;
		at += k;
		n -= k;
	}
}

static void relay_round_trips(void)
{
	for (;;) {
		in = to_relay;
		receive(message, size);
		line_send(to_replier, message, size);
		in = from_replier;
		receive(message, size);
		line_send(from_relay, message, size);
	}
}

static void relay_stream(void)
{
	for (;;) {
		size_t n = line_receive(to_relay, input, sizeof input);
		for (int i = 0; i < consumers; i++)
			line_send(to_consumer[i], input, n);
	}
}

static void prepare(const struct plan *plan)
{
	int is_ring = !strcmp(gauge_setting("RAW_LINE"), "ring");
	size = plan->size;
	consumers = plan->consumers;
	message = malloc(size + 1);
	to_relay = line_new(is_ring);
	from_relay = line_new(is_ring);
	to_replier = line_new(is_ring);
	from_replier = line_new(is_ring);
	for (int i = 0; i < consumers; i++)
		to_consumer[i] = line_new(is_ring);
	if (!message || size == 0)
		gauge_die("SIZE must be at least 1");
	if (process_start_broker()) {
		if (consumers > 0)
			relay_stream();
		relay_round_trips();
	}
}

static void open_(enum role role, int index)
{
	switch (role) {
	case REQUESTER: out = to_relay, in = from_relay; break;
	case REPLIER: out = from_replier, in = to_replier; break;
	case PRODUCER: out = to_relay; break;
	case CONSUMER: in = to_consumer[index]; break;
	case IDLER: gauge_die("there is no process to measure");
	}
}

static void request(const void *data, size_t n)
{
	line_send(out, data, n);
	receive(message, n);
	gauge_answer(message, n);
}

static void serve(void)
{
	for (;;) {
		receive(message, size);
		line_send(out, message, size);
	}
}

static void flush(void)
{
	line_send(out, output, collected);
	collected = 0;
}

static void publish(const void *data, size_t n)
{
	if (collected + n > sizeof output)
		flush();
	if (n > sizeof output) {
		line_send(out, data, n);
		return;
	}
	memcpy(output + collected, data, n);
	collected += n;
}

static void consume(void)
{
	do
		receive(message, size);
	while (!gauge_take(message, size));
}

const struct client client = {prepare, open_, request, serve, publish, flush, consume};

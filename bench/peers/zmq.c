/* ZeroMQ has no broker of its own, so this program is one, too: with ZMQ_BROKER set it forwards between ROUTER and
 * DEALER for requests and between XSUB and XPUB for messages, in the library's own proxy. All over Unix sockets in
 * ZMQ_DIR. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "gauge.h"

static void *context, *line;

static void must(int result)
{
	if (result < 0)
		gauge_die("%s", zmq_strerror(errno));
}

/* A socket that never drops: the high water marks are beyond what a window holds. */
static void *make(int type, const char *name, int listens)
{
	char where[256];
	int mark = 100000, none = 0, yes = 1;
	void *s = zmq_socket(context, type);
	if (!s)
		gauge_die("%s", zmq_strerror(errno));
	snprintf(where, sizeof where, "ipc://%s/%s", gauge_setting("ZMQ_DIR"), name);
	must(zmq_setsockopt(s, ZMQ_SNDHWM, &mark, sizeof mark));
	must(zmq_setsockopt(s, ZMQ_RCVHWM, &mark, sizeof mark));
	must(zmq_setsockopt(s, ZMQ_LINGER, &none, sizeof none));
	if (type == ZMQ_PUB || type == ZMQ_XPUB)
		must(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &yes, sizeof yes));
	if (type == ZMQ_SUB)
		must(zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0));
	must(listens ? zmq_bind(s, where) : zmq_connect(s, where));
	return s;
}

static void *forward_requests(void *unused)
{
	(void)unused;
	zmq_proxy(make(ZMQ_ROUTER, "ask", 1), make(ZMQ_DEALER, "serve", 1), NULL);
	return NULL;
}

__attribute__((constructor)) static void broker(void)
{
	pthread_t thread;
	if (!getenv("ZMQ_BROKER"))
		return;
	context = zmq_ctx_new();
	pthread_create(&thread, NULL, forward_requests, NULL);
	zmq_proxy(make(ZMQ_XSUB, "send", 1), make(ZMQ_XPUB, "receive", 1), NULL);
	_exit(1);
}

/* Connections and subscriptions are made in the background, and nothing tells when they have been. */
static void let_subscribe(void) { usleep(200000); }

static void open_(enum role role, int index)
{
	(void)index;
	if (!context) {
		context = zmq_ctx_new();
		must(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 4096));
	}
	switch (role) {
	case REQUESTER: line = make(ZMQ_REQ, "ask", 0); break;
	case REPLIER: line = make(ZMQ_REP, "serve", 0); break;
	case PRODUCER: line = make(ZMQ_PUB, "send", 0); break;
	case CONSUMER: line = make(ZMQ_SUB, "receive", 0); break;
	case IDLER:
		make(ZMQ_SUB, "receive", 0);
		make(ZMQ_DEALER, "ask", 0);
		return;
	}
	let_subscribe();
}

static void request(const void *data, size_t size)
{
	zmq_msg_t m;
	must(zmq_send(line, data, size, 0));
	zmq_msg_init(&m);
	must(zmq_msg_recv(&m, line, 0));
	gauge_answer(zmq_msg_data(&m), zmq_msg_size(&m));
	zmq_msg_close(&m);
}

static void serve(void)
{
	zmq_msg_t m;
	zmq_msg_init(&m);
	for (;;) {
		must(zmq_msg_recv(&m, line, 0));
		must(zmq_msg_send(&m, line, 0));
	}
}

static void publish(const void *data, size_t size) { must(zmq_send(line, data, size, 0)); }

static void flush(void) {} /* the library has a thread that sends */

static void consume(void)
{
	zmq_msg_t m;
	zmq_msg_init(&m);
	do
		must(zmq_msg_recv(&m, line, 0));
	while (!gauge_take(zmq_msg_data(&m), zmq_msg_size(&m)));
}

const struct client client = {NULL, open_, request, serve, publish, flush, consume};

/* nng has no broker of its own, so this program is one, too: with NNG_BROKER set it forwards between REP and REQ for
 * requests and between SUB and PUB for messages, with the library's own devices. All over Unix sockets in NNG_DIR. */
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gauge.h"

static nng_socket line;

static void must(int result)
{
	if (result != 0)
		gauge_die("%s", nng_strerror(result));
}

/* Queues that are longer than a window: else a SUB drops what its program has not taken. */
enum { QUEUE = 8192 };

static nng_socket make(int (*open)(nng_socket *), const char *name, int listens)
{
	char       where[256];
	nng_socket s;
	must(open(&s));
	snprintf(where, sizeof where, "ipc://%s/nng-%s", gauge_setting("NNG_DIR"), name);
	(void)nng_socket_set_int(s, NNG_OPT_RECVBUF, QUEUE); /* not all kinds of sockets have these */
	(void)nng_socket_set_int(s, NNG_OPT_SENDBUF, QUEUE);
	(void)nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, 0);
	if (open == nng_sub0_open)
		must(nng_socket_set(s, NNG_OPT_SUB_SUBSCRIBE, "", 0));
	must(listens ? nng_listen(s, where, NULL, 0) : nng_dial(s, where, NULL, 0));
	return s;
}

static nng_socket asked, served;

static void *forward_requests(void *unused)
{
	(void)unused;
	must(nng_device(asked, served));
	return NULL;
}

__attribute__((constructor)) static void broker(void)
{
	pthread_t thread;
	if (!getenv("NNG_BROKER"))
		return;
	asked = make(nng_rep0_open_raw, "ask", 1);
	served = make(nng_req0_open_raw, "serve", 1);
	pthread_create(&thread, NULL, forward_requests, NULL);
	nng_socket from = make(nng_sub0_open_raw, "send", 1), to = make(nng_pub0_open_raw, "receive", 1);
	printf("%d\n", (int)getpid());
	fflush(stdout);
	must(nng_device(from, to));
	_exit(1);
}

static void open_(enum role role, int index)
{
	(void)index;
	switch (role) {
	case REQUESTER: line = make(nng_req0_open, "ask", 0); break;
	case REPLIER: line = make(nng_rep0_open, "serve", 0); break;
	case PRODUCER: line = make(nng_pub0_open, "send", 0); break;
	case CONSUMER: line = make(nng_sub0_open, "receive", 0); break;
	case IDLER:
		make(nng_sub0_open, "receive", 0);
		make(nng_req0_open, "ask", 0);
		return;
	}
	usleep(500000); /* the other end learns of it in the background, and nothing tells when it has */
}

static void request(const void *data, size_t size)
{
	nng_msg *m;
	must(nng_send(line, (void *)(uintptr_t)data, size, 0));
	must(nng_recvmsg(line, &m, 0));
	gauge_answer(nng_msg_body(m), nng_msg_len(m));
	nng_msg_free(m);
}

static void serve(void)
{
	nng_msg *m;
	for (;;) {
		must(nng_recvmsg(line, &m, 0));
		must(nng_sendmsg(line, m, 0));
	}
}

static void publish(const void *data, size_t size) { must(nng_send(line, (void *)(uintptr_t)data, size, 0)); }

static void flush(void) {} /* the library has threads that send */

static void consume(void)
{
	nng_msg *m;
	int      more;
	do {
		must(nng_recvmsg(line, &m, 0));
		more = !gauge_take(nng_msg_body(m), nng_msg_len(m));
		nng_msg_free(m);
	} while (more);
}

const struct client client = {NULL, open_, request, serve, publish, flush, consume};

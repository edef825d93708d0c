#!/bin/sh
# nng 1.5.2 (Debian's libnng1 1.5.2-2): what was sent is lost when the sender closes its socket, though every send succeeded.
#
# Guess, written down before the first run: nng_send returned 0, so nng_close waits until the messages have gone, as a TCP close
# delivers what was written: all 1000 arrive (of 1 kB, over ipc, to a PULL that is connected and reads a little later).
# Seen: some dozens arrive, or a few, and no call says that the others are lost. There is no option to linger: a program has to
# wait a while before it closes, or to be answered. (SENDBUF is 1000 here, so that no send has to wait.)
#
# For those who come from nng: a program that sends and ends is the usual script. Here a send that returned lies in the queues of
# its receivers, and stays there when the sender has gone.
#
# Needs apt-get and a C compiler. Uses a Unix socket only.
. "$(dirname "$0")/begin.sh"
debian_packages libnng1=1.5.2-2 libnng-dev=1.5.2-2 libmbedtls14=2.28.3-1 libmbedx509-1=2.28.3-1 libmbedcrypto7=2.28.3-1
cat >main.c <<'E'
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdio.h>

enum { messages = 1000 };

static void check(int error) {
	if (error) {
		printf("%s\n", nng_strerror(error));
		fflush(stdout);
		_Exit(1);
	}
}

static int run(const char *url, int close_first) {
	nng_socket in, out;
	char bytes[1000] = {0};
	int came = 0;
	size_t size;
	check(nng_pull0_open(&in));
	check(nng_push0_open(&out));
	check(nng_setopt_int(out, NNG_OPT_SENDBUF, messages));
	check(nng_setopt_ms(in, NNG_OPT_RECVTIMEO, 2000));
	check(nng_listen(in, url, NULL, 0));
	check(nng_dial(out, url, NULL, 0));
	for (int n = 0; n < messages; n++)
		check(nng_send(out, bytes, sizeof bytes, 0));
	if (close_first)
		check(nng_close(out));
	while (size = sizeof bytes, nng_recv(in, bytes, &size, 0) == 0)
		came++;
	if (!close_first)
		check(nng_close(out));
	check(nng_close(in));
	return came;
}

int main(int argc, char **argv) {
	int came = run(argv[1], 0);
	printf("closed after they were received: %d of %d came\n", came, messages);
	came = run(argv[1], 1);
	fprintf(stderr, "closed at once: %d of %d came\n", came, messages);
	printf("closed at once: fewer than half came: %s\n", came < messages / 2 ? "yes" : "no");
}
E
gcc -I debian/usr/include main.c -o run -L "$libraries" -lnng -Wl,--allow-shlib-undefined
timeout 60 ./run "ipc://$dir/socket" >seen
as_found <<'E'
closed after they were received: 1000 of 1000 came
closed at once: fewer than half came: yes
E

#!/bin/sh
# LCM 1.3.1 (Debian's liblcm1 1.3.1+repack1-3): the channel that one subscribes to is a regular expression, also without any wildcard.
#
# Guess, written down before the first run: a subscription to "$.Lamp.Set" hears what is published on "$.Lamp.Set"; one to "a.b" hears
# "a.b" and nothing else.
# Seen: the first hears nothing at all, since `$` is the end of a line; the second hears "axb" too. lcm_subscribe refuses neither.
# Escaped, as "\$\.Lamp\.Set", it is right. (Publishing takes the name as it stands.)
#
# For a bridge to LCM: every name of KBUS begins with `$`, so an unescaped subscription is silent for ever. Escape `$` and `.`.
#
# Needs apt-get and a C compiler. Uses LCM's channel inside one process, no network.
. "$(dirname "$0")/begin.sh"
debian_packages liblcm1=1.3.1+repack1-3 liblcm-dev=1.3.1+repack1-3 libglib2.0-0=2.74.6-2+deb12u9
cat >main.c <<'E'
#include <lcm/lcm.h>
#include <stdio.h>

static void heard(const lcm_recv_buf_t *bytes, const char *channel, void *subscribed) {
	printf("%s is heard by the subscription to %s\n", channel, (char *)subscribed);
}

int main(void) {
	static char *subscribed[] = {"$.Lamp.Set", "\\$\\.Lamp\\.Set", "a.b"}, *published[] = {"$.Lamp.Set", "a.b", "axb"};
	lcm_t *lcm = lcm_create("memq://");
	for (int i = 0; i < 3; i++)
		if (!lcm_subscribe(lcm, subscribed[i], heard, subscribed[i]))
			printf("%s refused\n", subscribed[i]);
	for (int i = 0; i < 3; i++) {
		lcm_publish(lcm, published[i], "x", 1);
		while (lcm_handle_timeout(lcm, 200) > 0)
			;
	}
	lcm_destroy(lcm);
}
E
gcc -I debian/usr/include main.c -o run "$libraries/liblcm.so.1" -Wl,--allow-shlib-undefined
timeout 60 ./run >seen
as_found <<'E'
$.Lamp.Set is heard by the subscription to \$\.Lamp\.Set
a.b is heard by the subscription to a.b
axb is heard by the subscription to a.b
E

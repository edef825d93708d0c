/* The conformance driver: reads one command per line, does it through one of the library's doors, and answers with one
 * line. This is what a door can do; main.c has the lines. Functions return 0 or a positive errno. */
#ifndef DRIVER_H
#define DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "kbus/kbus_bus.h"

enum { DRIVER_KSOCKS = 65536 };

struct door {
	int (*open)(int k, unsigned device, int mode, uint32_t *id); /* mode: 1 read, 2 write, 3 both */
	int (*close)(int k);
	int (*bind)(int k, const char *name, uint32_t replier);
	int (*unbind)(int k, const char *name, uint32_t replier);
	int (*replier)(int k, const char *name, uint32_t *id);
	int (*write)(int k, const unsigned char *p, size_t n);
	int (*send)(int k, kbus_bus_sent_t *sent);
	int (*next)(int k, int *ret, uint32_t *length);
	int (*read)(int k, unsigned char *p, size_t n, size_t *got);
	int (*last_sent)(int k, kbus_msg_id_t *id);
	int (*poll)(int k, int *bits);
	int (*value)(int k, const char *what, uint32_t in, uint32_t *out);
	int (*plain)(int k, const char *what);
	int (*unknown)(int k, unsigned code);
	int (*send_message)(int k, const unsigned char *entire, size_t n, kbus_bus_sent_t *sent);
	int (*receive)(int k, unsigned char **entire, size_t *n); /* n 0: there is none; entire is malloced */
	int (*encode)(const unsigned char *entire, size_t n, unsigned char **again, size_t *m);
	int (*report)(int stats, char **text);
};

extern const struct door compatible, modern;

/* Where a device is: the prefix, to which its number is appended. Or where a bus is, if there is none. */
extern const char *device_prefix;

/* Text of one of the two reports, of all buses, asked for without a Ksock. */
int report_of_all(int stats, char **text);

#endif

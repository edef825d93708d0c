/* The conformance driver: reads one command per line, does it through one of the library's doors, and answers with one
 * line. This is what a door can do; main.c has the lines. Functions return 0 or a positive errno. */
#ifndef DRIVER_H
#define DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "kbus/kbus.h"
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
	int (*set_trace)(int k, const kbus_bus_trace_t *trace); /* of what is sent from then on; NULL: the door has no traces */
	int (*trace)(int k, kbus_bus_trace_t *trace);           /* of the message received last; lengths of 0: it has none */
};

extern const struct door compatible, modern;

/* The header of a message in the entire form, which must be one and n bytes long. */
int header_of(const unsigned char *entire, size_t n, kbus_message_t *h);

/* What the modern door opens with beside the mode. */
extern int modern_flags;

/* Where a device is: the prefix, to which its number is appended. Or where a bus is, if there is none. */
extern const char *device_prefix;

/* Text of one of the two reports, of all buses, asked for without a Ksock. */
int report_of_all(int stats, char **text);

#endif

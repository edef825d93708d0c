#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link.h"

/* A bus is found by its number: its socket lies in the runtime directory, which daemon and clients work out by the same
 * rule. */
int kb_socket_path(char *path, size_t size, uint32_t number)
{
	const char *dir = getenv("KBUS_DIR"), *run = getenv("XDG_RUNTIME_DIR");
	int         n;
	if (dir && *dir)
		n = snprintf(path, size, "%s/bus%" PRIu32 ".sock", dir, number);
	else if (getuid() == 0)
		n = snprintf(path, size, "/run/kbus/bus%" PRIu32 ".sock", number);
	else if (run && *run)
		n = snprintf(path, size, "%s/kbus/bus%" PRIu32 ".sock", run, number);
	else
		n = snprintf(path, size, "/run/user/%ju/kbus/bus%" PRIu32 ".sock", (uintmax_t)getuid(), number);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int kb_rings_wanted(void)
{
	const char *rings = getenv("KBUS_RINGS");
	return !rings || strcmp(rings, "off") != 0;
}

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link.h"

/* A bus is found by its number: its socket lies in the runtime directory, which all clients work out by the same rule:
 * $KBUS_DIR; for root that of the machine's own daemon; for others their own, and if they have none, that one too. */

static const char system_dir[] = "/run/kbus";

static int is_dir(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* own_dir has no more than fits: what is too long for a directory is too long for its sockets. */
static void own_dir(char *dir, size_t size)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	if (run && *run)
		snprintf(dir, size, "%s/kbus", run);
	else
		snprintf(dir, size, "/run/user/%ju/kbus", (uintmax_t)getuid());
}

int kb_socket_path(char *path, size_t size, uint32_t number)
{
	const char *dir = getenv("KBUS_DIR");
	char        own[PATH_MAX];
	int         n;
	if (!dir || !*dir) {
		dir = system_dir;
		if (getuid() != 0) {
			own_dir(own, sizeof own);
			if (is_dir(own) || !is_dir(system_dir))
				dir = own;
		}
	}
	n = snprintf(path, size, "%s/bus%" PRIu32 ".sock", dir, number);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int kb_rings_wanted(void)
{
	const char *rings = getenv("KBUS_RINGS");
	return !rings || strcmp(rings, "off") != 0;
}

/* Two small tables of a Limpet: the Requests it has passed on, and the names it is proxy for. Both grow, and are
 * searched from the front, where the oldest entries are. */
#ifndef KB_LIMPET_TABLES_H
#define KB_LIMPET_TABLES_H

#include <stddef.h>

#include "kbus/kbus_defns.h"

struct entry {
	kbus_msg_id_t id;   /* of a Request, as it was received */
	uint32_t      from; /* its sender; of a name, the remote binder */
	char         *name; /* of a proxied Replier, else NULL */
};

struct entries {
	struct entry *list;
	size_t        count, size;
};

struct entry *kb_find_id(const struct entries *t, kbus_msg_id_t id);
struct entry *kb_find_name(const struct entries *t, const char *name, size_t n);

/* -ENOMEM. name is copied, unless it is NULL. */
int  kb_add_entry(struct entries *t, kbus_msg_id_t id, uint32_t from, const char *name, size_t n);
void kb_remove_entry(struct entries *t, struct entry *e);
void kb_free_entries(struct entries *t);

#endif

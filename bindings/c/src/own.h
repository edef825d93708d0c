/* What belongs to this process alone, and what becomes of it in a child. */
#ifndef KB_OWN_H
#define KB_OWN_H

#include <signal.h>

struct link;

/* Between these two nobody forks, and no signal handler runs. Whoever gives a link descriptors or memory, takes them away, or
 * changes a list of the library does it there, so that a child finds nothing half done. They do not nest. */
void kb_hold_forks(sigset_t *before);
void kb_let_forks(const sigset_t *before);

/* Between these two the thread is not cancelled, for others would wait for what it holds. They nest; so does whoever holds forks. */
int  kb_hold_cancel(void);
void kb_let_cancel(int before);

/* Held: a link belongs to this process from now on, until kb_disown: a child calls cut, which closes its descriptors. */
void kb_own(struct link *l, void (*cut)(struct link *));
void kb_disown(struct link *l);

/* Has a child call forget too, before any signal handler runs in it. */
void kb_when_forked(void (*forget)(void));

#endif

/* Messages that the program has borrowed (bus_borrow.c). */
#ifndef KB_LOANS_H
#define KB_LOANS_H

#include <stddef.h>
#include <stdint.h>

struct loans {
	struct loan {
		const char   *name; /* by which it is known */
		uint16_t      number;
		unsigned char copied;
	}     *list;
	size_t count, size;
};

/* 0, or -ENOMEM. */
int kb_loans_add(struct loans *t, const struct loan *one);

/* Forgets what was borrowed, for a connection that ends. */
void kb_loans_end(struct loans *t);

#endif

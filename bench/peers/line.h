/* A one-way line between two processes, made before they are: a ring in shared memory with eventfds as bells, or a
 * stream socket. Nothing can be faster on this machine with the same number of wake-ups, so this is what a bus is
 * measured against. */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>

struct line;

struct line *line_new(int is_ring);
void line_send(struct line *l, const void *data, size_t size);

/* Receives what is there, at least one byte and at most `most`; waits if there is nothing. */
size_t line_receive(struct line *l, void *data, size_t most);

#endif

/* The memory that all processes of a measurement share, outside of what is measured: who is ready, and how many
 * messages each consumer has. Whoever waits for a number to grow sleeps on a futex; whoever makes it grow wakes it. */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

enum { MAX_CONSUMERS = 256 };

void page_make(void);
void page_ready(void);                                 /* this process can begin */
void page_wait_ready(uint32_t processes);
uint64_t page_took(int consumer);                      /* counts one message, and gives the count */
uint64_t page_slowest(int consumers);                  /* how many messages every consumer has */
void page_wait_took(int consumers, uint64_t messages); /* until every consumer has that many */
void page_fail(void);

#endif

/* Memory of the program that may not be there. A device says EFAULT then, so the compatible functions do. */
#ifndef KB_REACH_H
#define KB_REACH_H

#include <stddef.h>

/* Whether n bytes can be read: 0 or -EFAULT. */
int kb_reach(const void *p, size_t n);

/* Copies n bytes. 0 or -EFAULT. */
int kb_fetch(void *to, const void *from, size_t n);

/* The length of a name, KBUS_MAX_NAME_LEN + 1 for any that is longer than that; or -EFAULT. */
int kb_name_length(const char *name);

#endif

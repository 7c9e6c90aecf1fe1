/* Memory for a program that ends when there is none; and the ending itself. */
#pragma once

#include <stddef.h>

#include "config/base.h"

/* Print "mkromfs: WHAT" and exit(1): for what is nobody's file's fault. */
NORETURN void die(const char *what);

/* Never NULL; end in die(). */
void *xmalloc(size_t len);
void *xrealloc(void *old, size_t len);
char *xstrdup(const char *text);

/*
 * Room for at least `count` elements in a growing array.  *cap is how many it has
 * room for, 0 and NULL at first; it doubles.
 */
void *xgrow(void *array, size_t *cap, size_t count, size_t element_len);

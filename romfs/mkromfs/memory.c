/* Contract: memory.h. */
#include "romfs/mkromfs/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *what)
{
	fprintf(stderr, "mkromfs: %s\n", what);
	exit(1);
}

void *xmalloc(size_t len)
{
	return xrealloc(NULL, len);
}

void *xrealloc(void *old, size_t len)
{
	void *new = realloc(old, len > 0 ? len : 1);

	if (new == NULL)
		die("out of memory");
	return new;
}

char *xstrdup(const char *text)
{
	const size_t len = strlen(text) + 1;

	return memcpy(xmalloc(len), text, len);
}

void *xgrow(void *array, size_t *cap, size_t count, size_t element_len)
{
	if (count <= *cap)
		return array;
	while (*cap < count)
		*cap = *cap == 0 ? 64 : 2 * *cap;
	return xrealloc(array, *cap * element_len);
}

/* From paths to numbers: a hash table in memory. */
#pragma once

#include "config/base.h"

struct pathmap {
	struct pathmap_slot *slots;
	size_t count, cap;       /* cap is 0 or a power of 2 */
};

/* Put in a path that is not in there yet; it is not copied. */
void pathmap_put(struct pathmap *map, const char *path, size_t len, size_t value);

/* The value of a path; SIZE_MAX if it is not in there. */
size_t pathmap_get(const struct pathmap *map, const char *path, size_t len);

void pathmap_free(struct pathmap *map);

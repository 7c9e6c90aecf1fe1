/* Contract: pool.h. */
#include "romfs/mkromfs/pool.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/memory.h"

uint32_t pool_add(struct pool *pool, const void *bytes, size_t len)
{
	const size_t off = pool->len;

	if (len > UINT32_MAX - off)
		die("the paths of the sites come to more than 4 GiB");
	pool->bytes = xgrow(pool->bytes, &pool->cap, off + len, 1);
	if (len > 0)
		memcpy(pool->bytes + off, bytes, len);
	pool->len += len;
	return (uint32_t)off;
}

struct indexed {
	const char *path;
	size_t index;
};

static int compare_paths(const void *a, const void *b)
{
	const struct indexed *ia = a, *ib = b;

	return strcmp(ia->path, ib->path);
}

static bool begins(const char *path, const char *longer)
{
	return strncmp(path, longer, strlen(path)) == 0;
}

void pool_add_paths(struct pool *pool, const char *const *paths, size_t count,
    uint32_t *offs)
{
	struct indexed *sorted = xmalloc(count * sizeof *sorted);
	size_t first = 0;

	for (size_t i = 0; i < count; i++)
		sorted[i] = (struct indexed){ paths[i], i };
	if (count > 0)
		qsort(sorted, count, sizeof *sorted, compare_paths);
	/* [first, i] each begin the next one: the last of them holds all. */
	for (size_t i = 0; i < count; i++) {
		uint32_t off;

		if (i + 1 < count && begins(sorted[i].path, sorted[i + 1].path))
			continue;
		off = pool_add(pool, sorted[i].path, strlen(sorted[i].path));
		for (; first <= i; first++)
			offs[sorted[first].index] = off;
	}
	free(sorted);
}

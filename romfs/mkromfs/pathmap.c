/* Contract: pathmap.h.  Open addressing, at most half full. */
#include "romfs/mkromfs/pathmap.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "romfs/mkromfs/memory.h"

struct pathmap_slot {
	const char *path;        /* NULL: free */
	size_t len;
	size_t value;
};

/* The path's slot, or the free one where it would be. */
static struct pathmap_slot *find(const struct pathmap *map, const char *path, size_t len)
{
	size_t i = rom_hash(0, (const uint8_t *)path, len) & (map->cap - 1);

	for (;; i = (i + 1) & (map->cap - 1)) {
		struct pathmap_slot *slot = &map->slots[i];

		if (slot->path == NULL ||
		    (slot->len == len && memcmp(slot->path, path, len) == 0))
			return slot;
	}
}

static void grow(struct pathmap *map)
{
	struct pathmap larger = { .cap = map->cap == 0 ? 64 : 2 * map->cap };

	larger.slots = xmalloc(larger.cap * sizeof *larger.slots);
	for (size_t i = 0; i < larger.cap; i++)
		larger.slots[i].path = NULL;
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].path != NULL)
			*find(&larger, map->slots[i].path, map->slots[i].len) =
			    map->slots[i];
	larger.count = map->count;
	free(map->slots);
	*map = larger;
}

void pathmap_put(struct pathmap *map, const char *path, size_t len, size_t value)
{
	struct pathmap_slot *slot;

	if (2 * (map->count + 1) > map->cap)
		grow(map);
	slot = find(map, path, len);
	ASSERT(slot->path == NULL);
	*slot = (struct pathmap_slot){ path, len, value };
	map->count++;
}

size_t pathmap_get(const struct pathmap *map, const char *path, size_t len)
{
	const struct pathmap_slot *slot;

	if (map->cap == 0)
		return SIZE_MAX;
	slot = find(map, path, len);
	return slot->path == NULL ? SIZE_MAX : slot->value;
}

void pathmap_free(struct pathmap *map)
{
	free(map->slots);
	*map = (struct pathmap){ 0 };
}

/*
 * Contract: phash.h.  Buckets are placed in order of falling size, the big ones
 * while the table is empty; for each, displacements are tried from 0 up until
 * all of its keys land on free slots.  The last single keys search among few free
 * slots, about n tries for the very last, so the whole costs about n log n tries.
 */
#include "romfs/mkromfs/phash.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "romfs/mkromfs/memory.h"

#define KEYS_PER_BUCKET 4u
#define SEEDS 64u

/* Keys sorted by bucket: b's are order[first[b]] .. order[first[b + 1] - 1]. */
struct work {
	uint32_t count;
	uint32_t bucket_count;
	uint64_t *hashes;         /* of key i */
	uint32_t *first;          /* bucket_count + 1 */
	uint32_t *order;
	uint32_t *by_size;        /* buckets, largest first */
	uint8_t *taken;           /* of slot i */
};

static uint32_t bucket_size(const struct work *w, uint32_t bucket)
{
	return w->first[bucket + 1] - w->first[bucket];
}

/* Counting sort of the keys by bucket. */
static void fill_buckets(struct work *w)
{
	uint32_t *next = xmalloc((w->bucket_count + 1) * sizeof *next);

	memset(w->first, 0, (w->bucket_count + 1) * sizeof *w->first);
	for (uint32_t i = 0; i < w->count; i++)
		w->first[rom_bucket(w->hashes[i], w->bucket_count) + 1]++;
	for (uint32_t b = 0; b < w->bucket_count; b++)
		w->first[b + 1] += w->first[b];
	memcpy(next, w->first, (w->bucket_count + 1) * sizeof *next);
	for (uint32_t i = 0; i < w->count; i++)
		w->order[next[rom_bucket(w->hashes[i], w->bucket_count)]++] = i;
	free(next);
}

/* Counting sort of the buckets by size, largest first. */
static void sort_buckets(struct work *w)
{
	uint32_t largest = 0, placed = 0;
	uint32_t *starts;

	for (uint32_t b = 0; b < w->bucket_count; b++)
		if (bucket_size(w, b) > largest)
			largest = bucket_size(w, b);
	starts = xmalloc((largest + 1) * sizeof *starts);
	memset(starts, 0, (largest + 1) * sizeof *starts);
	for (uint32_t b = 0; b < w->bucket_count; b++)
		starts[bucket_size(w, b)]++;
	for (uint32_t size = largest + 1; size-- > 0;) {
		const uint32_t buckets = starts[size];

		starts[size] = placed;
		placed += buckets;
	}
	for (uint32_t b = 0; b < w->bucket_count; b++)
		w->by_size[starts[bucket_size(w, b)]++] = b;
	free(starts);
}

/* Try one displacement: the bucket's slots are taken, or nothing has changed. */
static bool place(struct work *w, uint32_t bucket, uint32_t displacement,
    uint32_t *slots)
{
	const uint32_t *keys = &w->order[w->first[bucket]];
	const uint32_t count = bucket_size(w, bucket);

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t slot =
		    rom_slot(w->hashes[keys[i]], displacement, w->count);

		if (w->taken[slot]) {
			while (i-- > 0)
				w->taken[slots[keys[i]]] = 0;
			return false;
		}
		w->taken[slot] = 1;
		slots[keys[i]] = slot;
	}
	return true;
}

static bool try_seed(struct work *w, const struct phash_key *keys, struct phash *out)
{
	/* The last key needs about `count` tries; far more: two hashes are equal. */
	const uint32_t tries = 64 * w->count + 4096;

	for (uint32_t i = 0; i < w->count; i++)
		w->hashes[i] = rom_hash(out->seed, keys[i].bytes, keys[i].len);
	fill_buckets(w);
	sort_buckets(w);
	memset(w->taken, 0, w->count);
	for (uint32_t i = 0; i < w->bucket_count; i++) {
		const uint32_t bucket = w->by_size[i];
		uint32_t displacement = 0;

		while (!place(w, bucket, displacement, out->slots))
			if (++displacement == tries)
				return false;
		out->displacements[bucket] = displacement;
	}
	return true;
}

bool phash_build(const struct phash_key *keys, uint32_t count, struct phash *out)
{
	struct work w = { .count = count };
	bool found = false;

	ASSERT(count >= 1 && count <= PHASH_KEYS_CAP);
	w.bucket_count = (count + KEYS_PER_BUCKET - 1) / KEYS_PER_BUCKET;
	w.hashes = xmalloc(count * sizeof *w.hashes);
	w.first = xmalloc((w.bucket_count + 1) * sizeof *w.first);
	w.order = xmalloc(count * sizeof *w.order);
	w.by_size = xmalloc(w.bucket_count * sizeof *w.by_size);
	w.taken = xmalloc(count);
	*out = (struct phash){
		.bucket_count = w.bucket_count,
		.displacements = xmalloc(w.bucket_count * sizeof(uint32_t)),
		.slots = xmalloc(count * sizeof(uint32_t)),
	};
	for (uint64_t seed = 0; seed < SEEDS && !found; seed++) {
		out->seed = seed * ROM_HASH_K0;
		found = try_seed(&w, keys, out);
	}
	free(w.hashes);
	free(w.first);
	free(w.order);
	free(w.by_size);
	free(w.taken);
	if (!found) {
		free(out->displacements);
		free(out->slots);
	}
	return found;
}

_Static_assert(64ull * PHASH_KEYS_CAP + 4096 <= UINT32_MAX,
    "the number of tries fits its type");

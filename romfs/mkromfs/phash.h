/*
 * Building the perfect hash: for n different keys a seed and one displacement
 * per bucket, such that every key has a slot of its own among exactly n.
 * (Hash and displace: Belazzougui, Botelho, Dietzfelbinger, "Hash, displace, and
 * compress", ESA 2009.)  Looking up: romfs/format.h.
 */
#pragma once

#include <stdbool.h>

#include "config/base.h"

struct phash_key {
	const uint8_t *bytes;
	size_t len;
};

struct phash {
	uint64_t seed;
	uint32_t bucket_count;
	uint32_t *displacements;  /* bucket_count of them */
	uint32_t *slots;          /* of key i */
};

/*
 * Build it.  The same keys in the same order give the same result.
 *
 * keys, count  different from each other; count is 1 .. PHASH_KEYS_CAP
 * out          its arrays are the caller's to free()
 * Returns false only if no seed out of many fits, which for different keys does
 * not happen in practice; nothing is to be freed then.
 */
MUST_USE bool phash_build(const struct phash_key *keys, uint32_t count,
    struct phash *out);

/* More paths than anybody puts into one VM; keeps all products in range. */
#define PHASH_KEYS_CAP (1u << 24)

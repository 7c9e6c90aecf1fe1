/*
 * Coded files that outlive a run: a folder of entries, each named by a digest of all that
 * it was made from.  Whatever lies there, only what was put there whole comes out.
 *
 *   <64 hexadecimal digits>.<coding>   an entry: the bytes, then a footer that vouches for them
 *   new/                               entries that are being written
 *   lock                               shared by all runs, exclusive to who clears up
 *
 * An entry is written under new/ and renamed, so that two runs that make the same one do not
 * disturb each other.  What a run that was killed left under new/ goes at the next opening.
 * At closing, once an hour at most and only if no other run is active, these are deleted:
 * entries that nobody used for CACHE_KEEP_S; then, while there are more than
 * CACHE_CAP_LEN bytes, the ones unused for longest - but none that this run used.
 * Files that are none of ours are left alone.
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/sha256.h"

#define CACHE_KEEP_S (30 * 24 * 3600)
#define CACHE_CAP_LEN (UINT64_C(4) << 30)
#define CACHE_TIDY_S 3600

struct cache;

/*
 * Open the cache in `folder`, made with its parents if need be; NULL: one in a temporary folder
 * ($TMPDIR, or /var/tmp: it may get large) that goes away with cache_close() or at the
 * latest the next time anybody asks for one.  After an error NULL, and it is reported
 * by report_error().
 */
MUST_USE struct cache *cache_open(const char *folder);

const char *cache_folder(const struct cache *cache);

/* ---- From any thread --------------------------------------------------------- */

/* Of what an entry is made: an entry for each different one. */
struct cache_key {
	uint8_t digest[SHA256_LEN];
	const char *coding;      /* the end of its name, for people */
};

enum cache_found {
	CACHE_MISSING,           /* or damaged */
	CACHE_KEPT,
	CACHE_NOT_WORTH,         /* it was tried, and not worth keeping */
};

/* On CACHE_KEPT *len bytes are the start of the file *path, which the caller frees. */
enum cache_found cache_find(struct cache *cache, const struct cache_key *key,
    uint64_t *len, char **path);

/* An entry that is being written. */
struct cache_entry {
	struct cache *cache;
	struct cache_key key;
	char *path;              /* under new/ */
	int fd;
	uint64_t len;
	struct sha256 sha;
};

/* False and errno, here and below. */
MUST_USE bool cache_start(struct cache *cache, const struct cache_key *key,
    struct cache_entry *entry);

MUST_USE bool cache_add(struct cache_entry *entry, const uint8_t *data, size_t len);

/* The bytes so far were no use: remember only that. */
MUST_USE bool cache_not_worth(struct cache_entry *entry);

/* Give it its name.  Whatever comes out, the entry is done with. */
MUST_USE bool cache_finish(struct cache_entry *entry, char **path);

/* As if it had never been. */
void cache_drop(struct cache_entry *entry);

/* ---- The end ----------------------------------------------------------------- */

/* Paths that came out are no longer good for anything. */
void cache_close(struct cache *cache);

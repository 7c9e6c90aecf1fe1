/*
 * The ROM filesystem, reading side: from a request path to ready-made answers.
 *
 * Pure: no I/O, no clock, no allocation; everything returned points into the
 * image and lives as long as it.  romfs_open() checks every offset once, so that
 * the look-ups afterwards need no checks and cannot reach outside the image.
 * Layout of the image: romfs/README.md.  Writing side: romfs/mkromfs/.
 */
#pragma once

#include "config/base.h"

enum romfs_status {
	ROMFS_OK = 0,
	ROMFS_NOT_FOUND,     /* romfs_find: no entry has this path */
	/* romfs_open: why the image is refused */
	ROMFS_BAD_MAGIC,
	ROMFS_BAD_VERSION,
	ROMFS_BAD_LENGTH,
	ROMFS_BAD_TABLE,     /* the hash table or the entry table is inconsistent */
	ROMFS_BAD_ENTRY,     /* an entry's fields contradict each other */
	ROMFS_BAD_OFFSET,    /* an offset or length reaches outside its section */
};

/* An opened image; the fields are romfs.c's own but for the two counts. */
struct romfs {
	const uint8_t *image;
	size_t image_len;
	uint32_t entry_count;    /* paths that answer, at least 1 */
	uint32_t file_count;     /* files of the site, for people */
	/* Found by romfs_open(), all inside the image: */
	const uint8_t *entries;
	const uint8_t *buckets;
	const uint8_t *variants;
	uint32_t bucket_count;
	uint64_t hash_seed;
};

enum romfs_coding {
	ROMFS_IDENTITY = 0,      /* 1..7 are kept free for other codings */
};

/*
 * One rendered answer.  `head` is every field that can be known at build time,
 * each line ended by CRLF, then the empty line's CRLF; the body follows it in the
 * image without a gap.  The server sends, in front: the status line and the
 * fields of the moment (Date, Connection).
 */
struct romfs_answer {
	uint16_t status;         /* 200, 301, 304, 404 */
	const uint8_t *head;     /* Content-Length first, where there is one */
	uint32_t head_len;       /* at least 2 */
	uint64_t body_len;       /* bytes at head + head_len; 0 for 304 */
};

/* One representation of an entry. */
struct romfs_variant {
	enum romfs_coding coding;
	const uint8_t *etag;     /* strong entity tag with its quotes; NULL for 301 and 404 */
	uint32_t etag_len;
	struct romfs_answer full;
	struct romfs_answer not_modified;   /* 304; status 0 where etag is NULL */
};

struct romfs_entry {
	const uint8_t *path;     /* decoded bytes, starts with '/' */
	uint32_t path_len;       /* 0 for the not-found page, which has no path */
	int64_t modified;        /* Last-Modified, Unix seconds; -1 for 301 and 404 */
	uint32_t variant_count;  /* 1..8; variant 0 is the identity coding */
	const uint8_t *record;   /* romfs.c's own */
};

/* The reason in words, for the console; never NULL. */
const char *romfs_status_text(enum romfs_status status);

/*
 * Check an image completely and make it ready for look-ups.  The image may be
 * any bytes: it is refused or safe to use, whatever is in it.
 *
 * image, len   readable for as long as *fs is used; any alignment
 * fs           written on ROMFS_OK only
 * Errors       any ROMFS_BAD_*, the first that is found; README.md lists what each is for
 * Cost         about 200 instructions an entry; bodies are not read
 */
MUST_USE enum romfs_status romfs_open(struct romfs *fs, const void *image,
    size_t len);

/*
 * Find what a path names.
 *
 * path, path_len  decoded bytes as http's path normaliser leaves them
 * out             written on ROMFS_OK only
 * Errors          ROMFS_NOT_FOUND
 * Cost            one hash over the path and one compare, however many entries there are
 */
MUST_USE enum romfs_status romfs_find(const struct romfs *fs,
    const uint8_t *path, size_t path_len, struct romfs_entry *out);

/* The page for everything that is not found: the site's 404.html or mkromfs's own. */
void romfs_not_found(const struct romfs *fs, struct romfs_entry *out);

/* Representation i (0 .. variant_count - 1) of an entry of this image. */
void romfs_variant(const struct romfs *fs, const struct romfs_entry *entry,
    uint32_t i, struct romfs_variant *out);

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
	ROMFS_BAD_RULE,      /* a rule's, or the automaton leads out of itself */
	ROMFS_BAD_OFFSET,    /* an offset or length reaches outside its section */
};

/* An opened image; the fields are the reader's own but for the counts. */
struct romfs {
	const uint8_t *image;
	size_t image_len;
	uint32_t site_count;     /* at least 1 */
	uint32_t name_count;     /* 0: the one site answers for every host */
	uint32_t entry_count;    /* paths that answer, of all sites, at least 1 */
	uint32_t file_count;     /* files of all sites, for people */
	/* Found by romfs_open(), all inside the image: */
	uint32_t default_site;   /* ROM_NONE: other names are misdirected */
	const uint8_t *names;
	const uint8_t *sites;
	const uint8_t *buckets;
	const uint8_t *entries;
	const uint8_t *variants;
	const uint8_t *rules;
	const uint8_t *states;
	const uint8_t *edges;
	const uint8_t *accepts;
	const uint8_t *paths;
	const uint8_t *info;     /* lines "word value\n" about where the content is from */
	uint32_t info_len;
};

enum romfs_coding {
	ROMFS_IDENTITY = 0,
	ROMFS_GZIP = 1,
	ROMFS_BROTLI = 2,
	ROMFS_ZSTD = 3,
};

/* Where a request goes that names this host. */
struct romfs_host {
	uint32_t site;
	/* Not NULL: the name that the client should use in its place. */
	const uint8_t *canonical;
	uint32_t canonical_len;
};

/*
 * One representation of an entry.  `head` is every field that can be known at build
 * time, each line ended by CRLF, then the empty line's CRLF; the first line is
 * Content-Length, the second Content-Type.  The server sends, in front: the status line
 * and the fields of the moment (Date, Connection).
 */
struct romfs_variant {
	enum romfs_coding coding;
	uint16_t status;         /* 200, 301, 302, 303, 307, 308, 404 */
	uint8_t length_line_len; /* of the head's first line with CRLF */
	const uint8_t *head;
	uint32_t head_len;       /* at least 2 */
	const uint8_t *body;     /* mostly head + head_len */
	uint64_t body_len;
	const uint8_t *type;     /* the value of Content-Type */
	uint32_t type_len;
	/* Status 200: the strong entity tag with its quotes; 3xx: Location's value. */
	const uint8_t *mark;
	uint32_t mark_len;
	/* Status 200 only, else NULL and 0: */
	const uint8_t *not_modified;    /* the head of the 304 answer */
	uint32_t not_modified_len;
	const uint8_t *digest_line;     /* "Repr-Digest: ..." CRLF, ROM_DIGEST_LINE_LEN bytes */
};

struct romfs_entry {
	const uint8_t *path;     /* decoded bytes, starts with '/' */
	uint32_t path_len;       /* 0 for a page, which has no path */
	int64_t modified;        /* Last-Modified, Unix seconds; -1 for all but 200 */
	uint32_t variant_count;  /* 1..4; variant 0 is identity, the others smallest first */
	uint8_t codings[4];      /* enum romfs_coding of the first variant_count */
	bool keeps_query;        /* 3xx: Location gets the query of the request */
	const uint8_t *record;   /* romfs.c's own */
};

/* Bytes that a pattern or a query left for the target. */
struct romfs_capture {
	const uint8_t *at;       /* into the path or the query that was looked up */
	size_t len;
};

/*
 * A redirect that has to be made: a rule's target and what goes into it.  In a URL no capture
 * is part of the host; mkromfs sees to that.  Whoever puts captures into a path keeps it on
 * this host: of '/' at its beginning one is written ("/" NUL 1 with "/evil.example"), and a
 * captured '\' is percent-encoded, since browsers take it for '/'.
 */
struct romfs_target {
	uint16_t status;         /* 301, 302, 303, 307, 308; 0: there is none */
	bool keeps_query;        /* the request's query is appended, before the tail */
	const uint8_t *text;     /* URI characters; NUL k stands for capture k, from 1 on */
	uint32_t text_len;
	const uint8_t *tail;     /* "#fragment" */
	uint32_t tail_len;
	uint8_t path_captures;   /* so many of them are decoded bytes of the path, ... */
	uint8_t capture_count;   /* ... the others are bytes of the query as they were sent */
	struct romfs_capture captures[16];      /* ROM_CAPTURE_CAP */
};

/* What a path leads to: an entry, or (target.status != 0) a redirect. */
struct romfs_answer {
	struct romfs_entry entry;
	struct romfs_target target;
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
 * Cost         about 700 instructions an entry, fewer a further coding; bodies are not read
 */
MUST_USE enum romfs_status romfs_open(struct romfs *fs, const void *image,
    size_t len);

/*
 * Which site a host name means.
 *
 * name, len   as sent, without port; letters in any case, one dot at the end is passed over
 * out         written if true
 * Returns     false if the image has no site for it (421).  Never for an image with one
 *             site and no names.
 * Cost        log2(names) compares, none without names
 */
MUST_USE bool romfs_host(const struct romfs *fs, const uint8_t *name, size_t len,
    struct romfs_host *out);

/*
 * Find what a path names, rules aside.
 *
 * site            0..site_count - 1
 * path, path_len  decoded bytes as http's path normaliser leaves them
 * out             written on ROMFS_OK only
 * Errors          ROMFS_NOT_FOUND
 * Cost            one hash over the path and one compare, however many entries there are
 */
MUST_USE enum romfs_status romfs_find(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len, struct romfs_entry *out);

/*
 * What is answered for a path: its entry; else the first rule that matches; else the page of
 * the nearest folder that has one (a rule like the others), else page 0.
 *
 * path_len          0, for what cannot be a path, leads to page 0
 * query, query_len  behind the '?', as sent; conditions of rules look at it
 * scratch, cap      room for a path that a rewrite makes, LIMIT_TARGET_LEN or more; what does
 *                   not fit is not found.  Not where path lies.
 * out               always written.  target.status == 0: `entry` is the answer.
 *                   Captures point into path and query.
 * Cost              romfs_find(); without an entry one step a byte and at most
 *                   ROM_ACCEPT_CAP rules, each linear in path and query
 */
void romfs_resolve(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len,
    const uint8_t *query, size_t query_len,
    uint8_t *scratch, size_t cap, struct romfs_answer *out);

/* Representation i (0 .. variant_count - 1) of an entry of this image. */
void romfs_variant(const struct romfs *fs, const struct romfs_entry *entry,
    uint32_t i, struct romfs_variant *out);

/* Entry i (0 .. slots and pages - 1) of a site, for tools that list an image. */
void romfs_entry_at(const struct romfs *fs, uint32_t site, uint32_t i,
    struct romfs_entry *out);

/* Slots of a site, then its pages. */
uint32_t romfs_slot_count(const struct romfs *fs, uint32_t site);
uint32_t romfs_page_count(const struct romfs *fs, uint32_t site);

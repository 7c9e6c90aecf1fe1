/*
 * Images for the reader's tests, put together from romfs/format.h and the packer's
 * perfect hash, independently of the packer's own writing.
 */
#pragma once

#include "config/base.h"
#include "romfs/format.h"
#include "romfs/mkromfs/phash.h"

/* What the paths of the first site answer with. */
#define SAMPLE_HEAD "Content-Length: 5\r\nContent-Type: text/plain\r\nETag: \"tag\"\r\n\r\n"
#define SAMPLE_LENGTH_LINE "Content-Length: 5\r\n"
#define SAMPLE_TYPE "text/plain"
#define SAMPLE_ETAG "\"tag\""
#define SAMPLE_NOT_MODIFIED "ETag: \"tag\"\r\n\r\n"
#define SAMPLE_DIGEST_LINE \
	"Repr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\r\n"
#define SAMPLE_BODY "hello"
#define SAMPLE_MISSING_HEAD "Content-Length: 4\r\nContent-Type: text/html\r\n\r\n"
#define SAMPLE_MISSING_BODY "gone"
#define SAMPLE_MOVED_HEAD \
	"Content-Length: 0\r\nContent-Type: text/html\r\nLocation: /there\r\n\r\n"
#define SAMPLE_LOCATION "/there"

/* The first key's codings beside its identity: brotli, then gzip. */
#define SAMPLE_MORE 2u

/*
 * Names: "a.example" for the first site, "b.example" for the second, and "www.a.example",
 * which redirects to "a.example".  Other names are misdirected.
 */
#define SAMPLE_NAMES 3u

/*
 * The first site has two pages with status 404, and these rules.  The last key's entry
 * says RULES_FIRST.
 *
 *   0  any path, ?go=:where    302 "/went?:where#tail", forced
 *   1  "/files" and the rest   200 "/:rest"
 *   2  "/m/:one/c"             301 "/:one", keeps the query
 *   3  "/spa/" and any bytes   200, the first key's entry
 *   4  "/" and any bytes       404, page 1
 *
 * The second has one path, "/", redirecting to "/there" with its query, one page, and one
 * rule: "/x/:one" to "https://a.example/:one", 308.
 */
#define SAMPLE_RULES 5u
#define SAMPLE_OTHER_SLOTS 1u
#define SAMPLE_PAGES 2u

struct sample {
	uint8_t *image;          /* malloc()ed */
	size_t len;
	/* into it: */
	struct rom_header *header;
	struct rom_name *names;
	struct rom_site *site, *other;
	uint8_t *buckets;
	struct rom_entry *entries;      /* of the first site, ... */
	struct rom_entry *first;        /* ... the first key's, ... */
	struct rom_entry *last;         /* ... the last key's, ... */
	struct rom_entry *pages;        /* ... and its pages */
	struct rom_entry *moved;        /* of the second site */
	struct rom_variant *variants;
	struct rom_rule *rules;         /* SAMPLE_RULES, then the other's */
	struct rom_state *states;       /* dead, 1 (start), 2, 3; of the other: 4 (start) */
	uint8_t *edges;                 /* of state 1: '/' to 2; of state 2: '/' and 'a' to 2 */
	uint8_t *accepts;               /* of state 2: 0 to 4; of states 3 and 4: 0 */
	uint8_t *paths;
	uint8_t *info;
};

#define SAMPLE_INFO "commit 0123abcd\nsite example\n"

/*
 * An image in which every key is a path of the first site with status 200, Last-Modified
 * being the key's index.  The keys are different and begin with '/'.
 */
void sample_make(struct sample *sample, const struct phash_key *keys, uint32_t count);

void sample_free(struct sample *sample);

/*
 * The image as bytes: what romfs.c reads and mkromfs writes.
 *
 * Only layout and the arithmetic of the hash; no code that could fail.  All
 * numbers are little endian, all offsets count from the image's first byte, all
 * fields called `zero` are 0.  The same in prose, for writing a second
 * reader: README.md.  Whoever changes this file changes ROM_VERSION.
 */
#pragma once

#include "config/base.h"

#define ROM_MAGIC "stelerom"  /* 8 bytes, without the NUL */
#define ROM_VERSION 2u
#define ROM_PAGE 4096u        /* an image is whole pages: it can be mapped as it is */
#define ROM_ALIGN 64u         /* of every section: one entry is one cache line */

/*
 * The image is read where it lies, at any alignment, so the structures are
 * packed; and it is a byte array to everybody else, so they may alias.
 */
#define ROM_RECORD __attribute__((packed, may_alias))

enum rom_section {
	ROM_NAMES,            /* struct rom_name, names ascending bytewise; maybe none */
	ROM_SITES,            /* struct rom_site, at least one */
	ROM_BUCKETS,          /* uint32_t displacements, a site's in one run */
	ROM_ENTRIES,          /* struct rom_entry, a site's in one run: slots, then pages */
	ROM_VARIANTS,         /* struct rom_variant: entries' further codings */
	ROM_RULES,            /* struct rom_rule, a site's in one run, first match wins */
	ROM_STATES,           /* struct rom_state; state 0 is the dead one of all sites */
	ROM_EDGES,            /* uint32_t: target << 8 | byte; a state's ascend by byte */
	ROM_ACCEPTS,          /* uint32_t: indices of rules, relative to the site's first */
	ROM_PATHS,            /* bytes of paths, host names, patterns and targets */
	ROM_INFO,             /* text for people: lines "word value", maybe none */
	ROM_ANSWERS,          /* rendered heads and bodies */
	ROM_SECTIONS
};

struct ROM_RECORD rom_range {
	uint64_t off;
	uint64_t len;
};

struct ROM_RECORD rom_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t section_count;       /* ROM_SECTIONS */
	uint64_t image_len;           /* all of it, whole pages */
	uint32_t default_site;        /* for names that are not in ROM_NAMES; or ROM_NONE */
	uint8_t zero[36];
	struct rom_range sections[ROM_SECTIONS];
};

#define ROM_NONE UINT32_MAX

/* A host name that the image answers for. */
struct ROM_RECORD rom_name {
	uint32_t off;                 /* from the section ROM_PATHS on; lower case ... */
	uint32_t len;                 /* ... 1..LIMIT_HOST_LEN, no port, no dot at the end */
	uint32_t site;
	uint32_t canonical;           /* the name it redirects to, in ROM_NAMES; or ROM_NONE */
};

/*
 * One site: a perfect hash over a run of buckets and a run of entries, and its rules.  Runs
 * follow each other in the order of the sites, without gaps: they fill their sections.
 */
struct ROM_RECORD rom_site {
	uint64_t seed;
	uint32_t first_bucket;
	uint32_t bucket_count;        /* at least 1 */
	uint32_t first_entry;
	uint32_t slot_count;          /* at least 1 */
	uint32_t page_count;          /* at least 1; behind the slots; page 0: not found */
	uint32_t first_rule;
	uint32_t rule_count;
	uint32_t first_state;         /* of the site's automaton, in one run behind state 0 */
	uint32_t state_count;         /* 0: there are no rules */
	uint32_t start;               /* where it starts, among them; 0: there are no rules */
	uint32_t file_count;          /* files of the site, for people */
	uint8_t zero[12];
};

/* Lengths that the reader relies on. */
#define ROM_DIGEST_LINE_LEN 69u   /* "Repr-Digest: sha-256=:" 44 characters ":" CRLF */
#define ROM_TYPE_AT 14u           /* strlen("Content-Type: ") */

/*
 * One representation.  In ROM_ANSWERS, without a gap: the Repr-Digest line and the head
 * of the 304 answer (status 200 only), the head; and, mostly right behind it, the body.
 * Heads begin with the lines Content-Length and Content-Type, in this order.
 */
struct ROM_RECORD rom_variant {
	uint64_t head_off;
	uint64_t body_off;            /* in ROM_ANSWERS */
	uint64_t body_len;
	uint16_t head_len;            /* ends in an empty line */
	uint16_t not_modified_len;    /* 200: at least 2; else 0 */
	uint16_t mark_at;             /* in the head.  200: the entity tag's first '"'; ... */
	uint16_t mark_len;            /* ... 3xx: the value of Location; 404: both 0 */
	uint16_t type_len;            /* of Content-Type's value */
	uint16_t status;              /* 200, 301, 302, 303, 307, 308, 404 */
	uint8_t coding;               /* enum romfs_coding */
	uint8_t length_line_len;      /* of the line Content-Length with its CRLF */
	uint8_t zero[2];
};

struct ROM_RECORD rom_entry {
	uint32_t path_off;            /* from the section ROM_PATHS on */
	uint16_t path_len;            /* at least 1; 0 for a page */
	uint8_t more_count;           /* further codings, smallest body first ... */
	uint8_t flags;                /* ROM_ENTRY_... */
	uint32_t more_first;          /* ... and their first index in ROM_VARIANTS */
	uint8_t codings[4];           /* of the variants, in their order: [0] is 0; then 0 */
	int64_t modified;             /* Unix seconds, or -1 */
	struct rom_variant first;     /* the identity coding */
};

#define ROM_ENTRY_RULES_FIRST 1u  /* forced rules may answer in its place: they look at queries */
#define ROM_ENTRY_KEEP_QUERY 2u   /* 3xx: Location gets the query of the request */

/* Content codings an image may hold; 0 is identity. */
#define ROM_CODING_CAP 4u

/*
 * A rule for paths that have no entry (and for those that say RULES_FIRST).  Offsets count
 * from the section ROM_PATHS on.  A NUL byte, which no path holds, marks what is not literal:
 *
 *   pattern   NUL 1: one or more bytes that are not '/'; NUL 2: any bytes; NUL 3, only at the
 *             end: nothing, or '/' (not captured) and any bytes.  At most one of NUL 2 and 3;
 *             at most one mark between two '/', where NUL 3 counts as a '/'.
 *   query     conditions: name NUL value NUL, where the value is bytes, or one byte 1: then
 *             whatever the request has is captured.  All must hold; others do not matter.
 *   target    NUL k: capture k, counted from 1: the pattern's, then the query's, in their order.
 *             3xx: what stands in Location, made of URI characters.  200: a decoded path.
 *   tail      3xx: from '#' on; behind the query
 */
struct ROM_RECORD rom_rule {
	uint32_t pattern_off;
	uint32_t query_off;
	uint32_t target_off;
	uint32_t tail_off;
	uint16_t pattern_len;
	uint16_t query_len;           /* 0: no conditions */
	uint16_t target_len;          /* 0: the answer is `entry` */
	uint16_t tail_len;
	uint32_t entry;               /* among the site's slots and pages; or ROM_NONE */
	uint16_t status;              /* 200, 404 (with an entry) or 3xx (with a target) */
	uint8_t flags;                /* ROM_RULE_... */
	uint8_t capture_count;        /* 0..ROM_CAPTURE_CAP */
};

#define ROM_RULE_FORCED 1u        /* goes before an entry that says RULES_FIRST */
#define ROM_RULE_KEEP_QUERY 2u    /* 3xx: the request's query is appended */

#define ROM_CAPTURE_CAP 16u
#define ROM_ACCEPT_CAP 32u        /* rules that one state accepts, at most */

/*
 * One state of the automaton that reads a path byte by byte: along the edge of the byte, or
 * to `otherwise`.  At the path's end the state's accepts are the rules whose patterns match,
 * in their order, up to the first that cannot fail.  (One that is not forced fails where an
 * entry says RULES_FIRST.)
 */
struct ROM_RECORD rom_state {
	uint32_t first_edge;          /* in ROM_EDGES */
	uint32_t otherwise;
	uint32_t first_accept;        /* in ROM_ACCEPTS */
	uint16_t edge_count;          /* 0..256 */
	uint16_t accept_count;        /* 0..ROM_ACCEPT_CAP */
};

#define ROM_STATE_CAP (1u << 24)  /* an edge has 24 bits for its target */

_Static_assert(sizeof(struct rom_header) == 256, "the header fills four cache lines");
_Static_assert(sizeof(struct rom_name) == 16, "four names are a cache line");
_Static_assert(sizeof(struct rom_site) == 64, "a site is one cache line");
_Static_assert(sizeof(struct rom_variant) == 40, "a variant and its entry fill a line");
_Static_assert(sizeof(struct rom_entry) == 64, "an entry is one cache line");
_Static_assert(sizeof(struct rom_rule) == 32, "a rule is half a cache line");
_Static_assert(sizeof(struct rom_state) == 16, "four states are a cache line");
_Static_assert(sizeof(struct rom_header) % ROM_ALIGN == 0,
    "the first section may follow the header");
_Static_assert(ROM_PAGE % ROM_ALIGN == 0, "padding to pages keeps the alignment");

/* ---- The hash ------------------------------------------------------------ */

/* Odd, and their bits look random: from the golden ratio, sqrt 3, sqrt 5. */
#define ROM_HASH_K0 0x9e3779b97f4a7c15u
#define ROM_HASH_K1 0xbb67ae8584caa73bu
#define ROM_HASH_K2 0x3c6ef372fe94f82bu

/* Multiply to 128 bits and fold: every bit of x reaches about half of the result. */
static inline uint64_t rom_fold(uint64_t x, uint64_t k)
{
	const unsigned __int128 p = (unsigned __int128)x * k;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/*
 * 64 bits of a path, eight bytes at a time.  The last word overlaps the one before
 * it where the path is long enough, so that nothing outside the path is read.
 * Not a defence against chosen collisions: the keys are the site's own, and a
 * stranger's path costs one compare whatever it hashes to.
 */
static inline uint64_t rom_hash(uint64_t seed, const uint8_t *path, size_t len)
{
	uint64_t h = seed ^ (len * ROM_HASH_K0);
	uint64_t last = 0;
	size_t i;

	for (i = 0; i + 8 < len; i += 8)
		h = rom_fold(h ^ load_le64(path + i), ROM_HASH_K1);
	if (len >= 8)
		last = load_le64(path + len - 8);
	else
		for (i = 0; i < len; i++)
			last |= (uint64_t)path[i] << (8 * i);
	h = rom_fold(h ^ last, ROM_HASH_K2);
	h = rom_fold(h ^ (h >> 32), ROM_HASH_K0);
	return h;
}

/* The bucket of a hash: its low half scaled to [0, bucket_count). */
static inline uint32_t rom_bucket(uint64_t hash, uint32_t bucket_count)
{
	return (uint32_t)(((hash & 0xffffffffu) * bucket_count) >> 32);
}

/* The slot of a hash under its bucket's displacement: [0, entry_count). */
static inline uint32_t rom_slot(uint64_t hash, uint32_t displacement,
    uint32_t entry_count)
{
	const uint64_t x =
	    rom_fold(hash ^ (displacement * ROM_HASH_K0), ROM_HASH_K1);

	return (uint32_t)(((x >> 32) * entry_count) >> 32);
}

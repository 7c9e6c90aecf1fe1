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
#define ROM_VERSION 1u
#define ROM_PAGE 4096u        /* an image is whole pages: it can be mapped as it is */
#define ROM_ALIGN 64u         /* of every section: one entry is one cache line */

/*
 * The image is read where it lies, at any alignment, so the structures are
 * packed; and it is a byte array to everybody else, so they may alias.
 */
#define ROM_RECORD __attribute__((packed, may_alias))

enum rom_section {
	ROM_HOSTS,            /* struct rom_host; exactly one in this version */
	ROM_BUCKETS,          /* uint32_t displacements, a host's in one run */
	ROM_ENTRIES,          /* struct rom_entry: slots, then the not-found page */
	ROM_VARIANTS,         /* struct rom_variant: entries' further codings */
	ROM_PATHS,            /* bytes of paths and host names */
	ROM_HEADER_RULES,     /* reserved: empty in this version */
	ROM_REDIRECT_RULES,   /* reserved: empty in this version */
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
	uint8_t zero[40];
	struct rom_range sections[ROM_SECTIONS];
};

/* One site: a perfect hash over a run of buckets and a run of entries. */
struct ROM_RECORD rom_host {
	uint64_t seed;
	uint64_t name_off;            /* in ROM_PATHS; 0 in this version ... */
	uint32_t name_len;            /* ... 0: the host for every name */
	uint32_t first_bucket;
	uint32_t bucket_count;        /* at least 1 */
	uint32_t first_entry;
	uint32_t entry_count;         /* slots, at least 1; not-found page after them */
	uint32_t file_count;          /* files of the site, for people */
	uint8_t zero[24];
};

/*
 * One representation.  In ROM_ANSWERS, from head_off on: the head, the body.  The
 * head of the 304 answer ends where the full head begins.
 */
struct ROM_RECORD rom_variant {
	uint64_t head_off;
	uint64_t body_len;
	uint32_t head_len;            /* at least 2, ends in an empty line */
	uint32_t not_modified_len;    /* 0: no 304 answer, as there is no tag */
	uint16_t etag_at;             /* in the head, its first '"' */
	uint16_t etag_len;            /* with both quotes; 0: none */
	uint16_t status;              /* 200, 301 or 404 */
	uint8_t coding;               /* enum romfs_coding */
	uint8_t zero;
};

struct ROM_RECORD rom_entry {
	uint64_t path_off;            /* in ROM_PATHS */
	uint32_t path_len;            /* at least 1; 0 for a not-found page */
	uint32_t more_count;          /* further codings ... */
	uint32_t more_first;          /* ... and their first index in ROM_VARIANTS */
	uint32_t zero;
	int64_t modified;             /* Unix seconds, or -1 */
	struct rom_variant first;     /* the identity coding */
};

/* Content codings an image may hold; 0 is identity.  Later ones of an entry ascend. */
#define ROM_CODING_CAP 8u

_Static_assert(sizeof(struct rom_header) == 192, "the header fills three cache lines");
_Static_assert(sizeof(struct rom_host) == 64, "a host is one cache line");
_Static_assert(sizeof(struct rom_variant) == 32, "a variant is half a cache line");
_Static_assert(sizeof(struct rom_entry) == 64, "an entry is one cache line");
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

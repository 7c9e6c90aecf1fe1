/*
 * Images for the reader's tests, put together from romfs/format.h and the packer's
 * perfect hash, independently of the packer's own writing.
 */
#pragma once

#include "config/base.h"
#include "romfs/format.h"
#include "romfs/mkromfs/phash.h"

/* What every sample answers with. */
#define SAMPLE_HEAD "Content-Length: 5\r\nETag: \"tag\"\r\n\r\n"
#define SAMPLE_ETAG "\"tag\""
#define SAMPLE_NOT_MODIFIED "ETag: \"tag\"\r\n\r\n"
#define SAMPLE_BODY "hello"
#define SAMPLE_MISSING_HEAD "\r\n"
#define SAMPLE_MISSING_BODY "gone"

/* Codings 2 and 5 of the first key, beside its identity. */
#define SAMPLE_MORE 2u

struct sample {
	uint8_t *image;          /* malloc()ed */
	size_t len;
	/* into it: */
	struct rom_header *header;
	struct rom_host *host;
	uint8_t *buckets;
	struct rom_entry *entries;
	struct rom_entry *first; /* the first key's */
	struct rom_variant *variants;
};

/*
 * An image in which every key is a path with status 200, Last-Modified being the
 * key's index.  The keys are different and begin with '/'.
 */
void sample_make(struct sample *sample, const struct phash_key *keys, uint32_t count);

void sample_free(struct sample *sample);

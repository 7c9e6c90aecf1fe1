/* The content of files on its way into the image. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/media.h"
#include "romfs/mkromfs/sha256.h"
#include "romfs/mkromfs/site.h"

#define CONTENT_CHUNK_LEN (256 * 1024)

/* Where content goes, and who sees it pass. */
struct content_sink {
	uint64_t off;            /* in the image */
	uint8_t *chunk;          /* CONTENT_CHUNK_LEN bytes to work with */
	struct sha256 *sha;
	struct media_scan *scan; /* may be NULL */
};

/*
 * Copy a file, which has to be what the walk saw from the first byte to the last.  False
 * after reporting why not.
 */
MUST_USE bool content_copy(const struct site *site, const struct site_file *file,
    const struct content_sink *sink);

/* Copy the first len bytes of a file of our own.  Errors are reported likewise. */
MUST_USE bool content_copy_own(const char *path, uint64_t len,
    const struct content_sink *sink);

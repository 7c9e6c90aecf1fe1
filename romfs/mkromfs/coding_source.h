/* A file of the site as the walk saw it, read once from start to end. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/sha256.h"
#include "romfs/mkromfs/site.h"

struct source {
	int fd;
	const struct site_file *file;
	uint64_t done;           /* bytes that were read */
	struct sha256 sha;       /* of these */
};

/*
 * False and errno, here and below: ESTALE if the file is not, or is no longer, the one that
 * the walk saw.  After false from source_open() there is nothing to close.
 */
MUST_USE bool source_open(struct source *source, const struct site *site, size_t file);

/* The next `cap` bytes, or fewer at the end; *got is 0 behind it. */
MUST_USE bool source_read(struct source *source, uint8_t *out, size_t cap, size_t *got);

/* Read what is left, and make sure that nothing has changed meanwhile. */
MUST_USE bool source_finish(struct source *source, uint8_t digest[SHA256_LEN]);

void source_close(struct source *source);

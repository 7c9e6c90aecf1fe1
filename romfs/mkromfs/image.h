/* From the list of files to the image. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/media.h"
#include "romfs/mkromfs/site.h"

/* What the times of modification become. */
struct image_times {
	bool fixed;
	int64_t fixed_at;        /* every file's, if fixed */
	int64_t latest;          /* later ones become this */
};

struct image_summary {
	uint64_t bytes_in;       /* of all files */
	uint64_t image_len;
};

/*
 * Write the image.  What is wrong with the files is reported by report_error();
 * false then, and there is no image.
 */
MUST_USE bool image_write(const struct site *site, const struct media_table *table,
    const struct image_times *times, const char *path, struct image_summary *out);

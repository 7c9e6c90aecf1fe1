/* From the list of files to the image: plans the paths, streams the contents. */
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

/* A path that answers, and with what. */
enum planned_kind {
	PLANNED_FILE,            /* its own path */
	PLANNED_INDEX,           /* "/dir/" for "/dir/index.html": shares its answer */
	PLANNED_REDIRECT,        /* "/dir" to "/dir/" */
};

struct planned {
	enum planned_kind kind;
	size_t file;             /* in site->files */
	size_t path_len;         /* the path is the first so many bytes of '/' + file's path */
};

/* All paths of a site, in the order of its files.  The caller frees *out. */
size_t image_plan(const struct site *site, struct planned **out);

/* The file that is the body of the 404 answer, or SIZE_MAX. */
size_t image_not_found_file(const struct site *site);

/*
 * Write the image.  What is wrong with the files is reported by report_error();
 * false then, and there is no image.
 */
MUST_USE bool image_write(const struct site *site, const struct media_table *table,
    const struct image_times *times, const char *path, struct image_summary *out);

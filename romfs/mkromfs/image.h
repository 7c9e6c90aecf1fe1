/* From what was decided about sites to the image. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/coding.h"
#include "romfs/mkromfs/headers.h"
#include "romfs/mkromfs/media.h"
#include "romfs/mkromfs/options.h"
#include "romfs/mkromfs/plan.h"
#include "romfs/mkromfs/site.h"

/* One site and all that is decided about it. */
struct image_site {
	struct site site;
	struct plan plan;
	struct redirects redirects;
	struct header_rules *headers;   /* NULL: it has none */
	struct coding_job *jobs;        /* NULL, or of file i of the site ... */
	size_t *job_of;                 /* ... the job; SIZE_MAX: it has none */
};

/* A host name. */
struct image_name {
	char *name;
	size_t site;             /* in image->sites */
	size_t canonical;        /* in image->names: where it redirects to; SIZE_MAX: nowhere */
};

struct image {
	struct image_site *sites;
	size_t site_count;
	struct image_name *names;       /* ascending; none: one site for all hosts */
	size_t name_count;
	size_t default_site;     /* for other names; SIZE_MAX: none */
	const char *info;        /* lines "word value\n" */
	/* For all sites: */
	const struct media_table *types;
	struct image_times times;
	struct site_options options;
};

struct image_summary {
	uint64_t bytes_in;       /* of all files */
	uint64_t image_len;
	size_t coded_files;      /* files with at least one further coding */
	uint64_t saved;          /* bytes that the smallest of them saves */
	bool dropped_hsts;       /* some _headers have Strict-Transport-Security */
};

/*
 * Write the image to `path`.  What is wrong with the files is reported by report_error();
 * false then, and there is no image.
 */
MUST_USE bool image_write(const struct image *image, const char *path,
    struct image_summary *out);

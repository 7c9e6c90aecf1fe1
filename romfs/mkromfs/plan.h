/* Which paths a site answers, and from which file. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/site.h"

enum planned_kind {
	PLANNED_FILE,            /* its own path */
	PLANNED_INDEX,           /* "/dir/" for "/dir/index.html": shares its answer */
	PLANNED_REDIRECT,        /* "/dir" to "/dir/" */
};

/* A path: the first path_len bytes of '/' and the file's path. */
struct planned {
	enum planned_kind kind;
	size_t file;             /* in site->files */
	size_t path_len;
};

/* All paths of a site, in the order of its files.  The caller frees *out. */
size_t plan_site(const struct site *site, struct planned **out);

/* The file that is the body of the 404 answer, or SIZE_MAX. */
size_t plan_not_found(const struct site *site);

/* A file's name without its folders. */
const char *plan_file_name(const struct site_file *file);

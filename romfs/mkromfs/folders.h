/* A site's folders, each with what a listing of it shows. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/site.h"
#include "romfs/mkromfs/text.h"

struct folder {
	const char *path;        /* begins a file's path; with its last '/', but for the root */
	size_t len;              /* 0: the root */
	size_t first, end;       /* its files, with those further down, in site->files */
};

struct folders {
	struct folder *list;     /* by path, bytewise */
	size_t count, cap;
};

/* All folders that hold files, further down or not; but those with a name that begins in '.'. */
void folders_find(struct folders *folders, const struct site *site);

/* A file of this name lies in the folder itself. */
bool folder_has(const struct site *site, const struct folder *folder, const char *name);

/*
 * The page that lists it: folders, then files with their lengths and times.
 *
 * modified_of  the time a file's answer says, with what it was given
 * newest       the latest of them, of the files shown; -1: there is none
 * Returns      the caller frees text.at
 */
struct text folder_listing(const struct site *site, const struct folder *folder,
    int64_t (*modified_of)(const struct site_file *file, const void *context),
    const void *context, int64_t *newest);

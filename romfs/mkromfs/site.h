/*
 * The site as a list: every file that will be served, found by walking the folder.
 *
 * What is refused, and what is skipped, is in romfs/README.md, "What goes in".
 */
#pragma once

#include <time.h>

#include "config/base.h"

struct site_file {
	char *path;          /* relative to the site, '/' between names; valid UTF-8 */
	/* As of the walk: */
	uint64_t len;
	struct timespec mtime;
};

struct site {
	const char *root;    /* as the user wrote it, for messages */
	char *real_root;     /* no symlinks, absolute */
	int root_fd;
	struct site_file *files;    /* sorted by path, bytewise */
	size_t file_count, file_cap;
	size_t directory_count;     /* with the root */
	bool has_redirects, has_headers;        /* "_redirects", "_headers": not among the files */
	char **skipped;      /* dot-files and dot-folders, relative paths, sorted */
	size_t skipped_count, skipped_cap;
};

/*
 * Walk the folder `root`.  Everything that is wrong with it is reported by
 * report_error(); the caller looks at report_count().
 */
void site_walk(struct site *site, const char *root);

/*
 * Open a file or folder of the site for reading; the path may be longer than
 * the system's PATH_MAX.  Returns -1 and errno.
 */
MUST_USE int site_open(const struct site *site, const char *path, int flags);

/*
 * The open file is what the walk saw: a file of this length and time.  False and errno;
 * ESTALE if it is another.
 */
MUST_USE bool site_is_unchanged(int fd, const struct site_file *file);

/* The index of the file with this path; SIZE_MAX: there is none. */
size_t site_find(const struct site *site, const char *path);

/*
 * The whole content of a file of rules, with a NUL behind it; the caller frees it.  NULL after
 * reporting why not.
 */
char *site_read(const struct site *site, const char *path, size_t *len);

/* The path as the user would write it: root/path.  The caller frees it. */
char *site_full_path(const struct site *site, const char *path);

/* `path` (absolute, no symlinks) is `folder` or lies in it. */
bool path_is_inside(const char *path, const char *folder);

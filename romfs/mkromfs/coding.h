/*
 * Content codings, made on the build host: for each file the codings in which it is worth
 * sending.  In parallel, and remembered by the content's digest between runs.
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/sha256.h"
#include "romfs/mkromfs/site.h"

/* The numbers of enum romfs_coding; 0 is the file as it is. */
#define CODING_COUNT 4

struct coded {
	uint64_t len;
	char *path;              /* a file with the bytes, readable until codings_end(); NULL: none */
};

/* One file in all codings. */
struct coding_job {
	const struct site *site;
	size_t file;             /* in site->files */
	const char *type;        /* its media type, without parameters */
	/* Sidecars (x.gz, x.br, x.zst beside x), indices in site->files; SIZE_MAX: none. */
	size_t sidecars[CODING_COUNT];
	/* Out; [0] stays empty.  Kept only if it saves 5 % and 64 bytes. */
	struct coded coded[CODING_COUNT];
};

struct coding_options {
	const char *cache;       /* a folder that is made if need be; NULL: nothing is remembered */
	unsigned codings;        /* bit (1 << enum romfs_coding) for each that is wanted */
	bool progress;           /* a line on stderr while it takes long, if that is a terminal */
};

/*
 * Do all jobs.  What is wrong (a sidecar that does not decode to its file, a file that changed,
 * a full disk) is reported by report_error(); the caller looks at report_count().  Outputs
 * do not depend on the number of processors or on what the cache holds.
 */
void codings_make(struct coding_job *jobs, size_t count, const struct coding_options *options);

/* "gzip", "br", "zstd": the Content-Encoding of a coding, 1..CODING_COUNT - 1. */
const char *coding_name(unsigned coding);

/* Files of our own that are not in the cache go away. */
void codings_end(struct coding_job *jobs, size_t count);

/*
 * Content codings, made on the build host: for each file the codings in which it is worth
 * sending.  In parallel, and remembered by the content's digest between runs.
 */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/site.h"

/* The numbers of enum romfs_coding; 0 is the file as it is. */
#define CODING_COUNT 4

struct coded {
	uint64_t len;
	char *path;              /* a file that begins with the bytes, until codings_end(); NULL: none */
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
 * Do all jobs, of any number of sites; one call at a time, up to its codings_end().
 *
 * A coding that is not wanted is not made, and its sidecars are not looked at.  A wanted
 * sidecar has to decode to its file, byte for byte, or it is an error.  It is used if it is
 * smaller than the file, even where our own coding would be smaller still.  Two kinds are not
 * used though they are right, with a note on stderr: those that are not smaller; and gzip
 * of several members, of which browsers read the first only.
 *
 * What is wrong (a sidecar, a file that changed, a full disk) is reported by report_error() in
 * the order of the jobs; the caller looks at report_count().  Outputs do not depend on the
 * number of processors or on what the cache holds.  Memory: coding_encode() for each processor.
 */
void codings_make(struct coding_job *jobs, size_t count, const struct coding_options *options);

/* "gzip", "br", "zstd": the Content-Encoding of a coding, 1..CODING_COUNT - 1. */
const char *coding_name(unsigned coding);

/* What codings_make() handed out ends, also after errors; old entries of the cache may go. */
void codings_end(struct coding_job *jobs, size_t count);

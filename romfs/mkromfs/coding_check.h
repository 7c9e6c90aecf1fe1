/* Does this decode to that?  For sidecars, which anybody made, and for our own work. */
#pragma once

#include "config/base.h"
#include "romfs/mkromfs/coding_source.h"

enum check_status {
	CHECK_SAME,
	CHECK_DIFFERENT,         /* `reason` says in what */
	CHECK_BAD_SOURCE,        /* source_read() said errno */
	CHECK_BAD_CODED,         /* reading the coded bytes said errno */
};

struct check {
	unsigned parts;          /* gzip: members, zstd: frames that were decoded; br: 1 */
	char reason[160];
};

/*
 * Decode the first `len` bytes of `fd` and compare them with an opened source.  Stops at the
 * first byte that differs or is too many, so it takes no longer than the source is long, and
 * 20 MiB of memory, whatever the coded bytes claim.
 *
 * What a browser could not decode is different, too: brotli with a large window, zstd with a
 * window of more than 8 MiB (RFC 9659) or a dictionary; and so is anything behind the end.
 */
MUST_USE enum check_status coding_check(unsigned coding, int fd, uint64_t len,
    struct source *source, struct check *out);

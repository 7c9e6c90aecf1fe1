/*
 * One rule against one path: the reader's matcher, and mkromfs's, which asks it at build
 * time what the rules do to the paths of files.  Pure.  Bytes: format.h, struct rom_rule.
 */
#pragma once

#include "config/base.h"
#include "romfs/romfs.h"

/* A pattern, or conditions on a query, as bytes of format.h. */
struct romfs_pattern {
	const uint8_t *at;
	size_t len;
};

/*
 * Match a whole path and collect what the marks stand for, in their order.
 *
 * pattern   well-formed (romfs_pattern_ok())
 * captures  room for ROM_CAPTURE_CAP; written from *count on, which grows
 * Returns   false if it does not match; *count is unspecified then
 * Cost      linear in the path; nothing is tried twice
 */
MUST_USE bool romfs_match_path(struct romfs_pattern pattern,
    const uint8_t *path, size_t path_len,
    struct romfs_capture *captures, uint8_t *count);

/*
 * The same for the conditions on a query: linear in the query for each condition.  A query is
 * pairs with '&' between them, a pair is a name and, behind its first '=', a value; bytes
 * are compared as they were sent.  Of several pairs with the name any may have the value; the
 * first is captured.
 */
MUST_USE bool romfs_match_query(struct romfs_pattern conditions,
    const uint8_t *query, size_t query_len,
    struct romfs_capture *captures, uint8_t *count);

/* Form and number of marks are as format.h says; *captures is how many there are. */
MUST_USE bool romfs_pattern_ok(struct romfs_pattern pattern, uint8_t *captures);
MUST_USE bool romfs_query_ok(struct romfs_pattern conditions, uint8_t *captures);

/*
 * Put captures into the target of a rewrite.
 *
 * captures       those behind the first path_captures are bytes of a query: their escapes
 *                are decoded (RFC 3986, section 2.1), as those of the path were before
 * out, cap       receives the bytes; not where the captures are
 * Returns        their number, or SIZE_MAX if there is not room for all or an escape is broken
 */
MUST_USE size_t romfs_expand(struct romfs_pattern target,
    const struct romfs_capture *captures, uint8_t path_captures, uint8_t *out, size_t cap);

/*
 * Run a site's automaton over a path: the rules (indices relative to the site's first) whose
 * patterns match, in their order.
 *
 * Returns  their number, 0..ROM_ACCEPT_CAP; *accepts is where they are, in the image
 */
uint32_t romfs_accepts(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len, const uint8_t **accepts);

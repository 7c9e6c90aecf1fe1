/*
 * The field Range: which bytes of a representation are asked for.  Pure.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "http/text.h"

struct http_range {
	uint64_t first;
	uint64_t len;            /* at least 1 */
};

enum http_ranges {
	HTTP_RANGES_NONE,        /* send the whole (200): see below */
	HTTP_RANGES_SOME,        /* 206 */
	HTTP_RANGES_OUTSIDE,     /* 416 */
};

/*
 * value   the field's value
 * len     of the selected representation
 * out     HTTP_RANGES_SOME: *count ranges, at least 1, each inside the representation.  Those
 *         that overlap or touch are one, where the first of them stood; else they stand in
 *         the order of the request.  Other results: anything.
 * Result  HTTP_RANGES_NONE for a unit other than bytes, a value that does not fit the grammar
 *         (one range that is not valid makes the whole so), too many parts, and a
 *         representation of no bytes.  HTTP_RANGES_OUTSIDE only if no range can be satisfied.
 *         Numbers of any length are read exactly.
 * Cost    linear in the value times LIMIT_RANGE_PARTS
 * Source  RFC 9110, sections 14.1.2, 14.2 and 15.3.7.2
 */
MUST_USE enum http_ranges http_parse_ranges(struct http_text value, uint64_t len,
    struct http_range out[LIMIT_RANGE_PARTS], uint32_t *count);

/*
 * The field Range: which bytes of a representation are asked for.  Pure.
 */
#pragma once

#include "config/base.h"
#include "http/text.h"

struct http_range {
	uint64_t first;
	uint64_t len;            /* at least 1 */
};

/* Parts of one answer; more than that, after coalescing, and the whole is sent. */
#define HTTP_RANGE_CAP 16

enum http_ranges {
	HTTP_RANGES_NONE,        /* no range we know, malformed, or too many: send the whole (200) */
	HTTP_RANGES_SOME,        /* 206 */
	HTTP_RANGES_OUTSIDE,     /* 416 */
};

/*
 * value   the field's value
 * len     of the selected representation
 * out     HTTP_RANGES_SOME: *count ranges, at least 1, each inside the representation.  Those
 *         that overlap or touch are one; else they stand in the order of the request.
 * Cost    linear in the value times HTTP_RANGE_CAP
 * Source  RFC 9110, sections 14.1.2, 14.2 and 15.3.7.2
 */
MUST_USE enum http_ranges http_parse_ranges(struct http_text value, uint64_t len,
    struct http_range out[HTTP_RANGE_CAP], uint32_t *count);

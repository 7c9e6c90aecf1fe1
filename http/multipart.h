/*
 * Several ranges of a representation as one body: multipart/byteranges.  Pure.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "http/range.h"
#include "http/text.h"

struct http_parts {
	struct http_text etag;    /* of the representation, with quotes; see below */
	struct http_text type;    /* value of its Content-Type, which each part repeats */
	struct http_text body;
	uint32_t count;
	struct http_range ranges[LIMIT_RANGE_PARTS];
};

/* The longest delimiter with the fields of a part, less the type. */
#define HTTP_PART_CAP 256

/* The longest boundary: RFC 2046, section 5.1.1 allows 70. */
#define HTTP_BOUNDARY_CAP 64

/*
 * Write the boundary; returns its length.
 *
 * It is made of the entity tag, which is a hash of the content.  So it is the same for each
 * request, which the pieces of an answer depend on, and a file that holds its own is as
 * hard to find as one that holds its own hash.  A site that sets its own entity tags
 * vouches for them.
 */
size_t http_format_boundary(const struct http_parts *parts,
    uint8_t out[HTTP_BOUNDARY_CAP]);

/*
 * Write what stands before part i, or with i == count what stands behind the last one;
 * returns its length.
 * Source  RFC 9110, section 14.6 and 15.3.7.2; RFC 2046, section 5.1.1
 */
size_t http_format_part(const struct http_parts *parts, uint32_t i,
    uint8_t out[HTTP_PART_CAP + LIMIT_PART_TYPE_LEN]);

/* Bytes of the whole body. */
uint64_t http_parts_len(const struct http_parts *parts);

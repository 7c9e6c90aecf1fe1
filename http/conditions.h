/* Conditional requests: whether what the client has, or supposes, is still true.  Pure. */
#pragma once

#include "config/base.h"
#include "http/request.h"

enum http_condition {
	HTTP_CONDITION_NONE,          /* go on: all hold, or there are none */
	HTTP_CONDITION_NOT_MODIFIED,  /* 304 */
	HTTP_CONDITION_FAILED,        /* 412 */
};

/*
 * If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, in the order of
 * RFC 9110, section 13.2.2, for GET and HEAD where the answer without them were 200.
 *
 * A list counts up to its first malformed element: what is behind it matches nothing.
 *
 * etag       the selected representation's strong tag, with quotes
 * modified   its Last-Modified, Unix seconds; -1: none
 * now        Unix seconds, to read two-digit years
 */
enum http_condition http_check_conditions(const struct http_request *req,
    struct http_text etag, int64_t modified, int64_t now);

/*
 * Range is to be looked at: it was sent once, with GET (RFC 9110, section 14.2), and there
 * is no If-Range, or one that holds (section 13.1.5: strong comparison; a date only if
 * it is exactly Last-Modified and that is a strong validator, section 8.8.2.2).
 *
 * modified   -1 also where the date is no strong validator: for a representation with a
 *            content coding, since another compressor makes other bytes of a file that
 *            has kept its date
 */
bool http_range_applies(const struct http_request *req, struct http_text etag,
    int64_t modified, int64_t now);

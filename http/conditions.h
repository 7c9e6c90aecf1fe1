/*
 * Conditional requests: may the client keep the copy that it has?  Pure.
 */
#pragma once

#include "config/base.h"
#include "http/request.h"

/*
 * True if a GET or HEAD that would be answered with 200 is to be answered with 304.
 *
 * etag      of the selected representation, strong, with its quotes
 * modified  its Last-Modified, Unix seconds, or -1 if it has none
 * now       Unix seconds, for the century of two-digit years
 * Source    RFC 9110, sections 13.1.2 (If-None-Match: weak comparison, "*"), 13.1.3
 *           (If-Modified-Since: ignored if invalid, repeated, or beside
 *           If-None-Match) and 13.2.2 (order)
 */
bool http_not_modified(const struct http_request *req, struct http_text etag,
    int64_t modified, int64_t now);

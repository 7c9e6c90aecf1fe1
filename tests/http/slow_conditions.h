/*
 * Conditions once more, as slow and as close to the words of RFC 9110, section 13.2.2 as
 * they can be written: what the fast ones are compared with.
 */
#pragma once

#include "http/conditions.h"

/* As http_check_conditions() and http_range_applies(). */
enum http_condition slow_check_conditions(const struct http_request *req,
    struct http_text etag, int64_t modified, int64_t now);
bool slow_range_applies(const struct http_request *req, struct http_text etag,
    int64_t modified, int64_t now);

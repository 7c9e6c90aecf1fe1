/*
 * Byte ranges once more, as slow and as close to the words of RFC 9110, section 14 as they
 * can be written: what the fast reader is compared with.
 */
#pragma once

#include "http/range.h"

/* As http_parse_ranges(). */
enum http_ranges slow_parse_ranges(struct http_text value, uint64_t len,
    struct http_range out[LIMIT_RANGE_PARTS], uint32_t *count);

/*
 * Content negotiation once more, as slow and as close to the words of RFC 9110, section
 * 12.5.3 as it can be written: what the fast one is compared with.
 */
#pragma once

#include "http/accept.h"

/* As http_choose_coding() and http_wants_digest(). */
bool slow_choose_coding(const struct http_request *req,
    const uint8_t *offered, uint32_t count, uint32_t *chosen);
bool slow_wants_digest(const struct http_request *req);

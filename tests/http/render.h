/*
 * An answer as the client would get it: prefix, slice and all pieces, in one run of bytes.
 */
#pragma once

#include "http/piece.h"

/* Writes at most cap bytes and aborts if that is too little; returns how many. */
size_t render(const struct http_site *site, const struct http_response *res,
    uint8_t *out, size_t cap);

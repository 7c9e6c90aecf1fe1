/*
 * The path normaliser once more, as slow and as close to the words of the RFCs as it
 * can be written: what the fast one is compared with.
 */
#pragma once

#include "http/path.h"

/* As http_normalise_path(); out has room for len + 1 bytes. */
enum http_path slow_normalise(const uint8_t *raw, size_t len, uint8_t *out,
    size_t *out_len);

/* Any segment of the path is "." or "..". */
bool slow_has_dots(const uint8_t *path, size_t len);

/* The bytes of the section ROM_PATHS: paths, host names, patterns, targets. */
#pragma once

#include "config/base.h"

struct pool {
	uint8_t *bytes;
	size_t len, cap;
};

/* Append bytes and say where they are; more than an offset can say ends in die(). */
uint32_t pool_add(struct pool *pool, const void *bytes, size_t len);

/*
 * Append paths and say where each is, in offs[].  Those that begin others share their bytes
 * ("/a", "/a/" and "/a/index.html").
 */
void pool_add_paths(struct pool *pool, const char *const *paths, size_t count,
    uint32_t *offs);

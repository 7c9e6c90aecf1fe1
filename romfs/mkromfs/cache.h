/* How long an answer may be kept if _headers does not say.  README.md, "Answers". */
#pragma once

#include "config/base.h"

/*
 * The value of Cache-Control for a file.
 *
 * type   its media type, without parameters
 * name   its name, without folders
 */
const char *cache_control(const char *type, const char *name);

/* The name carries a digest of the content, as bundlers write it. */
bool cache_is_fingerprinted(const char *type, const char *name);

#define CACHE_REVALIDATE "no-cache"
#define CACHE_HOUR "public, max-age=3600"
#define CACHE_FOREVER "public, max-age=31536000, immutable"

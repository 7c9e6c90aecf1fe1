/* Which fields a site may not set, and which have one value. */
#pragma once

#include "config/base.h"

/* Why _headers may not set a field, or remove it; NULL: it may.  Any case. */
const char *headers_refused(const char *name, size_t len, bool is_removal);

/* A field whose values cannot be joined by commas (RFC 9110, section 5.3). */
bool headers_is_single(const char *name, size_t len);

/* Paths as URLs write them. */
#pragma once

#include <stddef.h>

/*
 * Percent-encode a path (RFC 3986, section 2.1).  Left as they are: unreserved
 * characters, '/', and the sub-delimiters that HTML needs no escape for, so
 * that the result can stand in a Location field and in an attribute.
 * The caller frees it.
 */
char *url_encode(const char *path);

/* Its length, without the NUL. */
size_t url_encoded_len(const char *path);

/* The byte of the escape that begins at `at`, before `end`; -1: none does. */
int url_escape_value(const char *at, const char *end);

/*
 * A run of bytes that lives somewhere else: in the caller's receive buffer, in the
 * ROM, in rodata.  Never NUL-terminated, never owned.
 */
#pragma once

#include "config/base.h"

struct http_text {
	const uint8_t *at;
	size_t len;
};

/* The text of a string literal. */
#define HTTP_TEXT(literal) \
	((struct http_text){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static inline bool http_text_equal(struct http_text a, struct http_text b)
{
	return a.len == b.len && __builtin_memcmp(a.at, b.at, a.len) == 0;
}

/*
 * The same, where `low` is in lower case and ASCII letters of `a` count as such.
 * `low` consists of letters, digits, '-', ':' and '/' only.
 */
static inline bool http_text_equal_nocase(struct http_text a,
    struct http_text low)
{
	if (a.len != low.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		const uint8_t c = a.at[i];
		const bool upper = c >= 'A' && c <= 'Z';

		if ((upper ? c | 0x20 : c) != low.at[i])
			return false;
	}
	return true;
}

/*
 * What each byte may be part of, as one table: the ABNF of RFC 9110 and RFC 3986,
 * asked once per byte instead of a chain of comparisons.
 */
#pragma once

#include "config/base.h"

#define HTTP_TOKEN  (1u << 0)  /* tchar: RFC 9110, section 5.6.2 */
#define HTTP_PATH   (1u << 1)  /* target bytes up to the query, see chars.c */
#define HTTP_QUERY  (1u << 2)  /* target bytes, the query's included */
#define HTTP_HOST   (1u << 3)  /* reg-name without escapes: RFC 3986, section 3.2.2 */
#define HTTP_DIGIT  (1u << 4)
#define HTTP_HEX    (1u << 5)
#define HTTP_PLAIN  (1u << 6)  /* stands for itself in a path, wherever it is */
#define HTTP_ETAGC  (1u << 7)  /* inside an entity tag: RFC 9110, section 8.8.3 */

extern const uint8_t http_class[256];

static inline bool http_is(uint8_t c, uint8_t class)
{
	return (http_class[c] & class) != 0;
}

/* The value of a byte of class HTTP_HEX. */
static inline uint8_t http_hex_value(uint8_t c)
{
	return (uint8_t)((c & 0x0f) + (c >= 'A' ? 9 : 0));
}

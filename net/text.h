/*
 * Short texts for the operator, built in a buffer of fixed size.  What does not
 * fit is cut; there is no terminating NUL.
 */
#pragma once

#include "config/base.h"

struct text {
	char *at;
	size_t len;
	size_t cap;
};

static inline struct text text_start(char *buf, size_t cap)
{
	return (struct text){ .at = buf, .cap = cap };
}

static inline void text_add_char(struct text *t, char c)
{
	if (t->len < t->cap)
		t->at[t->len++] = c;
}

static inline void text_add(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		text_add_char(t, *s);
}

/* Decimal, without leading zeros. */
void text_add_u64(struct text *t, uint64_t value);

/* "192.0.2.1", from 4 bytes in network order. */
void text_add_ipv4(struct text *t, const uint8_t addr[4]);

/*
 * "2001:db8::1", from 16 bytes in network order, in the one form of
 * RFC 5952, section 4; an IPv4-mapped address is written as such (section 5).
 */
void text_add_ipv6(struct text *t, const uint8_t addr[16]);

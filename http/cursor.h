/*
 * Bounded reading of bytes chosen by a stranger: the one way in which the parsers
 * here look at their input.  No function reads at or behind `end`.
 */
#pragma once

#include "config/base.h"
#include "http/chars.h"
#include "http/text.h"

struct rd {
	const uint8_t *at;
	const uint8_t *end;
};

static inline struct rd rd_open(const uint8_t *data, size_t len)
{
	return (struct rd){ .at = data, .end = data + len };
}

static inline struct rd rd_text(struct http_text text)
{
	return rd_open(text.at, text.len);
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->at);
}

static inline bool rd_at_end(const struct rd *r)
{
	return r->at == r->end;
}

/* The next byte is there and is c. */
static inline bool rd_sees(const struct rd *r, uint8_t c)
{
	return !rd_at_end(r) && *r->at == c;
}

/* Step over the next byte if it is c. */
static inline bool rd_take(struct rd *r, uint8_t c)
{
	if (!rd_sees(r, c))
		return false;
	r->at++;
	return true;
}

/* Step over the next byte if it is of the class. */
static inline bool rd_take_class(struct rd *r, uint8_t class, uint8_t *out)
{
	if (rd_at_end(r) || !http_is(*r->at, class))
		return false;
	*out = *r->at++;
	return true;
}

/* Step over a literal if it comes next, whole. */
static inline bool rd_take_text(struct rd *r, struct http_text literal)
{
	if (rd_left(r) < literal.len ||
	    __builtin_memcmp(r->at, literal.at, literal.len) != 0)
		return false;
	r->at += literal.len;
	return true;
}

/* The longest run of bytes of a class; may be empty. */
static inline struct http_text rd_while(struct rd *r, uint8_t class)
{
	const uint8_t *const start = r->at;
	const uint8_t *at = start;

	while (at != r->end && http_is(*at, class))
		at++;
	r->at = at;
	return (struct http_text){ start, (size_t)(at - start) };
}

/* Step over SP and HTAB: OWS of RFC 9110, section 5.6.3. */
static inline void rd_skip_ows(struct rd *r)
{
	while (rd_sees(r, ' ') || rd_sees(r, '\t'))
		r->at++;
}

/*
 * How many bytes of the word, from its first in memory on, are neither below 0x20 nor
 * 0x7f: 0..8.  A subtraction that borrows can only make a byte look bad that follows
 * a bad one, so the first one found is right.
 */
static inline size_t rd_clean_bytes(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101u;
	const uint64_t tops = 0x8080808080808080u;
	const uint64_t del = w ^ (ones * 0x7f);
	const uint64_t bad =
	    (((w - ones * 0x20) & ~w) | ((del - ones) & ~del)) & tops;

	return bad == 0 ? 8 : (size_t)__builtin_ctzll(bad) / 8;
}

/*
 * The longest run of bytes that a field value may hold: HTAB, SP, visible bytes and
 * obs-text (RFC 9110, section 5.5), eight at a time.
 */
static inline struct http_text rd_value(struct rd *r)
{
	const uint8_t *const start = r->at;
	const uint8_t *at = start;

	while ((size_t)(r->end - at) >= 8) {
		const size_t clean = rd_clean_bytes(load_le64(at));

		at += clean;
		if (clean == 8)
			continue;
		if (*at != '\t')
			break;
		at++;
	}
	/* The last few, or the byte that ended the run: again, one at a time. */
	while (at != r->end && (*at == '\t' || (*at >= 0x20 && *at != 0x7f)))
		at++;
	r->at = at;
	return (struct http_text){ start, (size_t)(at - start) };
}

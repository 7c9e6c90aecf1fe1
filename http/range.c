/*
 * Byte ranges: http/range.h.
 */
#include "http/range.h"

#include "http/cursor.h"

/* A number of any length: RFC 9110, section 14.1.2 warns of those beyond 64 bits. */
struct number {
	uint64_t value;             /* UINT64_MAX also stands for all that are larger */
	struct http_text digits;    /* without zeros in front */
};

static bool take_number(struct rd *r, struct number *out)
{
	const struct http_text all = rd_while(r, HTTP_DIGIT);
	struct rd digits = rd_text(all);
	uint8_t c;

	while (rd_take(&digits, '0'))
		;
	out->digits = (struct http_text){ digits.at, rd_left(&digits) };
	out->value = 0;
	while (rd_take_class(&digits, HTTP_DIGIT, &c)) {
		if (__builtin_mul_overflow(out->value, 10, &out->value) ||
		    __builtin_add_overflow(out->value, c - '0', &out->value)) {
			out->value = UINT64_MAX;
			break;
		}
	}
	return all.len > 0;
}

static bool is_greater(const struct number *a, const struct number *b)
{
	if (a->value != b->value || a->value != UINT64_MAX)
		return a->value > b->value;
	if (a->digits.len != b->digits.len)
		return a->digits.len > b->digits.len;
	return __builtin_memcmp(a->digits.at, b->digits.at,
	    a->digits.len) > 0;
}

/*
 * RFC 9110, section 14.1.2: int-range or suffix-range.  False: invalid; no bytes:
 * valid, but not satisfiable.
 */
static bool take_spec(struct rd *r, uint64_t len, struct http_range *out)
{
	struct number first;
	struct number last;

	*out = (struct http_range){ 0 };
	if (rd_take(r, '-')) {
		if (!take_number(r, &last))
			return false;
		/* A longer one than there is means all of it. */
		out->len = last.value < len ? last.value : len;
		out->first = len - out->len;
		return true;
	}
	if (!take_number(r, &first) || !rd_take(r, '-'))
		return false;

	uint64_t end = len;
	if (take_number(r, &last)) {
		/* RFC 9110, section 14.1.1: backwards is invalid. */
		if (is_greater(&first, &last))
			return false;
		if (last.value < len)
			end = last.value + 1;
	}
	if (first.value < len) {
		out->first = first.value;
		out->len = end - first.value;
	}
	return true;
}

/*
 * Join the part with all that it overlaps or touches, where the first of them stood;
 * or put it behind them.  No two parts touch before, and none afterwards.
 */
static bool add_part(struct http_range *parts, uint32_t *count,
    struct http_range part)
{
	uint32_t place = LIMIT_RANGE_PARTS;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *count; i++) {
		const struct http_range old = parts[i];
		const uint64_t old_end = old.first + old.len;
		const uint64_t end = part.first + part.len;

		if (old.first > end || part.first > old_end) {
			parts[kept++] = old;
			continue;
		}
		part.first = old.first < part.first ? old.first : part.first;
		part.len = (old_end > end ? old_end : end) - part.first;
		if (place == LIMIT_RANGE_PARTS)
			place = kept++;
	}
	if (place == LIMIT_RANGE_PARTS) {
		if (kept == LIMIT_RANGE_PARTS)
			return false;
		place = kept++;
	}
	parts[place] = part;
	*count = kept;
	return true;
}

enum http_ranges http_parse_ranges(struct http_text value, uint64_t len,
    struct http_range out[LIMIT_RANGE_PARTS], uint32_t *count)
{
	struct rd r = rd_text(value);
	bool any = false;

	*count = 0;
	/* Section 14.1: unit names are case-insensitive. */
	if (!http_text_equal_nocase(rd_while(&r, HTTP_TOKEN),
	    HTTP_TEXT("bytes")) || !rd_take(&r, '='))
		return HTTP_RANGES_NONE;
	/* Section 14.2: MAY be ignored; there is no Content-Range for no bytes. */
	if (len == 0)
		return HTTP_RANGES_NONE;
	for (;;) {
		struct http_range part;

		while (rd_sees(&r, ' ') || rd_sees(&r, ',') || rd_sees(&r, '\t'))
			r.at++;
		if (rd_at_end(&r))
			break;
		if (!take_spec(&r, len, &part))
			return HTTP_RANGES_NONE;
		rd_skip_ows(&r);
		if (!rd_at_end(&r) && !rd_sees(&r, ','))
			return HTTP_RANGES_NONE;
		if (part.len > 0 && !add_part(out, count, part))
			return HTTP_RANGES_NONE;
		any = true;
	}
	if (*count > 0)
		return HTTP_RANGES_SOME;
	return any ? HTTP_RANGES_OUTSIDE : HTTP_RANGES_NONE;
}

/*
 * The path normaliser: http/path.h.
 *
 * The slow path writes segment after segment, each with its leading '/', into
 * buf[0, len).  After each segment, buf holds the normalised form of what was read.
 * It never holds more bytes than were read.
 */
#include "http/path.h"

#include "http/cursor.h"

struct work {
	struct rd r;
	uint8_t *buf;
	size_t len;
	bool escaped_slash;
};

/* The bytes that follow a lead byte, and the range of the first of them. */
struct utf8_tail {
	uint8_t count;
	uint8_t low;
	uint8_t high;
};

/*
 * RFC 3629, section 4: the second byte's range keeps out overlong forms, surrogates
 * and what lies above U+10FFFF.  count is 0 for a byte that starts nothing.
 */
static struct utf8_tail utf8_tail(uint8_t lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return (struct utf8_tail){ 1, 0x80, 0xbf };
	if (lead == 0xe0)
		return (struct utf8_tail){ 2, 0xa0, 0xbf };
	if (lead == 0xed)
		return (struct utf8_tail){ 2, 0x80, 0x9f };
	if (lead >= 0xe1 && lead <= 0xef)
		return (struct utf8_tail){ 2, 0x80, 0xbf };
	if (lead == 0xf0)
		return (struct utf8_tail){ 3, 0x90, 0xbf };
	if (lead >= 0xf1 && lead <= 0xf3)
		return (struct utf8_tail){ 3, 0x80, 0xbf };
	if (lead == 0xf4)
		return (struct utf8_tail){ 3, 0x80, 0x8f };
	return (struct utf8_tail){ 0, 0, 0 };
}

static bool is_utf8(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(data, len);

	while (!rd_at_end(&r)) {
		const uint8_t lead = *r.at++;
		if (lead < 0x80)
			continue;

		struct utf8_tail tail = utf8_tail(lead);
		if (tail.count == 0)
			return false;
		for (; tail.count > 0; tail.count--) {
			if (rd_at_end(&r) || *r.at < tail.low || *r.at > tail.high)
				return false;
			r.at++;
			tail.low = 0x80;
			tail.high = 0xbf;
		}
	}
	return true;
}

/* Decode up to the next '/' as sent, or to the end. */
static bool take_segment(struct work *w)
{
	const size_t start = w->len;

	while (!rd_at_end(&w->r) && !rd_sees(&w->r, '/')) {
		uint8_t c = *w->r.at++;
		uint8_t high;
		uint8_t low;

		if (c == '%') {
			if (!rd_take_class(&w->r, HTTP_HEX, &high) ||
			    !rd_take_class(&w->r, HTTP_HEX, &low))
				return false;
			c = (uint8_t)(http_hex_value(high) << 4 |
			    http_hex_value(low));
			if (c == 0)
				return false;
			if (c == '/') {
				w->escaped_slash = true;
				c = 0;
			}
		} else if (c == 0) {
			return false;
		}
		w->buf[w->len++] = c;
	}
	return is_utf8(w->buf + start, w->len - start);
}

static bool is_dots(const struct work *w, size_t start, size_t count)
{
	if (w->len - start != count)
		return false;
	for (size_t i = start; i < w->len; i++) {
		if (w->buf[i] != '.')
			return false;
	}
	return true;
}

/* Take back the last segment with its '/', if there is one. */
static void drop_segment(struct work *w)
{
	while (w->len > 0) {
		w->len--;
		if (w->buf[w->len] == '/')
			return;
	}
}

static enum http_path normalise(struct work *w)
{
	while (rd_take(&w->r, '/')) {
		const size_t start = w->len;

		w->buf[w->len++] = '/';
		if (!take_segment(w))
			return HTTP_PATH_BAD;

		const bool one = is_dots(w, start + 1, 1);
		const bool two = is_dots(w, start + 1, 2);
		if (!one && !two)
			continue;
		w->len = start;
		if (two)
			drop_segment(w);
		/* A path that ends in a dot segment names the folder. */
		if (rd_at_end(&w->r))
			w->buf[w->len++] = '/';
	}
	return w->escaped_slash ? HTTP_PATH_SLASH : HTTP_PATH_OK;
}

/* Nothing to decode, nothing to remove, nothing to doubt. */
static bool is_normal(struct http_text raw)
{
	for (size_t i = 1; i < raw.len; i++) {
		if (http_is(raw.at[i], HTTP_PLAIN))
			continue;
		if (raw.at[i] != '.' || raw.at[i - 1] == '/')
			return false;
	}
	return true;
}

enum http_path http_normalise_path(struct http_text raw,
    uint8_t *buf, size_t buf_cap, struct http_text *out)
{
	struct work w = { .r = rd_text(raw), .buf = buf };

	ASSERT(buf_cap >= raw.len);
	if (!rd_sees(&w.r, '/'))
		return HTTP_PATH_BAD;
	if (is_normal(raw)) {
		*out = raw;
		return HTTP_PATH_OK;
	}

	const enum http_path status = normalise(&w);
	if (status != HTTP_PATH_BAD)
		*out = (struct http_text){ buf, w.len };
	return status;
}

/*
 * Writing where a redirect points to: http/location.h.
 */
#include "http/location.h"

#include "http/chars.h"

/* Byte i of the path, the added '/', the '?' and the query, in this order. */
static uint8_t byte_at(const struct http_location *l, size_t i)
{
	if (i < l->path.len)
		return l->path.at[i];
	i -= l->path.len;
	if (l->is_folder && i-- == 0)
		return '/';
	return i == 0 ? '?' : l->query.at[i - 1];
}

/* RFC 3986, section 3.3: pchar / "/"; section 3.4: and "?". */
static bool is_allowed(const struct http_location *l, size_t i, uint8_t c)
{
	if (http_is(c, HTTP_HOST) || c == '/' || c == ':' || c == '@')
		return true;
	/* A path as sent has no '?' in it. */
	return (c == '%' || c == '?') && (!l->is_folder || i >= l->path.len);
}

size_t http_write_location(const struct http_location *l, size_t *at,
    uint8_t *out, size_t cap)
{
	static const char digits[] = "0123456789ABCDEF";
	const size_t end = http_location_len(l);
	size_t len = 0;

	for (; *at < end; ++*at) {
		const uint8_t c = byte_at(l, *at);

		if (is_allowed(l, *at, c)) {
			if (len == cap)
				break;
			out[len++] = c;
			continue;
		}
		if (cap - len < 3)
			break;
		out[len++] = '%';
		out[len++] = (uint8_t)digits[c >> 4];
		out[len++] = (uint8_t)digits[c & 15];
	}
	return len;
}

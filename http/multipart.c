/*
 * The body of an answer to several ranges: http/multipart.h.
 */
#include "http/multipart.h"

#include "http/acme.h"
#include "net/text.h"

#define BOUNDARY_START "stele-"

#define CRLF "\r\n"
#define TYPE CRLF "Content-Type: "
#define RANGE CRLF "Content-Range: bytes "
#define NUMBER_CAP 20u      /* digits of the largest */

_Static_assert(sizeof CRLF "--" + HTTP_BOUNDARY_CAP + sizeof TYPE RANGE +
    3 * NUMBER_CAP + sizeof "-/" CRLF CRLF <= HTTP_PART_CAP,
    "what stands before a part fits");

static void add_text(struct text *t, struct http_text text)
{
	for (size_t i = 0; i < text.len; i++)
		text_add_char(t, (char)text.at[i]);
}

size_t http_format_boundary(const struct http_parts *parts,
    uint8_t out[HTTP_BOUNDARY_CAP])
{
	struct text t = text_start((char *)out, HTTP_BOUNDARY_CAP);

	text_add(&t, BOUNDARY_START);
	/* Tags of mkromfs's are all of base64url; of others' the rest is passed over. */
	for (size_t i = 0; i < parts->etag.len; i++) {
		const struct http_text one = { parts->etag.at + i, 1 };

		if (http_is_base64url(one))
			text_add_char(&t, (char)*one.at);
	}
	return t.len;
}

size_t http_format_part(const struct http_parts *parts, uint32_t i,
    uint8_t out[HTTP_PART_CAP + LIMIT_PART_TYPE_LEN])
{
	struct text t =
	    text_start((char *)out, HTTP_PART_CAP + LIMIT_PART_TYPE_LEN);
	uint8_t boundary[HTTP_BOUNDARY_CAP];

	/* The line's end before it belongs to a delimiter, not to a part. */
	text_add(&t, i > 0 ? CRLF "--" : "--");
	add_text(&t, (struct http_text){
	    boundary, http_format_boundary(parts, boundary) });
	if (i == parts->count) {
		text_add(&t, "--" CRLF);
		return t.len;
	}
	const struct http_range *const range = &parts->ranges[i];
	text_add(&t, TYPE);
	add_text(&t, parts->type);
	text_add(&t, RANGE);
	text_add_u64(&t, range->first);
	text_add_char(&t, '-');
	text_add_u64(&t, range->first + range->len - 1);
	text_add_char(&t, '/');
	text_add_u64(&t, parts->body.len);
	text_add(&t, CRLF CRLF);
	return t.len;
}

uint64_t http_parts_len(const struct http_parts *parts)
{
	uint8_t text[HTTP_PART_CAP + LIMIT_PART_TYPE_LEN];
	uint64_t len = 0;

	for (uint32_t i = 0; i <= parts->count; i++) {
		len += http_format_part(parts, i, text);
		if (i < parts->count)
			len += parts->ranges[i].len;
	}
	return len;
}

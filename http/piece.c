/*
 * The pieces of answers: http/piece.h.
 */
#include "http/piece.h"

/* Places are steps of the location; the one behind the last is the body's. */
static void make_location(const struct http_response *res, uint32_t place,
    struct http_piece *out)
{
	const size_t len = http_location_len(&res->location);
	size_t at = place;

	out->text_len = 0;
	if (place > len) {
		out->slice = res->body;
		out->is_last = true;
		return;
	}
	out->text_len = (uint16_t)http_write_location(&res->location, &at,
	    out->text, sizeof out->text);
	out->next = (uint32_t)at;
	out->is_last = false;
	if (at < len)
		return;
	out->slice = res->last;
	out->next = (uint32_t)len + 1;
	out->is_last = res->body.len == 0;
}

/* Place i is part i with what stands before it. */
static void make_part(const struct http_response *res, uint32_t place,
    struct http_piece *out)
{
	const struct http_parts *const parts = &res->parts;

	out->text_len = (uint16_t)http_format_part(parts, place, out->text);
	out->next = place + 1;
	out->is_last = place == parts->count;
	if (!out->is_last)
		out->slice = (struct http_text){
			parts->body.at + parts->ranges[place].first,
			parts->ranges[place].len
		};
}

void http_make_piece(const struct http_site *site,
    const struct http_response *res, uint32_t place,
    struct http_piece *out)
{
	out->slice = HTTP_TEXT("");
	switch ((enum http_rest)res->rest) {
	case HTTP_REST_NONE:
		break;
	case HTTP_REST_SLICE:
		out->text_len = 0;
		out->slice = res->last;
		out->is_last = true;
		return;
	case HTTP_REST_LOCATION:
		make_location(res, place, out);
		return;
	case HTTP_REST_PARTS:
		make_part(res, place, out);
		return;
	case HTTP_REST_MADE:
		out->text_len = (uint16_t)res->make(site, place, out->text);
		ASSERT(out->text_len <= sizeof out->text);
		out->next = place + 1;
		out->is_last = out->text_len == 0;
		return;
	}
	panic("an answer without pieces");
}

/*
 * What follows the prefix of an answer and its slice, piece by piece.  Pure.
 *
 * A piece is named by its place alone: whoever could not queue one keeps that number, has
 * the same answer made again later, and goes on there.
 */
#pragma once

#include "config/base.h"
#include "http/answer.h"

struct http_piece {
	struct http_text slice;   /* behind the text; lives as long as the image, never NULL */
	uint32_t next;            /* place of the next piece; means nothing if is_last */
	uint16_t text_len;        /* text and slice may both be empty */
	bool is_last;
	uint8_t text[HTTP_PREFIX_CAP];  /* to be copied */
};

/*
 * Make a piece of an answer that has any (its rest is not HTTP_REST_NONE).
 *
 * place   res->place, or what a piece before it had as `next`
 */
void http_make_piece(const struct http_site *site,
    const struct http_response *res, uint32_t place,
    struct http_piece *out);

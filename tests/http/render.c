/*
 * Rendering answers: tests/http/render.h.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/http/render.h"

struct room {
	uint8_t *at;
	size_t left;
};

static void add(struct room *room, const void *bytes, size_t len)
{
	if (len > room->left)
		abort();
	if (len > 0)
		memcpy(room->at, bytes, len);
	room->at += len;
	room->left -= len;
}

size_t render(const struct http_site *site, const struct http_response *res,
    uint8_t *out, size_t cap)
{
	struct room room = { out, cap };
	struct http_piece piece = {
		.is_last = res->rest == HTTP_REST_NONE, .next = res->place,
	};

	add(&room, res->prefix, res->prefix_len);
	add(&room, res->slice.at, res->slice.len);
	while (!piece.is_last) {
		http_make_piece(site, res, piece.next, &piece);
		add(&room, piece.text, piece.text_len);
		add(&room, piece.slice.at, piece.slice.len);
	}
	return cap - room.left;
}

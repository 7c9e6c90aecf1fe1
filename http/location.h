/*
 * Where a redirect points to, written as a URI may have it.  Pure.
 *
 * Whatever the bytes of a request are, what is written of them holds only characters of
 * RFC 3986: nothing can end the field line or the path, and what begins as a path on this
 * host never comes out as the name of another ("//host": RFC 3986, section 4.2).
 */
#pragma once

#include "config/base.h"
#include "http/text.h"
#include "romfs/romfs.h"

struct http_location {
	/*
	 * The path of a request, as sent; or of the image, which is made of URI characters
	 * and where NUL k stands for capture k, counted from 1.
	 */
	struct http_text text;
	bool is_sent;             /* it is the path of a request */
	struct http_text query;   /* of the request, behind the '?'; none if at == NULL */
	struct http_text tail;    /* "#fragment", or nothing */
	/*
	 * The first path_captures are decoded bytes of a path, where NUL stands for a '/' that
	 * was sent escaped; the others are of a query, as sent.
	 */
	uint8_t path_captures;
	uint8_t capture_count;
	struct romfs_capture captures[16];
};

/* Steps that http_write_location() takes from 0 to the end. */
size_t http_location_len(const struct http_location *l);

/*
 * Write as much as there is room for.
 *
 * at       where to go on, 0..http_location_len(); moved forward
 * out      receives at most `cap` bytes; with a cap of 3 or more at least one step is
 *          taken
 * Returns  the bytes written
 * Source   RFC 3986, sections 3.3 and 3.4; what they do not allow is percent-encoded
 *          (section 2.1).  Not checked: that a '%' as sent begins an escape.
 */
size_t http_write_location(const struct http_location *l, size_t *at,
    uint8_t *out, size_t cap);

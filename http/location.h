/*
 * Where a redirect points to: a path and a query of a request, written as a URI may
 * have them.  Pure.
 *
 * Whatever the bytes are, what is written holds only characters of RFC 3986: nothing
 * can end the field line or the path.  Ordinary targets come out as they were
 * sent.
 */
#pragma once

#include "config/base.h"
#include "http/text.h"

struct http_location {
	struct http_text path;    /* starts with '/' */
	struct http_text query;   /* behind the '?'; none if at == NULL */
	/*
	 * False: the path as sent, escapes stay escapes.  True: decoded bytes that name a
	 * folder without its last '/', which is added; '%' and '?' are bytes like others.
	 */
	bool is_folder;
};

/* Steps that http_write_location() takes from 0 to the end. */
static inline size_t http_location_len(const struct http_location *l)
{
	return l->path.len + l->is_folder +
	    (l->query.at != NULL ? 1 + l->query.len : 0);
}

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

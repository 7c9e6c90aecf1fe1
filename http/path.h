/*
 * From the path of a target to the key that romfs_find() is asked with.  Pure.
 *
 * Nothing here searches for dangerous forms.  The result is compared with the
 * paths that mkromfs put into the image and used for nothing else, so whatever a
 * stranger writes can only name an entry or not name one.
 */
#pragma once

#include "config/base.h"
#include "http/text.h"

enum http_path {
	HTTP_PATH_OK = 0,
	HTTP_PATH_BAD,   /* 400: no leading '/', a broken escape, NUL, or not UTF-8 */
	HTTP_PATH_SLASH, /* no file's: it has an escaped '/', which is NUL in the result */
};

/*
 * Decode escapes once, then remove dot segments.
 *
 * raw            the path as sent, without the query
 * buf, buf_cap   room to work in, at least raw.len bytes
 * out            not written on HTTP_PATH_BAD: starts with '/', holds no "." or ".."
 *                segment, and NUL only for an escaped '/': it belongs to its segment and
 *                so must not look like the others (RFC 3986, section 2.2), and no file name
 *                holds either.  Points into raw where that is already the answer, else
 *                into buf
 * Errors         HTTP_PATH_BAD before HTTP_PATH_SLASH when both are true
 * Cost           one pass, without a copy when there is nothing to decode or remove
 * Source         RFC 3986, sections 2.1 (escapes), 2.4 (decode once), 5.2.4 (dots; also
 *                where they were sent as %2e: section 6.2.2.2).  Empty segments ("//") stay as
 *                they are and are part of the key.  A backslash is an ordinary byte.
 */
MUST_USE enum http_path http_normalise_path(struct http_text raw,
    uint8_t *buf, size_t buf_cap, struct http_text *out);

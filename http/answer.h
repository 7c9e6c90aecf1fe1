/*
 * What an answer is, and how every answer begins.  Pure.
 *
 * An answer is two parts.  The prefix is the status line and the fields that are
 * true now: Date, Connection, Strict-Transport-Security.  The rest is one slice that
 * was finished at build time, in the ROM or in rodata: all other fields, the empty
 * line, the body.  Two kinds of answers depend on what was asked and put
 * that into the prefix, too: ACME challenges, whole, and redirects, whose Location may
 * be longer than a prefix and then stands between the two parts.
 */
#pragma once

#include "config/base.h"
#include "http/date.h"
#include "http/location.h"
#include "http/request.h"
#include "http/text.h"
#include "romfs/romfs.h"

struct http_redirect;

/* One second, in the two ways it is needed. */
struct http_now {
	int64_t time;                  /* Unix seconds; 0: unknown, no Date is sent */
	uint8_t date[HTTP_DATE_LEN];   /* http_format_date(time) */
};

/* What answers are made from; one for plain streams and one for private ones. */
struct http_site {
	const struct romfs *fs;        /* an opened image */
	const struct http_now *now;
	uint8_t *scratch;              /* overwritten; a location may point into it */
	size_t scratch_cap;            /* at least LIMIT_TARGET_LEN */
	/* The field Strict-Transport-Security with its CRLF; private streams only. */
	struct http_text hsts;
	/* Plain streams only; no bytes: ACME challenges are not answered (acme.h). */
	struct http_text thumbprint;
	/* Plain streams only; NULL: what is asked for is answered (redirect.h). */
	const struct http_redirect *redirect;
};

/* What stream_send() copies at once. */
#define HTTP_PREFIX_CAP 512

/* The longest status line, Date, "Connection: keep-alive" and a little. */
#define HTTP_BEGIN_CAP 128

/* More than the longest Strict-Transport-Security with its CRLF. */
#define HTTP_HSTS_CAP 96

struct http_response {
	uint16_t status;
	bool close;                    /* the connection ends after this answer */
	uint16_t prefix_len;
	uint64_t body_len;             /* body bytes that are sent, for the log */
	struct http_text rest;         /* lives as long as the image; never NULL */
	/*
	 * Steps of `location` that are in the prefix, and all of them; what is missing is
	 * sent between prefix and rest.  Both 0 if there is none.
	 */
	size_t location_at;
	size_t location_len;
	struct http_location location; /* points into the request or the scratch */
	uint8_t prefix[HTTP_PREFIX_CAP];
};

/* Add to the prefix, which has room: what is added is bounded by its caller. */
void http_put(struct http_response *out, const void *text, size_t len);

#define HTTP_PUT(out, literal) http_put(out, literal, sizeof(literal) - 1)

/*
 * Begin the answer to a request that was parsed with HTTP_OK: everything but
 * body_len and rest is set, the prefix holds HTTP_BEGIN_CAP + site->hsts.len
 * bytes at most and ends with a whole line.
 *
 * status  one of those in the README's table
 *
 * `close` is set if the client asks for it, and if the request has a body that is not
 * worth reading: longer than LIMIT_BODY_SKIP_LEN, or held back until we say
 * "100 Continue", which we never do (RFC 9110, section 10.1.1 lets the final status stand
 * in its place).
 */
void http_begin(const struct http_site *site, const struct http_request *req,
    uint16_t status, struct http_response *out);

/*
 * End the prefix with the location, or with as much of it as there is room for; the
 * line's end is the first of the rest.
 */
void http_put_location(struct http_response *out,
    const struct http_location *location);

/*
 * End an answer that was begun with one of the bodies that only repeat the status: 301
 * and 308 behind their location, 400, 405.  After HEAD no body is sent.
 */
void http_end_built_in(enum http_method method, struct http_response *out);

/*
 * Answer what could not be parsed, or did not come in time; the connection ends,
 * since nobody knows where the next request would start.
 *
 * status  400, 408, 414, 431, 501 or 505
 * method  as far as it was read: after HEAD no body is sent
 */
void http_refuse(const struct http_site *site, uint16_t status,
    enum http_method method, struct http_response *out);

/*
 * What an answer is, and how every answer begins.  Pure.
 *
 * An answer begins with a prefix, which is copied: the status line and the fields that are
 * true now (Date, Connection, Strict-Transport-Security) or that depend on what was asked
 * (Content-Range, Location).  Behind it comes a slice of bytes that were finished at build
 * time and are never copied: in the ROM or in rodata, most often all other
 * fields, the empty line and the body in one.  Where that is not all there is, pieces follow
 * (piece.h), each again a copied text and a slice behind it.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "http/date.h"
#include "http/location.h"
#include "http/multipart.h"
#include "http/request.h"
#include "http/text.h"
#include "romfs/romfs.h"

struct http_redirect;
struct http_response;
struct http_site;
struct net_peer;

/* One second, in the two ways it is needed. */
struct http_now {
	int64_t time;                  /* Unix seconds; 0: unknown, no Date is sent */
	uint8_t date[HTTP_DATE_LEN];   /* http_format_date(time) */
};

/*
 * Answer a GET or HEAD that is about the server itself.
 *
 * Returns false if it is not, or if the peer may not ask: nothing was written to *out
 */
typedef bool http_status_function(const struct http_site *site,
    const struct http_request *req, const struct net_peer *peer,
    struct http_response *out);

/*
 * Write piece `index` of a body that is made as it is sent: at most HTTP_PREFIX_CAP bytes, as
 * they go on the wire.  Returns how many; 0: there is none, and no further one either.
 *
 * A piece is queued wholly or not at all, then made again later; its bytes may be others
 * each time, how often it is asked for may not matter.
 */
typedef size_t http_piece_function(const struct http_site *site,
    uint32_t index, uint8_t *out);

/* What answers are made from; one for plain streams and one for private ones. */
struct http_site {
	const struct romfs *fs;        /* an opened image */
	const struct http_now *now;
	uint8_t *scratch;              /* HTTP_SCRATCH_CAP bytes; an answer may point into it */
	bool is_private;               /* asked inside TLS: redirects to a host stay there */
	/* The field Strict-Transport-Security with its CRLF; private streams only. */
	struct http_text hsts;
	/* Plain streams only; no bytes: ACME challenges are not answered (acme.h). */
	struct http_text thumbprint;
	/* Plain streams only; NULL: what is asked for is answered (redirect.h). */
	const struct http_redirect *redirect;
	/* NULL: there are no status pages.  Else it is asked about every GET and HEAD. */
	http_status_function *status;
	const struct net_peer *peer;   /* who asks; for status pages alone */
};

/* A path as it is looked up, and one that a rule rewrites it to. */
#define HTTP_SCRATCH_CAP (2 * LIMIT_TARGET_LEN)

/* What stream_send() copies at once. */
#define HTTP_PREFIX_CAP 512

/* The longest status line, Date, "Connection: keep-alive" and a little. */
#define HTTP_BEGIN_CAP 128

/* More than the longest Strict-Transport-Security with its CRLF. */
#define HTTP_HSTS_CAP 96

/* What follows the slice. */
enum http_rest {
	HTTP_REST_NONE,
	HTTP_REST_SLICE,               /* `last` */
	HTTP_REST_LOCATION,            /* the location from `place` on, then `last`, `body` */
	HTTP_REST_PARTS,               /* `parts`, and the delimiters around them */
	HTTP_REST_MADE,                /* what `make` makes */
};

struct http_response {
	uint16_t status;
	bool close;                    /* the connection ends after this answer */
	uint8_t rest;                  /* enum http_rest */
	uint16_t prefix_len;
	uint64_t body_len;             /* body bytes that are sent, for the log */
	struct http_text slice;        /* behind the prefix; lives as long as the image */
	struct http_text last;         /* as `slice` */
	struct http_text body;         /* the same; behind a location alone */
	uint32_t place;                /* of the first piece (piece.h) */
	union {
		struct http_location location; /* points into the request or the scratch */
		struct http_parts parts;
		http_piece_function *make;
	};
	uint8_t prefix[HTTP_PREFIX_CAP];
};

/* Add to the prefix, which has room: what is added is bounded by its caller. */
void http_put(struct http_response *out, const void *text, size_t len);

#define HTTP_PUT(out, literal) http_put(out, literal, sizeof(literal) - 1)

void http_put_u64(struct http_response *out, uint64_t value);

/* The field Content-Length with its CRLF. */
void http_put_length(struct http_response *out, uint64_t len);

/*
 * Begin the answer to a request that was parsed with HTTP_OK: the prefix holds
 * HTTP_BEGIN_CAP + site->hsts.len bytes at most and ends with a whole line; nothing is to
 * follow it, until the caller says what: only body_len and slice are not set.
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
 * End an answer that was begun with one of the bodies that only repeat the status: those of
 * redirects and refusals.  After HEAD no body is sent.
 *
 * A redirect's prefix ends behind "Location: "; the location is added, as much
 * as there is room for, and the rest of it follows.
 */
void http_end_built_in(enum http_method method, struct http_response *out);
void http_end_redirect(enum http_method method,
    const struct http_location *location, struct http_response *out);

/* End an answer that was begun, whose body is made as it is sent; not after HEAD. */
void http_end_made(http_piece_function *make, struct http_response *out);

/* Begin and end an answer that has nothing but its status to say. */
void http_answer_built_in(const struct http_site *site,
    const struct http_request *req, uint16_t status,
    struct http_response *out);

/*
 * Answer what could not be parsed, or did not come in time; the connection ends,
 * since nobody knows where the next request would start.
 *
 * status  400, 408, 414, 431, 501 or 505
 * method  as far as it was read: after HEAD no body is sent
 */
void http_refuse(const struct http_site *site, uint16_t status,
    enum http_method method, struct http_response *out);

/*
 * From a parsed request to the bytes that answer it.  Pure: the site, the time and
 * the room to work in come in, a value goes out.
 *
 * An answer is two parts.  The prefix is the status line and the fields that are
 * true now: Date, Connection.  The rest is one slice that was finished at build
 * time, in the ROM or in rodata: all other fields, the empty line, the body.
 */
#pragma once

#include "config/base.h"
#include "http/date.h"
#include "http/request.h"
#include "http/text.h"
#include "romfs/romfs.h"

/* One second, in the two ways it is needed. */
struct http_now {
	int64_t time;                  /* Unix seconds; 0: unknown, no Date is sent */
	uint8_t date[HTTP_DATE_LEN];   /* http_format_date(time) */
};

/* What answers are made from. */
struct http_site {
	const struct romfs *fs;        /* an opened image */
	const struct http_now *now;
	uint8_t *scratch;              /* overwritten; not needed after the call */
	size_t scratch_cap;            /* at least LIMIT_TARGET_LEN */
};

/* The longest status line, Date and "Connection: keep-alive", and a little. */
#define HTTP_PREFIX_CAP 128

struct http_response {
	uint16_t status;
	bool close;                    /* the connection ends after this answer */
	uint16_t prefix_len;
	uint64_t body_len;             /* body bytes that are sent, for the log */
	struct http_text rest;         /* lives as long as the image */
	uint8_t prefix[HTTP_PREFIX_CAP];
};

/*
 * Answer a request that was parsed with HTTP_OK.
 *
 * The answer never has a body if the method is HEAD, or the status 304 (romfs.h).  `close`
 * is set if the client asks for it, and if the request has a body that is not worth
 * reading: longer than LIMIT_BODY_SKIP_LEN, or held back until we say
 * "100 Continue", which we never do (RFC 9110, section 10.1.1 lets the final status stand
 * in its place).
 *
 * Source  RFC 9110, sections 9.3.1, 9.3.2, 13.2 and 15
 */
void http_respond(const struct http_site *site,
    const struct http_request *req, struct http_response *out);

/*
 * Answer what could not be parsed, or did not come in time; the connection ends,
 * since nobody knows where the next request would start.
 *
 * status  400, 408, 414, 431, 501 or 505
 * method  as far as it was read: after HEAD no body is sent
 */
void http_refuse(uint16_t status, enum http_method method,
    const struct http_now *now, struct http_response *out);

/*
 * A request's head, from bytes to meaning.  Pure: every text points into the
 * caller's bytes, nothing is copied and no state is kept between calls.
 *
 * The parser is strict where two readers of the same bytes could disagree about
 * where a request ends (RFC 9112, section 11.2), and never repairs: what is not
 * right is refused, and the connection with it.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"
#include "http/text.h"

enum http_parse {
	HTTP_OK = 0,
	HTTP_NEED_MORE,        /* so far so good; the head has not ended */
	HTTP_BAD_LINE,         /* 400: method, or no target after one SP */
	HTTP_BAD_VERSION,      /* 400: not HTTP/DIGIT.DIGIT and CRLF */
	HTTP_BAD_TARGET,       /* 400: none of the four forms, or not with this method */
	HTTP_BAD_FIELD,        /* 400: name, colon, value or line end */
	HTTP_BAD_HOST,         /* 400: none in HTTP/1.1, two, malformed, or not the target's */
	HTTP_BAD_LENGTH,       /* 400: Content-Length twice, not a number, too large a number */
	HTTP_BAD_FRAMING,      /* 400: Transfer-Encoding with Content-Length or in HTTP/1.0 */
	HTTP_LONG_TARGET,      /* 414: LIMIT_TARGET_LEN, or no end of line in LIMIT_REQUEST_HEAD_LEN */
	HTTP_LARGE_HEAD,       /* 431: LIMIT_REQUEST_HEAD_LEN, LIMIT_REQUEST_FIELDS, ... */
	HTTP_UNKNOWN_CODING,   /* 501: Transfer-Encoding */
	HTTP_UNKNOWN_VERSION,  /* 505: major version other than 1 */
};

/* Methods are case-sensitive: RFC 9110, section 9.1. */
enum http_method {
	HTTP_METHOD_OTHER = 0,
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_CONNECT,
};

/*
 * The values of a field that is a list, a text for each line it came in, in their order:
 * one list (RFC 9110, section 5.3).
 */
struct http_lines {
	uint8_t count;                           /* 0: not sent */
	struct http_text line[LIMIT_FIELD_LINES]; /* the first `count` are written */
};

/*
 * A text that was not sent has at == NULL.  Of a field that may come once and came
 * more often, the last value is here, and it is marked as repeated.
 */
struct http_request {
	size_t head_len;              /* bytes from the first to the empty line's CRLF */
	enum http_method method;
	uint8_t minor;                /* HTTP/1.minor, 0 or 1 (higher counts as 1) */
	bool close;                   /* "Connection: close" */
	bool keep_alive;              /* "Connection: keep-alive" */
	bool expect_continue;         /* "Expect: 100-continue" */
	bool has_length;              /* Content-Length was sent */
	bool has_coding;              /* Transfer-Encoding was sent (never with HTTP_OK) */
	bool range_repeated;
	bool if_range_repeated;
	bool modified_since_repeated;
	bool unmodified_since_repeated;
	uint64_t body_len;            /* Content-Length, else 0 */
	struct http_text line;        /* the request line without CRLF */
	struct http_text path;        /* raw; starts with '/' unless CONNECT or OPTIONS * */
	struct http_text query;       /* behind the '?' */
	struct http_text host;        /* Host, maybe empty; without it the target's authority */
	struct http_text referer;
	struct http_text user_agent;
	struct http_text range;       /* with its unit; see http_range_applies() */
	struct http_text if_range;
	struct http_text modified_since;          /* If-Modified-Since */
	struct http_text unmodified_since;        /* If-Unmodified-Since */
	struct http_lines accept_encoding;
	struct http_lines match;                  /* If-Match */
	struct http_lines none_match;             /* If-None-Match */
	struct http_lines want_repr_digest;
};

/*
 * Read one request head from the front of data[0, len).
 *
 * data, len   all bytes that are there; a head may end anywhere in them
 * out         always written.  HTTP_OK: everything.  HTTP_BAD_* and the like: line
 *             (as far as it was read) and method, for the log and the refusal.
 *             HTTP_NEED_MORE: nothing useful.
 * Result      depends on data[0, len) alone; if it is neither HTTP_OK nor
 *             HTTP_NEED_MORE, more bytes never change it.  With
 *             LIMIT_REQUEST_HEAD_LEN bytes or more, never HTTP_NEED_MORE.
 * Cost        one pass; no byte at or behind head_len is looked at
 * Source      RFC 9112, sections 2 to 6; RFC 9110, sections 5, 7.2, 8.6, 10.1.1
 */
MUST_USE enum http_parse http_parse_request(const uint8_t *data, size_t len,
    struct http_request *out);

/* The status code that answers a refusal; 0 for HTTP_OK and HTTP_NEED_MORE. */
uint16_t http_parse_status(enum http_parse why);

/*
 * RFC 9112, section 9.3: may the connection serve another request after this one?
 * Says nothing about the request's body.
 */
static inline bool http_request_persists(const struct http_request *req)
{
	return !req->close && (req->minor >= 1 || req->keep_alive);
}

/*
 * The beginning of every answer, and answers that need no ROM: http/answer.h.
 */
#include "http/answer.h"

#include "config/limits.h"
#include "net/text.h"

/* What a status looks like on the wire, and what is said with it if the ROM has no say. */
struct status {
	uint16_t code;
	struct http_text line;  /* with CRLF */
	struct http_text head;  /* fields and empty line; the body follows at once */
	struct http_text body;
};

#define TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

/* The ROM has the rest, or the code that knows the request. */
#define LINE_ONLY(code, reason) \
	{ code, TEXT("HTTP/1.1 " #code " " reason "\r\n"), { 0 }, { 0 } }

/* `len` is that of "CODE REASON\n"; a test counts it. */
#define BUILT_IN(code, reason, len, fields) \
	{ code, TEXT("HTTP/1.1 " #code " " reason "\r\n"), \
	  TEXT(fields BODY_FIELDS(len) #code " " reason "\n"), \
	  TEXT(#code " " reason "\n") }
#define BODY_FIELDS(len) \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Length: " #len "\r\n\r\n"

/*
 * RFC 9110, sections 15.4.2 and 15.4.9: heuristically cacheable, which browsers take for
 * "for ever".  An hour lets an operator change his mind.
 */
#define FOR_AN_HOUR "Cache-Control: max-age=3600\r\n"

/* Those asked for most come first.  The first CRLF of a redirect's ends the location. */
static const struct status statuses[] = {
	LINE_ONLY(200, "OK"),
	LINE_ONLY(304, "Not Modified"),
	LINE_ONLY(206, "Partial Content"),
	LINE_ONLY(404, "Not Found"),
	BUILT_IN(301, "Moved Permanently", 22, "\r\n" FOR_AN_HOUR),
	BUILT_IN(302, "Found", 10, "\r\n"),
	BUILT_IN(303, "See Other", 14, "\r\n"),
	BUILT_IN(307, "Temporary Redirect", 23, "\r\n"),
	BUILT_IN(308, "Permanent Redirect", 23, "\r\n" FOR_AN_HOUR),
	BUILT_IN(400, "Bad Request", 16, ""),
	/* RFC 9110, section 15.5.6: Allow MUST be sent. */
	BUILT_IN(405, "Method Not Allowed", 23, "Allow: GET, HEAD\r\n"),
	/* RFC 9110, section 12.5.5: another Accept-Encoding would be answered otherwise. */
	BUILT_IN(406, "Not Acceptable", 19, "Vary: Accept-Encoding\r\n"),
	BUILT_IN(408, "Request Timeout", 20, ""),
	BUILT_IN(412, "Precondition Failed", 24, ""),
	BUILT_IN(414, "URI Too Long", 17, ""),
	BUILT_IN(416, "Range Not Satisfiable", 26, ""),
	BUILT_IN(421, "Misdirected Request", 24, ""),
	BUILT_IN(431, "Request Header Fields Too Large", 36, ""),
	BUILT_IN(501, "Not Implemented", 20, ""),
	BUILT_IN(505, "HTTP Version Not Supported", 31, ""),
};

static const struct status *find_status(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].code == code)
			return &statuses[i];
	}
	panic("a status without a line");
}

static void put(struct http_response *out, const void *text, size_t len)
{
	__builtin_memcpy(out->prefix + out->prefix_len, text, len);
	out->prefix_len += (uint16_t)len;
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

void http_put(struct http_response *out, const void *text, size_t len)
{
	ASSERT(len <= sizeof out->prefix - out->prefix_len);
	put(out, text, len);
}

void http_put_u64(struct http_response *out, uint64_t value)
{
	char digits[20];
	struct text t = text_start(digits, sizeof digits);

	text_add_u64(&t, value);
	http_put(out, t.at, t.len);
}

void http_put_length(struct http_response *out, uint64_t len)
{
	HTTP_PUT(out, "Content-Length: ");
	http_put_u64(out, len);
	HTTP_PUT(out, "\r\n");
}

/* The longest line is that of 431. */
_Static_assert(sizeof "HTTP/1.1 431 Request Header Fields Too Large\r\n" +
    sizeof "Date: \r\n" + HTTP_DATE_LEN + sizeof "Connection: keep-alive\r\n" <=
    HTTP_BEGIN_CAP, "every beginning fits");
_Static_assert(HTTP_BEGIN_CAP + HTTP_HSTS_CAP + sizeof "Location: " + 3 <=
    HTTP_PREFIX_CAP, "and so does HSTS, and some of a location");

/* Status line and the fields of the moment; `close` is decided. */
static void put_prefix(const struct http_site *site,
    const struct status *status, bool say_keep_alive,
    struct http_response *out)
{
	out->status = status->code;
	out->prefix_len = 0;
	out->rest = HTTP_REST_NONE;
	put(out, status->line.at, status->line.len);
	/*
	 * RFC 9110, section 6.6.1: an origin server with a clock MUST send Date, one
	 * without MUST NOT.
	 */
	if (site->now->time > 0) {
		PUT(out, "Date: ");
		put(out, site->now->date, HTTP_DATE_LEN);
		PUT(out, "\r\n");
	}
	/* RFC 9112, section 9.6: the last answer of a connection SHOULD say so ... */
	if (out->close)
		PUT(out, "Connection: close\r\n");
	/* ... and HTTP/1.0 has to be told that it goes on (appendix C.2.2). */
	else if (say_keep_alive)
		PUT(out, "Connection: keep-alive\r\n");
	/* RFC 6797, section 7.1: in every answer, refusals included (SHOULD). */
	if (site->hsts.len > 0)
		put(out, site->hsts.at, site->hsts.len);
}

static bool has_to_close(const struct http_request *req)
{
	if (!http_request_persists(req) ||
	    req->body_len > LIMIT_BODY_SKIP_LEN)
		return true;
	/* RFC 9110, section 10.1.1: in HTTP/1.0 the expectation MUST be ignored. */
	return req->body_len > 0 && req->expect_continue && req->minor >= 1;
}

void http_begin(const struct http_site *site, const struct http_request *req,
    uint16_t status, struct http_response *out)
{
	out->close = has_to_close(req);
	put_prefix(site, find_status(status), req->minor == 0, out);
}

/* What is said with the status if the ROM has no say. */
static struct http_text built_in(enum http_method method,
    struct http_response *out)
{
	const struct status *const status = find_status(out->status);
	struct http_text text = status->head;

	out->body_len = status->body.len;
	if (method == HTTP_METHOD_HEAD) {
		text.len -= status->body.len;
		out->body_len = 0;
	}
	return text;
}

void http_end_built_in(enum http_method method, struct http_response *out)
{
	out->slice = built_in(method, out);
}

void http_end_redirect(enum http_method method,
    const struct http_location *location, struct http_response *out)
{
	const size_t len = http_location_len(location);
	size_t at = 0;

	out->prefix_len += (uint16_t)http_write_location(location, &at,
	    out->prefix + out->prefix_len,
	    sizeof out->prefix - out->prefix_len);
	out->slice = built_in(method, out);
	if (at == len)
		return;
	out->last = out->slice;
	out->body = HTTP_TEXT("");
	out->slice.len = 0;
	out->rest = HTTP_REST_LOCATION;
	out->place = (uint32_t)at;
	out->location = *location;
}

void http_end_made(http_piece_function *make, struct http_response *out)
{
	out->slice = HTTP_TEXT("");
	out->rest = HTTP_REST_MADE;
	out->place = 0;
	out->make = make;
}

void http_answer_built_in(const struct http_site *site,
    const struct http_request *req, uint16_t status,
    struct http_response *out)
{
	http_begin(site, req, status, out);
	http_end_built_in(req->method, out);
}

void http_refuse(const struct http_site *site, uint16_t status,
    enum http_method method, struct http_response *out)
{
	out->close = true;
	put_prefix(site, find_status(status), false, out);
	http_end_built_in(method, out);
}

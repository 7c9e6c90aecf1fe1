/*
 * The responder: http/respond.h.
 */
#include "http/respond.h"

#include "config/limits.h"
#include "http/conditions.h"
#include "http/path.h"

/* What a status looks like on the wire, and what is said with it if the ROM has no say. */
struct status {
	uint16_t code;
	struct http_text line;  /* with CRLF */
	struct http_text head;  /* fields and empty line; the body follows at once */
	struct http_text body;
};

#define TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

/* The ROM has the rest. */
#define FROM_ROM(code, reason) \
	{ code, TEXT("HTTP/1.1 " #code " " reason "\r\n"), { 0 }, { 0 } }

/* `len` is that of "CODE REASON\n"; a test counts it. */
#define BUILT_IN(code, reason, len, fields) \
	{ code, TEXT("HTTP/1.1 " #code " " reason "\r\n"), \
	  TEXT(fields BODY_FIELDS(len) #code " " reason "\n"), \
	  TEXT(#code " " reason "\n") }
#define BODY_FIELDS(len) \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Length: " #len "\r\n\r\n"

static const struct status statuses[] = {
	FROM_ROM(200, "OK"),
	FROM_ROM(304, "Not Modified"),
	FROM_ROM(404, "Not Found"),
	FROM_ROM(301, "Moved Permanently"),
	BUILT_IN(400, "Bad Request", 16, ""),
	/* RFC 9110, section 15.5.6: Allow MUST be sent. */
	BUILT_IN(405, "Method Not Allowed", 23, "Allow: GET, HEAD\r\n"),
	BUILT_IN(408, "Request Timeout", 20, ""),
	BUILT_IN(414, "URI Too Long", 17, ""),
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

/* Room for all: the longest line is that of 431. */
_Static_assert(sizeof "HTTP/1.1 431 Request Header Fields Too Large\r\n" +
    sizeof "Date: \r\n" + HTTP_DATE_LEN + sizeof "Connection: keep-alive\r\n" <=
    HTTP_PREFIX_CAP, "every prefix fits");

/* Status line and the fields of the moment; `close` is decided. */
static void put_prefix(const struct status *status, bool say_keep_alive,
    const struct http_now *now, struct http_response *out)
{
	out->status = status->code;
	out->prefix_len = 0;
	put(out, status->line.at, status->line.len);
	/*
	 * RFC 9110, section 6.6.1: an origin server with a clock MUST send Date, one
	 * without MUST NOT.
	 */
	if (now->time > 0) {
		PUT(out, "Date: ");
		put(out, now->date, HTTP_DATE_LEN);
		PUT(out, "\r\n");
	}
	/* RFC 9112, section 9.6: the last answer of a connection SHOULD say so ... */
	if (out->close)
		PUT(out, "Connection: close\r\n");
	/* ... and HTTP/1.0 has to be told that it goes on (appendix C.2.2). */
	else if (say_keep_alive)
		PUT(out, "Connection: keep-alive\r\n");
}

static void answer_built_in(uint16_t code, enum http_method method,
    bool say_keep_alive, const struct http_now *now,
    struct http_response *out)
{
	const struct status *const status = find_status(code);

	put_prefix(status, say_keep_alive, now, out);
	out->rest = status->head;
	out->body_len = status->body.len;
	if (method == HTTP_METHOD_HEAD) {
		out->rest.len -= status->body.len;
		out->body_len = 0;
	}
}

/* The answer for a path's key, or for no such path if there is none. */
static struct romfs_answer choose(const struct http_site *site,
    const struct http_request *req, const struct http_text *key)
{
	struct romfs_entry entry;
	struct romfs_variant variant;

	if (key == NULL ||
	    romfs_find(site->fs, key->at, key->len, &entry) != ROMFS_OK)
		romfs_not_found(site->fs, &entry);
	/* Room for later: content negotiation chooses among the variants here. */
	romfs_variant(site->fs, &entry, 0, &variant);

	/* RFC 9110, section 13.2.1: conditions count only where the answer would be 2xx. */
	const struct http_text etag = { variant.etag, variant.etag_len };
	if (etag.at != NULL &&
	    http_not_modified(req, etag, entry.modified, site->now->time))
		return variant.not_modified;
	return variant.full;
}

static bool has_to_close(const struct http_request *req)
{
	if (!http_request_persists(req) ||
	    req->body_len > LIMIT_BODY_SKIP_LEN)
		return true;
	/* RFC 9110, section 10.1.1: in HTTP/1.0 the expectation MUST be ignored. */
	return req->body_len > 0 && req->expect_continue && req->minor >= 1;
}

void http_respond(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	const bool is_head = req->method == HTTP_METHOD_HEAD;
	const bool say_keep_alive = req->minor == 0;
	struct http_text key;

	out->close = has_to_close(req);
	if (req->method != HTTP_METHOD_GET && !is_head) {
		answer_built_in(405, req->method, say_keep_alive, site->now,
		    out);
		return;
	}
	const enum http_path path = http_normalise_path(req->path,
	    site->scratch, site->scratch_cap, &key);
	if (path == HTTP_PATH_BAD) {
		answer_built_in(400, req->method, say_keep_alive, site->now,
		    out);
		return;
	}

	const struct romfs_answer answer =
	    choose(site, req, path == HTTP_PATH_OK ? &key : NULL);
	out->body_len = is_head ? 0 : answer.body_len;
	out->rest = (struct http_text){
		answer.head, answer.head_len + out->body_len
	};
	put_prefix(find_status(answer.status), say_keep_alive, site->now, out);
}

void http_refuse(uint16_t status, enum http_method method,
    const struct http_now *now, struct http_response *out)
{
	out->close = true;
	answer_built_in(status, method, false, now, out);
}

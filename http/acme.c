/*
 * ACME challenges: http/acme.h.
 */
#include "http/acme.h"

#include "config/limits.h"
#include "http/cursor.h"
#include "net/text.h"

/* RFC 8555, section 8.3: the example's type; no cache shall answer in our place. */
#define FIELDS \
	"Content-Type: application/octet-stream\r\n" \
	"Cache-Control: no-store\r\n" \
	"Content-Length: "

_Static_assert(HTTP_BEGIN_CAP + sizeof FIELDS + sizeof "NNN\r\n\r\n" +
    LIMIT_TOKEN_LEN + 1 + HTTP_THUMBPRINT_LEN <= HTTP_PREFIX_CAP,
    "the whole answer fits, without HSTS, which plain streams have not");

bool http_is_base64url(struct http_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.at[i];
		const uint8_t small = c | 0x20;

		if (!http_is(c, HTTP_DIGIT) && c != '-' && c != '_' &&
		    (small < 'a' || small > 'z'))
			return false;
	}
	return true;
}

bool http_answer_acme(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	struct rd r = rd_text(req->path);
	char digits[8];
	struct text len = text_start(digits, sizeof digits);

	if (!rd_take_text(&r, HTTP_TEXT("/.well-known/acme-challenge/")))
		return false;
	const struct http_text token = { r.at, rd_left(&r) };
	if (token.len == 0 || token.len > LIMIT_TOKEN_LEN ||
	    !http_is_base64url(token))
		return false;

	const size_t body_len = token.len + 1 + site->thumbprint.len;
	text_add_u64(&len, body_len);
	http_begin(site, req, 200, out);
	HTTP_PUT(out, FIELDS);
	http_put(out, len.at, len.len);
	HTTP_PUT(out, "\r\n\r\n");
	out->slice = HTTP_TEXT("");
	out->body_len = 0;
	if (req->method == HTTP_METHOD_HEAD)
		return true;
	http_put(out, token.at, token.len);
	HTTP_PUT(out, ".");
	http_put(out, site->thumbprint.at, site->thumbprint.len);
	out->body_len = body_len;
	return true;
}

/*
 * The redirect to HTTPS: http/redirect.h.
 */
#include "http/redirect.h"

#include "config/limits.h"
#include "http/authority.h"
#include "net/text.h"

#define HTTPS_PORT 443

#define LOCATION "Location: https://"

_Static_assert(HTTP_BEGIN_CAP + sizeof LOCATION + LIMIT_HOST_LEN +
    sizeof ":65535" <= HTTP_PREFIX_CAP,
    "what stands before the path fits, without HSTS, which plain streams have not");

/* The next name, or no bytes behind the last. */
static struct http_text take_name(struct http_text *names)
{
	struct http_text name = { names->at, 0 };

	while (name.len < names->len && names->at[name.len] != 0)
		name.len++;
	const size_t used = name.len < names->len ? name.len + 1 : name.len;
	names->at += used;
	names->len -= used;
	return name;
}

static bool is_ours(struct http_text names, struct http_text host)
{
	while (names.len > 0) {
		if (http_text_equal_nocase(host, take_name(&names)))
			return true;
	}
	return false;
}

/* Where to send the client; no bytes if nobody knows. */
static struct http_text choose_host(const struct http_redirect *redirect,
    const struct http_request *req)
{
	struct http_authority sent = { .host = { 0 } };
	struct http_text names = redirect->hosts;

	/* The parser has refused what is not an authority. */
	if (req->host.at != NULL && !http_parse_authority(req->host, &sent))
		sent.host.len = 0;
	if (names.len == 0 || is_ours(names, sent.host))
		return sent.host;
	return take_name(&names);
}

void http_answer_redirect(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	const struct http_redirect *const redirect = site->redirect;
	const struct http_text host = choose_host(redirect, req);
	const struct http_location location = {
		.path = req->path, .query = req->query,
	};
	char digits[8];
	struct text port = text_start(digits, sizeof digits);

	if (host.len == 0 || host.len > LIMIT_HOST_LEN) {
		http_begin(site, req, 400, out);
		http_end_built_in(req->method, out);
		return;
	}
	http_begin(site, req, 308, out);
	HTTP_PUT(out, LOCATION);
	http_put(out, host.at, host.len);
	if (redirect->port != HTTPS_PORT) {
		text_add_char(&port, ':');
		text_add_u64(&port, redirect->port);
		http_put(out, port.at, port.len);
	}
	http_put_location(out, &location);
	http_end_built_in(req->method, out);
}

size_t http_format_hsts(const struct http_hsts *hsts,
    uint8_t out[HTTP_HSTS_CAP])
{
	struct text t = text_start((char *)out, HTTP_HSTS_CAP);

	if (!hsts->on)
		return 0;
	text_add(&t, "Strict-Transport-Security: max-age=");
	text_add_u64(&t, hsts->max_age_s);
	if (hsts->subdomains)
		text_add(&t, "; includeSubDomains");
	if (hsts->preload)
		text_add(&t, "; preload");
	text_add(&t, "\r\n");
	return t.len;
}

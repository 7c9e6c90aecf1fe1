/*
 * The redirect to HTTPS: http/redirect.h.
 */
#include "http/redirect.h"

#include "config/limits.h"
#include "http/authority.h"
#include "net/text.h"

#define HTTPS_PORT 443

#define LOCATION "Location: https://"
#define PLAIN_LOCATION "Location: http://"

_Static_assert(HTTP_BEGIN_CAP + HTTP_HSTS_CAP + sizeof LOCATION +
    LIMIT_HOST_LEN + sizeof ":65535" <= HTTP_PREFIX_CAP,
    "what stands before the path fits");

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

static void put_port(uint32_t port, struct http_response *out)
{
	HTTP_PUT(out, ":");
	http_put_u64(out, port);
}

/* The prefix ends behind the host: the target follows as it was sent. */
static void end_with_target(const struct http_request *req,
    struct http_response *out)
{
	const struct http_location location = {
		.text = req->path, .is_sent = true, .query = req->query,
	};

	http_end_redirect(req->method, &location, out);
}

void http_answer_redirect(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	const struct http_redirect *const redirect = site->redirect;
	const struct http_text host = choose_host(redirect, req);

	if (host.len == 0 || host.len > LIMIT_HOST_LEN) {
		http_answer_built_in(site, req, 400, out);
		return;
	}
	http_begin(site, req, 308, out);
	HTTP_PUT(out, LOCATION);
	http_put(out, host.at, host.len);
	if (redirect->port != HTTPS_PORT)
		put_port(redirect->port, out);
	end_with_target(req, out);
}

void http_answer_canonical(const struct http_site *site,
    const struct http_request *req, uint32_t port, struct http_text name,
    struct http_response *out)
{
	http_begin(site, req, 308, out);
	if (site->is_private)
		HTTP_PUT(out, LOCATION);
	else
		HTTP_PUT(out, PLAIN_LOCATION);
	http_put(out, name.at, name.len);
	if (port != 0)
		put_port(port, out);
	end_with_target(req, out);
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

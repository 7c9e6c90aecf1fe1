/*
 * Reading the operator's words: http/settings.h.
 */
#include "http/settings.h"

#include "http/acme.h"
#include "http/cursor.h"

#define STATS_MAX_S 86400
#define HSTS_DEFAULT_S (365 * 86400)
#define HSTS_MAX_S 999999999
#define HTTPS_PORT 443
#define SYSLOG_PORT 514    /* RFC 5426, section 3.3 */

/* All digits up to what is none; false for no digit, and for more than `max`. */
static bool take_number(struct rd *r, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;
	uint8_t c;

	if (rd_at_end(r) || !http_is(*r->at, HTTP_DIGIT))
		return false;
	while (rd_take_class(r, HTTP_DIGIT, &c)) {
		value = value * 10 + (c - '0');
		if (value > max)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

/* Each takes the value of its word, and returns NULL or a sentence for the operator. */

static const char *read_log(struct http_text value, struct http_settings *out)
{
	if (http_text_equal(value, HTTP_TEXT("off")))
		out->log = false;
	else if (http_text_equal(value, HTTP_TEXT("on")))
		out->log = true;
	else
		return "log= takes on or off; this word is ignored";
	return NULL;
}

static const char *read_stats(struct http_text value,
    struct http_settings *out)
{
	struct rd r = rd_text(value);
	uint32_t seconds;

	if (!take_number(&r, STATS_MAX_S, &seconds) || !rd_at_end(&r) ||
	    seconds == 0)
		return "stats= takes 1 to 86400 seconds; this word is ignored";
	out->stats_s = seconds;
	return NULL;
}

static const char *read_redirect(struct http_text value,
    struct http_settings *out)
{
	struct rd r = rd_text(value);
	uint32_t port = HTTPS_PORT;

	if (http_text_equal(value, HTTP_TEXT("off"))) {
		out->redirect_port = 0;
		return NULL;
	}
	if (!rd_take_text(&r, HTTP_TEXT("https")) ||
	    (rd_take(&r, ':') && !take_number(&r, 65535, &port)) ||
	    !rd_at_end(&r) || port == 0)
		return "redirect= takes off, https, or https:PORT; "
		    "this word is ignored";
	out->redirect_port = port;
	return NULL;
}

static const char *read_hsts(struct http_text value,
    struct http_settings *out)
{
	struct rd r = rd_text(value);
	struct http_hsts hsts = { .on = true };

	if (http_text_equal(value, HTTP_TEXT("off"))) {
		out->hsts = (struct http_hsts){ 0 };
		return NULL;
	}
	const bool good = take_number(&r, HSTS_MAX_S, &hsts.max_age_s);
	hsts.subdomains = rd_take_text(&r, HTTP_TEXT(",includeSubDomains"));
	hsts.preload = rd_take_text(&r, HTTP_TEXT(",preload"));
	if (!good || !rd_at_end(&r))
		return "hsts= takes off, or SECONDS (up to nine digits)"
		    "[,includeSubDomains][,preload]; this word is ignored";
	out->hsts = hsts;
	return NULL;
}

static const char *read_thumbprint(struct http_text value,
    struct http_settings *out)
{
	if (value.len != HTTP_THUMBPRINT_LEN || !http_is_base64url(value))
		return "acme_thumbprint= takes the 43 characters that the ACME "
		    "client shows; this word is ignored";
	out->thumbprint = value;
	return NULL;
}

static const char *read_sni(struct http_text value, struct http_settings *out)
{
	if (http_text_equal(value, HTTP_TEXT("refuse")))
		out->sni_refuse = true;
	else if (http_text_equal(value, HTTP_TEXT("default")))
		out->sni_refuse = false;
	else
		return "sni= takes default or refuse; this word is ignored";
	return NULL;
}

/*
 * A path as it stands in a request: slashes, letters, digits and "-._~", which have one
 * way to be written only, and no slash at the end.
 */
static bool is_path(struct http_text path)
{
	if (path.len < 2 || path.len > LIMIT_OPS_PATH_LEN || path.at[0] != '/' ||
	    path.at[path.len - 1] == '/')
		return false;
	for (size_t i = 0; i < path.len; i++) {
		const uint8_t c = path.at[i];

		if (!http_is_base64url((struct http_text){ &c, 1 }) &&
		    c != '/' && c != '.' && c != '~')
			return false;
	}
	return true;
}

static const char *read_status(struct http_text value,
    struct http_settings *out)
{
	struct http_text path = { value.at, 0 };
	struct net_ranges peers;

	if (http_text_equal(value, HTTP_TEXT("off"))) {
		out->status_path.len = 0;
		return NULL;
	}
	while (path.len < value.len && path.at[path.len] != ',')
		path.len++;
	if (!is_path(path) || path.len == value.len ||
	    !net_read_ranges((const char *)path.at + path.len + 1,
	    value.len - path.len - 1, &peers))
		return "status= takes off, or /PATH,ADDRESS[/BITS] with up to "
		    "eight ranges of addresses; this word is ignored";
	out->status_path = path;
	out->status_peers = peers;
	return NULL;
}

static const char *read_healthz(struct http_text value,
    struct http_settings *out)
{
	if (http_text_equal(value, HTTP_TEXT("off")))
		out->healthz_path.len = 0;
	else if (http_text_equal(value, HTTP_TEXT("on")))
		out->healthz_path = HTTP_TEXT("/healthz");
	else if (is_path(value))
		out->healthz_path = value;
	else
		return "healthz= takes off, on or /PATH; this word is ignored";
	return NULL;
}

static const char *read_syslog(struct http_text value,
    struct http_settings *out)
{
	if (http_text_equal(value, HTTP_TEXT("off")))
		out->syslog.port = 0;
	else if (!net_read_endpoint((const char *)value.at, value.len,
	    SYSLOG_PORT, &out->syslog))
		return "syslog= takes off, or ADDRESS[:PORT], an IPv6 address "
		    "with a port in brackets; this word is ignored";
	return NULL;
}

static const char *read_proxy(struct http_text value,
    struct http_settings *out)
{
	struct net_ranges proxies;

	if (http_text_equal(value, HTTP_TEXT("off"))) {
		out->proxies.count = 0;
		return NULL;
	}
	if (!net_read_ranges((const char *)value.at, value.len, &proxies))
		return "proxy= takes off, or ADDRESS[/BITS] with up to eight "
		    "ranges of addresses; this word is ignored";
	out->proxies = proxies;
	return NULL;
}

#define NAME(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

static const char *read_word(struct http_text word, struct http_settings *out)
{
	static const struct {
		struct http_text name;
		const char *(*read)(struct http_text, struct http_settings *);
	} words[] = {
		{ NAME("log="), read_log },
		{ NAME("stats="), read_stats },
		{ NAME("redirect="), read_redirect },
		{ NAME("hsts="), read_hsts },
		{ NAME("acme_thumbprint="), read_thumbprint },
		{ NAME("sni="), read_sni },
		{ NAME("status="), read_status },
		{ NAME("healthz="), read_healthz },
		{ NAME("syslog="), read_syslog },
		{ NAME("proxy="), read_proxy },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct rd r = rd_text(word);

		if (rd_take_text(&r, words[i].name))
			return words[i].read((struct http_text){
			    r.at, rd_left(&r) }, out);
	}
	return NULL;
}

static void set_defaults(const struct http_bundle *bundle,
    struct http_settings *out)
{
	*out = (struct http_settings){ .log = true };
	if (!bundle->has_certificate || !bundle->is_real)
		return;
	out->hsts = (struct http_hsts){
		.on = true, .max_age_s = HSTS_DEFAULT_S,
	};
	if (bundle->has_hosts)
		out->redirect_port = HTTPS_PORT;
}

static void complain(struct http_settings *out, const char *sentence)
{
	if (sentence != NULL && out->complaint_count < HTTP_COMPLAINTS_CAP)
		out->complaints[out->complaint_count++] = sentence;
}

/* Take back what the certificate does not allow. */
static void judge(const struct http_bundle *bundle, struct http_settings *out)
{
	if (out->hsts.on && !(bundle->has_certificate && bundle->is_real)) {
		out->hsts = (struct http_hsts){ 0 };
		complain(out, "hsts= needs a real certificate; none is sent");
	}
	if (out->redirect_port != 0 && !bundle->has_certificate) {
		out->redirect_port = 0;
		complain(out, "redirect=https needs a certificate; there is none, "
		    "and no redirect");
	}
}

void http_read_settings(const char *words, const struct http_bundle *bundle,
    struct http_settings *out)
{
	set_defaults(bundle, out);
	while (*words != 0) {
		const char *end = words;

		while (*end != 0 && *end != ' ')
			end++;
		complain(out, read_word((struct http_text){
		    (const uint8_t *)words, (size_t)(end - words) }, out));
		words = *end == 0 ? end : end + 1;
	}
	judge(bundle, out);
}

/*
 * Status pages and health checks: http/status.h.
 */
#include "http/status.h"

static const struct http_settings *settings;
static void (*collect)(struct http_figures *out);

void http_status_start(const struct http_settings *with,
    void (*collect_by)(struct http_figures *out))
{
	settings = with;
	collect = collect_by;
}

/* ---- Pieces ----------------------------------------------------------------- */

/* "1f0\r\n" in front of a chunk's bytes and "\r\n" behind: RFC 9112, section 7.1. */
#define SIZE_LEN 5
#define CHUNK_END_LEN 2

_Static_assert(SIZE_LEN + HTTP_FIGURES_PIECE_CAP + CHUNK_END_LEN <=
    HTTP_PREFIX_CAP && HTTP_FIGURES_PIECE_CAP <= 0xfff,
    "a chunk is copied at once, and its size has three digits");

static size_t make_plain(enum http_rendering rendering, uint32_t index,
    uint8_t *out)
{
	struct text t = text_start((char *)out, HTTP_FIGURES_PIECE_CAP);
	struct http_figures figures;

	collect(&figures);
	if (!http_write_figures(&figures, rendering, index, &t))
		return 0;
	return t.len;
}

static size_t make_chunk(enum http_rendering rendering, uint32_t index,
    uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	static const char last[] = "0\r\n\r\n";
	const size_t len = make_plain(rendering, index, out + SIZE_LEN);

	if (len == 0) {
		/* The last chunk comes once, behind the page's last piece. */
		if (index > 0 && make_plain(rendering, index - 1, out) > 0) {
			__builtin_memcpy(out, last, sizeof last - 1);
			return sizeof last - 1;
		}
		return 0;
	}
	out[0] = (uint8_t)digits[len >> 8];
	out[1] = (uint8_t)digits[len >> 4 & 15];
	out[2] = (uint8_t)digits[len & 15];
	__builtin_memcpy(out + 3, "\r\n", 2);
	__builtin_memcpy(out + SIZE_LEN + len, "\r\n", CHUNK_END_LEN);
	return SIZE_LEN + len + CHUNK_END_LEN;
}

/* The functions that the engine calls, named by what they make. */
#define PIECES(name, rendering) \
	static size_t name##_plain(const struct http_site *site, \
	    uint32_t index, uint8_t *out) \
	{ \
		(void)site; \
		return make_plain(rendering, index, out); \
	} \
	static size_t name##_chunk(const struct http_site *site, \
	    uint32_t index, uint8_t *out) \
	{ \
		(void)site; \
		return make_chunk(rendering, index, out); \
	}

PIECES(html, HTTP_RENDER_HTML)
PIECES(json, HTTP_RENDER_JSON)
PIECES(metrics, HTTP_RENDER_METRICS)

/* ---- Pages ------------------------------------------------------------------ */

struct page {
	struct http_text behind;     /* the path of status= */
	struct http_text fields;
	http_piece_function *plain, *chunk;
};

#define TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }
#define COMMON \
	"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

static const struct page pages[] = {
	{ TEXT(""), TEXT("Content-Type: text/html; charset=utf-8\r\n"
	    "Content-Security-Policy: default-src 'none'; "
	    "style-src 'unsafe-inline'\r\n" COMMON), html_plain, html_chunk },
	{ TEXT(".json"), TEXT("Content-Type: application/json\r\n" COMMON),
	    json_plain, json_chunk },
	/* The type that scrapers ask for by this version. */
	{ TEXT("/metrics"), TEXT("Content-Type: text/plain; version=0.0.4; "
	    "charset=utf-8\r\n" COMMON), metrics_plain, metrics_chunk },
};

#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define LONGEST_FIELDS_LEN 192

_Static_assert(HTTP_BEGIN_CAP + HTTP_HSTS_CAP + LONGEST_FIELDS_LEN +
    sizeof CHUNKED "\r\n" <= HTTP_PREFIX_CAP, "a page's head fits");

static const struct http_text health = TEXT(
    "Content-Length: 3\r\nContent-Type: text/plain; charset=utf-8\r\n"
    COMMON "\r\nok\n");
#define HEALTH_BODY_LEN 3

static const struct page *find_page(struct http_text path)
{
	const struct http_text base = settings->status_path;

	if (base.len == 0 || path.len < base.len ||
	    __builtin_memcmp(path.at, base.at, base.len) != 0)
		return NULL;
	path.at += base.len;
	path.len -= base.len;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (http_text_equal(path, pages[i].behind))
			return &pages[i];
	}
	return NULL;
}

static void answer_page(const struct http_site *site,
    const struct http_request *req, const struct page *page,
    struct http_response *out)
{
	const bool is_chunked = req->minor >= 1;
	struct http_request as = *req;

	/* RFC 9112, section 6.1: HTTP/1.0 knows no chunks; section 6.3, rule 8: so close. */
	as.close |= !is_chunked;
	http_begin(site, &as, 200, out);
	http_put(out, page->fields.at, page->fields.len);
	if (is_chunked)
		HTTP_PUT(out, CHUNKED);
	HTTP_PUT(out, "\r\n");
	out->slice = HTTP_TEXT("");
	out->body_len = 0;     /* nobody knows yet */
	if (req->method == HTTP_METHOD_GET)
		http_end_made(is_chunked ? page->chunk : page->plain, out);
}

static void answer_health(const struct http_site *site,
    const struct http_request *req, struct http_response *out)
{
	http_begin(site, req, 200, out);
	out->slice = health;
	out->body_len = HEALTH_BODY_LEN;
	if (req->method != HTTP_METHOD_GET) {
		out->slice.len -= HEALTH_BODY_LEN;
		out->body_len = 0;
	}
}

bool http_answer_status(const struct http_site *site,
    const struct http_request *req, const struct net_peer *peer,
    struct http_response *out)
{
	const struct page *page;

	if (settings->healthz_path.len > 0 &&
	    http_text_equal(req->path, settings->healthz_path)) {
		answer_health(site, req, out);
		return true;
	}
	page = find_page(req->path);
	if (page == NULL || !net_ranges_hold(&settings->status_peers, peer))
		return false;
	answer_page(site, req, page, out);
	return true;
}

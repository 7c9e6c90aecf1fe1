/*
 * The figures and their renderings: http/figures.h.
 *
 * A page is a row of rows: its beginning, what this server is, then for each family of
 * figures its head and its samples, then its end.  A piece is a few of them.
 */
#include "http/figures.h"

/* Rows of a piece; the first two, which are long, have one each. */
#define ROWS_PER_PIECE 3

/* Characters of a text that somebody else has chosen. */
#define SHOWN_MAX 64

/* ---- The table -------------------------------------------------------------- */

enum part { ALWAYS, IF_HTTPS, IF_PROXIES, IF_SYSLOG, POOLS, CHAINS };

struct sample {
	const char *label;       /* NULL: the family has one sample */
	size_t off;              /* of a uint64_t in struct http_figures */
};

#define SAMPLES_CAP 4

/* Helps have up to 60 characters, names up to 34. */
struct family {
	const char *name;
	const char *help;
	const char *label;       /* name of the label; NULL: none */
	enum part part;
	bool is_gauge;           /* else a counter */
	uint32_t sample_count;   /* of POOLS and CHAINS: 0 */
	struct sample samples[SAMPLES_CAP];
};

#define AT(field) offsetof(struct http_figures, field)
#define ONE(field) .sample_count = 1, .samples = { { NULL, AT(field) } }

static const struct family families[] = {
	{ "uptime_seconds", "Since the machine's boot.", .is_gauge = true,
	    ONE(uptime_s) },
	{ "restarts_total", "Crashes of the server since then.", ONE(restarts) },
	{ "connections", "Open now.", .is_gauge = true, ONE(open) },
	{ "connections_total", "Established.", ONE(net.connections) },
	{ "connections_evicted_total", "Ended to make room for others.",
	    ONE(net.evicted) },
	{ "connections_expired_total", "Ended by a deadline, idle ones too.",
	    ONE(net.expired) },
	{ "proxy_headers_total", "PROXY headers of listed proxies.", "result",
	    IF_PROXIES, .sample_count = 2, .samples = {
	    { "accepted", AT(relayed.accepted) },
	    { "refused", AT(relayed.refused) } } },
	{ "http_requests_total", "Answered, by class of status.", "class",
	    .sample_count = 4, .samples = {
	    { "2xx", AT(http.by_class[2]) }, { "3xx", AT(http.by_class[3]) },
	    { "4xx", AT(http.by_class[4]) }, { "5xx", AT(http.by_class[5]) } } },
	{ "http_refused_total", "Requests malformed, too large or late.",
	    ONE(http.refused) },
	{ "http_body_bytes_total", "Of bodies, when their answers began.",
	    ONE(http.body_bytes) },
	{ "tls_handshakes_total", "Ended, by how.", "result", IF_HTTPS,
	    .sample_count = 3, .samples = {
	    { "full", AT(tls.full) }, { "resumed", AT(tls.resumed) },
	    { "failed", AT(tls.failed) } } },
	{ "certificate_days_left", "Until it expires; below 0: since.",
	    "certificate", CHAINS, .is_gauge = true },
	{ "tcp_segments_received_total", "Good and bad.",
	    ONE(net.segments_in) },
	{ "tcp_segments_sent_total", "With data, SYN or FIN.",
	    ONE(net.segments_out) },
	{ "tcp_segments_retransmitted_total", "Sent again.",
	    ONE(net.segments_again) },
	{ "tcp_segments_rejected_total", "Received and not accepted.",
	    ONE(net.segments_bad) },
	{ "tcp_resets_sent_total", "Segments with RST.", ONE(net.resets_out) },
	{ "frames_total", "Exchanged with the network driver.", "direction",
	    .sample_count = 2, .samples = {
	    { "received", AT(net.frames_in) }, { "sent", AT(net.frames_out) } } },
	{ "frames_refused_total", "Not sent at once: the driver was full.",
	    ONE(net.frames_refused) },
	{ "syslog_messages_total", "Lines of the access log over UDP.",
	    "result", IF_SYSLOG, .sample_count = 2, .samples = {
	    { "sent", AT(net.datagrams) },
	    { "dropped", AT(net.datagrams_dropped) } } },
	{ "pool_used", "Elements in use.", "pool", POOLS, .is_gauge = true },
	{ "pool_peak", "The most there were in use.", "pool", POOLS,
	    .is_gauge = true },
	{ "pool_size", "Elements there are.", "pool", POOLS, .is_gauge = true },
};

static uint32_t sample_count(const struct http_figures *f,
    const struct family *family)
{
	switch (family->part) {
	case ALWAYS:
		break;
	case IF_HTTPS:
		return f->chain_count > 0 ? family->sample_count : 0;
	case IF_PROXIES:
		return f->has_proxies ? family->sample_count : 0;
	case IF_SYSLOG:
		return f->has_syslog ? family->sample_count : 0;
	case POOLS:
		return f->pool_count;
	case CHAINS:
		return f->chain_count;
	}
	return family->sample_count;
}

/* ---- Values ----------------------------------------------------------------- */

/*
 * A text that came from elsewhere: what could mean something in any of the renderings
 * is shown as '?'.
 */
static void add_foreign(struct text *t, const uint8_t *at, size_t len)
{
	static const char plain[] = " .,:;_-+*/@()[]=";

	for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
		const char c = (char)at[i];
		bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z');

		for (size_t k = 0; !good && k < sizeof plain - 1; k++)
			good = c == plain[k];
		text_add_char(t, good ? c : '?');
	}
}

static void add_string(struct text *t, const char *s)
{
	add_foreign(t, (const uint8_t *)s, __builtin_strlen(s));
}

static void add_label(struct text *t, const struct http_figures *f,
    const struct family *family, uint32_t i)
{
	if (family->part == POOLS) {
		add_string(t, f->pools[i].name);
	} else if (family->part == CHAINS) {
		text_add_u64(t, i);
		text_add_char(t, ' ');
		add_string(t, f->chains[i].name);
	} else {
		text_add(t, family->samples[i].label);
	}
}

static uint64_t pool_value(const struct net_pool *pool, const char *name)
{
	/* "pool_used", "pool_peak", "pool_size" */
	switch (name[5]) {
	case 'u':
		return pool->used;
	case 'p':
		return pool->peak;
	default:
		return pool->size;
	}
}

static void add_days(struct text *t, int64_t days)
{
	if (days < 0)
		text_add_char(t, '-');
	text_add_u64(t, days < 0 ? -(uint64_t)days : (uint64_t)days);
}

static void add_value(struct text *t, const struct http_figures *f,
    const struct family *family, uint32_t i, const char *unknown)
{
	uint64_t value;

	if (family->part == CHAINS) {
		if (f->chains[i].is_known)
			add_days(t, f->chains[i].days_left);
		else
			text_add(t, unknown);
		return;
	}
	if (family->part == POOLS)
		value = pool_value(&f->pools[i], family->name);
	else
		__builtin_memcpy(&value,
		    (const uint8_t *)f + family->samples[i].off, sizeof value);
	text_add_u64(t, value);
}

/* ---- What this server is ---------------------------------------------------- */

/* The value of a line "word value\n" of the ROM's; no bytes: there is none. */
static struct http_text find_info(struct http_text lines, const char *word)
{
	const size_t word_len = __builtin_strlen(word);

	while (lines.len > 0) {
		size_t end = 0;

		while (end < lines.len && lines.at[end] != '\n')
			end++;
		if (end > word_len && lines.at[word_len] == ' ' &&
		    __builtin_memcmp(lines.at, word, word_len) == 0)
			return (struct http_text){
				lines.at + word_len + 1, end - word_len - 1
			};
		end += end < lines.len;
		lines.at += end;
		lines.len -= end;
	}
	return (struct http_text){ 0 };
}

static void add_hash(struct text *t, const uint8_t hash[32])
{
	for (size_t i = 0; i < 32; i++) {
		text_add_char(t, "0123456789abcdef"[hash[i] >> 4]);
		text_add_char(t, "0123456789abcdef"[hash[i] & 15]);
	}
}

/* How a rendering writes names and values of what this server is. */
struct marks {
	const char *begin, *name_end, *value_end, *between, *end;
};

static const struct marks info_marks[] = {
	[HTTP_RENDER_HTML] = { "<tr><td>", "<td>", "\n", "<tr><td>", "" },
	[HTTP_RENDER_JSON] = { "\"info\":{\"", "\":\"", "\"", ",\"", "}" },
	[HTTP_RENDER_METRICS] = {
	    "# HELP stele_info What this server is.\n# TYPE stele_info gauge\n"
	    "stele_info{", "=\"", "\"", ",", "} 1\n" },
};

static void add_info(struct text *t, const struct http_figures *f,
    const struct marks *m)
{
	static const char *const words[] = { "commit", "tree" };

	text_add(t, m->begin);
	text_add(t, "version");
	text_add(t, m->name_end);
	add_string(t, f->info->version_text);
	text_add(t, m->value_end);
	text_add(t, m->between);
	text_add(t, "machine");
	text_add(t, m->name_end);
	add_string(t, f->info->machine);
	text_add(t, m->value_end);
	text_add(t, m->between);
	text_add(t, "image");
	text_add(t, m->name_end);
	add_hash(t, f->info->image_sha256);
	text_add(t, m->value_end);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct http_text value = find_info(f->site_info, words[i]);

		if (value.len == 0)
			continue;
		text_add(t, m->between);
		text_add(t, words[i]);
		text_add(t, m->name_end);
		add_foreign(t, value.at, value.len);
		text_add(t, m->value_end);
	}
	text_add(t, m->end);
}

/* ---- Rows ------------------------------------------------------------------- */

static const char *const page_begin[] = {
	[HTTP_RENDER_HTML] = "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n"
	    "<meta name=viewport content=\"width=device-width\">\n"
	    "<title>stele: status</title>\n<style>\n"
	    "body{font:15px/1.5 sans-serif;margin:2em}\n"
	    "td,th{text-align:left;padding-right:2em;font-weight:normal}\n"
	    "th{padding-top:.6em;font-weight:bold}\n</style>\n<h1>Status</h1>\n"
	    "<table>\n",
	[HTTP_RENDER_JSON] = "{",
	[HTTP_RENDER_METRICS] = "# stele\n",
};

static const char *const page_end[] = {
	[HTTP_RENDER_HTML] = "</table>\n",
	[HTTP_RENDER_JSON] = "}\n",
	/* Nothing is to follow, but a piece is not empty. */
	[HTTP_RENDER_METRICS] = "# end\n",
};

static void add_head(struct text *t, const struct family *family,
    enum http_rendering rendering)
{
	switch (rendering) {
	case HTTP_RENDER_HTML:
		text_add(t, "<tr><th>");
		text_add(t, family->name);
		text_add(t, "<th>");
		text_add(t, family->help);
		text_add_char(t, '\n');
		break;
	case HTTP_RENDER_JSON:
		text_add(t, ",\n\"");
		text_add(t, family->name);
		text_add(t, family->label == NULL ? "\":" : "\":{");
		break;
	case HTTP_RENDER_METRICS:
		text_add(t, "# HELP stele_");
		text_add(t, family->name);
		text_add_char(t, ' ');
		text_add(t, family->help);
		text_add(t, "\n# TYPE stele_");
		text_add(t, family->name);
		text_add(t, family->is_gauge ? " gauge\n" : " counter\n");
		break;
	}
}

static void add_html_sample(struct text *t, const struct http_figures *f,
    const struct family *family, uint32_t i)
{
	text_add(t, "<tr><td>");
	if (family->label != NULL)
		add_label(t, f, family, i);
	text_add(t, "<td>");
	add_value(t, f, family, i, "unknown");
	text_add_char(t, '\n');
}

static void add_json_sample(struct text *t, const struct http_figures *f,
    const struct family *family, uint32_t i, bool is_last)
{
	if (family->label == NULL) {
		add_value(t, f, family, i, "null");
		return;
	}
	text_add(t, i == 0 ? "\"" : ",\"");
	add_label(t, f, family, i);
	text_add(t, "\":");
	add_value(t, f, family, i, "null");
	if (is_last)
		text_add_char(t, '}');
}

static void add_metrics_sample(struct text *t, const struct http_figures *f,
    const struct family *family, uint32_t i)
{
	text_add(t, "stele_");
	text_add(t, family->name);
	if (family->label != NULL) {
		text_add_char(t, '{');
		text_add(t, family->label);
		text_add(t, "=\"");
		add_label(t, f, family, i);
		text_add(t, "\"}");
	}
	text_add_char(t, ' ');
	add_value(t, f, family, i, "NaN");
	text_add_char(t, '\n');
}

static void add_sample(struct text *t, const struct http_figures *f,
    const struct family *family, uint32_t i, bool is_last,
    enum http_rendering rendering)
{
	switch (rendering) {
	case HTTP_RENDER_HTML:
		add_html_sample(t, f, family, i);
		break;
	case HTTP_RENDER_JSON:
		add_json_sample(t, f, family, i, is_last);
		break;
	case HTTP_RENDER_METRICS:
		add_metrics_sample(t, f, family, i);
		break;
	}
}

/* Row `row` of the families, each a head and its samples; false behind the last. */
static bool add_row(struct text *t, const struct http_figures *f,
    uint32_t row, enum http_rendering rendering)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct family *const family = &families[i];
		const uint32_t count = sample_count(f, family);
		const uint32_t rows = count == 0 ? 0 : 1 + count;

		if (row >= rows) {
			row -= rows;
			continue;
		}
		if (row == 0)
			add_head(t, family, rendering);
		else
			add_sample(t, f, family, row - 1, row == count,
			    rendering);
		return true;
	}
	if (row == 0)
		text_add(t, page_end[rendering]);
	return row == 0;
}

bool http_write_figures(const struct http_figures *figures,
    enum http_rendering rendering, uint32_t index, struct text *out)
{
	if (index == 0) {
		text_add(out, page_begin[rendering]);
		return true;
	}
	if (index == 1) {
		add_info(out, figures, &info_marks[rendering]);
		return true;
	}
	/* No page is so long; so the product below stays small. */
	if (index > UINT16_MAX)
		return false;
	for (uint32_t i = 0; i < ROWS_PER_PIECE; i++) {
		if (!add_row(out, figures, (index - 2) * ROWS_PER_PIECE + i,
		    rendering))
			return i > 0;
	}
	return true;
}

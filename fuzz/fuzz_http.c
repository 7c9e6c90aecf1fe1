/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/fake_net.c
 * tests/http/fake_private.c tls/stream.c @romfs net/text.c http/conn.c
 * http/log.c http/respond.c http/answer.c http/acme.c http/redirect.c
 * http/location.c http/conditions.c http/path.c http/date.c http/request.c
 * http/authority.c http/chars.c */
/*
 * Requests: any bytes, to a site alone and beside HTTPS.  Three questions to each.
 *
 *   parser     does what it says depend only on the bytes up to where it ends?
 *   responder  is every answer well-formed, and without a body where none may be?  Can
 *              a target make a location other than one line, with one host?
 *   glue       are the answers the same however the bytes are cut into pieces?
 */
#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "http/conn.h"
#include "http/respond.h"
#include "tests/http/fake_net.h"
#include "tests/http/tiny_rom.h"

/* The glue's answers have to fit into fake_net's memory. */
#define GLUE_INPUT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* ---- The parser ------------------------------------------------------------------ */

/* A text that was sent lies in the head, or is the one path that is made up. */
static void check_text(struct http_text text, const uint8_t *data, size_t len)
{
	if (text.at == NULL)
		check(text.len == 0);
	else if (text.at < data || text.at > data + len)
		check(text.len == 1 && *text.at == '/');
	else
		check(text.len <= (size_t)(data + len - text.at));
}

static void check_lines(const struct http_lines *lines, const uint8_t *data,
    size_t len)
{
	check(lines->count <= HTTP_LINES_CAP);
	for (size_t i = 0; i < lines->count; i++) {
		check(lines->line[i].at != NULL);
		check_text(lines->line[i], data, len);
	}
}

static void check_request(const struct http_request *req,
    const uint8_t *data, size_t len)
{
	check(req->head_len >= 4 && req->head_len <= len);
	check(req->head_len <= LIMIT_REQUEST_HEAD_LEN);
	check(memcmp(data + req->head_len - 4, "\r\n\r\n", 4) == 0);
	check(!req->has_coding);
	check(req->minor <= 1);
	check_text(req->line, data, len);
	check_text(req->path, data, len);
	check_text(req->query, data, len);
	check_text(req->host, data, len);
	check_text(req->range, data, len);
	check_text(req->if_range, data, len);
	check_text(req->modified_since, data, len);
	check_text(req->unmodified_since, data, len);
	check_text(req->referer, data, len);
	check_text(req->user_agent, data, len);
	check_lines(&req->accept_encoding, data, len);
	check_lines(&req->match, data, len);
	check_lines(&req->none_match, data, len);
	check_lines(&req->want_repr_digest, data, len);
	check(req->minor == 0 || req->host.at != NULL);
	if (req->method == HTTP_METHOD_GET || req->method == HTTP_METHOD_HEAD)
		check(req->path.len > 0 && req->path.at[0] == '/');
}

/* Parse the first cut bytes where nothing follows them. */
static enum http_parse parse_cut(const uint8_t *data, size_t cut,
    size_t *head_len)
{
	uint8_t *const copy = malloc(cut + (cut == 0));
	struct http_request req;

	check(copy != NULL);
	memcpy(copy, data, cut);
	const enum http_parse result = http_parse_request(copy, cut, &req);
	*head_len = req.head_len;
	free(copy);
	return result;
}

/* What was said stays said: more bytes never change it. */
static void check_prefixes(const uint8_t *data, size_t len,
    enum http_parse whole, size_t head_len)
{
	const size_t step = len < 512 ? 1 : len / 61;
	size_t cut_head;

	for (size_t cut = 0; cut < len; cut += step) {
		const enum http_parse got = parse_cut(data, cut, &cut_head);

		check(got == HTTP_NEED_MORE || got == whole);
		if (whole == HTTP_OK)
			check((got == HTTP_OK) == (cut >= head_len));
	}
	if (whole == HTTP_OK) {
		check(parse_cut(data, head_len, &cut_head) == HTTP_OK);
		check(cut_head == head_len);
		check(parse_cut(data, head_len - 1, &cut_head) ==
		    HTTP_NEED_MORE);
	}
	check(whole != HTTP_NEED_MORE || len < LIMIT_REQUEST_HEAD_LEN);
}

/* ---- The responder ----------------------------------------------------------------- */

#define THUMBPRINT "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"
#define HOSTS "a.example\0www.a.example\0"
#define HSTS "Strict-Transport-Security: max-age=1\r\n"

static const uint8_t *find(const uint8_t *data, size_t len, const char *what)
{
	return memmem(data, len, what, strlen(what));
}

/* The whole answer: prefix, the rest of its location, rest. */
static uint8_t *render(const struct http_response *res, size_t *len)
{
	const size_t cap = res->prefix_len +
	    3 * (res->location_len - res->location_at) + res->rest.len;
	uint8_t *const out = malloc(cap);
	size_t at = res->location_at;

	check(out != NULL && res->location_at <= res->location_len);
	memcpy(out, res->prefix, res->prefix_len);
	*len = res->prefix_len;
	while (at < res->location_len)
		*len += http_write_location(&res->location, &at, out + *len,
		    at % 2 ? 3 : 61);
	if (res->rest.len > 0)
		memcpy(out + *len, res->rest.at, res->rest.len);
	*len += res->rest.len;
	check(*len <= cap);
	return out;
}

/* It leads to HTTPS, or stays on this host. */
static void check_location(const uint8_t *head, size_t head_len,
    uint16_t status)
{
	static const char name[] = "\r\nLocation: ";
	const uint8_t *at = find(head, head_len, name);

	check((at != NULL) == (status == 301 || status == 308));
	if (at == NULL)
		return;
	at += sizeof name - 1;
	const size_t left = (size_t)(head + head_len - at);
	const uint8_t *const end = find(at, left, "\r\n");
	check(end != NULL && find(at, left, name) == NULL);
	if (status == 308)
		check(left > 8 && memcmp(at, "https://", 8) == 0);
	else
		check(left > 2 && at[0] == '/' && at[1] != '/');
	for (; at < end; at++)
		check(*at > ' ' && *at < 0x7f && strchr("\"<>\\^`{|}#",
		    *at) == NULL);
}

/* Lines that end in CRLF, without another CR, LF or NUL. */
static void check_lines(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		check(head[i] != 0);
		if (head[i] == '\r')
			check(i + 1 < len && head[i + 1] == '\n');
		if (head[i] == '\n')
			check(i > 0 && head[i - 1] == '\r');
	}
}

static void check_answer(const struct http_site *site,
    const struct http_response *res, enum http_method method)
{
	size_t len;
	uint8_t *const all = render(res, &len);
	const uint8_t *const blank = find(all, len, "\r\n\r\n");

	check(memcmp(all, "HTTP/1.1 ", 9) == 0);
	check(blank != NULL);
	const size_t head_len = (size_t)(blank - all) + 4;
	check(len - head_len == res->body_len);
	check_lines(all, head_len);
	check_location(all, head_len, res->status);
	check((find(all, head_len, HSTS) != NULL) == (site->hsts.len > 0));
	if (method == HTTP_METHOD_HEAD || res->status == 304)
		check(res->body_len == 0);
	free(all);
}

/* Alone; beside HTTPS with names and without; private. */
static const struct http_site *sites(void)
{
	static uint8_t scratch[LIMIT_TARGET_LEN];
	static struct http_now now = { .time = 1790000000 };
	static const struct http_redirect named = { HTTP_TEXT(HOSTS), 443 };
	static const struct http_redirect nameless = { { 0 }, 8443 };
	static struct http_site all[4];

	http_format_date(now.time, now.date);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		all[i] = (struct http_site){
			.fs = tiny_rom(), .now = &now, .scratch = scratch,
			.scratch_cap = sizeof scratch,
		};
	}
	all[1].redirect = &named;
	all[1].thumbprint = HTTP_TEXT(THUMBPRINT);
	all[2].redirect = &nameless;
	all[3].hsts = HTTP_TEXT(HSTS);
	return all;
}

static void check_one(const uint8_t *data, size_t len)
{
	const struct http_site *const all = sites();
	struct http_request req;
	struct http_response res;

	const enum http_parse parsed = http_parse_request(data, len, &req);
	if (parsed == HTTP_OK)
		check_request(&req, data, len);
	else if (parsed != HTTP_NEED_MORE)
		check_text(req.line, data, len);
	for (size_t i = 0; i < 4 && parsed != HTTP_NEED_MORE; i++) {
		if (parsed == HTTP_OK) {
			http_respond(&all[i], &req, &res);
		} else {
			http_refuse(&all[i], http_parse_status(parsed),
			    req.method, &res);
			check(res.close);
		}
		check_answer(&all[i], &res, req.method);
	}
	check_prefixes(data, len, parsed, req.head_len);
}

/* ---- The glue ------------------------------------------------------------------------ */

/* The ways in which a stream is opened. */
struct way {
	struct http_settings settings;
	bool is_private;
};

static const struct way ways[] = {
	{ .is_private = false },
	{ .settings = { .redirect_port = 443, .hsts = { .on = true },
	    .thumbprint = HTTP_TEXT(THUMBPRINT) } },
	{ .settings = { .hsts = { .on = true } }, .is_private = true },
};

static void open_in(const struct way *way)
{
	http_conn_start(tiny_rom(), &way->settings, HTTP_TEXT(HOSTS));
	fake_open(&http_app, way->is_private);
}

static void end(void)
{
	/* A line end, so that what is held is looked at once more. */
	fake_receive("\n", 1);
	fake_peer_closes();
}

static void receive_in_pieces(const struct way *way, const uint8_t *data,
    size_t len, size_t piece)
{
	open_in(way);
	for (size_t at = 0; at < len; at += piece)
		fake_receive(data + at, piece < len - at ? piece : len - at);
	end();
	check(fake.closing);
}

/* All at once, and the answers leave with little room. */
static void send_in_pieces(const struct way *way, const uint8_t *data,
    size_t len, size_t room)
{
	open_in(way);
	fake.room = room;
	fake_receive(data, len);
	end();
	while (!fake.closing)
		fake_acknowledge(fake.room + room);
}

static void check_pieces(const struct way *way, const uint8_t *data,
    size_t len)
{
	static uint8_t whole[sizeof fake.out];
	static const size_t pieces[] = { 7, 1, 2, 61 };
	/* What else a stream is asked does not depend on how bytes come. */
	const size_t count = way == &ways[0] ? ARRAY_LEN(pieces) : 1;

	receive_in_pieces(way, data, len, len);
	const size_t whole_len = fake.out_len;
	memcpy(whole, fake.out, whole_len);
	check(way->is_private ||
	    find(whole, whole_len, "\r\nStrict-Transport-Security:") == NULL);
	for (size_t i = 0; i < count; i++) {
		receive_in_pieces(way, data, len, pieces[i]);
		check(fake.out_len == whole_len);
		check(memcmp(fake.out, whole, whole_len) == 0);
	}
	send_in_pieces(way, data, len, 1 + len % 300);
	check(fake.out_len == whole_len);
	check(memcmp(fake.out, whole, whole_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_one(data, len);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (len > 0 && len <= GLUE_INPUT_MAX)
			check_pieces(&ways[i], data, len);
	}
	return 0;
}

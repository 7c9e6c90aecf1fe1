/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/render.c
 * tests/http/fake_net.c tests/http/fake_private.c tls/stream.c @romfs
 * @http_answers http/conn.c http/log.c */
/*
 * Requests: any bytes, to a site alone and beside HTTPS.  Three questions to each.
 *
 *   parser     does what it says depend only on the bytes up to where it ends?
 *   responder  is every answer well-formed, as long as it says, and without a body where
 *              none may be?  Can a target make a location other than one line, with one
 *              host?  Does HEAD give what GET gives, less the body?  Are the
 *              parts of a 206 what the 200 has at their places?
 *   glue       are the answers the same however the bytes are cut into pieces?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "http/conn.h"
#include "http/respond.h"
#include "tests/http/fake_net.h"
#include "tests/http/render.h"
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
	check(lines->count <= LIMIT_FIELD_LINES);
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

/* The value of a field, which is there once; or no bytes. */
static struct http_text field_of(struct http_text head, const char *name)
{
	const uint8_t *at = find(head.at, head.len, name);

	if (at == NULL)
		return (struct http_text){ 0 };
	at += strlen(name);
	const size_t left = (size_t)(head.at + head.len - at);
	const uint8_t *const end = find(at, left, "\r\n");
	check(end != NULL && find(at, left, name) == NULL);
	return (struct http_text){ at, (size_t)(end - at) };
}

#define HSTS_LINE "\r\n" HSTS
#define LOCATION "\r\nLocation: "
#define CONTENT_LENGTH "\r\nContent-Length: "
#define CONTENT_RANGE "\r\nContent-Range: bytes "

static bool begins(struct http_text text, const char *with)
{
	return text.len >= strlen(with) &&
	    memcmp(text.at, with, strlen(with)) == 0;
}

/* A redirect has one, which leads to a host of the site's words, or stays on this one. */
static void check_location(const struct http_site *site,
    struct http_text head, uint16_t status)
{
	const struct http_text value = field_of(head, LOCATION);
	uint32_t fragments = 0;

	check((value.at != NULL) == (status / 100 == 3 && status != 304));
	if (value.at == NULL)
		return;
	if (site->redirect != NULL)
		check(begins(value, "https://"));
	else
		check(begins(value, "https://other.example/x?y=1") ||
		    (begins(value, "/") && !begins(value, "//")));
	for (size_t i = 0; i < value.len; i++) {
		const uint8_t c = value.at[i];

		check(c > ' ' && c < 0x7f && strchr("\"<>\\^`{|}", c) == NULL);
		fragments += c == '#';
	}
	check(fragments <= 1);
}

/* Lines that end in CRLF, without another CR, LF or NUL. */
static void check_line_ends(struct http_text head)
{
	for (size_t i = 0; i < head.len; i++) {
		check(head.at[i] != 0);
		if (head.at[i] == '\r')
			check(i + 1 < head.len && head.at[i + 1] == '\n');
		if (head.at[i] == '\n')
			check(i > 0 && head.at[i - 1] == '\r');
	}
}

static uint64_t take_u64(struct http_text *from)
{
	uint64_t value = 0;

	check(from->len > 0 && *from->at >= '0' && *from->at <= '9');
	for (; from->len > 0 && *from->at >= '0' && *from->at <= '9';
	    from->at++, from->len--)
		value = value * 10 + (uint64_t)(*from->at - '0');
	return value;
}

static void take_literal(struct http_text *from, const char *literal)
{
	check(begins(*from, literal));
	from->at += strlen(literal);
	from->len -= strlen(literal);
}

/* A rendered answer, in memory of its own. */
struct whole {
	uint8_t *all;
	struct http_text head;
	struct http_text body;
	uint16_t status;
};

/* Answer, render, and check what holds of every answer. */
static struct whole answer(const struct http_site *site,
    const struct http_request *req, const struct http_response *res)
{
	/* A location of three bytes for each byte sent, and a little. */
	const size_t cap = 4096 + 3 * LIMIT_REQUEST_HEAD_LEN;
	struct whole w = { .all = malloc(cap), .status = res->status };

	check(w.all != NULL);
	const size_t len = render(site, res, w.all, cap);
	const uint8_t *const blank = find(w.all, len, "\r\n\r\n");
	check(blank != NULL && memcmp(w.all, "HTTP/1.1 ", 9) == 0);
	w.head = (struct http_text){ w.all, (size_t)(blank - w.all) + 4 };
	w.body = (struct http_text){ blank + 4, len - w.head.len };

	check(w.body.len == res->body_len);
	check_line_ends(w.head);
	check_location(site, w.head, res->status);
	check((field_of(w.head, HSTS_LINE).at != NULL) ==
	    (site->hsts.len > 0));
	struct http_text length = field_of(w.head, CONTENT_LENGTH);
	if (req->method == HTTP_METHOD_HEAD || res->status == 304)
		check(w.body.len == 0);
	if (res->status == 304)
		check(length.at == NULL);
	else if (req->method != HTTP_METHOD_HEAD)
		check(take_u64(&length) == w.body.len && length.len == 0);
	return w;
}

static struct whole answer_to(const struct http_site *site,
    const struct http_request *req)
{
	struct http_response res;

	http_respond(site, req, &res);
	return answer(site, req, &res);
}

/* "FIRST-LAST/LENGTH": and so many bytes of body, as the 200 has them there. */
static void check_range(struct http_text range, struct http_text *body,
    const struct whole *full)
{
	const uint64_t first = take_u64(&range);
	take_literal(&range, "-");
	const uint64_t last = take_u64(&range);
	take_literal(&range, "/");
	check(take_u64(&range) == full->body.len && range.len == 0);
	check(first <= last && last < full->body.len);
	const size_t len = (size_t)(last - first + 1);
	check(len <= body->len);
	check(memcmp(body->at, full->body.at + first, len) == 0);
	body->at += len;
	body->len -= len;
}

/* RFC 9110, section 14.6 */
static void check_parts(const struct whole *some, const struct whole *full)
{
	struct http_text boundary = field_of(some->head,
	    "\r\nContent-Type: multipart/byteranges; boundary=");
	struct http_text body = some->body;
	char delimiter[80];

	check(boundary.len > 0 && boundary.len <= 70);
	snprintf(delimiter, sizeof delimiter, "\r\n--%.*s",
	    (int)boundary.len, boundary.at);
	take_literal(&body, delimiter + 2);
	for (uint32_t parts = 0;; parts++) {
		if (begins(body, "--\r\n")) {
			check(parts >= 2 && body.len == 4);
			return;
		}
		const uint8_t *const blank = find(body.at, body.len, "\r\n\r\n");
		check(blank != NULL);
		const struct http_text head = {
			body.at, (size_t)(blank + 4 - body.at)
		};
		check(field_of(head, "\r\nContent-Type: text/plain").at != NULL);
		body.at += head.len;
		body.len -= head.len;
		check_range(field_of(head, CONTENT_RANGE), &body, full);
		take_literal(&body, delimiter);
	}
}

static void check_ranges(const struct whole *some, const struct whole *full)
{
	struct http_text range = field_of(some->head, CONTENT_RANGE);
	struct http_text body = some->body;

	check(full->status == 200);
	if (some->status == 416) {
		take_literal(&range, "*/");
		check(take_u64(&range) == full->body.len);
	} else if (range.at != NULL) {
		check_range(range, &body, full);
		check(body.len == 0);
	} else {
		check_parts(some, full);
	}
}

static void check_answer(const struct http_site *site,
    const struct http_request *req, const struct http_response *res)
{
	struct whole w = answer(site, req, res);

	if (req->method == HTTP_METHOD_GET) {
		struct http_request all_of = *req;
		struct http_request head_of = *req;

		all_of.range = (struct http_text){ 0 };
		head_of.method = HTTP_METHOD_HEAD;
		struct whole full = answer_to(site, &all_of);
		struct whole head = answer_to(site, &head_of);

		/* RFC 9110, section 9.3.2; Range means something to GET alone. */
		check(http_text_equal(head.head, full.head));
		if (w.status == 206 || w.status == 416)
			check_ranges(&w, &full);
		else
			check(http_text_equal(w.head, full.head) &&
			    http_text_equal(w.body, full.body));
		free(full.all);
		free(head.all);
	}
	free(w.all);
}

/* Alone; beside HTTPS with names and without; private. */
static const struct http_site *sites(void)
{
	static uint8_t scratch[HTTP_SCRATCH_CAP];
	static struct http_now now = { .time = 1790000000 };
	static const struct http_redirect named = { HTTP_TEXT(HOSTS), 443 };
	static const struct http_redirect nameless = { { 0 }, 8443 };
	static struct http_site all[4];

	http_format_date(now.time, now.date);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		all[i] = (struct http_site){
			.fs = tiny_rom(), .now = &now, .scratch = scratch,
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
		if (parsed == HTTP_OK)
			check_answer(&all[i], &req, &res);
		else
			free(answer(&all[i], &req, &res).all);
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

/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/fake_net.c
 * romfs/romfs.c net/text.c http/conn.c http/log.c http/respond.c http/conditions.c
 * http/path.c http/date.c http/request.c http/authority.c http/chars.c */
/*
 * Requests: any bytes.  Three questions to each input.
 *
 *   parser     does what it says depend only on the bytes up to where it ends?
 *   responder  is every answer well-formed, and without a body where none may be?
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

static void check_request(const struct http_request *req,
    const uint8_t *data, size_t len)
{
	check(req->head_len >= 4 && req->head_len <= len);
	check(req->head_len <= LIMIT_REQUEST_HEAD_LEN);
	check(memcmp(data + req->head_len - 4, "\r\n\r\n", 4) == 0);
	check(!req->has_coding);
	check(req->minor <= 1);
	check(req->none_match_count <= HTTP_NONE_MATCH_CAP);
	check_text(req->line, data, len);
	check_text(req->path, data, len);
	check_text(req->query, data, len);
	check_text(req->host, data, len);
	check_text(req->modified_since, data, len);
	check_text(req->referer, data, len);
	check_text(req->user_agent, data, len);
	for (size_t i = 0; i < req->none_match_count; i++)
		check_text(req->none_match[i], data, len);
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

static void check_answer(const struct http_response *res,
    enum http_method method)
{
	static const char blank[] = "\r\n\r\n";
	const size_t body = (size_t)res->body_len;

	check(res->prefix_len > 0 && res->prefix_len <= HTTP_PREFIX_CAP);
	check(memcmp(res->prefix, "HTTP/1.1 ", 9) == 0);
	check(memcmp(res->prefix + res->prefix_len - 2, blank, 2) == 0);
	check(res->rest.len >= body + 4);
	check(memcmp(res->rest.at + res->rest.len - body - 4, blank, 4) == 0);
	if (method == HTTP_METHOD_HEAD || res->status == 304)
		check(body == 0);
}

static void check_one(const uint8_t *data, size_t len)
{
	static uint8_t scratch[LIMIT_TARGET_LEN];
	struct http_now now = { .time = 1790000000 };
	const struct http_site site = {
		tiny_rom(), &now, scratch, sizeof scratch
	};
	struct http_request req;
	struct http_response res;

	http_format_date(now.time, now.date);
	const enum http_parse parsed = http_parse_request(data, len, &req);
	if (parsed == HTTP_OK) {
		check_request(&req, data, len);
		http_respond(&site, &req, &res);
		check_answer(&res, req.method);
	} else if (parsed != HTTP_NEED_MORE) {
		check_text(req.line, data, len);
		http_refuse(http_parse_status(parsed), req.method, &now, &res);
		check_answer(&res, req.method);
		check(res.close);
	}
	check_prefixes(data, len, parsed, req.head_len);
}

/* ---- The glue ------------------------------------------------------------------------ */

static void receive_in_pieces(const uint8_t *data, size_t len,
    size_t piece)
{
	http_conn_start(tiny_rom(), false);
	fake_open(&http_app);
	for (size_t at = 0; at < len; at += piece)
		fake_receive(data + at, piece < len - at ? piece : len - at);
	/* A line end, so that what is held is looked at once more. */
	fake_receive("\n", 1);
	fake_peer_closes();
	check(fake.closing);
}

static void check_pieces(const uint8_t *data, size_t len)
{
	static uint8_t whole[sizeof fake.out];
	static const size_t pieces[] = { 1, 2, 7, 61 };

	receive_in_pieces(data, len, len);
	const size_t whole_len = fake.out_len;
	memcpy(whole, fake.out, whole_len);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		receive_in_pieces(data, len, pieces[i]);
		check(fake.out_len == whole_len);
		check(memcmp(fake.out, whole, whole_len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_one(data, len);
	if (len > 0 && len <= GLUE_INPUT_MAX)
		check_pieces(data, len);
	return 0;
}

/* links: tests/host_panic.c http/request.c http/authority.c http/chars.c */
/*
 * The request parser's fields for negotiation, ranges and conditions: kept as they
 * came, told apart from all others, and not too many of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "http/request.h"

/* Parse a copy that ends where its allocation ends, for the sanitizer and valgrind. */
static enum http_parse parse(const char *bytes, size_t len,
    struct http_request *out)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(len + (len == 0));
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return http_parse_request(copy, len, out);
}

static void text_is(struct http_text text, const char *want)
{
	assert_int_equal(text.len, strlen(want));
	assert_memory_equal(text.at, want, text.len);
}

#define GET "GET / HTTP/1.1\r\nHost: example.org\r\n"

/* A head that is put together. */
static char big[LIMIT_REQUEST_HEAD_LEN + 4096];

static size_t put(size_t at, const char *text)
{
	memcpy(big + at, text, strlen(text));
	return at + strlen(text);
}

static void negotiation_ranges_and_conditions_are_kept(void **state)
{
	static const char bytes[] = GET
	    "accept-ENCODING: gzip;q=0.5 \r\nRange:bytes=0-1\r\n"
	    "If-Range: \"r\"\r\nIf-Match:\r\nIf-Match: \"m\"\r\n"
	    "If-Unmodified-Since: now\r\nAccept-Encoding:\tbr\r\n"
	    "WANT-repr-Digest: sha-256=1\r\n\r\n";
	struct http_request req;

	(void)state;
	assert_int_equal(parse(bytes, sizeof bytes - 1, &req), HTTP_OK);
	assert_int_equal(req.accept_encoding.count, 2);
	text_is(req.accept_encoding.line[0], "gzip;q=0.5");
	text_is(req.accept_encoding.line[1], "br");
	text_is(req.range, "bytes=0-1");
	text_is(req.if_range, "\"r\"");
	assert_int_equal(req.match.count, 2);
	text_is(req.match.line[0], "");
	text_is(req.match.line[1], "\"m\"");
	text_is(req.unmodified_since, "now");
	assert_int_equal(req.want_repr_digest.count, 1);
	text_is(req.want_repr_digest.line[0], "sha-256=1");
	assert_null(req.modified_since.at);
	assert_int_equal(req.none_match.count, 0);
	assert_false(req.range_repeated || req.if_range_repeated ||
	    req.modified_since_repeated || req.unmodified_since_repeated);
}

/* They stay readable, and whoever asks is told. */
static void what_may_come_once_is_marked_when_it_comes_again(void **state)
{
	static const char *const lines[] = {
		"Range: a\r\n", "If-Range: a\r\n", "If-Modified-Since: a\r\n",
		"If-Unmodified-Since: a\r\n",
	};
	struct http_request req;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		size_t len = put(0, GET);
		for (size_t k = 0; k < ARRAY_LEN(lines); k++)
			len = put(len, lines[k]);
		len = put(len, lines[i]);
		len = put(len, "\r\n");
		assert_int_equal(parse(big, len, &req), HTTP_OK);
		assert_int_equal(req.range_repeated, i == 0);
		assert_int_equal(req.if_range_repeated, i == 1);
		assert_int_equal(req.modified_since_repeated, i == 2);
		assert_int_equal(req.unmodified_since_repeated, i == 3);
		text_is(req.range, "a");
		text_is(req.unmodified_since, "a");
	}
}

/* RFC 9110, section 5.1: names are case-insensitive, and no other name is taken for one. */
static void names_are_compared_to_the_last_byte(void **state)
{
	static const char *const names[] = {
		"range", "if-range", "if-match", "if-none-match",
		"accept-encoding", "want-repr-digest", "if-modified-since",
		"if-unmodified-since", "referer", "user-agent",
	};
	struct http_request req;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t k = 0; k < strlen(names[i]); k++) {
			const size_t len = put(put(put(0, GET), names[i]),
			    ": a\r\n\r\n");
			uint8_t *const at = (uint8_t *)big + sizeof GET - 1 + k;
			for (int flip = 0; flip < 2; flip++) {
				/* First another letter, then a capital. */
				*at = (uint8_t)(flip == 0 ? 'z' :
				    names[i][k] == '-' ? '-' :
				    names[i][k] - 0x20);
				assert_int_equal(parse(big, len, &req),
				    HTTP_OK);
				const bool kept = req.range.at || req.if_range.at ||
				    req.match.count || req.none_match.count ||
				    req.accept_encoding.count ||
				    req.want_repr_digest.count ||
				    req.modified_since.at ||
				    req.unmodified_since.at ||
				    req.referer.at || req.user_agent.at;
				assert_int_equal(kept, flip);
			}
		}
	}
}

/* A line more is refused, not dropped: it could be the If-Match that makes a 412. */
static void each_list_may_have_so_many_lines_and_no_more(void **state)
{
	static const struct { const char *line; size_t at; } lists[] = {
		{ "Accept-Encoding: gzip\r\n",
		  offsetof(struct http_request, accept_encoding) },
		{ "If-Match: *\r\n", offsetof(struct http_request, match) },
		{ "If-None-Match: *\r\n",
		  offsetof(struct http_request, none_match) },
		{ "Want-Repr-Digest:\r\n",
		  offsetof(struct http_request, want_repr_digest) },
	};
	struct http_request req;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (size_t n = 0; n <= LIMIT_FIELD_LINES + 1; n++) {
			size_t len = put(0, GET);
			for (size_t k = 0; k < n; k++)
				len = put(len, lists[i].line);
			len = put(len, "\r\n");
			memset(&req, 0xff, sizeof req);
			assert_int_equal(parse(big, len, &req),
			    n > LIMIT_FIELD_LINES ? HTTP_LARGE_HEAD : HTTP_OK);
			if (n > LIMIT_FIELD_LINES)
				continue;
			for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
				const struct http_lines *const field =
				    (void *)((char *)&req + lists[k].at);

				assert_int_equal(field->count, k == i ? n : 0);
				for (size_t j = 0; j < field->count; j++)
					assert_non_null(field->line[j].at);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(negotiation_ranges_and_conditions_are_kept),
		cmocka_unit_test(
		    what_may_come_once_is_marked_when_it_comes_again),
		cmocka_unit_test(names_are_compared_to_the_last_byte),
		cmocka_unit_test(each_list_may_have_so_many_lines_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

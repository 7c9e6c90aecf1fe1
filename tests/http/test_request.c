/* links: tests/host_panic.c http/request.c http/authority.c http/chars.c */
/*
 * The request parser.  Each refusal has a case that provokes exactly it, each limit
 * one at and one over.  Every input is also cut short at every byte: a prefix never
 * says anything else than "more" or what the whole says.
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

static void expect(const char *bytes, size_t len, enum http_parse want)
{
	struct http_request req;
	bool decided = false;

	for (size_t cut = 0; cut < len; cut++) {
		const enum http_parse got = parse(bytes, cut, &req);

		if (decided || got != HTTP_NEED_MORE)
			assert_int_equal(got, want);
		decided = got != HTTP_NEED_MORE;
		/* Only bytes behind the head may follow an OK. */
		if (got == HTTP_OK)
			assert_int_equal(req.head_len, cut);
		if (got == HTTP_OK)
			break;
	}
	assert_int_equal(parse(bytes, len, &req), want);
}

static void text_is(struct http_text text, const char *want)
{
	assert_int_equal(text.len, strlen(want));
	assert_memory_equal(text.at, want, text.len);
}

#define EXPECT(want, literal) expect(literal, sizeof(literal) - 1, want)
#define CASE(name, want, literal) \
	static void name(void **state) { (void)state; EXPECT(want, literal); }

#define HOST "Host: example.org\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST

/* ---- What is served --------------------------------------------------------- */

static void a_plain_request_is_read(void **state)
{
	static const char bytes[] =
	    "GET /a/b.html?x=1&y HTTP/1.1\r\nhOST:example.org:8080\r\n"
	    "User-Agent:\t curl/8 (\"x\") \t\r\nReferer: http://a/\r\n\r\nrest";
	struct http_request req;

	(void)state;
	assert_int_equal(parse(bytes, sizeof bytes - 1, &req), HTTP_OK);
	assert_int_equal(req.head_len, sizeof bytes - 1 - 4);
	assert_int_equal(req.method, HTTP_METHOD_GET);
	assert_int_equal(req.minor, 1);
	text_is(req.line, "GET /a/b.html?x=1&y HTTP/1.1");
	text_is(req.path, "/a/b.html");
	text_is(req.query, "x=1&y");
	text_is(req.host, "example.org:8080");
	text_is(req.user_agent, "curl/8 (\"x\")");
	text_is(req.referer, "http://a/");
	assert_null(req.modified_since.at);
	assert_int_equal(req.none_match.count, 0);
	assert_true(http_request_persists(&req));
	expect(bytes, sizeof bytes - 1, HTTP_OK);
}

static void a_request_that_asks_for_everything_is_read(void **state)
{
	static const char bytes[] =
	    "HEAD http://Example.ORG/x HTTP/1.1\r\n" HOST
	    "Connection: foo , CLOSE,,bar\r\nContent-Length: 0017\r\n"
	    "Expect: 100-Continue\r\nIf-None-Match: \"a\"\r\n"
	    "If-None-Match: \"b\", W/\"c\"\r\n"
	    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
	struct http_request req;

	(void)state;
	assert_int_equal(parse(bytes, sizeof bytes - 1, &req), HTTP_OK);
	assert_int_equal(req.method, HTTP_METHOD_HEAD);
	text_is(req.path, "/x");
	assert_true(req.close);
	assert_false(http_request_persists(&req));
	assert_int_equal(req.body_len, 17);
	assert_true(req.expect_continue);
	assert_int_equal(req.none_match.count, 2);
	text_is(req.none_match.line[0], "\"a\"");
	text_is(req.none_match.line[1], "\"b\", W/\"c\"");
	text_is(req.modified_since, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_false(req.modified_since_repeated);
	expect(bytes, sizeof bytes - 1, HTTP_OK);
}

static void persistence_follows_version_and_connection(void **state)
{
	static const struct { const char *bytes; bool persists; } cases[] = {
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost:\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.7\r\nHost:\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n"
		  "Connection: close\r\n\r\n", false },
	};
	struct http_request req;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(cases[i].bytes,
		    strlen(cases[i].bytes), &req), HTTP_OK);
		assert_int_equal(http_request_persists(&req),
		    cases[i].persists);
	}
}

/* RFC 9110, section 2.5 */
static void a_higher_minor_version_is_served_as_1_1(void **state)
{
	static const char bytes[] = "GET / HTTP/1.9\r\nHost: a\r\n\r\n";
	struct http_request req;

	(void)state;
	assert_int_equal(parse(bytes, sizeof bytes - 1, &req), HTTP_OK);
	assert_int_equal(req.minor, 1);
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.9\r\n\r\n");
}

/* RFC 9112, section 2.2 */
CASE(one_empty_line_in_front_is_ignored, HTTP_OK, "\r\n" GET "\r\n")
CASE(two_empty_lines_in_front_are_refused, HTTP_BAD_LINE, "\r\n\r\n" GET "\r\n")
CASE(a_bare_lf_in_front_is_refused, HTTP_BAD_LINE, "\n" GET "\r\n")

static void each_target_form_goes_with_its_method(void **state)
{
	(void)state;
	/* RFC 9112, section 3.2.1 */
	EXPECT(HTTP_OK, "GET //x HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_OK, "GET /a|b[c]\\\xff^`{}\"<> HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET a HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET ?a HTTP/1.1\r\n" HOST "\r\n");
	/* section 3.2.2 */
	EXPECT(HTTP_OK, "GET http://example.org HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_OK, "GET HTTPS://example.org?q HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_OK, "GET http://example.org:80/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_OK, "GET http://example.org/ HTTP/1.0\r\n\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET ftp://example.org/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET http:/example.org/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET http:///x HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET http://:80/x HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET,
	    "GET http://me@example.org/ HTTP/1.1\r\n" HOST "\r\n");
	/* section 3.2.3 */
	EXPECT(HTTP_OK, "CONNECT example.org:443 HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "CONNECT example.org HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "CONNECT / HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET example.org:443 HTTP/1.1\r\n" HOST "\r\n");
	/* section 3.2.4 */
	EXPECT(HTTP_OK, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_OK, "OPTIONS / HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "GET * HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_TARGET, "OPTIONS *?x HTTP/1.1\r\n" HOST "\r\n");
}

/* RFC 9112, section 3.2.2 */
static void an_absolute_target_has_to_agree_with_host(void **state)
{
	(void)state;
	EXPECT(HTTP_BAD_HOST, "GET http://example.com/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_HOST, "GET http://example.or/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_HOST,
	    "GET http://example.org:81/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_HOST,
	    "GET https://example.org:80/ HTTP/1.1\r\n" HOST "\r\n");
	EXPECT(HTTP_BAD_HOST,
	    "GET http://example.org/ HTTP/1.1\r\nHost:\r\n\r\n");
	EXPECT(HTTP_OK, "GET http://[::1]:8080/ HTTP/1.1\r\n"
	    "Host: [::1]:8080\r\n\r\n");
}

/* ---- The request line -------------------------------------------------------- */

CASE(a_lower_case_method_is_another_method, HTTP_OK,
    "get / HTTP/1.1\r\n" HOST "\r\n")
CASE(a_missing_method_is_refused, HTTP_BAD_LINE, " / HTTP/1.1\r\n")
CASE(a_method_that_is_no_token_is_refused, HTTP_BAD_LINE, "G(T / HTTP/1.1\r\n")
CASE(tls_on_this_port_is_refused, HTTP_BAD_LINE, "\x16\x03\x01\x02")
CASE(two_blanks_before_the_target_are_refused, HTTP_BAD_LINE,
    "GET  / HTTP/1.1\r\n")
CASE(a_tab_before_the_target_is_refused, HTTP_BAD_LINE, "GET\t/ HTTP/1.1\r\n")
CASE(two_blanks_behind_the_target_are_refused, HTTP_BAD_VERSION,
    "GET /  HTTP/1.1\r\n")
CASE(http_0_9_is_refused, HTTP_BAD_TARGET, "GET /\r\n")
CASE(nul_in_the_target_is_refused, HTTP_BAD_TARGET, "GET /\0 HTTP/1.1\r\n")
CASE(del_in_the_target_is_refused, HTTP_BAD_TARGET, "GET /\x7f HTTP/1.1\r\n")
CASE(a_fragment_is_refused, HTTP_BAD_TARGET, "GET /#a HTTP/1.1\r\n")
CASE(a_fragment_behind_a_query_is_refused, HTTP_BAD_TARGET,
    "GET /?#a HTTP/1.1\r\n")
CASE(a_line_that_ends_in_lf_is_refused, HTTP_BAD_VERSION, "GET / HTTP/1.1\n")
CASE(a_line_with_a_bare_cr_is_refused, HTTP_BAD_VERSION,
    "GET / HTTP/1.1\rHost")
CASE(a_blank_behind_the_version_is_refused, HTTP_BAD_VERSION,
    "GET / HTTP/1.1 \r\n")
CASE(a_lower_case_version_is_refused, HTTP_BAD_VERSION, "GET / http/1.1\r\n")
CASE(a_version_without_a_minor_is_refused, HTTP_BAD_VERSION,
    "GET / HTTP/1\r\n")
CASE(a_version_with_letters_is_refused, HTTP_BAD_VERSION, "GET / HTTP/x.1\r\n")
CASE(a_minor_version_with_letters_is_refused, HTTP_BAD_VERSION,
    "GET / HTTP/1.x\r\n")
CASE(a_version_of_two_digits_is_refused, HTTP_BAD_VERSION,
    "GET / HTTP/1.10\r\n")
CASE(http_2_is_another_version, HTTP_UNKNOWN_VERSION,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
CASE(http_0_9_in_words_is_another_version, HTTP_UNKNOWN_VERSION,
    "GET / HTTP/0.9\r\n")

/* ---- Fields ------------------------------------------------------------------ */

CASE(obs_text_in_a_value_is_allowed, HTTP_OK, GET "X: \x80\xff\xfe\r\n\r\n")
CASE(a_tab_in_a_value_is_allowed, HTTP_OK, GET "X: a\tb\t\tcdefghijkl\t\r\n\r\n")
CASE(an_empty_value_is_allowed, HTTP_OK, GET "X:\r\nY: \r\n\r\n")
CASE(a_folded_line_is_refused, HTTP_BAD_FIELD, GET "X: a\r\n b\r\n\r\n")
CASE(a_line_folded_with_a_tab_is_refused, HTTP_BAD_FIELD,
    GET "X: a\r\n\tb\r\n\r\n")
CASE(a_blank_behind_the_request_line_is_refused, HTTP_BAD_FIELD,
    "GET / HTTP/1.1\r\n " HOST "\r\n")
CASE(a_blank_before_the_colon_is_refused, HTTP_BAD_FIELD,
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n")
CASE(a_tab_before_the_colon_is_refused, HTTP_BAD_FIELD,
    GET "Content-Length\t: 5\r\n\r\n")
CASE(an_empty_name_is_refused, HTTP_BAD_FIELD, GET ": a\r\n\r\n")
CASE(a_name_that_is_no_token_is_refused, HTTP_BAD_FIELD, GET "X(: a\r\n\r\n")
CASE(a_name_with_obs_text_is_refused, HTTP_BAD_FIELD, GET "X\xe4: a\r\n\r\n")
CASE(a_line_without_a_colon_is_refused, HTTP_BAD_FIELD, GET "X\r\n\r\n")
CASE(a_field_line_that_ends_in_lf_is_refused, HTTP_BAD_FIELD,
    GET "X: a\n\r\n")
CASE(a_bare_cr_in_a_value_is_refused, HTTP_BAD_FIELD, GET "X: a\rb\r\n\r\n")
CASE(nul_in_a_value_is_refused, HTTP_BAD_FIELD, GET "X: a\0b\r\n\r\n")
CASE(a_head_that_ends_in_lf_is_refused, HTTP_BAD_FIELD, GET "\n")
CASE(a_head_that_ends_in_cr_and_another_byte_is_refused, HTTP_BAD_FIELD,
    GET "\rX")

/* RFC 9110, section 5.5: each control byte, at each place of the eight-byte step */
static void every_control_byte_in_a_value_is_refused(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const bool good = c == '\t' || (c >= 0x20 && c != 0x7f);

		for (size_t at = 0; at < 18; at++) {
			char bytes[] = GET "X: aaaaaaaaaaaaaaaaaaaa\r\n\r\n";
			struct http_request req;

			if (c == '\r' && at == 17)
				continue;
			bytes[sizeof GET + 3 + at] = (char)c;
			assert_int_equal(parse(bytes, sizeof bytes - 1, &req),
			    good ? HTTP_OK : HTTP_BAD_FIELD);
		}
	}
}

/* RFC 9112, section 3.2 */
CASE(a_missing_host_is_refused, HTTP_BAD_HOST, "GET / HTTP/1.1\r\n\r\n")
CASE(a_missing_host_in_http_1_0_is_fine, HTTP_OK, "GET / HTTP/1.0\r\n\r\n")
CASE(two_hosts_are_refused, HTTP_BAD_HOST, GET HOST "\r\n")
CASE(two_hosts_in_http_1_0_are_refused, HTTP_BAD_HOST,
    "GET / HTTP/1.0\r\n" HOST HOST "\r\n")
CASE(a_second_empty_host_is_refused, HTTP_BAD_HOST,
    "GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n")

static void a_host_has_to_fit_the_grammar(void **state)
{
	(void)state;
	EXPECT(HTTP_OK, "GET / HTTP/1.1\r\nHost:\r\n\r\n");
	EXPECT(HTTP_OK, "GET / HTTP/1.1\r\nHost: a_b-c.d%20~!$&'()*+,;=\r\n\r\n");
	EXPECT(HTTP_OK, "GET / HTTP/1.1\r\nHost: a:\r\n\r\n");
	EXPECT(HTTP_OK, "GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n");
	EXPECT(HTTP_OK, "GET / HTTP/1.1\r\nHost: [fe80::1]:1\r\n\r\n");
	EXPECT(HTTP_OK, "GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a%g0\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: [::x]\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: []\r\n\r\n");
	EXPECT(HTTP_BAD_HOST, "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n");
}

/* ---- Framing: RFC 9112, section 6 --------------------------------------------- */

CASE(a_length_is_refused_the_second_time, HTTP_BAD_LENGTH,
    GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n")
CASE(a_list_of_lengths_is_refused, HTTP_BAD_LENGTH,
    GET "Content-Length: 5, 5\r\n\r\n")
CASE(an_empty_length_is_refused, HTTP_BAD_LENGTH,
    GET "Content-Length:\r\n\r\n")
CASE(a_signed_length_is_refused, HTTP_BAD_LENGTH,
    GET "Content-Length: +5\r\n\r\n")
CASE(a_hexadecimal_length_is_refused, HTTP_BAD_LENGTH,
    GET "Content-Length: 0x5\r\n\r\n")
CASE(the_largest_length_is_read, HTTP_OK,
    GET "Content-Length: 18446744073709551609\r\n\r\n")
CASE(a_length_beyond_64_bits_is_refused, HTTP_BAD_LENGTH,
    GET "Content-Length: 18446744073709551616\r\n\r\n")
CASE(a_length_far_beyond_64_bits_is_refused, HTTP_BAD_LENGTH,
    GET "Content-Length: 184467440737095516160\r\n\r\n")
CASE(a_transfer_coding_is_not_implemented, HTTP_UNKNOWN_CODING,
    GET "Transfer-Encoding: chunked\r\n\r\n")
CASE(an_empty_transfer_coding_is_not_implemented, HTTP_UNKNOWN_CODING,
    GET "transfer-encoding:\r\n\r\n")
CASE(a_length_behind_a_coding_is_refused, HTTP_BAD_FRAMING,
    GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n")
CASE(a_coding_behind_a_length_is_refused, HTTP_BAD_FRAMING,
    GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
CASE(a_coding_in_http_1_0_is_refused, HTTP_BAD_FRAMING,
    "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")

/* ---- Limits ------------------------------------------------------------------- */

static char big[LIMIT_REQUEST_HEAD_LEN + 4096];

static size_t put(size_t at, const char *text)
{
	memcpy(big + at, text, strlen(text));
	return at + strlen(text);
}

static size_t fill(size_t at, char c, size_t count)
{
	memset(big + at, c, count);
	return at + count;
}

static void a_target_may_have_so_many_bytes_and_no_more(void **state)
{
	struct http_request req;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t len = put(0, "GET /");
		len = fill(len, 'a', LIMIT_TARGET_LEN - 1 + over);
		len = put(len, " HTTP/1.1\r\n" HOST "\r\n");
		assert_int_equal(parse(big, len, &req),
		    over ? HTTP_LONG_TARGET : HTTP_OK);
	}
}

static void a_line_without_an_end_is_too_long(void **state)
{
	struct http_request req;

	(void)state;
	fill(0, 'A', sizeof big);
	assert_int_equal(parse(big, LIMIT_REQUEST_HEAD_LEN - 1, &req),
	    HTTP_NEED_MORE);
	assert_int_equal(parse(big, LIMIT_REQUEST_HEAD_LEN, &req),
	    HTTP_LONG_TARGET);
	assert_int_equal(parse(big, sizeof big, &req), HTTP_LONG_TARGET);
}

static void a_head_may_have_so_many_bytes_and_no_more(void **state)
{
	struct http_request req;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t len = put(0, GET "X: ");
		len = fill(len, 'a', LIMIT_REQUEST_HEAD_LEN - len - 4 + over);
		len = put(len, "\r\n\r\n");
		assert_int_equal(parse(big, len, &req),
		    over ? HTTP_LARGE_HEAD : HTTP_OK);
		assert_int_equal(parse(big, LIMIT_REQUEST_HEAD_LEN - 1, &req),
		    HTTP_NEED_MORE);
		/* What follows the head does not count. */
		len = fill(len, '\n', 100);
		assert_int_equal(parse(big, len, &req),
		    over ? HTTP_LARGE_HEAD : HTTP_OK);
	}
}

static void a_head_may_have_so_many_fields_and_no_more(void **state)
{
	struct http_request req;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t len = put(0, GET);
		for (size_t i = 0; i < LIMIT_REQUEST_FIELDS - 1 + over; i++)
			len = put(len, "X: a\r\n");
		len = put(len, "\r\n");
		assert_int_equal(parse(big, len, &req),
		    over ? HTTP_LARGE_HEAD : HTTP_OK);
	}
}

/* ---- For the log and the refusal ----------------------------------------------- */

static void a_refusal_keeps_the_line_and_the_method(void **state)
{
	static const char bytes[] = "HEAD /x HTTP/1.1\r\nX : a\r\n\r\n";
	struct http_request req;

	(void)state;
	assert_int_equal(parse(bytes, sizeof bytes - 1, &req), HTTP_BAD_FIELD);
	text_is(req.line, "HEAD /x HTTP/1.1");
	assert_int_equal(req.method, HTTP_METHOD_HEAD);
	assert_int_equal(parse("GET /\r\n\r\n", 9, &req), HTTP_BAD_TARGET);
	text_is(req.line, "GET /");
	assert_int_equal(parse("\r\nG\n", 4, &req), HTTP_BAD_LINE);
	text_is(req.line, "G");
}

static void each_refusal_has_its_status(void **state)
{
	(void)state;
	assert_int_equal(http_parse_status(HTTP_OK), 0);
	assert_int_equal(http_parse_status(HTTP_NEED_MORE), 0);
	for (int why = HTTP_BAD_LINE; why <= HTTP_BAD_FRAMING; why++)
		assert_int_equal(http_parse_status((enum http_parse)why), 400);
	assert_int_equal(http_parse_status(HTTP_LONG_TARGET), 414);
	assert_int_equal(http_parse_status(HTTP_LARGE_HEAD), 431);
	assert_int_equal(http_parse_status(HTTP_UNKNOWN_CODING), 501);
	assert_int_equal(http_parse_status(HTTP_UNKNOWN_VERSION), 505);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_request_is_read),
		cmocka_unit_test(a_request_that_asks_for_everything_is_read),
		cmocka_unit_test(persistence_follows_version_and_connection),
		cmocka_unit_test(a_higher_minor_version_is_served_as_1_1),
		cmocka_unit_test(one_empty_line_in_front_is_ignored),
		cmocka_unit_test(two_empty_lines_in_front_are_refused),
		cmocka_unit_test(a_bare_lf_in_front_is_refused),
		cmocka_unit_test(each_target_form_goes_with_its_method),
		cmocka_unit_test(an_absolute_target_has_to_agree_with_host),
		cmocka_unit_test(a_lower_case_method_is_another_method),
		cmocka_unit_test(a_missing_method_is_refused),
		cmocka_unit_test(a_method_that_is_no_token_is_refused),
		cmocka_unit_test(tls_on_this_port_is_refused),
		cmocka_unit_test(two_blanks_before_the_target_are_refused),
		cmocka_unit_test(a_tab_before_the_target_is_refused),
		cmocka_unit_test(two_blanks_behind_the_target_are_refused),
		cmocka_unit_test(http_0_9_is_refused),
		cmocka_unit_test(nul_in_the_target_is_refused),
		cmocka_unit_test(del_in_the_target_is_refused),
		cmocka_unit_test(a_fragment_is_refused),
		cmocka_unit_test(a_fragment_behind_a_query_is_refused),
		cmocka_unit_test(a_line_that_ends_in_lf_is_refused),
		cmocka_unit_test(a_line_with_a_bare_cr_is_refused),
		cmocka_unit_test(a_blank_behind_the_version_is_refused),
		cmocka_unit_test(a_lower_case_version_is_refused),
		cmocka_unit_test(a_version_without_a_minor_is_refused),
		cmocka_unit_test(a_version_with_letters_is_refused),
		cmocka_unit_test(a_minor_version_with_letters_is_refused),
		cmocka_unit_test(a_version_of_two_digits_is_refused),
		cmocka_unit_test(http_2_is_another_version),
		cmocka_unit_test(http_0_9_in_words_is_another_version),
		cmocka_unit_test(obs_text_in_a_value_is_allowed),
		cmocka_unit_test(a_tab_in_a_value_is_allowed),
		cmocka_unit_test(an_empty_value_is_allowed),
		cmocka_unit_test(a_folded_line_is_refused),
		cmocka_unit_test(a_line_folded_with_a_tab_is_refused),
		cmocka_unit_test(a_blank_behind_the_request_line_is_refused),
		cmocka_unit_test(a_blank_before_the_colon_is_refused),
		cmocka_unit_test(a_tab_before_the_colon_is_refused),
		cmocka_unit_test(an_empty_name_is_refused),
		cmocka_unit_test(a_name_that_is_no_token_is_refused),
		cmocka_unit_test(a_name_with_obs_text_is_refused),
		cmocka_unit_test(a_line_without_a_colon_is_refused),
		cmocka_unit_test(a_field_line_that_ends_in_lf_is_refused),
		cmocka_unit_test(a_bare_cr_in_a_value_is_refused),
		cmocka_unit_test(nul_in_a_value_is_refused),
		cmocka_unit_test(a_head_that_ends_in_lf_is_refused),
		cmocka_unit_test(a_head_that_ends_in_cr_and_another_byte_is_refused),
		cmocka_unit_test(every_control_byte_in_a_value_is_refused),
		cmocka_unit_test(a_missing_host_is_refused),
		cmocka_unit_test(a_missing_host_in_http_1_0_is_fine),
		cmocka_unit_test(two_hosts_are_refused),
		cmocka_unit_test(two_hosts_in_http_1_0_are_refused),
		cmocka_unit_test(a_second_empty_host_is_refused),
		cmocka_unit_test(a_host_has_to_fit_the_grammar),
		cmocka_unit_test(a_length_is_refused_the_second_time),
		cmocka_unit_test(a_list_of_lengths_is_refused),
		cmocka_unit_test(an_empty_length_is_refused),
		cmocka_unit_test(a_signed_length_is_refused),
		cmocka_unit_test(a_hexadecimal_length_is_refused),
		cmocka_unit_test(the_largest_length_is_read),
		cmocka_unit_test(a_length_beyond_64_bits_is_refused),
		cmocka_unit_test(a_length_far_beyond_64_bits_is_refused),
		cmocka_unit_test(a_transfer_coding_is_not_implemented),
		cmocka_unit_test(an_empty_transfer_coding_is_not_implemented),
		cmocka_unit_test(a_length_behind_a_coding_is_refused),
		cmocka_unit_test(a_coding_behind_a_length_is_refused),
		cmocka_unit_test(a_coding_in_http_1_0_is_refused),
		cmocka_unit_test(a_target_may_have_so_many_bytes_and_no_more),
		cmocka_unit_test(a_line_without_an_end_is_too_long),
		cmocka_unit_test(a_head_may_have_so_many_bytes_and_no_more),
		cmocka_unit_test(a_head_may_have_so_many_fields_and_no_more),
		cmocka_unit_test(a_refusal_keeps_the_line_and_the_method),
		cmocka_unit_test(each_refusal_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

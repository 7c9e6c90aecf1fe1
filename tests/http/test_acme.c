/* links: tests/host_panic.c @romfs @http_answers */
/*
 * ACME challenges: what is one, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "http/acme.h"

#define THUMBPRINT "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ"
#define FOLDER "/.well-known/acme-challenge/"
#define TOKEN "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

static struct http_response answer;
static char text[HTTP_PREFIX_CAP + 1];

/* Ask for a target; false if it is none of our business. */
static bool ask(const char *method, const char *target, const char *end)
{
	static const struct http_now now = {
		.time = 1, .date = "Thu, 01 Jan 1970 00:00:01 GMT"
	};
	const struct http_site site = {
		.now = &now, .thumbprint = HTTP_TEXT(THUMBPRINT),
	};
	static char bytes[9000];
	struct http_request req;

	snprintf(bytes, sizeof bytes, "%s %s HTTP/1.%s\r\n\r\n", method,
	    target, end);
	assert_int_equal(http_parse_request((uint8_t *)bytes, strlen(bytes),
	    &req), HTTP_OK);
	if (!http_answer_acme(&site, &req, &answer))
		return false;
	assert_non_null(answer.slice.at);
	assert_int_equal(answer.slice.len, 0);
	assert_int_equal(answer.rest, HTTP_REST_NONE);
	assert_int_equal(answer.status, 200);
	memcpy(text, answer.prefix, answer.prefix_len);
	text[answer.prefix_len] = 0;
	return true;
}

#define HEAD(connection, len) "HTTP/1.1 200 OK\r\n" \
	"Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n" connection \
	"Content-Type: application/octet-stream\r\n" \
	"Cache-Control: no-store\r\nContent-Length: " len "\r\n\r\n"

/* RFC 8555, section 8.3: its example */
static void a_token_comes_back_with_the_thumbprint(void **state)
{
	(void)state;
	assert_true(ask("GET", FOLDER TOKEN, "1\r\nHost: a"));
	assert_string_equal(text, HEAD("", "87") TOKEN "." THUMBPRINT);
	assert_int_equal(answer.body_len, 87);
	assert_false(answer.close);

	assert_true(ask("HEAD", FOLDER TOKEN, "1\r\nHost: a"));
	assert_string_equal(text, HEAD("", "87"));
	assert_int_equal(answer.body_len, 0);

	assert_true(ask("GET", FOLDER "-", "0"));
	assert_string_equal(text,
	    HEAD("Connection: close\r\n", "45") "-." THUMBPRINT);
	assert_true(answer.close);

	assert_true(ask("GET", "http://a" FOLDER "_?x", "1\r\nHost: a"));
	assert_string_equal(text, HEAD("", "45") "_." THUMBPRINT);
}

static void tokens_have_a_limit(void **state)
{
	char target[200] = FOLDER;
	char want[400];

	(void)state;
	memset(target + strlen(target), 'a', LIMIT_TOKEN_LEN);
	assert_true(ask("GET", target, "0\r\nConnection: keep-alive"));
	snprintf(want, sizeof want, "%s%s.%s",
	    HEAD("Connection: keep-alive\r\n", "172"), target + strlen(FOLDER),
	    THUMBPRINT);
	assert_string_equal(text, want);

	strcat(target, "a");
	assert_false(ask("GET", target, "1\r\nHost: a"));
	assert_false(ask("GET", FOLDER, "1\r\nHost: a"));
}

/* RFC 8555, section 8.3: base64url alone, without padding */
static void other_paths_are_no_challenges(void **state)
{
	static const char *const others[] = {
		"/", "/.well-known/acme-challenge", FOLDER "a=", FOLDER "a.b",
		FOLDER "a/b", FOLDER "a/", FOLDER "%61", FOLDER "a+b",
		FOLDER "a~", FOLDER "\xc3\xa9", FOLDER "../a", FOLDER ".",
		"/.well-known//acme-challenge/a", "/x" FOLDER "a",
		"/.Well-known/acme-challenge/a", "/.well-known/acme-challengf/a",
		FOLDER "a`", FOLDER "a[", FOLDER "a{", FOLDER "a@",
		FOLDER "?a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_false(ask("GET", others[i], "1\r\nHost: a"));
		assert_false(ask("HEAD", others[i], "1\r\nHost: a"));
	}
}

static void every_byte_is_base64url_or_not(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const uint8_t bytes[2] = { 'a', (uint8_t)c };

		assert_int_equal(http_is_base64url((struct http_text){
		    bytes, 2 }), c != 0 && strchr(alphabet, c) != NULL);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_comes_back_with_the_thumbprint),
		cmocka_unit_test(tokens_have_a_limit),
		cmocka_unit_test(other_paths_are_no_challenges),
		cmocka_unit_test(every_byte_is_base64url_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

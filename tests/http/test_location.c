/* links: tests/host_panic.c http/location.c http/chars.c */
/*
 * Where a redirect points to: every byte, and every amount of room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/location.h"

/* The whole location, written into pieces of the given size. */
static const char *write_in(const struct http_location *l, size_t piece)
{
	static char text[4096];
	size_t len = 0;
	size_t at = 0;

	while (at < http_location_len(l)) {
		uint8_t *const out = malloc(piece);
		const size_t before = at;

		assert_non_null(out);
		const size_t n = http_write_location(l, &at, out, piece);
		assert_true(n <= piece && at > before);
		assert_true(len + n < sizeof text);
		memcpy(text + len, out, n);
		len += n;
		free(out);
	}
	text[len] = 0;
	return text;
}

static void writes(struct http_location l, const char *want)
{
	for (size_t piece = 3; piece < 60; piece++)
		assert_string_equal(write_in(&l, piece), want);
	assert_string_equal(write_in(&l, 4000), want);
}

static struct http_location sent(struct http_text path,
    struct http_text query)
{
	return (struct http_location){
		.text = path, .is_sent = true, .query = query,
	};
}

static void ordinary_targets_come_out_as_they_were_sent(void **state)
{
	static const char path[] =
	    "/az/AZ/09/-._~!$&'()*+,;=:@/%2f%zz//../";
	static const char query[] = "a=b&c=/d?e%20";
	char want[128];

	(void)state;
	snprintf(want, sizeof want, "%s?%s", path, query);
	writes(sent(HTTP_TEXT("/"), (struct http_text){ 0 }), "/");
	writes(sent(HTTP_TEXT(path), (struct http_text){ 0 }), path);
	writes(sent(HTTP_TEXT(path), HTTP_TEXT(query)), want);
	writes(sent(HTTP_TEXT("/"), HTTP_TEXT("")), "/?");
}

/* RFC 3986, section 2.1; appendix A */
static void what_a_uri_may_not_hold_is_encoded(void **state)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%?";
	char path[3], want[6];

	(void)state;
	for (int c = 0; c < 256; c++) {
		const struct http_location l = {
			.is_sent = true,
			.text = { (const uint8_t *)path, 2 },
		};
		const bool kept = c != 0 && strchr(allowed, c) != NULL;

		snprintf(path, sizeof path, "/%c", c);
		snprintf(want, sizeof want, kept ? "/%c" : "/%%%02X", c);
		if (c == '?')
			continue;      /* a path as sent has none */
		writes(l, want);
		snprintf(want, sizeof want, kept ? "/?%c" : "/?%%%02X", c);
		writes(sent(HTTP_TEXT("/"), (struct http_text){
		    (const uint8_t *)path + 1, 1 }), want);
	}
	writes(sent(HTTP_TEXT("/"), HTTP_TEXT("?")), "/??");
}

static void a_line_can_not_be_ended_from_within(void **state)
{
	(void)state;
	writes(sent(HTTP_TEXT("/\r\nX: y"), HTTP_TEXT("\n\0\r ")),
	    "/%0D%0AX:%20y?%0A%00%0D%20");
}

static struct romfs_capture capture(const char *text)
{
	return (struct romfs_capture){ (const uint8_t *)text, strlen(text) };
}

/*
 * A target of a rule, where "\0" and the value 1 or 2 stand for captures: of the path, and
 * behind them of the query.  NULL: there is none.
 */
static struct http_location make(struct http_text text, const char *first,
    const char *second, const char *value)
{
	struct http_location l = { .text = text };

	if (first != NULL)
		l.captures[l.path_captures++] = capture(first);
	if (second != NULL)
		l.captures[l.path_captures++] = capture(second);
	l.capture_count = l.path_captures;
	if (value != NULL)
		l.captures[l.capture_count++] = capture(value);
	return l;
}

#define MADE(literal, ...) make(HTTP_TEXT(literal), __VA_ARGS__)

static void captures_take_the_place_of_their_marks(void **state)
{
	struct http_location l;

	(void)state;
	writes(MADE("/new/\0\1", "a/b", NULL, NULL), "/new/a/b");
	writes(MADE("/\0\2/\0\1/\0\1", "a", "b", NULL), "/b/a/a");
	writes(MADE("/\0\1/\0\2", "a", NULL, "7"), "/a/7");
	writes(MADE("https://b.example/\0\1x", "", NULL, NULL),
	    "https://b.example/x");
	l = MADE("/\0\1", "a", NULL, NULL);
	l.tail = HTTP_TEXT("#end");
	writes(l, "/a#end");
	l.query = HTTP_TEXT("q=1&\r\n#");
	writes(l, "/a?q=1&%0D%0A%23#end");
	l.query = HTTP_TEXT("");
	writes(l, "/a?#end");
}

/* What the image says is not changed: mkromfs has looked at it. */
static void texts_of_the_image_come_out_as_they_are(void **state)
{
	struct http_location l = { .text = HTTP_TEXT("http://[::1]/a%zz|") };

	(void)state;
	writes(l, "http://[::1]/a%zz|");
	l.tail = HTTP_TEXT("#|");
	l.query = HTTP_TEXT("|");
	writes(l, "http://[::1]/a%zz|?%7C#|");
	writes((struct http_location){ .text = HTTP_TEXT("//b.example/") },
	    "//b.example/");
	writes((struct http_location){ .text = HTTP_TEXT("") }, "");
}

/* RFC 3986, section 2.4: the bytes of a path were decoded, and are encoded again. */
static void a_captured_path_is_encoded(void **state)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/";
	char byte[2] = "", want[8];

	(void)state;
	for (int c = 1; c < 256; c++) {
		byte[0] = (char)c;
		snprintf(want, sizeof want, strchr(kept, c) != NULL ?
		    "/x%c" : "/x%%%02X", c);
		writes(MADE("/x\0\1", byte, NULL, NULL), want);
	}
	writes(MADE("/\0\1", "%2f?#\r\n\\", NULL, NULL),
	    "/%252f%3F%23%0D%0A%5C");
}

/* RFC 3986, section 2.2: a '/' that was sent escaped is not the one between segments. */
static void an_escaped_slash_stays_one(void **state)
{
	struct http_location l = MADE("/\0\1?\0\1", "abc", NULL, NULL);

	(void)state;
	l.captures[0].at = (const uint8_t *)"a\0b";
	writes(l, "/a%2Fb?a%2Fb");
}

/* URL Standard, section 5.1: '&' and '+' mean something in a query, and not in a path. */
static void a_path_in_a_query_is_one_value(void **state)
{
	(void)state;
	writes(MADE("/s?q=\0\1&x=\0\1", "a&b=c+d;e/f:@?#%", NULL, NULL),
	    "/s?q=a%26b%3Dc%2Bd%3Be/f:@%3F%23%25"
	    "&x=a%26b%3Dc%2Bd%3Be/f:@%3F%23%25");
}

static void a_value_of_a_query_stays_as_it_was_sent(void **state)
{
	(void)state;
	writes(MADE("/\0\1", NULL, NULL, "%2f+%zz/?#\r\n\\"),
	    "/%2f+%zz/%3F%23%0D%0A%5C");
	writes(MADE("/?q=\0\1", NULL, NULL, "%2f+%zz/?#\r\n\\"),
	    "/?q=%2f+%zz/?%23%0D%0A%5C");
}

/* RFC 3986, section 4.2: "//" would begin the name of a host. */
static void a_path_here_never_becomes_a_host(void **state)
{
	(void)state;
	writes(MADE("/\0\1", "/b.example/x//y", NULL, NULL), "/b.example/x//y");
	writes(MADE("/\0\1", "////b", NULL, NULL), "/b");
	writes(MADE("/\0\1", "//", NULL, NULL), "/");
	writes(MADE("/\0\1/b.example", "", NULL, NULL), "/b.example");
	writes(MADE("/\0\1\0\2/b", "/", "/", NULL), "/b");
	writes(MADE("/\0\1", NULL, NULL, "//b"), "/b");
	writes(MADE("/a\0\1", "//b", NULL, NULL), "/a//b");
	writes(MADE("/\0\1", "\\b", NULL, NULL), "/%5Cb");
	writes(MADE("https://a/\0\1", "/b", NULL, NULL), "https://a//b");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_targets_come_out_as_they_were_sent),
		cmocka_unit_test(what_a_uri_may_not_hold_is_encoded),
		cmocka_unit_test(a_line_can_not_be_ended_from_within),
		cmocka_unit_test(captures_take_the_place_of_their_marks),
		cmocka_unit_test(texts_of_the_image_come_out_as_they_are),
		cmocka_unit_test(a_captured_path_is_encoded),
		cmocka_unit_test(an_escaped_slash_stays_one),
		cmocka_unit_test(a_path_in_a_query_is_one_value),
		cmocka_unit_test(a_value_of_a_query_stays_as_it_was_sent),
		cmocka_unit_test(a_path_here_never_becomes_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

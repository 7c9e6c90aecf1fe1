/* links: http/location.c http/chars.c */
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

static void ordinary_targets_come_out_as_they_were_sent(void **state)
{
	static const char path[] =
	    "/az/AZ/09/-._~!$&'()*+,;=:@/%2f%zz//../";
	static const char query[] = "a=b&c=/d?e%20";
	char want[128];

	(void)state;
	snprintf(want, sizeof want, "%s?%s", path, query);
	writes((struct http_location){ .path = HTTP_TEXT("/") }, "/");
	writes((struct http_location){ .path = HTTP_TEXT(path) }, path);
	writes((struct http_location){ .path = HTTP_TEXT(path),
	    .query = HTTP_TEXT(query) }, want);
	writes((struct http_location){ .path = HTTP_TEXT("/"),
	    .query = HTTP_TEXT("") }, "/?");
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
			.path = { (const uint8_t *)path, 2 },
		};
		const bool kept = c != 0 && strchr(allowed, c) != NULL;

		snprintf(path, sizeof path, "/%c", c);
		snprintf(want, sizeof want, kept ? "/%c" : "/%%%02X", c);
		if (c == '?')
			continue;      /* a path as sent has none */
		writes(l, want);
		snprintf(want, sizeof want, kept ? "/?%c" : "/?%%%02X", c);
		writes((struct http_location){ .path = HTTP_TEXT("/"),
		    .query = { (const uint8_t *)path + 1, 1 } }, want);
	}
	writes((struct http_location){ .path = HTTP_TEXT("/"),
	    .query = HTTP_TEXT("?") }, "/??");
}

static void a_line_can_not_be_ended_from_within(void **state)
{
	(void)state;
	writes((struct http_location){ .path = HTTP_TEXT("/\r\nX: y"),
	    .query = HTTP_TEXT("\n\0\r ") },
	    "/%0D%0AX:%20y?%0A%00%0D%20");
}

static void a_folder_gets_its_slash_and_its_bytes_encoded(void **state)
{
	(void)state;
	writes((struct http_location){ .path = HTTP_TEXT("/d"),
	    .is_folder = true }, "/d/");
	writes((struct http_location){ .path = HTTP_TEXT("/%2f?#\\"),
	    .query = HTTP_TEXT("%2f?#"), .is_folder = true },
	    "/%252f%3F%23%5C/?%2f?%23");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_targets_come_out_as_they_were_sent),
		cmocka_unit_test(what_a_uri_may_not_hold_is_encoded),
		cmocka_unit_test(a_line_can_not_be_ended_from_within),
		cmocka_unit_test(a_folder_gets_its_slash_and_its_bytes_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/host_panic.c tests/http/slow_path.c http/path.c http/chars.c */
/*
 * The path normaliser: by example, and against a slow twin on random inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/path.h"
#include "tests/http/slow_path.h"

#define CAP 64

/* Normalise a copy that ends where its allocation ends, in as little room as allowed. */
static enum http_path normalise(const void *raw, size_t len, uint8_t *out,
    size_t *out_len)
{
	uint8_t *const copy = malloc(len + (len == 0));
	uint8_t *const room = malloc(len + (len == 0));
	struct http_text text = { 0 };

	assert_true(copy != NULL && room != NULL);
	memcpy(copy, raw, len);
	const enum http_path status = http_normalise_path(
	    (struct http_text){ copy, len }, room, len, &text);
	if (status != HTTP_PATH_BAD) {
		assert_true(text.at == room || text.at == copy);
		memcpy(out, text.at, text.len);
		*out_len = text.len;
	}
	free(copy);
	free(room);
	return status;
}

static void becomes(const char *raw, const char *want)
{
	uint8_t out[CAP];
	size_t len;

	assert_int_equal(normalise(raw, strlen(raw), out, &len), HTTP_PATH_OK);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
}

static void gives(const char *raw, enum http_path want)
{
	uint8_t out[CAP];
	size_t len;

	assert_int_equal(normalise(raw, strlen(raw), out, &len), want);
}

static void a_plain_path_is_used_in_place(void **state)
{
	static const char *const paths[] = {
		"/", "/a", "/a/", "//", "/a//b", "/index.html", "/a.b/c..d",
		"/a./b..", "/...", "/a/....", "/\\..\\x", "/a:b@c;d=e",
	};
	uint8_t room[CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct http_text raw = {
			(const uint8_t *)paths[i], strlen(paths[i])
		};
		struct http_text out;

		becomes(paths[i], paths[i]);
		if (strstr(paths[i], "/.") != NULL)
			continue;
		assert_int_equal(http_normalise_path(raw, room, sizeof room,
		    &out), HTTP_PATH_OK);
		assert_ptr_equal(out.at, raw.at);
	}
}

/* RFC 3986, section 5.2.4 and 6.2.2 */
static void dot_segments_are_removed(void **state)
{
	(void)state;
	becomes("/a/b/c/./../../g", "/a/g");
	becomes("/.", "/");
	becomes("/..", "/");
	becomes("/../../a", "/a");
	becomes("/a/.", "/a/");
	becomes("/a/..", "/");
	becomes("/a/b/..", "/a/");
	becomes("/a/./b", "/a/b");
	becomes("/a//../b", "/a/b");
	becomes("/a/../../../etc/passwd", "/etc/passwd");
	becomes("/./", "/");
	becomes("/.a/..b/", "/.a/..b/");
}

static void dots_count_in_disguise(void **state)
{
	(void)state;
	becomes("/a/%2e%2E/b", "/b");
	becomes("/a/.%2e/b", "/b");
	becomes("/a/%2e", "/a/");
	becomes("/%2e%2e/%2e%2e/etc", "/etc");
}

static void escapes_are_decoded_once(void **state)
{
	(void)state;
	becomes("/a%20b", "/a b");
	becomes("/%41%7a", "/Az");
	becomes("/%252e%252e/a", "/%2e%2e/a");
	becomes("/100%25", "/100%");
	becomes("/%0a%7f%5c", "/\n\x7f\\");
	becomes("/%c3%a4\xc3\xa4", "/\xc3\xa4\xc3\xa4");
	becomes("/%3f%23", "/?#");
}

static void a_broken_escape_is_bad(void **state)
{
	(void)state;
	gives("/%", HTTP_PATH_BAD);
	gives("/%4", HTTP_PATH_BAD);
	gives("/%4/", HTTP_PATH_BAD);
	gives("/%g0", HTTP_PATH_BAD);
	gives("/%0g", HTTP_PATH_BAD);
	gives("/%%41", HTTP_PATH_BAD);
	gives("/%u0041", HTTP_PATH_BAD);
}

static void nul_is_bad(void **state)
{
	uint8_t out[CAP];
	size_t len;

	(void)state;
	gives("/a%00", HTTP_PATH_BAD);
	gives("/%00/../a", HTTP_PATH_BAD);
	assert_int_equal(normalise("/a\0b", 4, out, &len), HTTP_PATH_BAD);
}

static void a_path_without_a_slash_in_front_is_bad(void **state)
{
	(void)state;
	gives("", HTTP_PATH_BAD);
	gives("a", HTTP_PATH_BAD);
	gives("*", HTTP_PATH_BAD);
	gives("%2fa", HTTP_PATH_BAD);
}

/* RFC 3629, section 4; RFC 3986, section 2.5 */
static void what_is_not_utf8_is_bad(void **state)
{
	(void)state;
	gives("/\x80", HTTP_PATH_BAD);
	gives("/%80", HTTP_PATH_BAD);
	gives("/%c3", HTTP_PATH_BAD);
	gives("/%c3/%a4", HTTP_PATH_BAD);
	gives("/%c0%af", HTTP_PATH_BAD);        /* '/' in two bytes */
	gives("/%c0%ae%c0%ae/", HTTP_PATH_BAD); /* ".." in four */
	gives("/%e0%80%af", HTTP_PATH_BAD);
	gives("/%ed%a0%80", HTTP_PATH_BAD);     /* a surrogate */
	gives("/%f0%8f%bf%bf", HTTP_PATH_BAD);
	gives("/%f4%90%80%80", HTTP_PATH_BAD);  /* U+110000 */
	gives("/%f5%80%80%80", HTTP_PATH_BAD);
	gives("/%ff/../a", HTTP_PATH_BAD);
	becomes("/%e0%a0%80%f0%90%80%80", "/\xe0\xa0\x80\xf0\x90\x80\x80");
	becomes("/%e2%82%ac%f0%9f%97%bf%ef%bf%bf%ed%9f%bf%f4%8f%bf%bf",
	    "/\xe2\x82\xac\xf0\x9f\x97\xbf\xef\xbf\xbf\xed\x9f\xbf"
	    "\xf4\x8f\xbf\xbf");
}

/* RFC 3986, section 2.2 */
static void an_escaped_slash_names_no_file(void **state)
{
	static const char want[] = "/a\0b/..\0c/";
	static const char sent[] = "/x/../a%2fb/..%2Fc/.";
	uint8_t out[sizeof sent];
	size_t len;

	(void)state;
	gives("/a%2fb", HTTP_PATH_SLASH);
	gives("/..%2F", HTTP_PATH_SLASH);
	assert_int_equal(normalise(sent, sizeof sent - 1, out,
	    &len), HTTP_PATH_SLASH);
	assert_int_equal(len, sizeof want - 1);
	assert_memory_equal(out, want, len);
	gives("/a%2fb/%00", HTTP_PATH_BAD);
	becomes("/a%252fb", "/a%2fb");
}

/* ---- Properties ----------------------------------------------------------------- */

/* Pieces that meet each other in interesting ways, and now and then any byte. */
static size_t draw(uint8_t *raw, size_t cap)
{
	static const char *const pieces[] = {
		"/", "/", "/", ".", "..", "%2e", "%2F", "%", "%00", "a", "b%",
		"\xc3", "\xa4", "%c3", "%a4", "%e2%82", "\xac", "%5c", "%25",
		"/./", "/../", "//", "2e", "%41",
	};
	const size_t count = (size_t)random() % 10;
	size_t len = 0;

	if (random() % 16 != 0)
		raw[len++] = '/';
	for (size_t i = 0; i < count && len + 8 < cap; i++) {
		const char *const piece =
		    pieces[(size_t)random() % ARRAY_LEN(pieces)];

		if (random() % 16 == 0) {
			raw[len++] = (uint8_t)random();
			continue;
		}
		memcpy(raw + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return len;
}

/* Write a path so that normalising it again decodes to the same bytes. */
static size_t escape_again(const uint8_t *path, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (path[i] != '%' && path[i] != 0) {
			out[n++] = path[i];
			continue;
		}
		memcpy(out + n, path[i] == '%' ? "%25" : "%2f", 3);
		n += 3;
	}
	return n;
}

static void random_paths_agree_with_the_slow_twin(void **state)
{
	uint32_t count[3] = { 0 };

	(void)state;
	srandom(1);
	for (uint32_t i = 0; i < 300000; i++) {
		uint8_t raw[128], slow[129], fast[128], again[384];
		size_t slow_len = 0, fast_len = 0, again_len;

		const size_t len = draw(raw, sizeof raw);
		const enum http_path want =
		    slow_normalise(raw, len, slow, &slow_len);
		assert_int_equal(normalise(raw, len, fast, &fast_len), want);
		count[want]++;
		if (want == HTTP_PATH_BAD)
			continue;
		assert_int_equal(fast_len, slow_len);
		assert_memory_equal(fast, slow, slow_len);
		assert_true(fast_len > 0 && fast[0] == '/');
		assert_false(slow_has_dots(fast, fast_len));

		/* Normalising what is normal changes nothing. */
		again_len = escape_again(fast, fast_len, again);
		assert_int_equal(normalise(again, again_len, again,
		    &again_len), memchr(slow, 0, slow_len) != NULL ?
		    HTTP_PATH_SLASH : HTTP_PATH_OK);
		assert_int_equal(again_len, slow_len);
		assert_memory_equal(again, slow, slow_len);
	}
	/* The draw reaches every answer often enough to mean something. */
	assert_true(count[HTTP_PATH_OK] > 20000);
	assert_true(count[HTTP_PATH_BAD] > 20000);
	assert_true(count[HTTP_PATH_SLASH] > 5000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_path_is_used_in_place),
		cmocka_unit_test(dot_segments_are_removed),
		cmocka_unit_test(dots_count_in_disguise),
		cmocka_unit_test(escapes_are_decoded_once),
		cmocka_unit_test(a_broken_escape_is_bad),
		cmocka_unit_test(nul_is_bad),
		cmocka_unit_test(a_path_without_a_slash_in_front_is_bad),
		cmocka_unit_test(what_is_not_utf8_is_bad),
		cmocka_unit_test(an_escaped_slash_names_no_file),
		cmocka_unit_test(random_paths_agree_with_the_slow_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: @romfs tests/host_panic.c */
/*
 * The matcher: patterns, conditions on queries, and targets, on bytes written down by hand.
 * (That it agrees with a slow reference on any bytes: fuzz/fuzz_rules.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "romfs/format.h"
#include "romfs/rules.h"

#define BYTES(text) ((struct romfs_pattern){ (const uint8_t *)(text), sizeof(text) - 1 })
#define ONE "\0\1"
#define ANY "\0\2"
#define REST "\0\3"

static struct romfs_capture captures[ROM_CAPTURE_CAP];
static uint8_t count;

static bool matches(struct romfs_pattern pattern, const char *path)
{
	uint8_t marks;

	assert_true(romfs_pattern_ok(pattern, &marks));
	count = 0;
	if (!romfs_match_path(pattern, (const uint8_t *)path, strlen(path),
	    captures, &count))
		return false;
	assert_int_equal(count, marks);
	return true;
}

static bool holds(struct romfs_pattern conditions, const char *query)
{
	uint8_t marks;

	assert_true(romfs_query_ok(conditions, &marks));
	count = 0;
	if (!romfs_match_query(conditions, (const uint8_t *)query, strlen(query),
	    captures, &count))
		return false;
	assert_int_equal(count, marks);
	return true;
}

static void assert_captured(size_t i, const char *text)
{
	assert_true(i < count);
	assert_int_equal(captures[i].len, strlen(text));
	assert_memory_equal(captures[i].at, text, strlen(text));
}

/* ---- Patterns ------------------------------------------------------------- */

static void literals_match_themselves(void **state)
{
	(void)state;
	assert_true(matches(BYTES("/a b"), "/a b"));
	assert_false(matches(BYTES("/a b"), "/a"));
	assert_false(matches(BYTES("/a b"), "/a bc"));
	assert_false(matches(BYTES("/a b"), "/A b"));
	assert_false(matches(BYTES("/a b"), ""));
}

static void a_placeholder_is_one_segment(void **state)
{
	(void)state;
	assert_true(matches(BYTES("/u/" ONE), "/u/x"));
	assert_captured(0, "x");
	assert_true(matches(BYTES("/u/" ONE), "/u/\xc3\xbc y"));
	assert_captured(0, "\xc3\xbc y");
	assert_false(matches(BYTES("/u/" ONE), "/u/"));
	assert_false(matches(BYTES("/u/" ONE), "/u"));
	assert_false(matches(BYTES("/u/" ONE), "/u/x/"));
	assert_false(matches(BYTES("/u/" ONE), "/u/x/y"));
	assert_true(matches(BYTES("/" ONE "/" ONE "/c"), "/a/b/c"));
	assert_captured(0, "a");
	assert_captured(1, "b");
	assert_false(matches(BYTES("/" ONE "/" ONE "/c"), "/a//c"));
	assert_false(matches(BYTES("/" ONE "/" ONE "/c"), "/a/b/"));
}

static void a_placeholder_may_have_literals_around_it(void **state)
{
	(void)state;
	assert_true(matches(BYTES("/v" ONE ".html"), "/v1.html"));
	assert_captured(0, "1");
	assert_true(matches(BYTES("/v" ONE ".html"), "/v.html.html"));
	assert_captured(0, ".html");
	assert_false(matches(BYTES("/v" ONE ".html"), "/v.html"));
	assert_false(matches(BYTES("/v" ONE ".html"), "/v1.htm"));
	assert_false(matches(BYTES("/v" ONE ".html"), "/v1/2.html"));
	assert_true(matches(BYTES("/v" ONE ".x/y"), "/v1.x/y"));
	assert_false(matches(BYTES("/v" ONE ".x/y"), "/v1.x"));
	assert_false(matches(BYTES("/v" ONE ".x/y"), "/v"));
}

static void a_splat_is_any_bytes(void **state)
{
	(void)state;
	assert_true(matches(BYTES("/a/" ANY), "/a/"));
	assert_captured(0, "");
	assert_true(matches(BYTES("/a/" ANY), "/a/b//c/"));
	assert_captured(0, "b//c/");
	assert_false(matches(BYTES("/a/" ANY), "/a"));
	assert_true(matches(BYTES(ANY), ""));
	assert_true(matches(BYTES(ANY), "/x"));
	assert_captured(0, "/x");
	assert_true(matches(BYTES("/a" ANY "c"), "/abc"));
	assert_captured(0, "b");
	assert_true(matches(BYTES("/a" ANY "c"), "/ac"));
	assert_true(matches(BYTES("/a" ANY "c"), "/acc"));
	assert_captured(0, "c");
	/* The two ends may not share a byte. */
	assert_false(matches(BYTES("/aba" ANY "aba"), "/aba"));
	assert_false(matches(BYTES("/aba" ANY "aba"), "/ababa"));
	assert_true(matches(BYTES("/aba" ANY "aba"), "/abaaba"));
	assert_false(matches(BYTES("/a" ANY "c"), "/ab"));
}

static void marks_may_stand_behind_a_splat(void **state)
{
	(void)state;
	assert_true(matches(BYTES("/" ONE "/" ANY "x/" ONE ".z"), "/1/2/3x/4.z"));
	assert_captured(0, "1");
	assert_captured(1, "2/3");
	assert_captured(2, "4");
	assert_true(matches(BYTES("/" ONE "/" ANY "x/" ONE ".z"), "/1/x/4.z"));
	assert_captured(1, "");
	assert_false(matches(BYTES("/" ONE "/" ANY "x/" ONE ".z"), "/1/x/.z"));
	assert_false(matches(BYTES("/" ONE "/" ANY "x/" ONE ".z"), "/1x/4.z"));
	assert_true(matches(BYTES(ANY "/" ONE), "a/b/c"));
	assert_captured(0, "a/b");
	assert_captured(1, "c");
	assert_false(matches(BYTES(ANY "/" ONE), "abc"));
	assert_false(matches(BYTES(ANY "//"), "/"));
}

static void the_rest_is_nothing_or_behind_a_slash(void **state)
{
	(void)state;
	assert_true(matches(BYTES("/a" REST), "/a"));
	assert_captured(0, "");
	assert_true(matches(BYTES("/a" REST), "/a/"));
	assert_captured(0, "");
	assert_true(matches(BYTES("/a" REST), "/a/b/c"));
	assert_captured(0, "b/c");
	assert_false(matches(BYTES("/a" REST), "/ab"));
	assert_false(matches(BYTES("/a" REST), "/"));
	assert_true(matches(BYTES("/" ONE REST), "/a/b"));
	assert_captured(0, "a");
	assert_captured(1, "b");
	assert_true(matches(BYTES("/" ONE "x" REST), "/axx"));
	assert_captured(0, "ax");
	assert_captured(1, "");
	assert_false(matches(BYTES("/" ONE REST), "//b"));
}

static void patterns_of_another_form_are_refused(void **state)
{
	static const struct romfs_pattern bad[] = {
		BYTES(""), BYTES("/\0"), BYTES("/\0\0"), BYTES("/\0\4"), BYTES("/\0/"),
		BYTES("/" ONE ONE), BYTES("/" ONE "x" ONE), BYTES("/" ONE ANY),
		BYTES("/" ANY ONE), BYTES("/" ANY "x" ONE), BYTES("/" ANY "/" ANY),
		BYTES("/" ANY REST), BYTES("/" REST "x"), BYTES(REST REST),
		BYTES("/" REST "/"),
	};
	uint8_t marks;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(romfs_pattern_ok(bad[i], &marks));
	assert_true(romfs_pattern_ok(BYTES("/" ONE "/" ANY "/" ONE), &marks));
	assert_int_equal(marks, 3);
}

static void a_pattern_has_so_many_marks_and_no_more(void **state)
{
	uint8_t bytes[3 * (ROM_CAPTURE_CAP + 1)];
	uint8_t marks;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i += 3)
		memcpy(bytes + i, "/" ONE, 3);
	assert_true(romfs_pattern_ok((struct romfs_pattern){ bytes,
	    sizeof bytes - 3 }, &marks));
	assert_int_equal(marks, ROM_CAPTURE_CAP);
	assert_false(romfs_pattern_ok((struct romfs_pattern){ bytes, sizeof bytes },
	    &marks));
}

/* A path that makes a matcher with doubts look at everything again and again. */
static void long_paths_cost_one_look(void **state)
{
	const size_t len = 4000000;
	uint8_t *path = malloc(len);

	(void)state;
	assert_non_null(path);
	memset(path, '/', len);
	count = 0;
	assert_false(romfs_match_path(
	    BYTES("/" ANY "/" ONE "/" ONE "/" ONE "/" ONE "/" ONE "/" ONE),
	    path, len, captures, &count));
	memset(path, 'a', len);
	path[0] = '/';
	count = 0;
	assert_false(romfs_match_path(BYTES("/a" ANY "aab"), path, len, captures, &count));
	free(path);
}

/* ---- Queries -------------------------------------------------------------- */

static void no_conditions_always_hold(void **state)
{
	(void)state;
	assert_true(holds(BYTES(""), ""));
	assert_true(holds(BYTES(""), "a=b"));
	/* A request without a query has no bytes to point at. */
	count = 0;
	assert_true(romfs_match_query(BYTES(""), NULL, 0, captures, &count));
	assert_false(romfs_match_query(BYTES("a\0\1\0"), NULL, 0, captures, &count));
}

static void a_condition_wants_name_and_value(void **state)
{
	(void)state;
	assert_true(holds(BYTES("a\0b\0"), "a=b"));
	assert_true(holds(BYTES("a\0b\0"), "x&a=b&y=z"));
	assert_true(holds(BYTES("a\0b\0"), "a=c&a=b"));
	assert_true(holds(BYTES("a\0b=c\0"), "a=b=c"));
	assert_true(holds(BYTES("a\0\0"), "a="));
	assert_true(holds(BYTES("a\0\0"), "x&a"));
	assert_true(holds(BYTES("%41\0%42\0"), "%41=%42"));
	assert_false(holds(BYTES("a\0b\0"), ""));
	assert_false(holds(BYTES("a\0b\0"), "a"));
	assert_false(holds(BYTES("a\0b\0"), "a=bc"));
	assert_false(holds(BYTES("a\0b\0"), "aa=b"));
	assert_false(holds(BYTES("a\0b\0"), "A=b"));
	assert_false(holds(BYTES("a\0b\0"), "%61=b"));
	assert_false(holds(BYTES("a\0b\0"), "&&&"));
}

static void all_conditions_have_to_hold(void **state)
{
	(void)state;
	assert_true(holds(BYTES("a\0b\0c\0d\0"), "c=d&a=b"));
	assert_false(holds(BYTES("a\0b\0c\0d\0"), "a=b"));
	assert_false(holds(BYTES("a\0b\0c\0d\0"), "c=d"));
}

static void values_are_captured_in_the_order_of_the_conditions(void **state)
{
	(void)state;
	assert_true(holds(BYTES("a\0\1\0k\0v\0b\0\1\0"), "b=2%20&k=v&a=1&a=3"));
	assert_captured(0, "1");
	assert_captured(1, "2%20");
	assert_true(holds(BYTES("a\0\1\0"), "a&b"));
	assert_captured(0, "");
	assert_true(holds(BYTES("a\0\1\0"), "b&a=x=y"));
	assert_captured(0, "x=y");
	assert_false(holds(BYTES("a\0\1\0"), "b=a"));
}

static void conditions_of_another_form_are_refused(void **state)
{
	static const struct romfs_pattern bad[] = {
		BYTES("a"), BYTES("a\0"), BYTES("a\0b"), BYTES("\0b\0"),
		BYTES("a\0b\0c"), BYTES("a\0b\0\0c\0"),
	};
	uint8_t marks;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(romfs_query_ok(bad[i], &marks));
	assert_true(romfs_query_ok(BYTES("a\0\1\0b\0\1x\0c\0\1\0"), &marks));
	assert_int_equal(marks, 2);
}

static void captures_beyond_the_limit_do_not_hold(void **state)
{
	uint8_t bytes[4 * (ROM_CAPTURE_CAP + 1)];
	uint8_t marks;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i += 4)
		memcpy(bytes + i, "a\0\1", 4);
	assert_true(romfs_query_ok((struct romfs_pattern){ bytes, sizeof bytes - 4 },
	    &marks));
	assert_int_equal(marks, ROM_CAPTURE_CAP);
	assert_false(romfs_query_ok((struct romfs_pattern){ bytes, sizeof bytes }, &marks));
	/* Nor where path and query are too many together. */
	count = 1;
	assert_false(romfs_match_query((struct romfs_pattern){ bytes, sizeof bytes - 4 },
	    (const uint8_t *)"a=b", 3, captures, &count));
}

/* ---- Targets -------------------------------------------------------------- */

static uint8_t room[32];

static size_t expand(struct romfs_pattern target, const char *first, const char *second,
    uint8_t path_captures, size_t cap)
{
	captures[0] = (struct romfs_capture){ (const uint8_t *)first, strlen(first) };
	captures[1] = (struct romfs_capture){ (const uint8_t *)second, strlen(second) };
	memset(room, '#', sizeof room);
	return romfs_expand(target, captures, path_captures, room, cap);
}

static void assert_room(size_t len, const char *text)
{
	assert_int_equal(len, strlen(text));
	assert_memory_equal(room, text, len);
	assert_int_equal(room[len], '#');
}

static void captures_take_their_places(void **state)
{
	(void)state;
	assert_room(expand(BYTES("/x/\0\2/\0\1.z"), "a%20", "b/", 2, 31), "/x/b//a%20.z");
	assert_room(expand(BYTES("\0\1\0\1"), "", "b", 2, 31), "");
	assert_room(expand(BYTES("/"), "a", "b", 2, 31), "/");
}

static void captures_of_a_query_are_decoded(void **state)
{
	(void)state;
	assert_room(expand(BYTES("/\0\1/\0\2"), "%41", "%41%c3%BC+", 1, 31),
	    "/%41/A\xc3\xbc+");
	assert_int_equal(expand(BYTES("\0\1"), "%4", "", 0, 31), SIZE_MAX);
	assert_int_equal(expand(BYTES("\0\1"), "a%", "", 0, 31), SIZE_MAX);
	assert_int_equal(expand(BYTES("\0\1"), "%4g", "", 0, 31), SIZE_MAX);
	assert_int_equal(expand(BYTES("\0\1"), "%:0", "", 0, 31), SIZE_MAX);
}

static void what_does_not_fit_is_not_put(void **state)
{
	(void)state;
	assert_room(expand(BYTES("/\0\1"), "abc", "", 1, 4), "/abc");
	assert_int_equal(expand(BYTES("/\0\1"), "abc", "", 1, 3), SIZE_MAX);
	assert_int_equal(expand(BYTES("/\0\1"), "abc", "", 0, 3), SIZE_MAX);
	assert_int_equal(expand(BYTES("/abc"), "", "", 0, 3), SIZE_MAX);
	assert_int_equal(expand(BYTES("/"), "", "", 0, 0), SIZE_MAX);
	assert_int_equal(room[0], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_match_themselves),
		cmocka_unit_test(a_placeholder_is_one_segment),
		cmocka_unit_test(a_placeholder_may_have_literals_around_it),
		cmocka_unit_test(a_splat_is_any_bytes),
		cmocka_unit_test(marks_may_stand_behind_a_splat),
		cmocka_unit_test(the_rest_is_nothing_or_behind_a_slash),
		cmocka_unit_test(patterns_of_another_form_are_refused),
		cmocka_unit_test(a_pattern_has_so_many_marks_and_no_more),
		cmocka_unit_test(long_paths_cost_one_look),
		cmocka_unit_test(no_conditions_always_hold),
		cmocka_unit_test(a_condition_wants_name_and_value),
		cmocka_unit_test(all_conditions_have_to_hold),
		cmocka_unit_test(values_are_captured_in_the_order_of_the_conditions),
		cmocka_unit_test(conditions_of_another_form_are_refused),
		cmocka_unit_test(captures_beyond_the_limit_do_not_hold),
		cmocka_unit_test(captures_take_their_places),
		cmocka_unit_test(captures_of_a_query_are_decoded),
		cmocka_unit_test(what_does_not_fit_is_not_put),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

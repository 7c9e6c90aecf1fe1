/* links: tests/host_panic.c tests/http/slow_conditions.c tests/http/slow_list.c
 * http/conditions.c http/request.c http/authority.c http/date.c http/chars.c */
/*
 * Conditions: every rule of RFC 9110, sections 13.1.1 to 13.1.5 and 13.2.2.  The field
 * lines go through the request parser; each case is also asked of the slow twin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/conditions.h"
#include "tests/http/slow_conditions.h"

/* The representation: "a", last modified at DATE, which is long ago. */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED 784111777
#define NOW 1900000000

#define ETAG HTTP_TEXT("\"a\"")

#define GO HTTP_CONDITION_NONE
#define SAME HTTP_CONDITION_NOT_MODIFIED
#define FAILED HTTP_CONDITION_FAILED

/* The request with these field lines, each ended by '\n' (the last may go without). */
static struct http_request request(const char *method, const char *fields)
{
	static char head[8192];
	struct http_request req;
	size_t at = 0;

	at = (size_t)(stpcpy(stpcpy(head, method), " / HTTP/1.1\r\nHost:\r\n") -
	    head);
	for (const char *f = fields; *f != 0; f++) {
		if (*f == '\n')
			head[at++] = '\r';
		head[at++] = *f;
	}
	at = (size_t)(stpcpy(head + at, "\r\n\r\n") - head);
	assert_int_equal(http_parse_request((const uint8_t *)head, at, &req),
	    HTTP_OK);
	return req;
}

static enum http_condition check(const char *fields, struct http_text etag,
    int64_t modified, int64_t now)
{
	const struct http_request req = request("GET", fields);
	const enum http_condition got =
	    http_check_conditions(&req, etag, modified, now);

	assert_int_equal(got,
	    slow_check_conditions(&req, etag, modified, now));
	return got;
}

struct rule {
	const char *fields;
	enum http_condition want;
};

static void check_rules(const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const enum http_condition got =
		    check(rules[i].fields, ETAG, MODIFIED, NOW);

		if (got != rules[i].want)
			fail_msg("\"%s\": %d, not %d", rules[i].fields, got,
			    rules[i].want);
	}
}

#define RULES(name, ...) \
	static void name(void **state) \
	{ \
		static const struct rule rules[] = { __VA_ARGS__ }; \
		(void)state; \
		check_rules(rules, ARRAY_LEN(rules)); \
	}

RULES(without_a_condition_all_is_well, { "X: y", GO })

/* ---- If-Match: section 13.1.1 ------------------------------------------------------ */

RULES(if_match_wants_our_tag,
    { "If-Match: \"a\"", GO }, { "If-Match: \"b\"", FAILED },
    { "If-Match: \"A\"", FAILED }, { "If-Match: \"\"", FAILED },
    { "If-Match: \"aa\"", FAILED }, { "If-Match: \"b\", \"a\"", GO },
    { "If-Match: \"b\", \"c\"", FAILED }, { "If-Match:", FAILED })

/* "*": there is a current representation */
RULES(if_match_of_a_star_holds, { "If-Match: *", GO },
    { "If-Match: \t* ", GO })

/* "MUST use the strong comparison" */
RULES(a_weak_tag_is_no_match,
    { "If-Match: W/\"a\"", FAILED }, { "If-Match: W/\"a\", \"a\"", GO },
    { "If-Match: \"a\", W/\"b\"", GO }, { "If-Match: W/\"b\"", FAILED })

/* ---- If-None-Match: section 13.1.2 ---------------------------------------------------- */

RULES(if_none_match_is_304_for_our_tag,
    { "If-None-Match: \"a\"", SAME }, { "If-None-Match: \"b\"", GO },
    { "If-None-Match: \"b\", \"c\",\"a\"", SAME }, { "If-None-Match:", GO },
    { "If-None-Match: *", SAME })

/* "MUST use the weak comparison" */
RULES(a_weak_tag_is_as_good_as_a_strong_one,
    { "If-None-Match: W/\"a\"", SAME }, { "If-None-Match: W/\"b\"", GO },
    { "If-None-Match: W/\"b\", W/\"a\"", SAME })

/* ---- Lists of tags: sections 5.3, 5.6.1.2 and 8.8.3 -------------------------------------- */

RULES(lists_have_blanks_and_empty_elements,
    { "If-None-Match: ,, \"b\"\t,\t,\"a\",", SAME },
    { "If-Match: ,, \"b\"\t,\t,\"a\",", GO },
    { "If-None-Match: , ,", GO }, { "If-Match: , ,", FAILED })

RULES(lines_are_one_list,
    { "If-None-Match: \"b\"\nIf-None-Match: \"a\"", SAME },
    { "If-Match: \"b\"\nIf-Match:\nIf-Match: \"c\",\"a\"", GO },
    { "If-Match: \"b\"\nIf-Match: \"c\"", FAILED })

/* "*" is the whole value or nothing. */
RULES(a_star_is_no_element,
    { "If-Match: *, \"b\"", FAILED }, { "If-Match: \"b\", *", FAILED },
    { "If-Match: *\nIf-Match: \"b\"", FAILED },
    { "If-Match: *\nIf-Match: *", FAILED }, { "If-Match: **", FAILED },
    { "If-None-Match: *, \"b\"", GO }, { "If-None-Match: \"b\", *", GO },
    { "If-Match: \"*\"", FAILED })

/* Nothing from there on counts, so that no 412 becomes a 200 and no 200 a 304. */
RULES(a_malformed_list_counts_up_to_there,
    { "If-Match: a", FAILED }, { "If-Match: \"a", FAILED },
    { "If-Match: a\"", FAILED }, { "If-Match: \"a\"b", FAILED },
    { "If-Match: \"b\" \"a\"", FAILED }, { "If-Match: \"a\" \"b\"", FAILED },
    { "If-Match: w/\"a\"", FAILED }, { "If-Match: b, \"a\"", FAILED },
    { "If-Match: b\nIf-Match: \"a\"", FAILED }, { "If-Match: \"a\", b", GO },
    { "If-Match: \"a \"", FAILED }, { "If-Match: 'a'", FAILED },
    { "If-Match: W /\"a\"", FAILED }, { "If-Match: W/ \"a\"", FAILED },
    { "If-None-Match: a", GO }, { "If-None-Match: W/a", GO },
    { "If-None-Match: w/\"a\"", GO }, { "If-None-Match: w/\"b\", \"a\"", GO },
    { "If-None-Match: \"a\";x", GO })

static void tags_may_hold_commas_and_bytes_of_any_script(void **state)
{
	(void)state;
	assert_int_equal(check("If-Match: \"b\",\"a,b\"",
	    HTTP_TEXT("\"a,b\""), -1, NOW), GO);
	assert_int_equal(check("If-Match: \"a,b\"", HTTP_TEXT("\"a\""), -1,
	    NOW), FAILED);
	assert_int_equal(check("If-None-Match: \"\xc3\xa4\", \"!\\~\"",
	    HTTP_TEXT("\"!\\~\""), -1, NOW), SAME);
	assert_int_equal(check("If-None-Match: \"W/\"", HTTP_TEXT("\"W/\""), -1,
	    NOW), SAME);
	assert_int_equal(check("If-None-Match: \"\"", HTTP_TEXT("\"\""), -1,
	    NOW), SAME);
}

/* ---- If-Modified-Since: section 13.1.3 ------------------------------------------------------ */

RULES(if_modified_since_is_304_unless_we_are_newer,
    { "If-Modified-Since: " DATE, SAME }, { "If-Modified-Since: " LATER, SAME },
    { "If-Modified-Since: " EARLIER, GO })

/* Section 5.6.7: three forms */
RULES(dates_come_in_three_forms,
    { "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", SAME },
    { "If-Modified-Since: Sunday, 06-Nov-94 08:49:36 GMT", GO },
    { "If-Modified-Since: Sun Nov  6 08:49:37 1994", SAME },
    { "If-Modified-Since: Sun Nov  6 08:49:36 1994", GO },
    { "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT", FAILED },
    { "If-Unmodified-Since: Sun Nov  6 08:49:36 1994", FAILED })

/* "MUST ignore ... not a valid HTTP-date", "more than one member" */
RULES(an_invalid_if_modified_since_is_ignored,
    { "If-Modified-Since:", GO }, { "If-Modified-Since: 0", GO },
    { "If-Modified-Since: Sun, 31 Feb 2094 08:49:37 GMT", GO },
    { "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 UTC", GO },
    { "If-Modified-Since: " DATE ", " DATE, GO },
    { "If-Modified-Since: " DATE "\nIf-Modified-Since: " DATE, GO },
    { "If-Modified-Since: " DATE "; length=5", GO })

/* ---- If-Unmodified-Since: section 13.1.4 ------------------------------------------------------- */

RULES(if_unmodified_since_fails_if_we_are_newer,
    { "If-Unmodified-Since: " DATE, GO }, { "If-Unmodified-Since: " LATER, GO },
    { "If-Unmodified-Since: " EARLIER, FAILED })

/* "MUST ignore ... not a valid HTTP-date (including ... a list of dates)" */
RULES(an_invalid_if_unmodified_since_is_ignored,
    { "If-Unmodified-Since:", GO }, { "If-Unmodified-Since: yesterday", GO },
    { "If-Unmodified-Since: Sun, 31 Feb 1990 08:49:37 GMT", GO },
    { "If-Unmodified-Since: " EARLIER ", " EARLIER, GO },
    { "If-Unmodified-Since: " EARLIER "\nIf-Unmodified-Since: " EARLIER, GO })

/* "MUST ignore ... if the resource does not have a modification date available" */
static void without_a_date_of_ours_dates_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(check("If-Modified-Since: " LATER, ETAG, -1, NOW), GO);
	assert_int_equal(check("If-Unmodified-Since: " EARLIER, ETAG, -1, NOW),
	    GO);
	/* 1970 is a date. */
	assert_int_equal(check("If-Modified-Since: " EARLIER, ETAG, 0, NOW),
	    SAME);
	assert_int_equal(check("If-Unmodified-Since: "
	    "Thu, 01 Jan 1970 00:00:00 GMT", ETAG, 1, NOW), FAILED);
}

/* ---- Precedence: section 13.2.2 ----------------------------------------------------------------- */

/* Step 2 only "when If-Match is not present" */
RULES(if_match_replaces_if_unmodified_since,
    { "If-Match: \"a\"\nIf-Unmodified-Since: " EARLIER, GO },
    { "If-Match: \"b\"\nIf-Unmodified-Since: " LATER, FAILED },
    { "If-Match:\nIf-Unmodified-Since: " LATER, FAILED })

/* Step 4 only "when If-None-Match is not present" */
RULES(if_none_match_replaces_if_modified_since,
    { "If-None-Match: \"b\"\nIf-Modified-Since: " LATER, GO },
    { "If-None-Match: \"a\"\nIf-Modified-Since: " EARLIER, SAME },
    { "If-None-Match:\nIf-Modified-Since: " LATER, GO })

/* 412 before 304 */
RULES(what_has_to_match_comes_first,
    { "If-None-Match: \"a\"\nIf-Match: \"b\"", FAILED },
    { "If-None-Match: \"a\"\nIf-Match: \"a\"", SAME },
    { "If-None-Match: \"b\"\nIf-Match: \"a\"", GO },
    { "If-Modified-Since: " DATE "\nIf-Match: \"b\"", FAILED },
    { "If-Modified-Since: " DATE "\nIf-Match: *", SAME },
    { "If-None-Match: *\nIf-Unmodified-Since: " EARLIER, FAILED },
    { "If-None-Match: *\nIf-Unmodified-Since: " DATE, SAME },
    { "If-Modified-Since: " DATE "\nIf-Unmodified-Since: " EARLIER, FAILED },
    { "If-Modified-Since: " DATE "\nIf-Unmodified-Since: " DATE, SAME })

/* ---- If-Range: sections 13.1.5 and 14.2 ------------------------------------------------------------ */

static bool applies(const char *method, const char *fields, int64_t modified,
    int64_t now)
{
	const struct http_request req = request(method, fields);
	const bool got = http_range_applies(&req, ETAG, modified, now);

	assert_int_equal(got, slow_range_applies(&req, ETAG, modified, now));
	return got;
}

static void a_range_counts_once_and_with_get_only(void **state)
{
	(void)state;
	assert_true(applies("GET", "Range: bytes=0-0", MODIFIED, NOW));
	assert_false(applies("GET", "X: y", MODIFIED, NOW));
	assert_false(applies("HEAD", "Range: bytes=0-0", MODIFIED, NOW));
	assert_false(applies("POST", "Range: bytes=0-0", MODIFIED, NOW));
	assert_false(applies("GET",
	    "Range: bytes=0-0\nRange: bytes=0-0", MODIFIED, NOW));
	/* "MUST ignore an If-Range ... that does not contain a Range" */
	assert_false(applies("GET", "If-Range: \"a\"", MODIFIED, NOW));
}

static bool if_range(const char *value, int64_t modified, int64_t now)
{
	char fields[512];

	stpcpy(stpcpy(fields, "Range: bytes=0-0\nIf-Range: "), value);
	return applies("GET", fields, modified, now);
}

static void a_tag_in_if_range_is_compared_strongly(void **state)
{
	(void)state;
	assert_true(if_range("\"a\"", MODIFIED, NOW));
	assert_true(if_range("\"a\"", -1, NOW));
	assert_false(if_range("\"b\"", MODIFIED, NOW));
	assert_false(if_range("W/\"a\"", MODIFIED, NOW));
	assert_false(if_range("w/\"a\"", MODIFIED, NOW));
	/* It is one tag, neither "*" nor a list. */
	assert_false(if_range("*", MODIFIED, NOW));
	assert_false(if_range("\"a\", \"a\"", MODIFIED, NOW));
	assert_false(if_range("\"a\",", MODIFIED, NOW));
	assert_false(if_range(",\"a\"", MODIFIED, NOW));
	assert_false(if_range("\"a", MODIFIED, NOW));
	assert_false(if_range("a", MODIFIED, NOW));
	assert_false(if_range("", MODIFIED, NOW));
	assert_false(if_range("\"a\"\nIf-Range: \"a\"", MODIFIED, NOW));
}

/* "exactly matches the Last-Modified field value" */
static void a_date_in_if_range_has_to_be_the_same(void **state)
{
	(void)state;
	assert_true(if_range(DATE, MODIFIED, NOW));
	assert_true(if_range("Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED, NOW));
	assert_true(if_range("Sun Nov  6 08:49:37 1994", MODIFIED, NOW));
	assert_false(if_range(LATER, MODIFIED, NOW));
	assert_false(if_range(EARLIER, MODIFIED, NOW));
	assert_false(if_range(DATE, -1, NOW));
	assert_false(if_range(DATE "\nIf-Range: " DATE, MODIFIED, NOW));
}

/* Section 8.8.2.2: while its second lasts, a date does not tell two versions apart. */
static void a_date_in_if_range_has_to_be_strong(void **state)
{
	(void)state;
	assert_true(if_range(DATE, MODIFIED, MODIFIED + 1));
	assert_false(if_range(DATE, MODIFIED, MODIFIED));
	assert_false(if_range(DATE, MODIFIED, MODIFIED - 1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_condition_all_is_well),
		cmocka_unit_test(if_match_wants_our_tag),
		cmocka_unit_test(if_match_of_a_star_holds),
		cmocka_unit_test(a_weak_tag_is_no_match),
		cmocka_unit_test(if_none_match_is_304_for_our_tag),
		cmocka_unit_test(a_weak_tag_is_as_good_as_a_strong_one),
		cmocka_unit_test(lists_have_blanks_and_empty_elements),
		cmocka_unit_test(lines_are_one_list),
		cmocka_unit_test(a_star_is_no_element),
		cmocka_unit_test(a_malformed_list_counts_up_to_there),
		cmocka_unit_test(tags_may_hold_commas_and_bytes_of_any_script),
		cmocka_unit_test(if_modified_since_is_304_unless_we_are_newer),
		cmocka_unit_test(dates_come_in_three_forms),
		cmocka_unit_test(an_invalid_if_modified_since_is_ignored),
		cmocka_unit_test(if_unmodified_since_fails_if_we_are_newer),
		cmocka_unit_test(an_invalid_if_unmodified_since_is_ignored),
		cmocka_unit_test(without_a_date_of_ours_dates_are_ignored),
		cmocka_unit_test(if_match_replaces_if_unmodified_since),
		cmocka_unit_test(if_none_match_replaces_if_modified_since),
		cmocka_unit_test(what_has_to_match_comes_first),
		cmocka_unit_test(a_range_counts_once_and_with_get_only),
		cmocka_unit_test(a_tag_in_if_range_is_compared_strongly),
		cmocka_unit_test(a_date_in_if_range_has_to_be_the_same),
		cmocka_unit_test(a_date_in_if_range_has_to_be_strong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/host_panic.c tests/http/slow_range.c tests/http/slow_list.c http/range.c
 * http/chars.c */
/*
 * Range: every rule of RFC 9110, sections 14.1.1, 14.1.2 and 14.2.  Each case is also
 * asked of the slow twin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/range.h"
#include "tests/http/slow_range.h"

/* "first+len first+len", "none" or "outside" */
static const char *ranges(const char *field, uint64_t of)
{
	static char text[1024];
	struct http_range part[LIMIT_RANGE_PARTS];
	struct http_range slow[LIMIT_RANGE_PARTS];
	uint32_t count;
	uint32_t slow_count;
	const size_t len = strlen(field);
	size_t at = 0;

	/* A copy that ends where its allocation ends, for the sanitizer. */
	uint8_t *const copy = malloc(len + (len == 0));
	assert_non_null(copy);
	memcpy(copy, field, len);
	const struct http_text value = { copy, len };
	const enum http_ranges got = http_parse_ranges(value, of, part, &count);
	assert_int_equal(got, slow_parse_ranges(value, of, slow, &slow_count));
	free(copy);
	if (got != HTTP_RANGES_SOME)
		return got == HTTP_RANGES_NONE ? "none" : "outside";

	assert_int_equal(count, slow_count);
	assert_memory_equal(part, slow, count * sizeof *part);
	for (uint32_t i = 0; i < count; i++)
		at += (size_t)snprintf(text + at, sizeof text - at,
		    "%s%llu+%llu", i > 0 ? " " : "",
		    (unsigned long long)part[i].first,
		    (unsigned long long)part[i].len);
	return text;
}

struct rule {
	const char *field;
	uint64_t of;
	const char *want;
};

static void check_rules(const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *const got = ranges(rules[i].field, rules[i].of);

		if (strcmp(got, rules[i].want) != 0)
			fail_msg("\"%s\" of %llu: %s, not %s", rules[i].field,
			    (unsigned long long)rules[i].of, got,
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

/* ---- One range: section 14.1.2 --------------------------------------------------- */

/* The section's own examples, of 10000 bytes */
RULES(the_examples_of_the_rfc,
    { "bytes=0-499", 10000, "0+500" }, { "bytes=500-999", 10000, "500+500" },
    { "bytes=-500", 10000, "9500+500" }, { "bytes=9500-", 10000, "9500+500" },
    { "bytes=0-0,-1", 10000, "0+1 9999+1" },
    { "bytes= 0-999, 4500-5499, -1000", 10000,
      "0+1000 4500+1000 9000+1000" },
    { "bytes=500-600,601-999", 10000, "500+500" },
    { "bytes=500-700,601-999", 10000, "500+500" })

/* "absent, or ... greater than or equal to the current length": the remainder */
RULES(a_range_ends_where_the_representation_ends,
    { "bytes=0-", 10, "0+10" }, { "bytes=9-", 10, "9+1" },
    { "bytes=9-9", 10, "9+1" }, { "bytes=5-9", 10, "5+5" },
    { "bytes=5-10", 10, "5+5" }, { "bytes=5-11", 10, "5+5" },
    { "bytes=0-99999999999999999999999", 10, "0+10" })

/* "shorter than the specified suffix-length: the entire representation" */
RULES(a_suffix_is_at_most_everything,
    { "bytes=-1", 10, "9+1" }, { "bytes=-9", 10, "1+9" },
    { "bytes=-10", 10, "0+10" }, { "bytes=-11", 10, "0+10" },
    { "bytes=-18446744073709551617", 10, "0+10" })

/* Section 15.5.17: only where nothing that was asked for is there */
RULES(what_begins_behind_the_end_is_outside,
    { "bytes=10-", 10, "outside" }, { "bytes=10-10", 10, "outside" },
    { "bytes=10-20,11-", 10, "outside" }, { "bytes=-0", 10, "outside" },
    { "bytes=-0,-00", 10, "outside" }, { "bytes=10-,9-", 10, "9+1" },
    { "bytes=-0,0-0,10-", 10, "0+1" },
    { "bytes=18446744073709551616-", 10, "outside" })

/* Section 14.2: MAY be ignored; a 206 or its Content-Range could not say so. */
RULES(of_nothing_everything_is_sent,
    { "bytes=0-", 0, "none" }, { "bytes=-1", 0, "none" },
    { "bytes=-0", 0, "none" }, { "bytes=5-4", 0, "none" })

/* ---- What is no range: sections 14.1, 14.1.1 and 14.2 ------------------------------- */

/* "MUST ignore ... a range unit it does not understand"; names in any case */
RULES(only_bytes_are_understood,
    { "lines=0-1", 10, "none" }, { "byte=0-1", 10, "none" },
    { "bytess=0-1", 10, "none" }, { "=0-1", 10, "none" },
    { "", 10, "none" }, { "bytes", 10, "none" }, { "0-1", 10, "none" },
    { "Bytes=0-1", 10, "0+2" }, { "BYTES=0-1", 10, "0+2" })

/* "invalid if the last-pos value is present and less than the first-pos" */
RULES(backwards_is_invalid,
    { "bytes=1-0", 10, "none" }, { "bytes=5-4", 10, "none" },
    { "bytes=0-1,5-4", 10, "none" }, { "bytes=5-4,0-1", 10, "none" },
    { "bytes=20-19", 10, "none" }, { "bytes=5-5", 10, "5+1" })

RULES(what_does_not_fit_the_grammar_is_ignored_as_a_whole,
    { "bytes=", 10, "none" }, { "bytes=-", 10, "none" },
    { "bytes=,", 10, "none" }, { "bytes=, ,", 10, "none" },
    { "bytes=0", 10, "none" }, { "bytes=a-1", 10, "none" },
    { "bytes=0-a", 10, "none" }, { "bytes=0-1x", 10, "none" },
    { "bytes=0--1", 10, "none" }, { "bytes=--1", 10, "none" },
    { "bytes=+0-1", 10, "none" }, { "bytes=0x0-1", 10, "none" },
    { "bytes=0 -1", 10, "none" }, { "bytes=0- 1", 10, "none" },
    { "bytes=- 1", 10, "none" }, { "bytes =0-1", 10, "none" },
    { "bytes:0-1", 10, "none" }, { "bytes=0-1;2-3", 10, "none" },
    { "bytes=0-1 2-3", 10, "none" }, { "bytes=0-1,x", 10, "none" },
    { "bytes=0-1=2-3", 10, "none" }, { "bytes=0-1,bytes=2-3", 10, "none" },
    { " bytes=0-1", 10, "none" }, { "bytes=1.0-2", 10, "none" })

/* Sections 5.6.1.2 and 5.6.3 */
RULES(blanks_and_empty_elements_do_not_count,
    { "bytes=,0-1,,8-8,", 10, "0+2 8+1" },
    { "bytes=0-1 \t,\t 8-8", 10, "0+2 8+1" }, { "bytes=0-1 ", 10, "0+2" })

/* ---- Large numbers: "anticipate potentially large decimal numerals" ------------------ */

#define MAX64 UINT64_MAX

RULES(numbers_are_exact_whatever_their_size,
    { "bytes=18446744073709551614-", MAX64, "18446744073709551614+1" },
    { "bytes=18446744073709551615-", MAX64, "outside" },
    { "bytes=0-18446744073709551614", MAX64, "0+18446744073709551615" },
    { "bytes=0-18446744073709551615", MAX64, "0+18446744073709551615" },
    { "bytes=1-18446744073709551616", MAX64, "1+18446744073709551614" },
    { "bytes=-18446744073709551614", MAX64, "1+18446744073709551614" },
    { "bytes=-18446744073709551616", MAX64, "0+18446744073709551615" },
    /* 2^64 is 0 to who counts in 64 bits. */
    { "bytes=18446744073709551616-18446744073709551620", 10, "outside" },
    { "bytes=18446744073709551617-18446744073709551616", 10, "none" },
    { "bytes=18446744073709551616-18446744073709551615", 10, "none" },
    { "bytes=18446744073709551615-18446744073709551616", 10, "outside" },
    { "bytes=100000000000000000000-99999999999999999999", 10, "none" },
    { "bytes=99999999999999999999-100000000000000000000", 10, "outside" },
    { "bytes=0-18446744073709551610,18446744073709551612-", MAX64,
      "0+18446744073709551611 18446744073709551612+3" },
    { "bytes=0-18446744073709551610,18446744073709551611-", MAX64,
      "0+18446744073709551615" })

RULES(zeros_in_front_mean_nothing,
    { "bytes=000000000000000000000000000001-000000000000000000000000003", 10,
      "1+3" },
    { "bytes=-000000000000000000000000000001", 10, "9+1" },
    { "bytes=00000000000000000000000000000000000020-19", 10, "none" })

/* ---- Several ranges: sections 14.2 and 15.3.7.2 --------------------------------------- */

RULES(ranges_stand_in_the_order_of_the_request,
    { "bytes=8-9,0-1,4-4", 10, "8+2 0+2 4+1" },
    { "bytes=-1,0-0", 10, "9+1 0+1" })

/* "MAY coalesce any of the ranges that overlap" */
RULES(ranges_that_overlap_or_touch_are_one,
    { "bytes=0-1,1-2", 10, "0+3" }, { "bytes=0-1,2-3", 10, "0+4" },
    { "bytes=2-3,0-1", 10, "0+4" }, { "bytes=0-1,3-4", 10, "0+2 3+2" },
    { "bytes=0-9,4-5", 10, "0+10" }, { "bytes=4-5,0-9", 10, "0+10" },
    { "bytes=0-0,0-0,0-0", 10, "0+1" }, { "bytes=0-,-10", 10, "0+10" },
    /* The one that joins others stands where the first of them stood. */
    { "bytes=0-0,8-8,2-2,1-1", 10, "0+3 8+1" },
    { "bytes=8-8,0-0,4-4,2-2,1-3", 10, "8+1 0+5" },
    { "bytes=4-4,0-0,2-2,8-8,1-3", 10, "0+5 8+1" })

static char list[8192];

/* n ranges of one byte, every other one. */
static const char *every_other(size_t n, const char *behind)
{
	size_t at = (size_t)sprintf(list, "bytes=");

	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(list + at, "%zu-%zu,", 2 * i, 2 * i);
	strcpy(list + at, behind);
	return list;
}

static void so_many_parts_are_sent_and_no_more(void **state)
{
	(void)state;
	assert_string_not_equal(ranges(every_other(LIMIT_RANGE_PARTS, ""), 100),
	    "none");
	assert_string_equal(ranges(every_other(LIMIT_RANGE_PARTS + 1, ""), 100),
	    "none");
	/* Those that are outside, or touch one that is known, do not count. */
	assert_string_not_equal(ranges(every_other(LIMIT_RANGE_PARTS,
	    "100-,1-1,100-"), 100), "none");
	assert_string_equal(ranges(every_other(LIMIT_RANGE_PARTS, "0-99"), 100),
	    "0+100");
	/* What would have joined them comes too late. */
	assert_string_equal(ranges(every_other(LIMIT_RANGE_PARTS + 1, "0-99"),
	    100), "none");
}

/* Every pair and triple of ranges in a small representation. */
static void small_ranges_agree_with_the_slow_twin(void **state)
{
	char field[64];

	(void)state;
	for (int i = 0; i < 6 * 6 * 6 * 6 * 6 * 6; i++) {
		snprintf(field, sizeof field, "bytes=%d-%d,%d-%d,%d-%d",
		    i % 6, i / 6 % 6, i / 36 % 6, i / 216 % 6, i / 1296 % 6,
		    i / 7776);
		ranges(field, 5);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc),
		cmocka_unit_test(a_range_ends_where_the_representation_ends),
		cmocka_unit_test(a_suffix_is_at_most_everything),
		cmocka_unit_test(what_begins_behind_the_end_is_outside),
		cmocka_unit_test(of_nothing_everything_is_sent),
		cmocka_unit_test(only_bytes_are_understood),
		cmocka_unit_test(backwards_is_invalid),
		cmocka_unit_test(
		    what_does_not_fit_the_grammar_is_ignored_as_a_whole),
		cmocka_unit_test(blanks_and_empty_elements_do_not_count),
		cmocka_unit_test(numbers_are_exact_whatever_their_size),
		cmocka_unit_test(zeros_in_front_mean_nothing),
		cmocka_unit_test(ranges_stand_in_the_order_of_the_request),
		cmocka_unit_test(ranges_that_overlap_or_touch_are_one),
		cmocka_unit_test(so_many_parts_are_sent_and_no_more),
		cmocka_unit_test(small_ranges_agree_with_the_slow_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

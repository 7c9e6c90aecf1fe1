/* links: tests/host_panic.c http/date.c http/chars.c */
/*
 * Dates: against the C library's calendar, and each form of RFC 9110, section 5.6.7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "http/date.h"

#define EXAMPLE 784111777   /* the RFC's: Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW 1790000000      /* 21 September 2026, 14:13:20 */

static void formats_as(int64_t at, const char *date, const char *log)
{
	uint8_t out[HTTP_DATE_LEN];

	http_format_date(at, out);
	assert_memory_equal(out, date, HTTP_DATE_LEN);
	http_format_log_date(at, out);
	assert_memory_equal(out, log, HTTP_LOG_DATE_LEN);
}

static void times_are_written_in_the_one_form(void **state)
{
	(void)state;
	formats_as(EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT",
	    "06/Nov/1994:08:49:37 +0000");
	formats_as(0, "Thu, 01 Jan 1970 00:00:00 GMT",
	    "01/Jan/1970:00:00:00 +0000");
	formats_as(951782399, "Mon, 28 Feb 2000 23:59:59 GMT",
	    "28/Feb/2000:23:59:59 +0000");
	formats_as(HTTP_TIME_MAX, "Fri, 31 Dec 9999 23:59:59 GMT",
	    "31/Dec/9999:23:59:59 +0000");
}

static void impossible_times_become_the_nearest(void **state)
{
	(void)state;
	formats_as(-1, "Thu, 01 Jan 1970 00:00:00 GMT",
	    "01/Jan/1970:00:00:00 +0000");
	formats_as(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT",
	    "31/Dec/9999:23:59:59 +0000");
}

/* Each day of the calendar's cycle of 400 years, then one in 97; the time of day moves. */
static void days_agree_with_the_c_library(void **state)
{
	const int64_t cycle = 146097;

	(void)state;
	for (int64_t day = 0; day <= HTTP_TIME_MAX / 86400;
	    day += day <= cycle ? 1 : 97) {
		const time_t at = (time_t)(day * 86400 + day * 7919 % 86400);
		char want[64];
		uint8_t got[HTTP_DATE_LEN];
		int64_t back;
		struct tm tm;

		gmtime_r(&at, &tm);
		strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		http_format_date(at, got);
		assert_memory_equal(got, want, HTTP_DATE_LEN);
		assert_true(http_parse_date((struct http_text){
		    got, HTTP_DATE_LEN }, NOW, &back));
		assert_int_equal(back, at);
	}
}

static void reads_as(const char *text, int64_t want)
{
	int64_t got;

	assert_true(http_parse_date((struct http_text){
	    (const uint8_t *)text, strlen(text) }, NOW, &got));
	assert_int_equal(got, want);
}

static void all_three_forms_are_read(void **state)
{
	(void)state;
	reads_as("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE);
	reads_as("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE);
	reads_as("Sun Nov  6 08:49:37 1994", EXAMPLE);
	reads_as("Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86400);
	reads_as("Tue, 29 Feb 2000 00:00:00 GMT", 951782400);
	reads_as("Wed, 31 Dec 1969 23:59:59 GMT", -1);
	reads_as("Sat, 01 Jan 0000 00:00:00 GMT", -62167219200);
	/* A leap second is the one that follows. */
	reads_as("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
}

/* More than 50 years ahead of 2026 is the past. */
static void two_digit_years_are_near(void **state)
{
	(void)state;
	reads_as("Monday, 01-Jan-70 00:00:00 GMT", 3155760000);
	reads_as("Monday, 21-Sep-76 14:13:20 GMT", 3367923200);
	reads_as("Tuesday, 21-Sep-76 14:13:21 GMT", 212163201);
	reads_as("Monday, 01-Jan-77 00:00:00 GMT", 220924800);
	reads_as("Saturday, 01-Jan-00 00:00:00 GMT", 946684800);
}

static void is_refused(const char *text)
{
	int64_t got;

	assert_false(http_parse_date((struct http_text){
	    (const uint8_t *)text, strlen(text) }, NOW, &got));
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "0", "784111777", "Sun", "sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun,  6 Nov 1994 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
		"Sun Nov 06 08:49:37 1994 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Tue, 29 Feb 1900 08:49:37 GMT",
		"Tue, 29 Feb 2023 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:00 GMT",
		"Sun, 06 Nov 1994 08:00:61 GMT",
		"Sun, 06 Nov 19x4 08:49:37 GMT",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		is_refused(bad[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_in_the_one_form),
		cmocka_unit_test(impossible_times_become_the_nearest),
		cmocka_unit_test(days_agree_with_the_c_library),
		cmocka_unit_test(all_three_forms_are_read),
		cmocka_unit_test(two_digit_years_are_near),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

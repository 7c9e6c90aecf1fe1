/* links: http/syslog.c http/date.c http/chars.c net/text.c tests/host_panic.c */
/*
 * Syslog messages: RFC 5424, section 6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/syslog.h"

static char message[2048];
static size_t message_len;

static void format(uint64_t time_ms, const char *host, const char *line,
    size_t cap)
{
	const struct http_syslog_entry entry = {
		.time_ms = time_ms,
		.host = { (const uint8_t *)host, strlen(host) },
		.line = { (const uint8_t *)line, strlen(line) },
	};

	memset(message, '#', sizeof message);
	message_len = http_format_syslog(&entry, message, cap);
	assert_true(message_len <= cap);
	assert_int_equal(message[cap], '#');
}

static void is_message(const char *wanted)
{
	assert_int_equal(message_len, strlen(wanted));
	assert_memory_equal(message, wanted, message_len);
}

static void a_line_has_a_head_in_front(void **state)
{
	(void)state;
	format(1790000000123, "www.example.org", "10.0.0.1 - - \"GET /\" 200\n",
	    1180);
	is_message("<134>1 2026-09-21T14:13:20.123Z www.example.org stele - "
	    "access - 10.0.0.1 - - \"GET /\" 200");
}

static void what_is_not_known_is_a_dash(void **state)
{
	(void)state;
	format(0, "", "x", 1180);
	is_message("<134>1 - - stele - access - x");
}

static void a_host_cannot_end_its_field(void **state)
{
	(void)state;
	format(0, "a b\nc\x7f\xc3", "x", 1180);
	is_message("<134>1 - a?b?c?? stele - access - x");
}

static void times_have_three_decimals(void **state)
{
	static const struct { uint64_t ms; const char *text; } cases[] = {
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ 951782400099, "2000-02-29T00:00:00.099Z" },
		{ 1767225599999, "2025-12-31T23:59:59.999Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		format(cases[i].ms, "", "", 1180);
		assert_memory_equal(message + 7, cases[i].text, 24);
	}
}

static void a_line_that_just_fits_is_whole_and_one_more_is_cut(void **state)
{
	static const char head[] = "<134>1 - h stele - access - ";
	const size_t room = 400 - (sizeof head - 1);
	char line[512];

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line + room, "\n", 2);
	format(0, "h", line, 400);
	assert_int_equal(message_len, 400);
	assert_memory_equal(message + 397, "xxx", 3);

	memcpy(line + room, "x\n", 3);
	format(0, "h", line, 400);
	assert_int_equal(message_len, 400);
	assert_memory_equal(message + 396, "x...", 4);
}

static void the_longest_host_leaves_room_for_a_mark(void **state)
{
	char host[300];

	(void)state;
	memset(host, 'h', sizeof host);
	host[299] = '\0';
	format(1, host, "a long line that is too long for what is left of it",
	    HTTP_SYSLOG_HEAD_CAP + 1);
	assert_int_equal(message_len, HTTP_SYSLOG_HEAD_CAP + 1);
	assert_memory_equal(message + message_len - 3, "...", 3);
	assert_null(memchr(message + 32 + 255, 'h', 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_a_head_in_front),
		cmocka_unit_test(what_is_not_known_is_a_dash),
		cmocka_unit_test(a_host_cannot_end_its_field),
		cmocka_unit_test(times_have_three_decimals),
		cmocka_unit_test(
		    a_line_that_just_fits_is_whole_and_one_more_is_cut),
		cmocka_unit_test(the_longest_host_leaves_room_for_a_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/host_panic.c net/text.c http/log.c */
/*
 * The access log: a line is a line whatever a stranger writes into it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "http/log.h"
#include "kernel/gate.h"

static const struct net_peer peer = { .addr = { 192, 0, 2, 255 } };

/* The line in an allocation of just the promised size, for the sanitizer. */
static const char *format(const struct http_log_entry *entry)
{
	static char text[HTTP_LOG_LINE_CAP + 1];
	char *const out = malloc(HTTP_LOG_LINE_CAP);

	const size_t len = http_format_log(entry, out);
	assert_true(len <= HTTP_LOG_LINE_CAP && len <= GATE_LOG_MAX);
	memcpy(text, out, len);
	text[len] = 0;
	free(out);
	return text;
}

static struct http_log_entry entry(void)
{
	return (struct http_log_entry){
		.peer = &peer,
		.date = (const uint8_t *)"06/Nov/1994:08:49:37 +0000",
		.status = 200,
		.body_len = 18446744073709551615u,
		.line = HTTP_TEXT("GET / HTTP/1.1"),
	};
}

static void a_line_is_in_the_combined_format(void **state)
{
	struct http_log_entry e = entry();

	(void)state;
	assert_string_equal(format(&e),
	    "192.0.2.255 - - [06/Nov/1994:08:49:37 +0000] "
	    "\"GET / HTTP/1.1\" 200 18446744073709551615 \"-\" \"-\"\n");
	e.referer = HTTP_TEXT("http://a/");
	e.user_agent = HTTP_TEXT("curl/8");
	e.line = HTTP_TEXT("");
	e.status = 408;
	e.body_len = 0;
	assert_string_equal(format(&e),
	    "192.0.2.255 - - [06/Nov/1994:08:49:37 +0000] "
	    "\"-\" 408 0 \"http://a/\" \"curl/8\"\n");
}

/* RFC 5952, section 4 */
static void an_ipv6_address_is_written_in_the_one_form(void **state)
{
	static const struct net_peer six = {
		.is_ipv6 = true,
		.addr = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
	};
	struct http_log_entry e = entry();

	(void)state;
	e.peer = &six;
	assert_memory_equal(format(&e), "2001:db8::1 - - [", 17);
}

static void what_could_break_a_line_is_escaped(void **state)
{
	struct http_log_entry e = entry();

	(void)state;
	e.line = HTTP_TEXT("GET /\"\\\r\n\0\x1b\x7f\xff HTTP/1.1");
	assert_non_null(strstr(format(&e),
	    "\"GET /\\x22\\x5C\\x0D\\x0A\\x00\\x1B\\x7F\\xFF HTTP/1.1\" 200"));
}

static void long_texts_end_in_dots(void **state)
{
	static uint8_t many[8192];
	struct http_log_entry e = entry();

	(void)state;
	for (int c = 0; c < 256; c += 15) {
		memset(many, c, sizeof many);
		e.line = (struct http_text){ many, sizeof many };
		e.referer = e.line;
		e.user_agent = e.line;
		const char *const line = format(&e);

		assert_non_null(strstr(line, "...\" 200 "));
		assert_non_null(strstr(line, "...\" \""));
		assert_string_equal(line + strlen(line) - 5, "...\"\n");
	}
	/* What fits is whole. */
	memset(many, 'a', sizeof many);
	for (size_t len = 0; len < LIMIT_LOG_FIELD_LEN - 8; len++) {
		e = entry();
		e.user_agent = (struct http_text){ many, len };
		assert_null(strstr(format(&e), "..."));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_in_the_combined_format),
		cmocka_unit_test(an_ipv6_address_is_written_in_the_one_form),
		cmocka_unit_test(what_could_break_a_line_is_escaped),
		cmocka_unit_test(long_texts_end_in_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

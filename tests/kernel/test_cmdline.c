/* links: kernel/cmdline.c */
/*
 * Words of the command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cmdline.h"

static void value_is(const char *cmdline, const char *name,
    const char *expected)
{
	const char *value = NULL;
	size_t len = 99;

	assert_true(cmdline_find(cmdline, name, &value, &len));
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(value, expected, len);
	assert_true(value >= cmdline);
	assert_true(value + len <= cmdline + strlen(cmdline));
}

static void word_absent(const char *cmdline, const char *name)
{
	const char *value = NULL;
	size_t len = 99;

	assert_false(cmdline_find(cmdline, name, &value, &len));
	assert_null(value);
	assert_int_equal(len, 99);
}

static void words_are_found_anywhere(void **state)
{
	(void)state;
	value_is("log=off ip=dhcp x", "log", "off");
	value_is("log=off ip=dhcp x", "ip", "dhcp");
	value_is("log=off ip=dhcp x", "x", "");
	value_is("\t log=off\n", "log", "off");
}

static void an_empty_value_is_a_value(void **state)
{
	(void)state;
	value_is("log=", "log", "");
	value_is("log= next", "log", "");
	value_is("a==b", "a", "=b");
}

static void the_last_word_wins(void **state)
{
	(void)state;
	value_is("log=on log=off", "log", "off");
	value_is("log=on log", "log", "");
}

static void parts_of_words_are_not_words(void **state)
{
	(void)state;
	word_absent("logs=off nolog=1 xlog", "log");
	word_absent("lo", "log");
	word_absent("", "log");
	word_absent("   ", "log");
	word_absent("x=log", "log");
}

static void on_crash_has_three_values(void **state)
{
	enum on_crash how;

	(void)state;
	assert_null(cmdline_on_crash("", &how));
	assert_int_equal(how, ON_CRASH_RESTART);
	assert_null(cmdline_on_crash("on-crash=poweroff", &how));
	assert_int_equal(how, ON_CRASH_POWER_OFF);
	assert_null(cmdline_on_crash("on-crash=reboot", &how));
	assert_int_equal(how, ON_CRASH_REBOOT);
	assert_null(cmdline_on_crash("on-crash=reboot on-crash=restart", &how));
	assert_int_equal(how, ON_CRASH_RESTART);
}

static void another_value_of_on_crash_is_refused(void **state)
{
	const char *bad[] = {
		"on-crash", "on-crash=", "on-crash=rebooting", "on-crash=re",
		"on-crash=Reboot",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		enum on_crash how = ON_CRASH_REBOOT;

		assert_non_null(cmdline_on_crash(bad[i], &how));
		assert_int_equal(how, ON_CRASH_RESTART);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_anywhere),
		cmocka_unit_test(an_empty_value_is_a_value),
		cmocka_unit_test(the_last_word_wins),
		cmocka_unit_test(parts_of_words_are_not_words),
		cmocka_unit_test(on_crash_has_three_values),
		cmocka_unit_test(another_value_of_on_crash_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

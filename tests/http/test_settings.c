/* links: http/settings.c http/chars.c */
/*
 * The words of the command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/settings.h"

static void reads(const char *cmdline, bool log, uint32_t stats_s)
{
	struct http_settings settings;

	assert_null(http_read_settings(cmdline, &settings));
	assert_int_equal(settings.log, log);
	assert_int_equal(settings.stats_s, stats_s);
}

static void complains(const char *cmdline, const char *word)
{
	struct http_settings settings;
	const char *const said = http_read_settings(cmdline, &settings);

	assert_non_null(said);
	assert_memory_equal(said, word, strlen(word));
	assert_true(settings.log);
	assert_int_equal(settings.stats_s, 0);
}

static void words_are_found_among_others(void **state)
{
	(void)state;
	reads("", true, 0);
	reads("log=off", false, 0);
	reads("  ip=dhcp log=off  stats=5 ", false, 5);
	reads("log=off log=on", true, 0);
	reads("xlog=off blog=off log stats", true, 0);
	reads("stats=86400", true, 86400);
	reads("stats=0001", true, 1);
}

static void unknown_values_are_complained_about(void **state)
{
	(void)state;
	complains("log=", "log=");
	complains("log=no", "log=");
	complains("log=offf", "log=");
	complains("stats=", "stats=");
	complains("stats=0", "stats=");
	complains("stats=-1", "stats=");
	complains("stats=5s", "stats=");
	complains("stats=86401", "stats=");
	complains("stats=99999999999999999999", "stats=");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_among_others),
		cmocka_unit_test(unknown_values_are_complained_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: romfs/mkromfs/coding_source.c romfs/mkromfs/site.c romfs/mkromfs/url.c
 *        romfs/mkromfs/sha256.c romfs/mkromfs/memory.c romfs/mkromfs/report.c
 *        tests/romfs/coding_help.c tests/host_panic.c -lcrypto
 *        -lunistring -lz -lzstd -lbrotlidec */
/* A file that changes between the site's walk and the last byte read is no source. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "romfs/mkromfs/coding_source.h"
#include "tests/romfs/coding_help.h"

static struct folder top;

static int set_up(void **state)
{
	(void)state;
	folder_make(&top);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&top);
	return 0;
}

static void a_file_that_changed_is_no_source(void **state)
{
	static const char *const names[] = { "plain" };
	uint8_t digest[SHA256_LEN], byte;
	struct source source;
	struct site site;
	size_t got;

	(void)state;
	folder_put(&top, "plain", "before", 6);
	site_of(&site, &top, names, 1);
	site.files[0].mtime.tv_nsec ^= 1;
	assert_false(source_open(&source, &site, 0));
	assert_int_equal(errno, ESTALE);
	site.files[0].mtime.tv_nsec ^= 1;
	site.files[0].len = 5;
	assert_false(source_open(&source, &site, 0));
	assert_int_equal(errno, ESTALE);
	site.files[0].len = 6;
	assert_true(source_open(&source, &site, 0));
	folder_put(&top, "plain", "longer than before", 18);
	assert_true(source_read(&source, &byte, 1, &got));
	assert_false(source_finish(&source, digest));
	assert_int_equal(errno, ESTALE);
	source_close(&source);
	assert_false(source_open(&source, &site, 0));
	assert_int_equal(errno, ESTALE);
	site_close(&site);
}

static void a_file_that_shrinks_is_found(void **state)
{
	static const char *const names[] = { "plain" };
	static const uint8_t text[100];
	uint8_t bytes[sizeof text];
	struct source source;
	struct site site;
	size_t got;

	(void)state;
	folder_put(&top, "plain", text, sizeof text);
	site_of(&site, &top, names, 1);
	assert_true(source_open(&source, &site, 0));
	folder_put(&top, "plain", text, 50);
	assert_false(source_read(&source, bytes, sizeof bytes, &got));
	assert_int_equal(errno, ESTALE);
	source_close(&source);
	site_close(&site);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_that_changed_is_no_source),
		CASE(a_file_that_shrinks_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

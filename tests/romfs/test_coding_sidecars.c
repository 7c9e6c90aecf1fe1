/* links: romfs/mkromfs/coding.c romfs/mkromfs/coding_piece.c romfs/mkromfs/coding_cache.c
 *        romfs/mkromfs/coding_tidy.c romfs/mkromfs/coding_pool.c
 *        romfs/mkromfs/coding_progress.c romfs/mkromfs/coding_worth.c
 *        romfs/mkromfs/coding_check.c romfs/mkromfs/coding_encode.c
 *        romfs/mkromfs/coding_source.c romfs/mkromfs/site.c romfs/mkromfs/url.c
 *        romfs/mkromfs/sha256.c romfs/mkromfs/memory.c romfs/mkromfs/report.c
 *        tests/romfs/coding_jobs.c tests/romfs/coding_help.c tests/host_panic.c
 *        -lcrypto -lunistring -lz -lzstd -lbrotlienc -lbrotlidec -lpthread */
/*
 * Sidecars: files that somebody compressed himself and put beside the file.  They are used
 * as they are, if they decode to that file; else there is an error or a note.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <brotli/encode.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/romfs/coding_jobs.h"

/* Coded with little effort: what we make ourselves is smaller. */
static size_t code_badly(unsigned coding, const uint8_t *plain, size_t len,
    uint8_t *out, size_t cap)
{
	z_stream z = { .next_in = (uint8_t *)plain, .avail_in = (uInt)len,
		.next_out = out, .avail_out = (uInt)cap };
	size_t out_len = cap;

	switch (coding) {
	case ROMFS_GZIP:
		assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 1, 0), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		deflateEnd(&z);
		return z.total_out;
	case ROMFS_BROTLI:
		assert_true(BrotliEncoderCompress(1, 16, BROTLI_MODE_GENERIC, len, plain,
		    &out_len, out));
		return out_len;
	default:
		return ZSTD_compress(out, cap, plain, len, 1);
	}
}

static const char *const sidecar_names[] = {
	[ROMFS_GZIP] = "page.gz", [ROMFS_BROTLI] = "page.br", [ROMFS_ZSTD] = "page.zst",
};

static void a_right_sidecar_is_used_though_larger(void **state)
{
	static const char *const names[] = { "page" };
	static uint8_t plain[50000], coded[60000];

	(void)state;
	fill_text(plain, sizeof plain, 1);
	folder_put(&top, "page", plain, sizeof plain);
	for (unsigned c = 1; c < CODING_COUNT; c++)
		folder_put(&top, sidecar_names[c], coded,
		    code_badly(c, plain, sizeof plain, coded, sizeof coded));
	/* Once made, once from the cache. */
	for (int round = 0; round < 2; round++) {
		jobs_plan(names, 1);
		jobs_make_silently(cache, ALL);
		for (unsigned c = 1; c < CODING_COUNT; c++) {
			const size_t wanted = code_badly(c, plain, sizeof plain,
			    coded, sizeof coded);
			size_t len;
			uint8_t *data = job_bytes(0, c, &len);

			assert_int_equal(len, wanted);
			assert_memory_equal(data, coded, len);
			free(data);
		}
		jobs_end();
	}
}

/* Neither type nor probe matter: somebody wanted it so. */
static void a_sidecar_of_a_compressed_type_is_used(void **state)
{
	static const char *const names[] = { "page" };
	static uint8_t plain[5000], coded[6000];

	(void)state;
	fill_text(plain, sizeof plain, 1);
	folder_put(&top, "page", plain, sizeof plain);
	folder_put(&top, "page.gz", coded,
	    code_badly(ROMFS_GZIP, plain, sizeof plain, coded, sizeof coded));
	jobs_plan(names, 1);
	jobs[0].type = "image/png";
	jobs_make_silently(cache, ALL);
	assert_decodes(0, ROMFS_GZIP);
	assert_null(jobs[0].coded[ROMFS_BROTLI].path);
	jobs_end();
}

static void an_unwanted_sidecar_is_not_looked_at(void **state)
{
	static const char *const names[] = { "page" };

	(void)state;
	put_text("page", 5000, 1);
	folder_put(&top, "page.br", "nonsense", 8);
	jobs_plan(names, 1);
	jobs_make_silently(cache, 1u << ROMFS_GZIP);
	assert_decodes(0, ROMFS_GZIP);
	jobs_end();
}

static void a_wrong_sidecar_is_an_error_with_its_path(void **state)
{
	static const char *const names[] = { "page" };
	static uint8_t plain[50000], coded[60000];
	size_t errors;
	char *said;

	(void)state;
	fill_text(plain, sizeof plain, 1);
	folder_put(&top, "page", plain, sizeof plain);
	for (unsigned c = 1; c < CODING_COUNT; c++) {
		plain[40000] ^= 1;               /* of an older version of the file */
		folder_put(&top, sidecar_names[c], coded,
		    code_badly(c, plain, sizeof plain, coded, sizeof coded));
		plain[40000] ^= 1;
	}
	/* An error is not remembered as anything else. */
	for (int round = 0; round < 2; round++) {
		jobs_plan(names, 1);
		said = jobs_make(cache, ALL, &errors);
		assert_int_equal(errors, 3);
		for (unsigned c = 1; c < CODING_COUNT; c++)
			assert_said(said, sidecar_names[c],
			    "decodes to something else than its file, from byte 40000 on");
		assert_none(0);
		free(said);
		jobs_end();
	}
}

/* Another file, or another sidecar: what was remembered of the pair is worth nothing. */
static void a_sidecar_is_judged_by_the_file_it_stands_beside(void **state)
{
	static const char *const names[] = { "page" };
	static uint8_t plain[5000], coded[6000];
	size_t errors;
	char *said;

	(void)state;
	fill_text(plain, sizeof plain, 1);
	folder_put(&top, "page", plain, sizeof plain);
	folder_put(&top, "page.zst", coded,
	    code_badly(ROMFS_ZSTD, plain, sizeof plain, coded, sizeof coded));
	jobs_plan(names, 1);
	jobs_make_silently(cache, ALL);
	jobs_end();
	folder_put(&top, "page.zst", "nonsense", 8);
	jobs_plan(names, 1);
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 1);
	assert_said(said, "page.zst", "is not zstd");
	free(said);
	jobs_end();
	folder_put(&top, "page.zst", coded,
	    code_badly(ROMFS_ZSTD, plain, sizeof plain, coded, sizeof coded));
	plain[7] ^= 1;
	folder_put(&top, "page", plain, sizeof plain);
	jobs_plan(names, 1);
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 1);
	assert_said(said, "page.zst", "decodes to something else");
	free(said);
	jobs_end();
}

static void a_sidecar_that_is_not_smaller_is_noted(void **state)
{
	static const char *const names[] = { "page" };
	uint8_t plain[1000], coded[2000];
	size_t errors;
	char *said;

	(void)state;
	fill_noise(plain, sizeof plain, 1);
	folder_put(&top, "page", plain, sizeof plain);
	folder_put(&top, "page.gz", coded,
	    code_badly(ROMFS_GZIP, plain, sizeof plain, coded, sizeof coded));
	for (int round = 0; round < 2; round++) {
		jobs_plan(names, 1);
		said = jobs_make(cache, ALL, &errors);
		assert_int_equal(errors, 0);
		assert_said(said, "page.gz", "is not smaller than its file: not used\n");
		assert_non_null(strstr(said, "mkromfs: note: "));
		assert_none(0);
		free(said);
		jobs_end();
	}
}

static void a_gzip_sidecar_of_several_members_is_noted(void **state)
{
	static const char *const names[] = { "page" };
	static uint8_t plain[50000], coded[60000];
	size_t errors, len;
	char *said;

	(void)state;
	fill_text(plain, sizeof plain, 1);
	folder_put(&top, "page", plain, sizeof plain);
	len = code_badly(ROMFS_GZIP, plain, 20000, coded, sizeof coded);
	len += code_badly(ROMFS_GZIP, plain + 20000, 30000, coded + len, sizeof coded - len);
	folder_put(&top, "page.gz", coded, len);
	for (int round = 0; round < 2; round++) {
		jobs_plan(names, 1);
		said = jobs_make(cache, ALL, &errors);
		assert_int_equal(errors, 0);
		assert_said(said, "page.gz", "has several members");
		assert_decodes(0, ROMFS_GZIP);   /* decode() knows one member only */
		free(said);
		jobs_end();
	}
	/* Right it has to be all the same. */
	plain[30000] ^= 1;
	folder_put(&top, "page", plain, sizeof plain);
	jobs_plan(names, 1);
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 1);
	assert_said(said, "page.gz", "decodes to something else");
	free(said);
	jobs_end();
}

static void an_empty_sidecar_and_one_of_an_empty_file(void **state)
{
	static const char *const names[] = { "empty", "page" };
	uint8_t coded[100];
	size_t errors;
	char *said;

	(void)state;
	folder_put(&top, "empty", "", 0);
	folder_put(&top, "empty.br", coded,
	    code_badly(ROMFS_BROTLI, coded, 0, coded, sizeof coded));
	put_text("page", 1000, 1);
	folder_put(&top, "page.br", "", 0);
	jobs_plan(names, 2);
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 1);
	assert_said(said, "empty.br", "is not smaller than its file: not used");
	assert_said(said, "page.br", "ends too early");
	free(said);
	jobs_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_right_sidecar_is_used_though_larger),
		CASE(a_sidecar_of_a_compressed_type_is_used),
		CASE(an_unwanted_sidecar_is_not_looked_at),
		CASE(a_wrong_sidecar_is_an_error_with_its_path),
		CASE(a_sidecar_is_judged_by_the_file_it_stands_beside),
		CASE(a_sidecar_that_is_not_smaller_is_noted),
		CASE(a_gzip_sidecar_of_several_members_is_noted),
		CASE(an_empty_sidecar_and_one_of_an_empty_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

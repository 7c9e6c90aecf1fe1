/* links: romfs/mkromfs/coding.c romfs/mkromfs/coding_piece.c romfs/mkromfs/coding_cache.c
 *        romfs/mkromfs/coding_tidy.c romfs/mkromfs/coding_pool.c
 *        romfs/mkromfs/coding_progress.c romfs/mkromfs/coding_worth.c
 *        romfs/mkromfs/coding_check.c romfs/mkromfs/coding_encode.c
 *        romfs/mkromfs/coding_source.c romfs/mkromfs/site.c romfs/mkromfs/url.c
 *        romfs/mkromfs/sha256.c romfs/mkromfs/memory.c romfs/mkromfs/report.c
 *        tests/romfs/coding_jobs.c tests/romfs/coding_help.c tests/host_panic.c
 *        -lcrypto -lunistring -lz -lzstd -lbrotlienc -lbrotlidec -lpthread */
/*
 * Files in all codings: what comes out decodes to them, with libraries and with the tools
 * of the system; what is kept is worth it; neither cache nor processors make a difference;
 * what is wrong is said once and in order.
 */
#include <dirent.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "romfs/mkromfs/coding_worth.h"
#include "tests/romfs/coding_jobs.h"

#define LEN_CAP 300000u

/* ---- What is made ---------------------------------------------------------------- */

static void files_are_coded_in_all_that_is_wanted(void **state)
{
	static const char *const names[] = { "a.html", "b.css", "c.js" };

	(void)state;
	put_text("a.html", 5000, 1);
	put_text("b.css", 70000, 2);
	put_text("c.js", LEN_CAP, 3);
	for (unsigned wanted = 0; wanted < 8; wanted++) {
		jobs_plan(names, ARRAY_LEN(names));
		jobs_make_silently(cache, wanted << 1);
		for (size_t i = 0; i < job_count; i++) {
			assert_null(jobs[i].coded[0].path);
			for (unsigned c = 1; c < CODING_COUNT; c++) {
				if ((wanted << 1 >> c & 1) != 0)
					assert_decodes(i, c);
				else
					assert_null(jobs[i].coded[c].path);
			}
		}
		jobs_end();
	}
	assert_string_equal(coding_name(ROMFS_GZIP), "gzip");
	assert_string_equal(coding_name(ROMFS_BROTLI), "br");
	assert_string_equal(coding_name(ROMFS_ZSTD), "zstd");
}

static void what_is_not_worth_it_is_not_coded(void **state)
{
	static const char *const names[] = {
		"empty", "one", "small", "noise", "large-noise", "photo.jpg",
	};

	(void)state;
	folder_put(&top, "empty", "", 0);
	folder_put(&top, "one", "x", 1);
	put_text("small", 64, 1);
	put_noise("noise", 2000, 1);
	put_noise("large-noise", LEN_CAP, 1);
	put_text("photo.jpg", 5000, 1);
	for (int round = 0; round < 2; round++) {
		jobs_plan(names, ARRAY_LEN(names));
		jobs[5].type = "image/jpeg";
		jobs_make_silently(cache, ALL);
		for (size_t i = 0; i < job_count; i++)
			assert_none(i);
		jobs_end();
	}
}

/* Noise, then a run of one byte: its length decides how much is saved. */
static size_t gzip_len_of(const uint8_t *data, size_t len)
{
	static uint8_t out[20000];
	z_stream z = { .next_in = (uint8_t *)data, .avail_in = (uInt)len,
		.next_out = out, .avail_out = sizeof out };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/*
 * Files of growing length around the edge: gzip, which is made with the same library here,
 * is kept just where it has at most as many bytes as it may; both sides are met.
 */
static void assert_edge_is_exact(size_t noise, size_t first, size_t last)
{
	bool at_limit = false, over = false;
	uint8_t data[8192];

	fill_noise(data, noise, 4);
	memset(data + noise, 'x', sizeof data - noise);
	for (size_t len = first; len <= last; len++) {
		const size_t coded_len = gzip_len_of(data, len);
		static const char *const names[] = { "edge" };
		const bool kept = coded_len <= coding_limit(len);

		folder_put(&top, "edge", data, len);
		jobs_plan(names, 1);
		jobs_make_silently(cache, 1u << ROMFS_GZIP);
		assert_int_equal(jobs[0].coded[ROMFS_GZIP].path != NULL, kept);
		if (kept)
			assert_int_equal(jobs[0].coded[ROMFS_GZIP].len, coded_len);
		at_limit = at_limit || coded_len == coding_limit(len);
		over = over || coded_len == coding_limit(len) + 1;
		jobs_end();
	}
	assert_true(at_limit);
	assert_true(over);
}

static void the_edge_of_64_bytes_is_exact(void **state)
{
	(void)state;
	assert_edge_is_exact(300, 300 + 64, 300 + 130);
}

static void the_edge_of_a_twentieth_is_exact(void **state)
{
	(void)state;
	assert_edge_is_exact(4000, 4200, 4300);
}

/* The tools that everybody has, not the libraries that we are linked with. */
static void tools_of_the_system_decode_it(void **state)
{
	static const char *const names[] = { "text" };
	static const char *const tools[] = {
		[ROMFS_GZIP] = "gzip -dc", [ROMFS_BROTLI] = "brotli -dc",
		[ROMFS_ZSTD] = "zstd -dcq",
	};
	uint8_t *plain, *coded, *out;
	size_t plain_len, len;
	char command[256];
	FILE *pipe;

	(void)state;
	put_text("text", LEN_CAP, 9);
	jobs_plan(names, 1);
	jobs_make_silently(cache, ALL);
	plain = job_file(0, &plain_len);
	out = malloc(plain_len + 1);
	for (unsigned c = 1; c < CODING_COUNT; c++) {
		coded = job_bytes(0, c, &len);
		folder_put(&beside, "coded", coded, len);
		snprintf(command, sizeof command, "%s <%s/coded", tools[c], beside.path);
		pipe = popen(command, "r");
		assert_non_null(pipe);
		assert_int_equal(fread(out, 1, plain_len + 1, pipe), plain_len);
		assert_memory_equal(out, plain, plain_len);
		assert_int_equal(pclose(pipe), 0);
		free(coded);
	}
	free(out);
	free(plain);
	jobs_end();
}

/* ---- Cache and processors ----------------------------------------------------------- */

#define MANY 20

static void plan_many(char names[MANY][8])
{
	const char *list[MANY];

	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "f%02zu", i);
		list[i] = names[i];
	}
	jobs_plan(list, MANY);
}

/* Digest of all outputs: by name, coding and bytes. */
static uint64_t digest_of_all(void)
{
	uint64_t digest = 14695981039346656037u;

	for (size_t i = 0; i < job_count; i++) {
		for (unsigned c = 1; c < CODING_COUNT; c++) {
			size_t len;
			uint8_t *data = job_bytes(i, c, &len);

			digest = (digest ^ (len + 7 * c + 1000 * i)) * 1099511628211u;
			for (size_t k = 0; k < len; k++)
				digest = (digest ^ data[k]) * 1099511628211u;
			free(data);
		}
	}
	return digest;
}

static uint64_t make_many(const char *folder)
{
	char names[MANY][8];
	uint64_t digest;

	plan_many(names);
	jobs_make_silently(folder, ALL);
	digest = digest_of_all();
	jobs_end();
	return digest;
}

static void neither_cache_nor_processors_matter(void **state)
{
	cpu_set_t all, one;
	char name[8];
	uint64_t digest;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "f%02zu", i);
		if (i % 5 == 4)
			put_noise(name, 100 * i, i);
		else
			put_text(name, 50 + 700 * i, i / 2);
	}
	digest = make_many(NULL);
	assert_int_equal(access(cache, F_OK), -1);
	assert_true(make_many(cache) == digest);
	assert_true(make_many(cache) == digest);
	assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
	CPU_ZERO(&one);
	for (int i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	assert_true(make_many(NULL) == digest);
	assert_true(make_many(cache) == digest);
	assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

/* Entries hold until they are damaged; the negative ones, too. */
static void entries_are_used_again_and_damaged_ones_made_again(void **state)
{
	static const char *const names[] = { "text", "edge" };
	struct stat before[6], after;
	uint8_t data[2300];
	char *paths[6];
	size_t entries = 0;
	const struct dirent *entry;
	uint64_t digest;
	DIR *folder;

	(void)state;
	put_text("text", 20000, 1);
	fill_noise(data, sizeof data, 1);
	memset(data + 2200, 'x', 100);           /* the probe thinks it is worth a try */
	folder_put(&top, "edge", data, sizeof data);
	jobs_plan(names, 2);
	jobs_make_silently(cache, ALL);
	assert_none(1);
	digest = digest_of_all();
	jobs_end();

	folder = opendir(cache);
	while ((entry = readdir(folder)) != NULL) {
		if (strlen(entry->d_name) < 64)
			continue;
		assert_true(entries < ARRAY_LEN(paths));
		assert_true(asprintf(&paths[entries], "%s/%s", cache, entry->d_name) > 0);
		assert_int_equal(stat(paths[entries], &before[entries]), 0);
		entries++;
	}
	closedir(folder);
	assert_int_equal(entries, 6);

	assert_int_equal(truncate(paths[2], before[2].st_size - 1), 0);
	jobs_plan(names, 2);
	jobs_make_silently(cache, ALL);
	assert_true(digest_of_all() == digest);
	jobs_end();
	for (size_t i = 0; i < entries; i++) {
		assert_int_equal(stat(paths[i], &after), 0);
		assert_int_equal(after.st_size, before[i].st_size);
		assert_true((after.st_ino == before[i].st_ino) == (i != 2));
		free(paths[i]);
	}
}

/* Whatever the names: the content decides. */
static void equal_files_share_an_entry(void **state)
{
	static const char *const names[] = { "one", "two" };

	(void)state;
	put_text("one", 9000, 5);
	put_text("two", 9000, 5);
	jobs_plan(names, 2);
	jobs_make_silently(cache, ALL);
	for (unsigned c = 1; c < CODING_COUNT; c++)
		assert_string_equal(jobs[0].coded[c].path, jobs[1].coded[c].path);
	jobs_end();
	assert_int_equal(folder_count(cache), 2 + 3);
}

static void without_a_cache_nothing_is_left(void **state)
{
	static const char *const names[] = { "text" };

	(void)state;
	put_text("text", 9000, 5);
	jobs_plan(names, 1);
	setenv("TMPDIR", beside.path, 1);
	jobs_make_silently(NULL, ALL);
	assert_decodes(0, ROMFS_GZIP);
	assert_int_equal(folder_count(beside.path), 2);     /* it and stderr's file */
	jobs_end();
	assert_int_equal(folder_count(beside.path), 1);
	unsetenv("TMPDIR");
}

/* ---- What goes wrong ---------------------------------------------------------------- */

static void errors_come_once_and_in_order(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	size_t errors;
	const char *at[3];
	char *said;

	(void)state;
	put_text("a", 3000, 1);
	put_text("b", 90000, 2);
	put_text("c", 3000, 3);
	put_text("d", 200000, 4);
	folder_put(&top, "c.zst", "nonsense", 8);
	jobs_plan(names, 4);
	put_text("a", 3000, 9);          /* another time of modification */
	site.files[jobs[0].file].mtime.tv_sec -= 5;
	site.files[jobs[3].file].len++;
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 3);
	at[0] = strstr(said, "/a: changed while it was read\n");
	at[1] = strstr(said, "/c.zst: ");
	at[2] = strstr(said, "/d: changed while it was read\n");
	assert_non_null(at[0]);
	assert_true(at[0] < at[1] && at[1] < at[2]);
	assert_none(0);
	assert_none(3);
	assert_decodes(1, ROMFS_GZIP);
	free(said);
	jobs_end();
}

static void a_file_that_is_gone_is_an_error(void **state)
{
	static const char *const names[] = { "a" };
	size_t errors;
	char *said, *path;

	(void)state;
	put_text("a", 3000, 1);
	jobs_plan(names, 1);
	path = folder_path(&top, "a");
	unlink(path);
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 1);
	assert_said(said, "a", "No such file or directory\n");
	free(path);
	free(said);
	jobs_end();
}

static void a_cache_that_cannot_be_written_is_one_error(void **state)
{
	static const char *const names[] = { "a", "b" };
	size_t errors;
	char *said, *unfinished;

	(void)state;
	put_text("a", 3000, 1);
	put_text("b", 3000, 2);
	folder_put(&beside, "file", "", 0);
	jobs_plan(names, 2);
	said = jobs_make("/dev/null/cache", ALL, &errors);
	assert_int_equal(errors, 1);
	assert_non_null(strstr(said, "/dev/null/cache: cannot be written"));
	assert_none(0);
	free(said);
	codings_end(jobs, job_count);

	/* It was good at first: what is not a folder can be written by nobody, root neither. */
	jobs_make_silently(cache, 1u << ROMFS_GZIP);
	codings_end(jobs, job_count);
	assert_true(asprintf(&unfinished, "%s/new", cache) > 0);
	assert_int_equal(rmdir(unfinished), 0);
	assert_int_equal(symlink("/proc/self/fdinfo", unfinished), 0);
	said = jobs_make(cache, ALL, &errors);
	assert_int_equal(errors, 1);
	assert_non_null(strstr(said, "cache: cannot be written: "));
	free(said);
	free(unfinished);
	jobs_end();
}

static void no_jobs_are_no_work(void **state)
{
	size_t errors;
	char *said;

	(void)state;
	job_count = 0;
	said = jobs_make("/dev/null/cache", ALL, &errors);
	assert_int_equal(errors, 0);
	free(said);
	codings_end(jobs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(files_are_coded_in_all_that_is_wanted),
		CASE(what_is_not_worth_it_is_not_coded),
		CASE(the_edge_of_64_bytes_is_exact),
		CASE(the_edge_of_a_twentieth_is_exact),
		CASE(tools_of_the_system_decode_it),
		CASE(neither_cache_nor_processors_matter),
		CASE(entries_are_used_again_and_damaged_ones_made_again),
		CASE(equal_files_share_an_entry),
		CASE(without_a_cache_nothing_is_left),
		CASE(errors_come_once_and_in_order),
		CASE(a_file_that_is_gone_is_an_error),
		CASE(a_cache_that_cannot_be_written_is_one_error),
		CASE(no_jobs_are_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

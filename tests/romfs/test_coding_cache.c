/* links: romfs/mkromfs/coding_cache.c romfs/mkromfs/coding_tidy.c romfs/mkromfs/sha256.c
 *        romfs/mkromfs/memory.c romfs/mkromfs/report.c tests/romfs/coding_help.c
 *        tests/host_panic.c -lcrypto -lunistring -lz -lzstd -lbrotlidec */
/*
 * The cache of compressed files: what was put there whole comes out, and nothing else does;
 * several runs at a time; what is deleted, and what is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "romfs/mkromfs/coding_cache.h"
#include "romfs/mkromfs/report.h"
#include "tests/romfs/coding_help.h"

#define FOOTER_LEN 48

static struct folder top;
static char *folder;             /* of the cache: not there at first */

static int set_up(void **state)
{
	(void)state;
	folder_make(&top);
	folder = folder_path(&top, "a/b/cache");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(folder);
	folder_remove(&top);
	return 0;
}

static struct cache_key key_number(uint8_t n)
{
	struct cache_key key = { .coding = "br" };

	memset(key.digest, n, sizeof key.digest);
	return key;
}

/* Put text under key n; returns the entry's path, to be freed. */
static char *put(struct cache *cache, uint8_t n, const char *text)
{
	const struct cache_key key = key_number(n);
	struct cache_entry entry;
	char *path;

	assert_true(cache_start(cache, &key, &entry));
	assert_true(cache_add(&entry, (const uint8_t *)text, strlen(text)));
	assert_true(cache_finish(&entry, &path));
	return path;
}

static enum cache_found find(struct cache *cache, uint8_t n)
{
	const struct cache_key key = key_number(n);
	enum cache_found found;
	uint64_t len;
	char *path;

	found = cache_find(cache, &key, &len, &path);
	free(path);
	return found;
}

static struct cache *open_cache(void)
{
	struct cache *cache = cache_open(folder);

	assert_non_null(cache);
	return cache;
}

static void put_and_close(uint8_t n, const char *text, char **path)
{
	struct cache *cache = open_cache();

	*path = put(cache, n, text);
	cache_close(cache);
}

/* The file, or the folder's name if NULL, was used so long ago. */
static void make_older(const char *path, time_t seconds)
{
	const struct timespec then = { .tv_sec = time(NULL) - seconds };

	assert_int_equal(utimensat(AT_FDCWD, path,
	    (const struct timespec[2]){ then, then }, 0), 0);
}

static void make_untidy(void)
{
	char *lock;

	assert_true(asprintf(&lock, "%s/lock", folder) > 0);
	make_older(lock, CACHE_TIDY_S + 10);
	free(lock);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- Entries ------------------------------------------------------------------- */

static void an_entry_comes_out_as_it_went_in(void **state)
{
	const struct cache_key key = key_number(1);
	struct cache *cache;
	uint64_t len;
	size_t whole;
	uint8_t *data;
	char *path, *made;

	(void)state;
	put_and_close(1, "some bytes", &made);
	cache = open_cache();
	assert_int_equal(cache_find(cache, &key, &len, &path), CACHE_KEPT);
	assert_string_equal(path, made);
	assert_int_equal(len, 10);
	data = read_whole(path, &whole);
	assert_int_equal(whole, 10 + FOOTER_LEN);
	assert_memory_equal(data, "some bytes", 10);
	assert_int_equal(find(cache, 2), CACHE_MISSING);
	free(data);
	free(path);
	free(made);
	cache_close(cache);
}

static void that_it_was_not_worth_it_is_remembered(void **state)
{
	const struct cache_key key = key_number(1);
	struct cache *cache = open_cache();
	struct cache_entry entry;

	(void)state;
	assert_true(cache_start(cache, &key, &entry));
	assert_true(cache_add(&entry, (const uint8_t *)"half of it", 10));
	assert_true(cache_not_worth(&entry));
	assert_int_equal(find(cache, 1), CACHE_NOT_WORTH);
	cache_close(cache);
}

static void a_dropped_entry_leaves_nothing(void **state)
{
	const struct cache_key key = key_number(1);
	struct cache *cache = open_cache();
	struct cache_entry entry;

	(void)state;
	assert_true(cache_start(cache, &key, &entry));
	assert_true(exists(entry.path));
	cache_drop(&entry);
	assert_int_equal(find(cache, 1), CACHE_MISSING);
	assert_int_equal(folder_count(folder), 2);      /* lock, new */
	cache_close(cache);
}

/* Every byte of an entry, footer and all, turned over; and every length but the right one. */
static void a_damaged_entry_is_missing(void **state)
{
	struct cache *cache = open_cache();
	char *path = put(cache, 7, "bytes that matter");
	size_t len;
	uint8_t *data = read_whole(path, &len), *copy = malloc(len + 1);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, data, len);
		copy[i] ^= 0x10;
		folder_put(&top, path + strlen(top.path) + 1, copy, len);
		assert_int_equal(find(cache, 7), CACHE_MISSING);
	}
	memcpy(copy, data, len);
	copy[len] = 0;
	for (size_t i = 0; i <= len + 1; i++) {
		folder_put(&top, path + strlen(top.path) + 1, copy, i);
		assert_int_equal(find(cache, 7), i == len ? CACHE_KEPT : CACHE_MISSING);
	}
	free(put(cache, 7, "bytes that matter"));
	assert_int_equal(find(cache, 7), CACHE_KEPT);
	free(copy);
	free(data);
	free(path);
	cache_close(cache);
}

static void a_whole_entry_under_another_name_is_missing(void **state)
{
	struct cache *cache = open_cache();
	char *first = put(cache, 1, "one"), *second = put(cache, 2, "two");

	(void)state;
	assert_int_equal(rename(first, second), 0);
	assert_int_equal(find(cache, 1), CACHE_MISSING);
	assert_int_equal(find(cache, 2), CACHE_MISSING);
	free(first);
	free(second);
	cache_close(cache);
}

static void what_is_no_file_is_missing(void **state)
{
	struct cache *cache = open_cache();
	char *path = put(cache, 1, "one");

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(find(cache, 1), CACHE_MISSING);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(find(cache, 1), CACHE_MISSING);
	free(path);
	cache_close(cache);
}

/* ---- Errors -------------------------------------------------------------------- */

static void assert_cannot_open(const char *path, const char *reason)
{
	const size_t before = report_count();
	char *text;

	catch_stderr(&top);
	assert_null(cache_open(path));
	text = caught_stderr(&top);
	assert_int_equal(report_count(), before + 1);
	assert_non_null(strstr(text, path));
	assert_non_null(strstr(text, reason));
	free(text);
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
	char *file = folder_path(&top, "file"), *below = folder_path(&top, "file/cache");

	(void)state;
	folder_put(&top, "file", "x", 1);
	assert_cannot_open(file, "Not a directory");
	assert_cannot_open(below, "Not a directory");
	assert_cannot_open("/proc/nothing/here", "No such file or directory");
	free(below);
	free(file);
}

static void a_full_disk_is_an_error(void **state)
{
	const struct cache_key key = key_number(1);
	struct cache *cache = open_cache();
	struct cache_entry entry;
	char *path;

	(void)state;
	assert_true(cache_start(cache, &key, &entry));
	close(entry.fd);
	entry.fd = open("/dev/full", O_RDWR);
	assert_false(cache_add(&entry, (const uint8_t *)"bytes", 5));
	assert_int_equal(errno, ENOSPC);
	assert_false(cache_finish(&entry, &path));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(find(cache, 1), CACHE_MISSING);
	assert_int_equal(folder_count(folder), 2);
	cache_close(cache);
}

/* ---- Several at a time ------------------------------------------------------------ */

static void two_may_have_it_open_and_write_the_same_entry(void **state)
{
	const struct cache_key key = key_number(1);
	struct cache *first = open_cache(), *second = open_cache();
	struct cache_entry a, b;
	char *path;

	(void)state;
	assert_true(cache_start(first, &key, &a));
	assert_true(cache_start(second, &key, &b));
	assert_string_not_equal(a.path, b.path);
	assert_true(cache_add(&a, (const uint8_t *)"same", 4));
	assert_true(cache_add(&b, (const uint8_t *)"same", 4));
	assert_true(cache_finish(&a, &path));
	free(path);
	assert_int_equal(find(second, 1), CACHE_KEPT);
	assert_true(cache_finish(&b, &path));
	free(path);
	assert_int_equal(find(first, 1), CACHE_KEPT);
	cache_close(first);
	assert_int_equal(find(second, 1), CACHE_KEPT);
	cache_close(second);
}

/* Processes that make, use and tidy the same entries all the time. */
static void many_processes_share_it(void **state)
{
	pid_t children[6];
	int status;

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(children); c++) {
		children[c] = fork();
		if (children[c] != 0)
			continue;
		for (int round = 0; round < 60; round++) {
			struct cache *cache = cache_open(folder);

			if (cache == NULL)
				_exit(1);
			for (uint8_t n = 0; n < 5; n++) {
				if (find(cache, n) == CACHE_MISSING)
					free(put(cache, n, "the same bytes for all"));
				if (find(cache, n) != CACHE_KEPT)
					_exit(2);
			}
			make_untidy();
			cache_close(cache);
		}
		_exit(0);
	}
	for (size_t c = 0; c < ARRAY_LEN(children); c++) {
		assert_int_equal(waitpid(children[c], &status, 0), children[c]);
		assert_int_equal(status, 0);
	}
}

/* ---- What is deleted ---------------------------------------------------------------- */

static void what_a_killed_run_left_goes_at_the_next_opening(void **state)
{
	const struct cache_key key = key_number(1);
	struct cache *killed = open_cache(), *other;
	struct cache_entry entry;

	(void)state;
	assert_true(cache_start(killed, &key, &entry));
	other = open_cache();
	assert_true(exists(entry.path));        /* it is not dead yet */
	cache_close(other);
	cache_close(killed);
	other = open_cache();
	assert_false(exists(entry.path));
	cache_close(other);
	close(entry.fd);
	free(entry.path);
}

static void old_entries_go_and_others_stay(void **state)
{
	char *old, *young;
	struct cache *cache;

	(void)state;
	put_and_close(1, "old", &old);
	put_and_close(2, "young", &young);
	make_older(old, CACHE_KEEP_S + 60);
	make_older(young, CACHE_KEEP_S - 60);
	cache = open_cache();
	cache_close(cache);
	assert_true(exists(old));               /* tidied less than an hour ago */
	make_untidy();
	cache = open_cache();
	cache_close(cache);
	assert_false(exists(old));
	assert_true(exists(young));
	free(old);
	free(young);
}

static void what_was_used_is_not_old(void **state)
{
	struct cache *cache;
	char *old;

	(void)state;
	put_and_close(1, "old", &old);
	make_older(old, CACHE_KEEP_S + 60);
	make_untidy();
	cache = open_cache();
	assert_int_equal(find(cache, 1), CACHE_KEPT);
	cache_close(cache);
	assert_true(exists(old));
	free(old);
}

static void nothing_goes_while_another_run_is_active(void **state)
{
	struct cache *cache, *other;
	char *old;

	(void)state;
	put_and_close(1, "old", &old);
	make_older(old, CACHE_KEEP_S + 60);
	make_untidy();
	other = open_cache();
	cache = open_cache();
	cache_close(cache);
	assert_true(exists(old));
	cache_close(other);
	assert_false(exists(old));
	free(old);
}

/* Sparse files weigh as much as they are long. */
static void of_too_much_the_longest_unused_go(void **state)
{
	char *paths[5];
	struct cache *cache;

	(void)state;
	for (uint8_t n = 0; n < 5; n++) {
		put_and_close(n, "x", &paths[n]);
		assert_int_equal(truncate(paths[n], (off_t)(CACHE_CAP_LEN / 3)), 0);
		make_older(paths[n], 1000 - 100 * n);
	}
	make_untidy();
	cache = open_cache();
	free(put(cache, 9, "of this run"));
	cache_close(cache);
	assert_false(exists(paths[0]));
	assert_false(exists(paths[1]));
	assert_false(exists(paths[2]));         /* three thirds and a byte are too much */
	assert_true(exists(paths[3]));
	assert_true(exists(paths[4]));
	cache = open_cache();
	assert_int_equal(find(cache, 9), CACHE_KEPT);
	cache_close(cache);
	for (size_t n = 0; n < 5; n++)
		free(paths[n]);
}

static void what_this_run_used_stays_however_much_it_is(void **state)
{
	struct cache *cache;
	char *path;

	(void)state;
	put_and_close(1, "x", &path);
	make_untidy();
	cache = open_cache();
	free(put(cache, 1, "x"));
	assert_int_equal(truncate(path, (off_t)(CACHE_CAP_LEN + 1)), 0);
	cache_close(cache);
	assert_true(exists(path));
	free(path);
}

static void files_of_others_are_left_alone(void **state)
{
	static const char *const names[] = {
		"a/b/cache/README", "a/b/cache/0123456789abcdef.br", "a/b/cache/new/notes",
	};
	struct cache *cache = open_cache();

	(void)state;
	cache_close(cache);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = folder_path(&top, names[i]);

		folder_put(&top, names[i], "x", 1);
		make_older(path, 10 * CACHE_KEEP_S);
		free(path);
	}
	make_untidy();
	cache = open_cache();
	cache_close(cache);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = folder_path(&top, names[i]);

		assert_true(exists(path));
		free(path);
	}
}

/* ---- Temporary ones ------------------------------------------------------------------ */

static void a_temporary_cache_goes_away(void **state)
{
	struct cache *cache;

	(void)state;
	setenv("TMPDIR", top.path, 1);
	cache = cache_open(NULL);
	assert_non_null(cache);
	assert_int_equal(folder_count(top.path), 1);
	free(put(cache, 1, "one"));
	assert_int_equal(find(cache, 1), CACHE_KEPT);
	cache_close(cache);
	assert_int_equal(folder_count(top.path), 0);
}

static void an_abandoned_temporary_cache_goes_with_the_next(void **state)
{
	struct cache *cache, *alive;
	pid_t child;
	int status;

	(void)state;
	setenv("TMPDIR", top.path, 1);
	child = fork();
	if (child == 0) {
		const struct cache_key key = key_number(2);
		struct cache_entry entry;

		cache = cache_open(NULL);
		free(put(cache, 1, "one"));
		_exit(cache_start(cache, &key, &entry) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(folder_count(top.path), 1);
	alive = cache_open(NULL);
	assert_non_null(alive);
	assert_int_equal(folder_count(top.path), 1);
	cache = cache_open(NULL);
	assert_int_equal(folder_count(top.path), 2);
	free(put(alive, 1, "one"));
	cache_close(cache);
	cache_close(alive);
	assert_int_equal(folder_count(top.path), 0);
}

static void nowhere_to_put_it_is_an_error(void **state)
{
	const size_t before = report_count();
	char *text;

	(void)state;
	setenv("TMPDIR", "/nonexistent", 1);
	catch_stderr(&top);
	assert_null(cache_open(NULL));
	text = caught_stderr(&top);
	assert_int_equal(report_count(), before + 1);
	assert_non_null(strstr(text, "/nonexistent/mkromfs"));
	free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_entry_comes_out_as_it_went_in),
		CASE(that_it_was_not_worth_it_is_remembered),
		CASE(a_dropped_entry_leaves_nothing),
		CASE(a_damaged_entry_is_missing),
		CASE(a_whole_entry_under_another_name_is_missing),
		CASE(what_is_no_file_is_missing),
		CASE(a_folder_that_cannot_be_written_is_an_error),
		CASE(a_full_disk_is_an_error),
		CASE(two_may_have_it_open_and_write_the_same_entry),
		CASE(many_processes_share_it),
		CASE(what_a_killed_run_left_goes_at_the_next_opening),
		CASE(old_entries_go_and_others_stay),
		CASE(what_was_used_is_not_old),
		CASE(nothing_goes_while_another_run_is_active),
		CASE(of_too_much_the_longest_unused_go),
		CASE(what_this_run_used_stays_however_much_it_is),
		CASE(files_of_others_are_left_alone),
		CASE(a_temporary_cache_goes_away),
		CASE(an_abandoned_temporary_cache_goes_with_the_next),
		CASE(nowhere_to_put_it_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

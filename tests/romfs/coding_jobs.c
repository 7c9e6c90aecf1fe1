/* Contract: coding_jobs.h. */
#include "tests/romfs/coding_jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "romfs/mkromfs/coding_worth.h"
#include "romfs/mkromfs/report.h"
#include "romfs/romfs.h"

#define NAMES_CAP ARRAY_LEN(jobs)

struct folder top, beside;
char *cache;
struct site site;
struct coding_job jobs[64];
size_t job_count;

int jobs_set_up(void **state)
{
	(void)state;
	folder_make(&top);
	folder_make(&beside);
	cache = folder_path(&beside, "cache");
	return 0;
}

int jobs_tear_down(void **state)
{
	(void)state;
	free(cache);
	folder_remove(&top);
	folder_remove(&beside);
	return 0;
}

void put_text(const char *name, size_t len, uint64_t seed)
{
	uint8_t *data = malloc(len + 1);

	fill_text(data, len, seed);
	folder_put(&top, name, data, len);
	free(data);
}

void put_noise(const char *name, size_t len, uint64_t seed)
{
	uint8_t *data = malloc(len + 1);

	fill_noise(data, len, seed);
	folder_put(&top, name, data, len);
	free(data);
}

static size_t index_of(const char *name)
{
	for (size_t i = 0; i < site.file_count; i++)
		if (strcmp(site.files[i].path, name) == 0)
			return i;
	return SIZE_MAX;
}

void jobs_plan(const char *const *names, size_t name_count)
{
	static const char *const endings[] = {
		[ROMFS_GZIP] = ".gz", [ROMFS_BROTLI] = ".br", [ROMFS_ZSTD] = ".zst",
	};
	const char *all[NAMES_CAP] = { NULL };
	char sidecars[NAMES_CAP][64];
	size_t all_count = 0;

	for (size_t i = 0; i < name_count; i++) {
		all[all_count++] = names[i];
		for (unsigned c = 1; c < CODING_COUNT; c++) {
			char *path;

			snprintf(sidecars[all_count], sizeof sidecars[0], "%s%s", names[i],
			    endings[c]);
			path = folder_path(&top, sidecars[all_count]);
			if (access(path, F_OK) == 0) {
				all[all_count] = sidecars[all_count];
				all_count++;
			}
			free(path);
		}
	}
	site_of(&site, &top, all, all_count);
	job_count = name_count;
	for (size_t i = 0; i < job_count; i++) {
		jobs[i] = (struct coding_job){ .site = &site, .file = index_of(names[i]),
			.type = "text/plain" };
		for (unsigned c = 0; c < CODING_COUNT; c++) {
			char name[64];

			snprintf(name, sizeof name, "%s%s", names[i], c > 0 ? endings[c] : "?");
			jobs[i].sidecars[c] = index_of(name);
		}
	}
}

char *jobs_make(const char *folder, unsigned codings, size_t *errors)
{
	const struct coding_options options = {
		.cache = folder, .codings = codings, .progress = true,
	};
	const size_t before = report_count();

	catch_stderr(&beside);
	codings_make(jobs, job_count, &options);
	*errors = report_count() - before;
	return caught_stderr(&beside);
}

void jobs_make_silently(const char *folder, unsigned codings)
{
	size_t errors;
	char *said = jobs_make(folder, codings, &errors);

	assert_string_equal(said, "");
	assert_int_equal(errors, 0);
	free(said);
}

void jobs_end(void)
{
	codings_end(jobs, job_count);
	site_close(&site);
}

uint8_t *job_bytes(size_t job, unsigned coding, size_t *len)
{
	const struct coded *coded = &jobs[job].coded[coding];
	uint8_t *data;

	*len = (size_t)coded->len;
	if (coded->path == NULL)
		return NULL;
	data = read_whole(coded->path, len);
	assert_true(coded->len <= *len);
	*len = (size_t)coded->len;
	return data;
}

uint8_t *job_file(size_t job, size_t *len)
{
	char *path = folder_path(&top, site.files[jobs[job].file].path);
	uint8_t *data = read_whole(path, len);

	free(path);
	return data;
}

void assert_decodes(size_t job, unsigned coding)
{
	size_t len, plain_len;
	uint8_t *data = job_bytes(job, coding, &len), *plain = job_file(job, &plain_len);
	uint8_t *out = malloc(plain_len + 1);

	assert_non_null(data);
	assert_true(len <= coding_limit(plain_len));
	assert_int_equal(decode(coding, data, len, out, plain_len + 1), plain_len);
	assert_memory_equal(out, plain, plain_len);
	free(out);
	free(plain);
	free(data);
}

void assert_none(size_t job)
{
	for (unsigned c = 0; c < CODING_COUNT; c++) {
		assert_null(jobs[job].coded[c].path);
		assert_int_equal(jobs[job].coded[c].len, 0);
	}
}

void assert_said(const char *said, const char *name, const char *text)
{
	char line[512];

	snprintf(line, sizeof line, "%s/%s: %s", top.path, name, text);
	if (strstr(said, line) == NULL)
		print_message("said: %s", said);
	assert_non_null(strstr(said, line));
}

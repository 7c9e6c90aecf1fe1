/* links: @romfs romfs/mkromfs/phash.c romfs/mkromfs/memory.c tests/romfs/sample.c
 * tests/host_panic.c @http_answers */
/*
 * Requests over images with any number of paths: what test_cost.py counts instructions of.
 *
 *   program            every request gets its answer (a unit test like others)
 *   program PATHS KIND the same for so many paths; KIND is hit or miss
 *
 * Paths and requests are of one length whatever the number, and everything that belongs to
 * a request and its answer happens in answer_all().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/respond.h"
#include "tests/romfs/sample.h"

#define REQUESTS 500u
#define PATH_CAP 64u
#define REQUEST_CAP 512u

struct asking {
	struct sample sample;
	struct romfs fs;
	char (*requests)[REQUEST_CAP];
};

void answer_all(const struct asking *asking, uint16_t status);

static void path_of(char out[PATH_CAP], uint32_t i, const char *kind)
{
	snprintf(out, PATH_CAP, "/reference/part-%03u/%s-%07u.html", i % 1000, kind, i);
}

static void make_image(struct asking *asking, uint32_t count)
{
	struct phash_key *keys = malloc(count * sizeof *keys);
	char (*paths)[PATH_CAP] = malloc(count * sizeof *paths);

	assert_non_null(keys);
	assert_non_null(paths);
	for (uint32_t i = 0; i < count; i++) {
		path_of(paths[i], i, "page");
		keys[i] = (struct phash_key){ (uint8_t *)paths[i], strlen(paths[i]) };
	}
	sample_make(&asking->sample, keys, count);
	assert_int_equal(romfs_open(&asking->fs, asking->sample.image,
	    asking->sample.len), ROMFS_OK);
	free(keys);
	free(paths);
}

static void make_requests(struct asking *asking, uint32_t count, const char *word)
{
	char path[PATH_CAP];

	asking->requests = malloc(REQUESTS * sizeof *asking->requests);
	assert_non_null(asking->requests);
	for (uint32_t i = 0; i < REQUESTS; i++) {
		/* Neither the first nor the last: those are special in a sample. */
		path_of(path, 1 + (uint32_t)((uint64_t)i * 7919 % (count - 2)), word);
		snprintf(asking->requests[i], REQUEST_CAP,
		    "GET %s HTTP/1.1\r\nHost: a.example\r\n"
		    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n"
		    "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
		    "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
		    "Connection: keep-alive\r\n\r\n", path);
	}
}

__attribute__((noinline))
void answer_all(const struct asking *asking, uint16_t status)
{
	static uint8_t scratch[HTTP_SCRATCH_CAP];
	static const struct http_now now = {
		.time = 1790000000, .date = "Mon, 21 Sep 2026 14:13:20 GMT",
	};
	const struct http_site site = {
		.fs = &asking->fs, .now = &now, .scratch = scratch,
	};
	struct http_response answer;
	struct http_request request;

	for (uint32_t i = 0; i < REQUESTS; i++) {
		const char *const text = asking->requests[i];

		assert_int_equal(http_parse_request((const uint8_t *)text,
		    strlen(text), &request), HTTP_OK);
		http_respond(&site, &request, &answer);
		assert_int_equal(answer.status, status);
	}
}

static void ask(uint32_t count, bool hit)
{
	struct asking asking;

	make_image(&asking, count);
	make_requests(&asking, count, hit ? "page" : "none");
	answer_all(&asking, hit ? 200 : 404);
	free(asking.requests);
	sample_free(&asking.sample);
}

static void every_request_gets_its_answer(void **state)
{
	(void)state;
	ask(10, true);
	ask(10, false);
	ask(2000, true);
	ask(2000, false);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_gets_its_answer),
	};

	if (argc == 3) {
		ask((uint32_t)atoi(argv[1]), strcmp(argv[2], "hit") == 0);
		return 0;
	}
	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}

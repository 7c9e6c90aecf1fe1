/* links: romfs/mkromfs/coding_worth.c romfs/mkromfs/memory.c tests/romfs/coding_help.c
 *        tests/host_panic.c -lzstd -lz -lbrotlidec */
/*
 * What is worth compressing: the least saving, the types that are skipped, the probe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "romfs/mkromfs/coding_worth.h"
#include "tests/romfs/coding_help.h"

static void small_files_have_to_save_64_bytes(void **state)
{
	(void)state;
	assert_int_equal(coding_limit(0), 0);
	assert_int_equal(coding_limit(1), 0);
	assert_int_equal(coding_limit(64), 0);
	assert_int_equal(coding_limit(65), 1);
	assert_int_equal(coding_limit(1000), 936);
	/* A twentieth of 1280 is 64. */
	assert_int_equal(coding_limit(1279), 1215);
	assert_int_equal(coding_limit(1280), 1216);
}

static void large_files_have_to_save_a_twentieth(void **state)
{
	(void)state;
	assert_int_equal(coding_limit(1281), 1216);     /* of 64.05 bytes: 65 */
	assert_int_equal(coding_limit(2000), 1900);
	assert_int_equal(coding_limit(2001), 1900);
	assert_int_equal(coding_limit(2020), 1919);
	assert_true(coding_limit(UINT64_MAX) == UINT64_MAX - UINT64_MAX / 20 - 1);
}

/* The definition once more, by multiplication. */
static void the_limit_is_the_most_that_saves_enough(void **state)
{
	(void)state;
	for (uint64_t len = 66; len < 5000; len++) {
		const uint64_t limit = coding_limit(len);

		assert_true(len - limit >= 64 && (len - limit) * 20 >= len);
		assert_true(len - limit - 1 < 64 || (len - limit - 1) * 20 < len);
	}
}

static void compressed_types_are_known(void **state)
{
	static const char *const compressed[] = {
		"image/jpeg", "image/png", "image/webp", "font/woff2", "video/mp4",
		"audio/mpeg", "application/zip", "application/gzip", "application/zstd",
		"application/vnd.oasis.opendocument.text",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	};
	static const char *const plain[] = {
		"text/html", "image/svg+xml", "application/json", "application/wasm",
		"font/ttf", "application/octet-stream", "application/pdf", "image/jpe",
		"image/jpegs", "audio/x-wav", "", "application/vnd.oasis.opendocument",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(compressed); i++)
		assert_true(coding_type_is_compressed(compressed[i]));
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		assert_false(coding_type_is_compressed(plain[i]));
}

/* As the reader does it: in chunks, the last one shorter. */
static bool probe(const uint8_t *data, size_t len)
{
	struct probe *probe = malloc(sizeof *probe);
	bool worth;

	assert_non_null(probe);
	probe_start(probe, len);
	for (size_t off = 0; off < len; off += PROBE_CHUNK_LEN)
		probe_add(probe, data + off,
		    len - off < PROBE_CHUNK_LEN ? len - off : PROBE_CHUNK_LEN);
	assert_true(probe->len <= len);
	worth = probe_is_worth(probe);
	free(probe);
	return worth;
}

static void text_is_worth_a_try_and_noise_is_not(void **state)
{
	static const size_t lens[] = {
		1000, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 5000000,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		uint8_t *data = malloc(lens[i]);

		assert_non_null(data);
		fill_text(data, lens[i], 1);
		assert_true(probe(data, lens[i]));
		fill_noise(data, lens[i], 1);
		assert_false(probe(data, lens[i]));
		free(data);
	}
}

/* Base64 has no repetitions, but six bits in eight. */
static void what_only_entropy_coding_shrinks_is_worth_a_try(void **state)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t data[20000];

	(void)state;
	fill_noise(data, sizeof data, 3);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)digits[data[i] % 64];
	assert_true(probe(data, sizeof data));
}

/* An eighth of text anywhere in 32 MiB of noise is seen. */
static void samples_come_from_everywhere(void **state)
{
	const size_t len = 32 << 20, part = len / 8;
	uint8_t *data = malloc(len);

	(void)state;
	assert_non_null(data);
	for (size_t at = 0; at + part <= len; at += part) {
		fill_noise(data, len, 5);
		fill_text(data + at, part, 5);
		assert_true(probe(data, len));
	}
	free(data);
}

static void content_of_many_lengths_gives_at_most_a_mebibyte(void **state)
{
	uint8_t chunk[PROBE_CHUNK_LEN] = { 0 };
	struct probe *probe = malloc(sizeof *probe);

	(void)state;
	assert_non_null(probe);
	for (uint64_t chunks = 1; chunks < 300; chunks++) {
		probe_start(probe, chunks * PROBE_CHUNK_LEN);
		for (uint64_t i = 0; i < chunks; i++)
			probe_add(probe, chunk, sizeof chunk);
		assert_int_equal(probe->len, PROBE_CHUNK_LEN *
		    (chunks < PROBE_CHUNKS ? chunks : PROBE_CHUNKS));
	}
	free(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_files_have_to_save_64_bytes),
		cmocka_unit_test(large_files_have_to_save_a_twentieth),
		cmocka_unit_test(the_limit_is_the_most_that_saves_enough),
		cmocka_unit_test(compressed_types_are_known),
		cmocka_unit_test(text_is_worth_a_try_and_noise_is_not),
		cmocka_unit_test(what_only_entropy_coding_shrinks_is_worth_a_try),
		cmocka_unit_test(samples_come_from_everywhere),
		cmocka_unit_test(content_of_many_lengths_gives_at_most_a_mebibyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

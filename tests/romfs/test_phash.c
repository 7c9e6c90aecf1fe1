/* links: @romfs romfs/mkromfs/phash.c romfs/mkromfs/memory.c
 *        tests/romfs/sample.c tests/host_panic.c */
/*
 * The perfect hash as a property: for any set of different paths the packer's
 * construction and the reader's look-up agree, and nothing else is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "romfs/romfs.h"
#include "tests/romfs/sample.h"

#define KEYS_CAP 20000u
#define STRANGERS 10000u
#define KEY_LEN_CAP 96u

struct keys {
	uint32_t count;
	struct phash_key list[KEYS_CAP];
	uint8_t bytes[KEYS_CAP][KEY_LEN_CAP];
};

static uint64_t random_state;

/* splitmix64: the same keys in every run. */
static uint64_t random_next(void)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* '/', the index (so that keys differ), and random bytes on one side of it. */
static size_t random_key(uint8_t *out, uint32_t index, char tail)
{
	const size_t extra = random_next() % (KEY_LEN_CAP - 16);
	size_t len = (size_t)snprintf((char *)out, 16, "/%x%c", index, tail);

	for (size_t i = 0; i < extra; i++)
		out[len++] = (uint8_t)(1 + random_next() % 255); /* no path has a NUL */
	return len;
}

static struct keys *random_keys(uint32_t count, uint64_t seed)
{
	struct keys *keys = malloc(sizeof *keys);

	assert_non_null(keys);
	random_state = seed;
	keys->count = count;
	for (uint32_t i = 0; i < count; i++) {
		keys->list[i].bytes = keys->bytes[i];
		keys->list[i].len = random_key(keys->bytes[i], i, '.');
	}
	return keys;
}

/* Paths as sites have them: long common beginnings, a number that counts. */
static struct keys *similar_keys(uint32_t count)
{
	struct keys *keys = malloc(sizeof *keys);

	assert_non_null(keys);
	keys->count = count;
	for (uint32_t i = 0; i < count; i++) {
		keys->list[i].bytes = keys->bytes[i];
		keys->list[i].len = (size_t)snprintf((char *)keys->bytes[i],
		    KEY_LEN_CAP, "/reference/library/page-%u.html", i);
	}
	return keys;
}

static void assert_all_found(const struct keys *keys)
{
	struct sample sample;
	struct romfs_entry entry;
	struct romfs fs;
	uint8_t stranger[KEY_LEN_CAP];

	sample_make(&sample, keys->list, keys->count);
	assert_int_equal(romfs_open(&fs, sample.image, sample.len), ROMFS_OK);
	assert_int_equal(fs.entry_count, keys->count + SAMPLE_OTHER_SLOTS);
	for (uint32_t i = 0; i < keys->count; i++) {
		assert_int_equal(romfs_find(&fs, 0, keys->list[i].bytes,
		    keys->list[i].len, &entry), ROMFS_OK);
		assert_int_equal(entry.modified, i);
	}
	for (uint32_t i = 0; i < STRANGERS; i++) {
		const size_t len = random_key(stranger, i, '!');

		assert_int_equal(romfs_find(&fs, 0, stranger, len, &entry),
		    ROMFS_NOT_FOUND);
	}
	sample_free(&sample);
}

static void any_number_of_random_keys_is_found(void **state)
{
	static const uint32_t counts[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 100, 257, 1000,
		1024, 4999, 12345, KEYS_CAP - 1, KEYS_CAP,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct keys *keys = random_keys(counts[i], 1000 + i);

		assert_all_found(keys);
		free(keys);
	}
}

static void small_sets_of_many_kinds_are_found(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct keys *keys = random_keys(1 + (uint32_t)seed % 40, seed);
		struct phash hash;

		assert_true(phash_build(keys->list, keys->count, &hash));
		free(hash.displacements);
		free(hash.slots);
		free(keys);
	}
}

static void similar_keys_are_found(void **state)
{
	static const uint32_t counts[] = { 10, 500, KEYS_CAP };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct keys *keys = similar_keys(counts[i]);

		assert_all_found(keys);
		free(keys);
	}
}

static void slots_are_a_permutation(void **state)
{
	struct keys *keys = random_keys(5000, 42);
	uint8_t *taken = calloc(1, keys->count);
	struct phash hash;

	(void)state;
	assert_non_null(taken);
	assert_true(phash_build(keys->list, keys->count, &hash));
	for (uint32_t i = 0; i < keys->count; i++) {
		assert_in_range(hash.slots[i], 0, keys->count - 1);
		assert_int_equal(taken[hash.slots[i]], 0);
		taken[hash.slots[i]] = 1;
	}
	free(taken);
	free(hash.displacements);
	free(hash.slots);
	free(keys);
}

static void the_same_keys_give_the_same_bytes(void **state)
{
	struct keys *first = random_keys(3000, 7), *second = random_keys(3000, 7);
	struct sample a, b;

	(void)state;
	sample_make(&a, first->list, first->count);
	sample_make(&b, second->list, second->count);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.image, b.image, a.len);
	sample_free(&a);
	sample_free(&b);
	free(first);
	free(second);
}

/* No seed can part two equal keys: the builder has to give up, not to loop. */
static void equal_keys_are_refused(void **state)
{
	static const struct phash_key twice[] = {
		{ (const uint8_t *)"/a", 2 }, { (const uint8_t *)"/b", 2 },
		{ (const uint8_t *)"/a", 2 },
	};
	struct phash hash;

	(void)state;
	assert_false(phash_build(twice, ARRAY_LEN(twice), &hash));
}

/* The arithmetic is part of the format: other readers have it from README.md. */
static void the_hash_is_the_documented_one(void **state)
{
	static const char path[] = "/reference/index.html";
	uint64_t h;

	(void)state;
	assert_true(rom_hash(0, (const uint8_t *)"/", 1) == 0x1f1e01018b400790u);
	assert_true(rom_hash(0, (const uint8_t *)"/a/b/c/d", 8) == 0xd674b7416f4abec0u);
	h = rom_hash(0x0123456789abcdefu, (const uint8_t *)path, strlen(path));
	assert_true(h == 0xc6ef45d0a0d56f86u);
	assert_int_equal(rom_bucket(h, 1000), 628);
	assert_int_equal(rom_slot(h, 7, 1000), 217);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_random_keys_is_found),
		cmocka_unit_test(small_sets_of_many_kinds_are_found),
		cmocka_unit_test(similar_keys_are_found),
		cmocka_unit_test(slots_are_a_permutation),
		cmocka_unit_test(the_same_keys_give_the_same_bytes),
		cmocka_unit_test(equal_keys_are_refused),
		cmocka_unit_test(the_hash_is_the_documented_one),
	};

	return cmocka_run_group_tests_name("phash", tests, NULL, NULL);
}

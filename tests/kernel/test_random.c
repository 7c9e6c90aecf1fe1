/* links: kernel/random.c @bearssl_hash
 *   build/deps/bearssl/src/symcipher/chacha20_ct.c
 */
/*
 * The generator's construction against the key streams of RFC 8439, and when it
 * asks for fresh bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "kernel/clock.h"
#include "kernel/entropy.h"
#include "kernel/random.h"

/* ---- What the generator is fed ------------------------------------------- */

static uint64_t now_ns;
static uint8_t nonce[ENTROPY_NONCE_LEN];
static unsigned refreshes;
static bool cpu_answers;

uint64_t clock_now_ns(void)
{
	return now_ns;
}

bool entropy_refresh(uint8_t out[ENTROPY_FRESH_LEN])
{
	refreshes++;
	if (cpu_answers)
		memset(out, 0x55, ENTROPY_FRESH_LEN);
	return cpu_answers;
}

void entropy_nonce(uint8_t out[ENTROPY_NONCE_LEN])
{
	memcpy(out, nonce, sizeof nonce);
}

void panic_at(const char *file, int line, const char *what)
{
	mock_assert(0, what, file, line);
	abort();
}

static int seeded_with_zero(void **state)
{
	static const uint8_t zero[RANDOM_KEY_LEN];

	(void)state;
	now_ns = 0;
	refreshes = 0;
	cpu_answers = false;
	memset(nonce, 0, sizeof nonce);
	random_seed(zero);
	return 0;
}

/* ---- Known answers ------------------------------------------------------- */

/* RFC 8439, appendix A.1, vectors 1 and 2: key 0, nonce 0, counters 0, 1. */
static const uint8_t zero_stream[128] = {
	0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
	0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
	0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a,
	0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
	0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d,
	0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
	0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c,
	0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
	0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
	0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
	0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69,
	0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
	0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43,
	0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
	0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45,
	0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f,
};

static void answer_is_the_stream_behind_the_next_key(void **state)
{
	uint8_t out[96];

	(void)state;
	random_fill(out, sizeof out);
	assert_memory_equal(out, zero_stream + 32, sizeof out);
}

static void any_length_is_a_prefix_of_it(void **state)
{
	static const uint8_t zero[RANDOM_KEY_LEN];
	uint8_t out[97];

	for (size_t len = 0; len <= 96; len++) {
		(void)state;
		random_seed(zero);
		memset(out, 0xEE, sizeof out);
		random_fill(out, len);
		assert_memory_equal(out, zero_stream + 32, len);
		assert_int_equal(out[len], 0xEE);
	}
}

static void next_answer_comes_from_the_next_key(void **state)
{
	uint8_t after[96], expected[96];

	(void)state;
	random_fill(after, 1);
	random_fill(after, sizeof after);
	random_seed(zero_stream);
	random_fill(expected, sizeof expected);
	assert_memory_equal(after, expected, sizeof after);
}

/* RFC 8439, section 2.3.2: key 00..1f, a nonce, counter 1. */
static void the_nonce_enters_the_stream(void **state)
{
	static const uint8_t block1[64] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15,
		0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
		0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03,
		0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
		0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09,
		0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
		0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9,
		0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	uint8_t seed[RANDOM_KEY_LEN], out[96];

	(void)state;
	for (unsigned i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)i;
	random_seed(seed);
	nonce[3] = 0x09;
	nonce[7] = 0x4a;
	random_fill(out, sizeof out);
	assert_memory_equal(out + 32, block1, sizeof block1);
}

/* ---- Fresh bytes --------------------------------------------------------- */

static void fresh_bytes_are_asked_for_by_length(void **state)
{
	uint8_t out[1024];

	(void)state;
	for (size_t i = 0; i < LIMIT_RESEED_LEN / sizeof out; i++)
		random_fill(out, sizeof out);
	assert_int_equal(refreshes, 0);
	random_fill(out, sizeof out);
	assert_int_equal(refreshes, 1);
	random_fill(out, sizeof out);
	assert_int_equal(refreshes, 1);
}

static void fresh_bytes_are_asked_for_by_time(void **state)
{
	uint8_t out[1];

	(void)state;
	now_ns = LIMIT_RESEED_S * 1000000000ull - 1;
	random_fill(out, 1);
	assert_int_equal(refreshes, 0);
	now_ns++;
	random_fill(out, 1);
	random_fill(out, 1);
	assert_int_equal(refreshes, 1);
}

static void fresh_bytes_change_the_answer(void **state)
{
	uint8_t out[96];

	(void)state;
	cpu_answers = true;
	now_ns = LIMIT_RESEED_S * 1000000000ull;
	random_fill(out, sizeof out);
	assert_int_equal(refreshes, 1);
	assert_memory_not_equal(out, zero_stream + 32, sizeof out);
}

static void a_silent_cpu_leaves_the_key_as_it_is(void **state)
{
	uint8_t out[96];

	(void)state;
	now_ns = LIMIT_RESEED_S * 1000000000ull;
	random_fill(out, sizeof out);
	assert_int_equal(refreshes, 1);
	assert_memory_equal(out, zero_stream + 32, sizeof out);
}

/* ---- Bounds -------------------------------------------------------------- */

static void too_long_a_wish_is_our_mistake(void **state)
{
	static uint8_t out[(1u << 20) + 1];

	(void)state;
	random_fill(out, sizeof out - 1);
	expect_assert_failure(random_fill(out, sizeof out));
}

static void nothing_before_the_seed(void **state)
{
	uint8_t out[1];

	(void)state;
	assert_false(random_ready());
	expect_assert_failure(random_fill(out, 1));
}

/* A smoke test only: a mean and pairs, at some 5 standard deviations. */
static void bits_and_pairs_are_even(void **state)
{
	static uint8_t out[65536];
	size_t ones = 0, equal = 0;

	(void)state;
	random_fill(out, sizeof out);
	for (size_t i = 0; i < sizeof out; i++)
		ones += (size_t)__builtin_popcount(out[i]);
	for (size_t i = 1; i < sizeof out; i++)
		equal += out[i] == out[i - 1];
	assert_in_range(ones, 262144 - 1810, 262144 + 1810);
	assert_in_range(equal, 256 - 80, 256 + 80);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, seeded_with_zero)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_before_the_seed),
		CASE(answer_is_the_stream_behind_the_next_key),
		CASE(any_length_is_a_prefix_of_it),
		CASE(next_answer_comes_from_the_next_key),
		CASE(the_nonce_enters_the_stream),
		CASE(fresh_bytes_are_asked_for_by_length),
		CASE(fresh_bytes_are_asked_for_by_time),
		CASE(fresh_bytes_change_the_answer),
		CASE(a_silent_cpu_leaves_the_key_as_it_is),
		CASE(too_long_a_wish_is_our_mistake),
		CASE(bits_and_pairs_are_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: config/libc/string.c -Dmemcpy=our_memcpy -Dmemmove=our_memmove
 * -Dmemset=our_memset -Dmemcmp=our_memcmp -Dstrlen=our_strlen */
/*
 * Our memcpy and its family, at every length, alignment and overlap up to a
 * little beyond where they change their ways.  The defines keep them apart from
 * the machine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/libc/string.h"

#define LEN_MAX 1100
#define AREA (LEN_MAX + 64)

static uint8_t from[AREA], to[AREA], expected[AREA];

static void fill(uint8_t *area, unsigned seed)
{
	for (size_t i = 0; i < AREA; i++) {
		seed = seed * 1103515245u + 12345u;
		area[i] = (uint8_t)(seed >> 16);
	}
}

static void expect_area(const uint8_t *area)
{
	for (size_t i = 0; i < AREA; i++) {
		if (area[i] != expected[i])
			fail_msg("byte %zu is %u instead of %u", i, area[i],
			    expected[i]);
	}
}

/* Lengths: all short ones, then around the multiples and limits. */
static size_t next_len(size_t len)
{
	return len < 140 ? len + 1 : len < 1010 ? len + 97 : len + 1;
}

static void memcpy_copies_nothing_else(void **state)
{
	(void)state;
	for (size_t len = 0; len <= LEN_MAX; len = next_len(len)) {
		for (size_t a = 0; a < 9; a++) {
			const size_t b = (a * 5) % 9;

			fill(from, 1);
			fill(to, 2);
			fill(expected, 2);
			for (size_t i = 0; i < len; i++)
				expected[16 + b + i] = from[16 + a + i];
			assert_ptr_equal(memcpy(to + 16 + b, from + 16 + a, len),
			    to + 16 + b);
			expect_area(to);
		}
	}
}

static void memmove_moves_over_itself(void **state)
{
	static const int shifts[] = {
		-40, -33, -32, -17, -16, -9, -8, -7, -1, 0, 1, 7, 8, 9, 16, 17, 32, 40
	};

	(void)state;
	for (size_t len = 0; len <= LEN_MAX - 50; len = next_len(len)) {
		for (size_t k = 0; k < sizeof shifts / sizeof shifts[0]; k++) {
			uint8_t *target = to + 48 + shifts[k];

			fill(to, 3);
			fill(expected, 3);
			fill(from, 3);
			for (size_t i = 0; i < len; i++)
				expected[48 + shifts[k] + (int)i] = from[48 + i];
			assert_ptr_equal(memmove(target, to + 48, len), target);
			expect_area(to);
		}
	}
}

static void memset_sets_nothing_else(void **state)
{
	(void)state;
	for (size_t len = 0; len <= LEN_MAX; len = next_len(len)) {
		for (size_t a = 0; a < 9; a++) {
			fill(to, 4);
			fill(expected, 4);
			for (size_t i = 0; i < len; i++)
				expected[16 + a + i] = 0xa5;
			assert_ptr_equal(memset(to + 16 + a, 0x7a5, len),
			    to + 16 + a);
			expect_area(to);
		}
	}
}

static void memcmp_finds_the_first_difference(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 200; len++) {
		fill(from, 5);
		fill(to, 5);
		assert_int_equal(memcmp(from + 3, to + 3, len), 0);
		for (size_t at = 0; at < len; at++) {
			to[3 + at] = (uint8_t)(from[3 + at] + 1);
			if (at + 1 < len)
				to[3 + len - 1] ^= 0x55;
			assert_true((memcmp(from + 3, to + 3, len) < 0) ==
			    (from[3 + at] < to[3 + at]));
			fill(to, 5);
		}
	}
	/* Bytes compare as unsigned: C11, section 7.24.4. */
	assert_true(memcmp("\x80", "\x7f", 1) > 0);
}

static void strlen_counts(void **state)
{
	char text[100] = { 0 };

	(void)state;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		assert_int_equal(strlen(text), len);
		text[len] = 'x';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_copies_nothing_else),
		cmocka_unit_test(memmove_moves_over_itself),
		cmocka_unit_test(memset_sets_nothing_else),
		cmocka_unit_test(memcmp_finds_the_first_difference),
		cmocka_unit_test(strlen_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: net/keep.c net/siphash.c */
/*
 * The record of addresses that outlives a crash: believed only when it is
 * whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/keep.h"

static const struct keep sample = {
	.addr4 = { 192, 0, 2, 1 },
	.netmask4 = { 255, 255, 255, 0 },
	.gateway4 = { 192, 0, 2, 254 },
	.addr6 = { { 0x20, 1, 0x0d, 0xb8, [15] = 1 }, { 0xfd, [15] = 2 } },
	.router6 = { 0xfe, 0x80, [15] = 1 },
};

static void what_was_written_is_read(void **state)
{
	uint8_t page[GATE_KEEP_LEN] = { 0 };
	struct keep keep;

	(void)state;
	keep_write(page, &sample);
	assert_true(keep_read(page, &keep));
	assert_memory_equal(&keep, &sample, sizeof keep);
}

static void an_empty_page_is_no_record(void **state)
{
	static const struct keep zero;
	uint8_t page[GATE_KEEP_LEN] = { 0 };
	struct keep keep = sample;

	(void)state;
	assert_false(keep_read(page, &keep));
	assert_memory_equal(&keep, &zero, sizeof keep);
}

static void any_changed_bit_is_seen(void **state)
{
	uint8_t page[GATE_KEEP_LEN] = { 0 };
	struct keep keep;

	(void)state;
	keep_write(page, &sample);
	for (size_t bit = 0; bit < 8 * (16 + sizeof sample); bit++) {
		page[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(keep_read(page, &keep));
		page[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(keep_read(page, &keep));
}

static void strange_addresses_are_not_believed(void **state)
{
	static const uint8_t bad4[][4] = {
		{ 0, 0, 0, 1 }, { 127, 0, 0, 1 }, { 224, 0, 0, 1 }, { 255, 255, 255, 255 },
	};
	static const uint8_t bad6[][16] = {
		{ 0xff, 2, [15] = 1 }, { 0xfe, 0x80, [15] = 1 }, { [15] = 1 },
	};
	uint8_t page[GATE_KEEP_LEN] = { 0 };
	struct keep keep;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad4); i++) {
		keep = sample;
		memcpy(keep.addr4, bad4[i], 4);
		keep_write(page, &keep);
		assert_false(keep_read(page, &keep));
		keep = sample;
		memcpy(keep.gateway4, bad4[i], 4);
		keep_write(page, &keep);
		assert_false(keep_read(page, &keep));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad6); i++) {
		keep = sample;
		memcpy(keep.addr6[2], bad6[i], 16);
		keep_write(page, &keep);
		assert_false(keep_read(page, &keep));
	}
	keep = sample;
	keep.router6[0] = 0x20;
	keep_write(page, &keep);
	assert_false(keep_read(page, &keep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(an_empty_page_is_no_record),
		cmocka_unit_test(any_changed_bit_is_seen),
		cmocka_unit_test(strange_addresses_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

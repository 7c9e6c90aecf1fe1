/* links: net/checksum.c */
/*
 * The Internet checksum against the example of RFC 1071 and a slow, plain sum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/checksum.h"

/* RFC 1071, section 4.1, in memory order. */
static uint16_t slow_sum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? data[i] : (uint32_t)data[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void the_rfcs_example(void **state)
{
	/* RFC 1071, section 3: the sum is ddf2 in network order. */
	static const uint8_t data[] = {
		0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7
	};

	(void)state;
	assert_int_equal(net_sum_bytes(data, sizeof data), 0xf2dd);
}

static void any_length_and_alignment(void **state)
{
	static uint8_t data[1700];
	unsigned seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++) {
		seed = seed * 1103515245u + 12345u;
		data[i] = (uint8_t)(seed >> 16);
	}
	for (size_t len = 0; len < 200; len++) {
		for (size_t at = 0; at < 9; at++)
			assert_int_equal(net_sum_bytes(data + at, len),
			    slow_sum(data + at, len));
	}
	for (size_t len = 1400; len < 1600; len++)
		assert_int_equal(net_sum_bytes(data + 1, len),
		    slow_sum(data + 1, len));
}

static void carries_come_around(void **state)
{
	static uint8_t ones[66000];

	(void)state;
	for (size_t i = 0; i < sizeof ones; i++)
		ones[i] = 0xff;
	/* All ones is one of the two zeros of this arithmetic. */
	assert_int_equal(net_sum_bytes(ones, 65534), 0xffff);
	assert_int_equal(net_sum_bytes(ones, 65535), slow_sum(ones, 65535));
	assert_int_equal(net_sum_bytes(ones, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_example),
		cmocka_unit_test(any_length_and_alignment),
		cmocka_unit_test(carries_come_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: net/random.c net/siphash.c tests/host_panic.c */
/*
 * First sequence numbers as RFC 6528, section 3, has them, and random numbers
 * that are never handed out twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/gate.h"
#include "net/loop.h"
#include "net/random.h"

#include "lwip/opt.h"
#include "net/hooks.h"

static uint64_t now_ns;
static uint8_t next_byte;

uint64_t loop_now_ns(void)
{
	return now_ns;
}

enum gate_status gate_random(void *buf, size_t len)
{
	uint8_t *at = buf;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(next_byte++ * 37 + i / 256);
	return GATE_OK;
}

static uint32_t sequence(uint32_t local, uint16_t local_port, uint32_t remote,
    uint16_t remote_port)
{
	const ip_addr_t a = IPADDR4_INIT(local), b = IPADDR4_INIT(remote);

	return net_initial_sequence(&a, local_port, &b, remote_port);
}

static void it_counts_every_four_microseconds(void **state)
{
	uint32_t before;

	(void)state;
	now_ns = 5000000000u;
	before = sequence(1, 80, 2, 5000);
	assert_int_equal(sequence(1, 80, 2, 5000), before);
	now_ns += 4000;
	assert_int_equal(sequence(1, 80, 2, 5000), before + 1);
	now_ns += 1000000000u;
	assert_int_equal(sequence(1, 80, 2, 5000), before + 250001);
}

static void each_pair_of_ends_has_its_own(void **state)
{
	const uint32_t first = sequence(1, 80, 2, 5000);
	const ip_addr_t six[] = {
		IPADDR6_INIT(1, 2, 3, 4), IPADDR6_INIT(1, 2, 3, 5),
	};

	(void)state;
	assert_int_not_equal(sequence(3, 80, 2, 5000), first);
	assert_int_not_equal(sequence(1, 81, 2, 5000), first);
	assert_int_not_equal(sequence(1, 80, 3, 5000), first);
	assert_int_not_equal(sequence(1, 80, 2, 5001), first);
	assert_int_not_equal(sequence(2, 80, 1, 5000), first);
	assert_int_not_equal(net_initial_sequence(&six[0], 80, &six[1], 1),
	    net_initial_sequence(&six[1], 80, &six[0], 1));
}

/* Without the key, RFC 6528, section 3: the offsets cannot be told. */
static void the_key_decides(void **state)
{
	const uint32_t before = sequence(1, 80, 2, 5000);

	(void)state;
	random_start();
	assert_int_not_equal(sequence(1, 80, 2, 5000), before);
}

static void numbers_are_drawn_anew(void **state)
{
	uint32_t last = net_random_u32();
	int same = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		const uint32_t value = net_random_u32();

		same += value == last;
		last = value;
	}
	assert_in_range(same, 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_every_four_microseconds),
		cmocka_unit_test(each_pair_of_ends_has_its_own),
		cmocka_unit_test(the_key_decides),
		cmocka_unit_test(numbers_are_drawn_anew),
	};

	random_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

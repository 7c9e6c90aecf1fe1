/* links: @server_net tests/net/stack_help.c tests/net/client.c tests/net/neighbours.c
 * tests/net/wire.c tests/net/tiny_app.c kernel/gate_check.c */
/*
 * As many private connections as the smallest machine has, 8 MiB of pools: all of them
 * download at once, and all of them get everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/pools.h"
#include "tests/net/client.h"
#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

#define ANSWER 40000

static void everyone_gets_everything(void **state)
{
	const uint32_t count = pool_capacity(POOL_CONN) - 2;

	(void)state;
	assert_in_range(count, 470, CLIENTS_CAP);
	for (uint32_t i = 0; i < count; i++)
		(void)connect_client(i, i % 2 == 0, answer_len(ANSWER));
	network.delay_us = 10000;
	for (uint32_t i = 0; i < count; i++)
		ask(&clients[i], ANSWER, false);
	for (uint32_t i = 0; i < count; i++) {
		if (!run_until(received_all, &clients[i], 60000))
			fail_msg("client %u: state %d, %u bytes came", i,
			    clients[i].state,
			    clients[i].rcv_nxt - clients[i].irs - 1);
		check_answer(&clients[i], 0, ANSWER);
	}
	/* Nobody was ended for another. */
	assert_int_equal(tiny_counters.closed, 0);
	for (uint32_t i = 0; i < count; i++)
		client_reset(&clients[i]);
	run_ms(100);
}

static int start(void **state)
{
	(void)state;
	if (net_start(&wire_info, &wire_needs) != NULL ||
	    !net_listen(80, &tiny_app))
		return -1;
	clients_start();
	run_ms(3000);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everyone_gets_everything,
		    stack_begin, stack_check_idle),
	};

	for (size_t i = 0; i < STACK_ROM_LEN; i++)
		stack_rom[i] = (uint8_t)(i * 7 + i / 251);
	stack_uses_records = true;
	wire_needs = (struct net_needs){
		.session_len = 1000, .handshake_len = 4400, .records = true,
	};
	wire_start(&(struct wire_options){
		.nic_features = GATE_NIC_CSUM_TX | GATE_NIC_TSO4 | GATE_NIC_TSO6,
		.cmdline = "ip=10.77.0.2/16::10.77.0.1 ip6=fd77::2/64,fd77::1",
		.pool_len = 8u << 20,
		.rom = stack_rom,
		.rom_len = STACK_ROM_LEN,
		.seed = 3,
	});
	return cmocka_run_group_tests(tests, start, NULL);
}

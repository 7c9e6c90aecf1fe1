/* links: @server_net tests/net/client.c tests/net/neighbours.c tests/net/wire.c
 * tests/net/tiny_app.c kernel/gate_check.c */
/*
 * The first start: addresses from DHCP and a router, and what happens to them
 * when those fall silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/keep.h"
#include "tests/net/client.h"
#include "tests/net/neighbours.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

static bool is_open(void *arg)
{
	return ((const struct client *)arg)->state == CLIENT_OPEN;
}

static bool both_open(void *arg)
{
	(void)arg;
	return is_open(&clients[0]) && is_open(&clients[1]);
}

static void dhcp_and_slaac_give_addresses(void **state)
{
	struct keep keep;

	(void)state;
	run_ms(6000);
	assert_true(keep_read(wire_info.keep, &keep));
	assert_memory_equal(keep.addr4, server_ipv4, 4);
	assert_memory_equal(keep.gateway4, our_ipv4, 4);
	assert_memory_equal(keep.addr6[0], server_ipv6, 16);
	assert_memory_equal(keep.router6, ((uint8_t[16]){ 0xfe, 0x80, [15] = 1 }),
	    16);
	client_connect(client_open(0, false, 10));
	client_connect(client_open(1, true, 10));
	assert_true(run_until(both_open, NULL, 100));
}

static void an_idle_server_wakes_once_a_second(void **state)
{
	uint32_t turns = 0;
	const uint64_t start = wire_now_ns();

	(void)state;
	client_reset(&clients[0]);
	client_reset(&clients[1]);
	run_ms(100);
	while (wire_now_ns() - start < 30000000000u) {
		wire_next_event_ns = UINT64_MAX;
		assert_true(net_poll());
		turns++;
	}
	assert_in_range(turns, 25, 40);
}

static void a_lease_is_renewed(void **state)
{
	struct keep keep;

	(void)state;
	/* 3600 s: renewal after half of it, RFC 2131, section 4.4.5. */
	run_ms(7200 * 1000);
	assert_true(neighbours.dhcp_seen >= 4);
	assert_true(keep_read(wire_info.keep, &keep));
	assert_memory_equal(keep.addr4, server_ipv4, 4);
}

static void a_lease_that_nobody_renews_ends(void **state)
{
	struct keep keep;

	(void)state;
	neighbours.dhcp = false;
	run_ms(7200 * 1000);
	assert_true(keep_read(wire_info.keep, &keep));
	assert_int_equal(load_le32(keep.addr4), 0);
	neighbours.dhcp = true;
	run_ms(120 * 1000);
	assert_true(keep_read(wire_info.keep, &keep));
	assert_memory_equal(keep.addr4, server_ipv4, 4);
	client_connect(client_open(0, false, 10));
	assert_true(run_until(is_open, &clients[0], 5000));
}

static void a_stop_lets_a_response_end(void **state)
{
	bool running = true;

	(void)state;
	client_reset(&clients[0]);
	run_ms(10);
	wire_stop = true;
	for (int i = 0; i < 100 && running; i++)
		running = net_poll();
	assert_false(running);
}

static int start(void **state)
{
	(void)state;
	if (net_start(&wire_info, &wire_needs) != NULL || !net_listen(80, &tiny_app))
		return -1;
	clients_start();
	return 0;
}

int main(void)
{
	static const uint8_t rom[10];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dhcp_and_slaac_give_addresses),
		cmocka_unit_test(an_idle_server_wakes_once_a_second),
		cmocka_unit_test(a_lease_is_renewed),
		cmocka_unit_test(a_lease_that_nobody_renews_ends),
		cmocka_unit_test(a_stop_lets_a_response_end),
	};

	/* The address that SLAAC makes of this MAC: RFC 4291, appendix A. */
	memcpy(server_ipv6 + 8, (const uint8_t[]){
		0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 }, 8);
	wire_start(&(struct wire_options){
		.cmdline = "quiet",
		.pool_len = 1u << 20,
		.rom = rom,
		.rom_len = sizeof rom,
		.seed = 1,
	});
	return cmocka_run_group_tests(tests, start, NULL);
}

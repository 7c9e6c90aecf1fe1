/* links: @server_net tests/net/client.c tests/net/neighbours.c tests/net/wire.c
 * tests/net/tiny_app.c kernel/gate_check.c */
/*
 * After a crash: the server starts with the addresses it had, and answers at
 * once, while DHCP and the router confirm them behind the scenes.
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

static void the_first_syn_is_answered_at_once(void **state)
{
	(void)state;
	client_connect(client_open(0, false, 10));
	client_connect(client_open(1, true, 10));
	assert_true(run_until(both_open, NULL, 100));
}

static void nothing_changes_when_the_addresses_are_confirmed(void **state)
{
	struct keep keep;

	(void)state;
	run_ms(20000);
	assert_true(neighbours.dhcp_seen >= 2);
	assert_true(both_open(NULL));
	client_send(&clients[0], "1\n", 2);
	client_send(&clients[1], "1\n", 2);
	run_ms(100);
	assert_int_equal(tiny_counters.answered, 2);
	assert_true(keep_read(wire_info.keep, &keep));
	assert_memory_equal(keep.addr4, server_ipv4, 4);
	assert_memory_equal(keep.addr6[0], server_ipv6, 16);
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
	static uint8_t keep_page[GATE_KEEP_LEN];
	static const uint8_t rom[10];
	struct keep keep = { .netmask4 = { 255, 255, 0, 0 } };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_syn_is_answered_at_once),
		cmocka_unit_test(nothing_changes_when_the_addresses_are_confirmed),
	};

	/* The address that SLAAC makes of this MAC: RFC 4291, appendix A. */
	memcpy(server_ipv6 + 8, (const uint8_t[]){
		0x50, 0x54, 0, 0xff, 0xfe, 0x12, 0x34, 0x56 }, 8);
	memcpy(keep.addr4, server_ipv4, 4);
	memcpy(keep.gateway4, our_ipv4, 4);
	memcpy(keep.addr6[0], server_ipv6, 16);
	memcpy(keep.router6, (const uint8_t[16]){ 0xfe, 0x80, [15] = 1 }, 16);
	keep_write(keep_page, &keep);
	wire_start(&(struct wire_options){
		.cmdline = "",
		.pool_len = 1u << 20,
		.rom = rom,
		.rom_len = sizeof rom,
		.restarts = 1,
		.keep = keep_page,
		.seed = 1,
	});
	return cmocka_run_group_tests(tests, start, NULL);
}

/*
 * All cases for the whole stack; see stack_cases.h.  The server is started
 * once; every case leaves it as it found it.
 */
#include "tests/net/stack_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

#define POOL_LEN (2u << 20)        /* some 200 connections, */
#define POOL_LEN_TLS (3u << 20)    /* or 150 */
#define CASES_CAP 80

static int start(void **state)
{
	(void)state;
	if (net_start(&wire_info, &wire_needs) != NULL || !net_listen(80, &tiny_app))
		return -1;
	clients_start();
	/* Duplicate address detection takes IPv6 two seconds. */
	run_ms(3000);
	return 0;
}

static size_t add_cases(struct CMUnitTest *tests, size_t count,
    const struct stack_case *cases)
{
	for (; cases->name != NULL && count < CASES_CAP; cases++) {
		tests[count++] = (struct CMUnitTest){
			.name = cases->name,
			.test_func = cases->run,
			.setup_func = stack_begin,
			.teardown_func = stack_check_idle,
		};
	}
	return count;
}

int run_stack_cases(uint32_t nic_features, bool records)
{
	struct CMUnitTest tests[CASES_CAP];
	size_t count = 0;

	wire_seed(1);
	for (size_t i = 0; i < STACK_ROM_LEN; i++)
		stack_rom[i] = (uint8_t)wire_random();
	wire_start(&(struct wire_options){
		.nic_features = nic_features,
		.cmdline = "ip=10.77.0.2/16::10.77.0.1 ip6=fd77::2/64,fd77::1",
		.pool_len = records ? POOL_LEN_TLS : POOL_LEN,
		.rom = stack_rom,
		.rom_len = STACK_ROM_LEN,
		.seed = 7,
	});
	if (records) {
		stack_uses_records = true;
		wire_needs = (struct net_needs){
			.session_len = 1000, .handshake_len = 4400,
			.records = true,
		};
		count = add_cases(tests, count, stack_record_cases);
		count = add_cases(tests, count, stack_hold_cases);
	}
	count = add_cases(tests, count, stack_send_cases);
	count = add_cases(tests, count, stack_life_cases);
	return _cmocka_run_group_tests("stack", tests, count, start, NULL);
}

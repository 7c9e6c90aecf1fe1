/* links: net/pools.c net/records.c net/text.c tests/host_panic.c */
/*
 * Pools: as many elements as planned, none twice, none overlapping; and how
 * much memory serves how many connections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "net/pools.h"
#include "net/records.h"

#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/pbuf.h"

static const struct net_needs none;
static const struct net_needs tls = {
	.session_len = 1000, .handshake_len = 4400, .records = true,
};

static uint8_t *memory;

static uint32_t start_with(uint64_t len, const struct net_needs *needs)
{
	free(memory);
	memory = aligned_alloc(4096, (len + 4095) & ~(uint64_t)4095);
	memset(memory, 0, len);
	return pools_start(memory, len, needs);
}

static uint32_t start(uint64_t len)
{
	return start_with(len, &none);
}

static void check_every_element(uint64_t len)
{
	for (enum pool_id id = 0; id < POOL_COUNT; id++) {
		const uint32_t count = pool_capacity(id);
		void **elements = calloc(count + 1, sizeof *elements);

		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(pool_left(id), count - i);
			elements[i] = pool_take(id);
			assert_non_null(elements[i]);
			assert_int_equal((uintptr_t)elements[i] % 16, 0);
			memset(elements[i], (int)id, 32);
		}
		assert_null(pool_take(id));
		assert_int_equal(pool_level(id), count);
		/* Each keeps what was written: no two share memory. */
		for (uint32_t i = 0; i < count; i++) {
			*(uint32_t *)elements[i] = i;
		}
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(*(uint32_t *)elements[i], i);
			assert_true((uint8_t *)elements[i] >= memory &&
			    (uint8_t *)elements[i] < memory + len);
			pool_give(id, elements[i]);
		}
		assert_int_equal(pool_level(id), 0);
		free(elements);
	}
}

static void every_element_is_there_once(void **state)
{
	(void)state;
	assert_in_range(start(2u << 20), 100, 256);
	check_every_element(2u << 20);
	assert_in_range(start_with(2u << 20, &tls), 80, 128);
	check_every_element(2u << 20);
}

static void memory_decides_how_many(void **state)
{
	(void)state;
	assert_int_equal(start(4096), 0);
	assert_int_equal(start(100000), 0);
	assert_true(start(1u << 20) > 20);
	/* What a VM of 24 MiB has for pools, and one of 64 MiB. */
	assert_int_equal(start(8u << 20), 1024);
	assert_int_equal(start(45u << 20), LIMIT_CONNECTIONS);
}

/* Nothing of it, and none of its memory, without TLS. */
static void what_nobody_needs_is_not_there(void **state)
{
	static const enum pool_id ids[] = {
		POOL_SESSION, POOL_HANDSHAKE, POOL_RECORD_SMALL, POOL_RECORD,
	};

	(void)state;
	assert_int_equal(start(8u << 20), 1024);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		assert_int_equal(pool_capacity(ids[i]), 0);
		assert_null(pool_take(ids[i]));
	}
	assert_int_equal(record_span.len, 0);
	assert_false(record_holds(memory));
	assert_false(record_holds(NULL));
	assert_null(net_session_take());
	assert_null(net_handshake_take());
}

/* What `count` connections need at least, all at once. */
static void check_tls_plan(uint32_t count)
{
	assert_int_equal(pool_capacity(POOL_CONN), count);
	assert_int_equal(pool_capacity(POOL_SESSION), count);
	assert_true(pool_capacity(POOL_HANDSHAKE) * 4 >= count);
	assert_true(pool_capacity(POOL_RECORD_SMALL) >= count);
	assert_true(pool_capacity(POOL_RECORD) * 4 >= count);
	assert_true(pool_capacity(POOL_RECORD) <= LIMIT_RECORDS);
}

static void tls_connections_get_what_they_need(void **state)
{
	uint32_t count;

	(void)state;
	assert_int_equal(start_with(100000, &tls), 0);
	for (uint64_t len = 1u << 20; len <= 8u << 20; len += 333333) {
		count = start_with(len, &tls);
		assert_in_range(count, 15, 512);
		check_tls_plan(count);
	}
	/* VMs of 24 and of 64 MiB. */
	count = start_with(8u << 20, &tls);
	assert_in_range(count, 470, 512);
	check_tls_plan(count);
	assert_int_equal(start_with(45u << 20, &tls), 2880);
	check_tls_plan(2880);
}

/* No more than LIMIT_CONNECTIONS: the rest of the memory becomes large records. */
static void spare_memory_becomes_records(void **state)
{
	(void)state;
	assert_int_equal(start_with(64u << 20, &tls), LIMIT_CONNECTIONS);
	assert_in_range(pool_capacity(POOL_RECORD), 1200, 1500);
	assert_int_equal(start_with(128u << 20, &tls), LIMIT_CONNECTIONS);
	assert_in_range(pool_capacity(POOL_RECORD), 5200, 5500);
	check_tls_plan(LIMIT_CONNECTIONS);
	assert_int_equal(start_with(LIMIT_POOL_LEN, &tls), LIMIT_CONNECTIONS);
	assert_int_equal(pool_capacity(POOL_RECORD), LIMIT_RECORDS);
	check_tls_plan(LIMIT_CONNECTIONS);
}

static void objects_of_the_layer_above_come_and_go(void **state)
{
	void *session, *handshake;

	(void)state;
	assert_true(start_with(2u << 20, &tls) > 0);
	session = net_session_take();
	handshake = net_handshake_take();
	memset(session, 1, tls.session_len);
	memset(handshake, 2, tls.handshake_len);
	assert_int_equal(pool_level(POOL_SESSION), 1);
	assert_int_equal(pool_level(POOL_HANDSHAKE), 1);
	net_session_give(session);
	net_handshake_give(handshake);
	assert_int_equal(pool_level(POOL_SESSION), 0);
	assert_int_equal(pool_level(POOL_HANDSHAKE), 0);
}

static void packets_come_from_the_pool_of_their_size(void **state)
{
	(void)state;
	assert_true(start(2u << 20) > 0);
	for (mem_size_t len = 1; len <= 1552; len++) {
		void *element = mem_malloc(len);
		size_t in_use = 0;

		assert_non_null(element);
		memset(element, 0xff, len);
		for (enum pool_id id = 0; id < POOL_COUNT; id++)
			in_use += pool_level(id);
		assert_int_equal(in_use, 1);
		assert_ptr_equal(mem_trim(element, 1), element);
		mem_free(element);
		for (enum pool_id id = 0; id < POOL_COUNT; id++)
			assert_int_equal(pool_level(id), 0);
	}
	assert_null(mem_malloc(1700));
}

static void lwips_types_fit_their_pools(void **state)
{
	static const memp_t types[] = {
		MEMP_UDP_PCB, MEMP_TCP_PCB, MEMP_TCP_PCB_LISTEN, MEMP_TCP_SEG,
		MEMP_ND6_QUEUE, MEMP_MLD6_GROUP, MEMP_PBUF,
	};
	static const size_t sizes[] = { 0, 0, 0, 0, 0, 0, sizeof(struct pbuf) };

	(void)state;
	assert_true(start(2u << 20) > 0);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		void *element = memp_malloc(types[i]);

		assert_non_null(element);
		memset(element, 0xff, sizes[i]);
		memp_free(types[i], element);
	}
}

static void the_line_names_every_pool(void **state)
{
	char line[512];
	size_t len;

	(void)state;
	assert_true(start(8u << 20) > 0);
	pool_give(POOL_HOLD, pool_take(POOL_HOLD));
	len = pools_format(line, sizeof line);
	assert_int_equal(line[len - 1], '\n');
	line[len - 1] = '\0';
	assert_int_equal(strncmp(line, "pools: conn 0/", 14), 0);
	assert_non_null(strstr(line, ", hold 0/208 peak 1, other"));
	assert_non_null(strstr(line, ", other 0/"));
	assert_int_equal(pools_format(line, 10), 10);
}

static void the_line_names_the_pools_of_tls_where_there_are_any(void **state)
{
	char line[512];
	size_t len;

	(void)state;
	assert_int_equal(start_with(LIMIT_POOL_LEN, &tls), LIMIT_CONNECTIONS);
	len = pools_format(line, sizeof line);
	assert_int_equal(line[len - 1], '\n');
	line[len - 1] = '\0';
	assert_non_null(strstr(line, ", session 0/4096 peak 0, handshake 0/1028 "));
	assert_non_null(strstr(line, ", small_record 0/4100 peak 0, record 0/"));
	/* Room for every number of five digits. */
	assert_true(len + 2 * 2 * POOL_COUNT < sizeof line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_element_is_there_once),
		cmocka_unit_test(memory_decides_how_many),
		cmocka_unit_test(what_nobody_needs_is_not_there),
		cmocka_unit_test(tls_connections_get_what_they_need),
		cmocka_unit_test(spare_memory_becomes_records),
		cmocka_unit_test(objects_of_the_layer_above_come_and_go),
		cmocka_unit_test(packets_come_from_the_pool_of_their_size),
		cmocka_unit_test(lwips_types_fit_their_pools),
		cmocka_unit_test(the_line_names_every_pool),
		cmocka_unit_test(
		    the_line_names_the_pools_of_tls_where_there_are_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: net/pools.c net/records.c net/text.c tests/host_panic.c */
/*
 * Record buffers: which one an address lies in, how long it lives, and that its
 * connection knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/conn.h"
#include "net/pools.h"
#include "net/records.h"

#include "lwip/memp.h"
#include "lwip/pbuf.h"

#define POOL_LEN (1u << 20)

static uint8_t *memory;
static struct net_conn conn;

static int start(void **state)
{
	static const struct net_needs needs = { .records = true };

	(void)state;
	memory = aligned_alloc(4096, POOL_LEN);
	memset(&conn, 0, sizeof conn);
	link_init(&conn.records);
	return pools_start(memory, POOL_LEN, &needs) > 0 ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static const struct kind {
	enum pool_id pool;
	size_t len;
} kinds[] = {
	{ POOL_RECORD_SMALL, LIMIT_RECORD_SMALL_LEN },
	{ POOL_RECORD, LIMIT_RECORD_LEN },
};

/* Used and dropped by its first and its last byte, each buffer of both pools. */
static void any_address_in_a_buffer_will_do(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		const uint32_t count = pool_capacity(kinds[k].pool);
		uint8_t **records = calloc(count, sizeof *records);

		for (uint32_t i = 0; i < count; i++) {
			records[i] = record_take(&conn, kinds[k].pool);
			assert_non_null(records[i]);
			assert_int_equal((uintptr_t)records[i] % 16, 0);
			assert_true(record_holds(records[i]));
			assert_true(record_holds(records[i] + kinds[k].len - 1));
			memset(records[i], 0xff, kinds[k].len);
		}
		assert_null(record_take(&conn, kinds[k].pool));
		for (uint32_t i = 0; i < count; i++) {
			record_use(records[i] + kinds[k].len - 1);
			record_drop(records[i]);
			assert_int_equal(pool_left(kinds[k].pool), i);
			record_use(records[i]);
			record_drop(records[i] + kinds[k].len / 2);
			assert_int_equal(pool_left(kinds[k].pool), i);
			record_drop(records[i] + kinds[k].len - 1);
			assert_int_equal(pool_left(kinds[k].pool), i + 1);
		}
		free(records);
	}
}

static void other_addresses_are_in_none(void **state)
{
	uint8_t *hold = pool_take(POOL_HOLD);
	uint8_t *other = pool_take(POOL_OTHER);

	(void)state;
	assert_false(record_holds(NULL));
	assert_false(record_holds(memory));
	assert_false(record_holds(memory + POOL_LEN));
	assert_false(record_holds(&conn));
	assert_false(record_holds(hold + LIMIT_HOLD_LEN - 1));
	assert_false(record_holds(other));
	pool_give(POOL_HOLD, hold);
	pool_give(POOL_OTHER, other);
}

static void a_connection_knows_how_many_it_has(void **state)
{
	uint8_t *small = record_take(&conn, POOL_RECORD_SMALL);
	uint8_t *first = record_take(&conn, POOL_RECORD);
	uint8_t *second = record_take(&conn, POOL_RECORD);

	(void)state;
	assert_int_equal(conn.small_record_count, 1);
	assert_int_equal(conn.record_count, 2);
	record_use(first);
	record_drop(first);
	assert_int_equal(conn.record_count, 2);
	record_drop(first);
	assert_int_equal(conn.record_count, 1);
	record_drop(small);
	assert_int_equal(conn.small_record_count, 0);
	assert_false(link_empty(&conn.records));
	record_drop(second);
	assert_int_equal(conn.record_count, 0);
	assert_true(link_empty(&conn.records));
}

/* Nothing is written to a connection that is gone. */
static void buffers_outlive_their_connection(void **state)
{
	uint8_t *first = record_take(&conn, POOL_RECORD);
	uint8_t *second = record_take(&conn, POOL_RECORD_SMALL);
	static struct net_conn zero;

	(void)state;
	record_disown(&conn);
	assert_true(link_empty(&conn.records));
	conn = zero;
	record_drop(second);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 0);
	assert_int_equal(pool_level(POOL_RECORD), 1);
	record_drop(first);
	assert_int_equal(pool_level(POOL_RECORD), 0);
	assert_memory_equal(&conn, &zero, sizeof conn);
}

static void a_freed_pbuf_is_a_user_less(void **state)
{
	uint8_t *record = record_take(&conn, POOL_RECORD);
	struct pbuf *p = memp_malloc(MEMP_PBUF);

	(void)state;
	record_use(record + 100);
	record_drop(record);
	p->payload = record + 100;
	assert_int_equal(pool_level(POOL_RECORD), 1);
	memp_free(MEMP_PBUF, p);
	assert_int_equal(pool_level(POOL_RECORD), 0);
	assert_int_equal(pool_level(POOL_REF), 0);

	/* One that refers to the ROM, and one that was never set. */
	p = memp_malloc(MEMP_PBUF);
	p->payload = (void *)(uintptr_t)"ROM";
	memp_free(MEMP_PBUF, p);
	p = memp_malloc(MEMP_PBUF);
	p->payload = NULL;
	memp_free(MEMP_PBUF, p);
	assert_int_equal(pool_level(POOL_REF), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    any_address_in_a_buffer_will_do, start, stop),
		cmocka_unit_test_setup_teardown(
		    other_addresses_are_in_none, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_connection_knows_how_many_it_has, start, stop),
		cmocka_unit_test_setup_teardown(
		    buffers_outlive_their_connection, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_freed_pbuf_is_a_user_less, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

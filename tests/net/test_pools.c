/* links: net/pools.c net/text.c tests/host_panic.c */
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

#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/pbuf.h"

static uint8_t *memory;

static uint32_t start(uint64_t len)
{
	free(memory);
	memory = aligned_alloc(4096, (len + 4095) & ~(uint64_t)4095);
	memset(memory, 0, len);
	return pools_start(memory, len);
}

static void every_element_is_there_once(void **state)
{
	const uint64_t len = 2u << 20;

	(void)state;
	assert_in_range(start(len), 100, 256);
	for (enum pool_id id = 0; id < POOL_COUNT; id++) {
		const uint32_t count = pool_capacity(id);
		void **elements = calloc(count, sizeof *elements);

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

static void memory_decides_how_many(void **state)
{
	(void)state;
	assert_int_equal(start(4096), 0);
	assert_int_equal(start(100000), 0);
	assert_true(start(1u << 20) > 20);
	/* What a VM of 24 MiB has for pools, and one of 64 MiB. */
	assert_in_range(start(8u << 20), 1000, 1024);
	assert_true(start(48u << 20) == LIMIT_CONNECTIONS);
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
	assert_non_null(strstr(line, ", hold 0/260 peak 1,"));
	assert_non_null(strstr(line, ", other 0/"));
	assert_int_equal(pools_format(line, 10), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_element_is_there_once),
		cmocka_unit_test(memory_decides_how_many),
		cmocka_unit_test(packets_come_from_the_pool_of_their_size),
		cmocka_unit_test(lwips_types_fit_their_pools),
		cmocka_unit_test(the_line_names_every_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

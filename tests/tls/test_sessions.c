/* links: tls/sessions.c tests/host_panic.c */
/*
 * The table of sessions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/secret.h"
#include "tls/sessions.h"

#define SETS (LIMIT_SESSIONS / 8)
#define HOUR_MS (3600 * 1000u)

static int start(void **state)
{
	(void)state;
	sessions_start();
	return 0;
}

/* The id number n of a set. */
static void make_id(uint32_t set, uint32_t n, uint8_t id[SESSION_ID_LEN])
{
	memset(id, 0x33, SESSION_ID_LEN);
	store_le32(id, set);
	store_le32(id + SESSION_ID_LEN - 4, n);
}

static void save(uint32_t set, uint32_t n, uint64_t now_ms)
{
	uint8_t id[SESSION_ID_LEN];
	struct session session = { .suite = (uint16_t)n };

	make_id(set, n, id);
	memset(session.master, (int)n, sizeof session.master);
	memset(session.name, ~(int)n, sizeof session.name);
	sessions_save(id, &session, now_ms);
}

static bool is_there(uint32_t set, uint32_t n, uint64_t now_ms)
{
	uint8_t id[SESSION_ID_LEN];
	struct session found, want = { .suite = (uint16_t)n };

	make_id(set, n, id);
	memset(want.master, (int)n, sizeof want.master);
	memset(want.name, ~(int)n, sizeof want.name);
	if (!sessions_find(id, now_ms, &found))
		return false;
	assert_int_equal(found.suite, want.suite);
	assert_memory_equal(found.master, want.master, sizeof want.master);
	assert_memory_equal(found.name, want.name, sizeof want.name);
	return true;
}

static void what_was_saved_is_found(void **state)
{
	(void)state;
	assert_false(is_there(0, 1, 0));
	save(0, 1, 0);
	assert_true(is_there(0, 1, 0));
	assert_true(is_there(0, 1, 5));
	assert_false(is_there(0, 2, 0));
	assert_false(is_there(1, 1, 0));
}

static void every_byte_of_an_id_counts(void **state)
{
	uint8_t id[SESSION_ID_LEN];
	struct session found;

	(void)state;
	save(7, 7, 0);
	make_id(7, 7, id);
	for (size_t i = 0; i < sizeof id; i++) {
		id[i] ^= 0x80;
		assert_false(sessions_find(id, 0, &found));
		id[i] ^= 0x80;
	}
	assert_true(sessions_find(id, 0, &found));
}

static void the_id_of_zeroes_is_not_there_of_itself(void **state)
{
	const uint8_t zero[SESSION_ID_LEN] = { 0 };
	struct session found;

	(void)state;
	assert_false(sessions_find(zero, 1, &found));
	sessions_forget(zero);
	save(0, 0, 1);
	assert_false(sessions_find(zero, 1, &found));
}

static void a_session_lives_as_long_as_the_limit_says(void **state)
{
	(void)state;
	save(3, 1, HOUR_MS);
	assert_true(is_there(3, 1, HOUR_MS + LIMIT_SESSION_MS));
	assert_false(is_there(3, 1, HOUR_MS + LIMIT_SESSION_MS + 1));
	/* And does not come back. */
	assert_false(is_there(3, 1, HOUR_MS));
}

static void the_oldest_of_a_set_goes_first(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 8; n++)
		save(5, n, 100 + n);
	save(6, 1, 1);
	/* Round and round: always the last eight are there. */
	for (uint32_t n = 9; n <= 30; n++) {
		save(5, n, 100 + n);
		for (uint32_t k = 1; k <= n; k++)
			assert_int_equal(is_there(5, k, 200), k > n - 8);
	}
	assert_true(is_there(6, 1, 200));
}

static void what_has_expired_goes_before_the_oldest(void **state)
{
	(void)state;
	save(5, 1, 0);
	for (uint32_t n = 2; n <= 8; n++)
		save(5, n, LIMIT_SESSION_MS);
	save(5, 9, LIMIT_SESSION_MS + 1);
	for (uint32_t n = 2; n <= 9; n++)
		assert_true(is_there(5, n, LIMIT_SESSION_MS + 1));
}

static void the_table_holds_what_the_limit_says(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < LIMIT_SESSIONS; i++)
		save(i % SETS, i, i);
	for (uint32_t i = 0; i < LIMIT_SESSIONS; i++)
		assert_true(is_there(i % SETS, i, LIMIT_SESSIONS));
	save(0, LIMIT_SESSIONS, LIMIT_SESSIONS);
	assert_false(is_there(0, 0, LIMIT_SESSIONS));
	sessions_start();
	for (uint32_t i = 0; i <= LIMIT_SESSIONS; i++)
		assert_false(is_there(i % SETS, i, LIMIT_SESSIONS));
}

static void one_can_be_forgotten(void **state)
{
	uint8_t id[SESSION_ID_LEN];

	(void)state;
	save(5, 1, 0);
	save(5, 2, 0);
	make_id(5, 1, id);
	sessions_forget(id);
	sessions_forget(id);
	assert_false(is_there(5, 1, 0));
	assert_true(is_there(5, 2, 0));
}

static void equal_means_every_bit(void **state)
{
	uint8_t a[SESSION_ID_LEN], b[SESSION_ID_LEN];

	(void)state;
	memset(a, 0xff, sizeof a);
	memcpy(b, a, sizeof a);
	assert_true(ct_equal(a, b, sizeof a) == UINT64_MAX);
	assert_true(ct_equal(a, b, 0) == UINT64_MAX);
	for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(ct_equal(a, b, sizeof a) == 0);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_saved_is_found),
		CASE(every_byte_of_an_id_counts),
		CASE(the_id_of_zeroes_is_not_there_of_itself),
		CASE(a_session_lives_as_long_as_the_limit_says),
		CASE(the_oldest_of_a_set_goes_first),
		CASE(what_has_expired_goes_before_the_oldest),
		CASE(the_table_holds_what_the_limit_says),
		CASE(one_can_be_forgotten),
		CASE(equal_means_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

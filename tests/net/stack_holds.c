/*
 * Cases for the whole stack as TLS uses it: hold buffers of the app, and connections that
 * end each other.
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
#include "tests/net/client.h"
#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

/* ---- Hold buffers -------------------------------------------------------- */

/* Each of these keeps "00000" in the app's buffer and "7" in ours. */
static void two_buffers_of_one_connection_give_way(void **state)
{
	const uint32_t holds = pool_capacity(POOL_HOLD);
	uint32_t reset = 0;

	(void)state;
	for (uint32_t i = 0; i < holds; i++) {
		client_send(connect_client(i, false, answer_len(7)), "000007", 6);
		run_ms(2);
		assert_true(pool_level(POOL_HOLD) <= holds);
	}
	for (uint32_t i = 0; i < holds; i++)
		reset += is_reset(&clients[i]);
	/* Two are kept free. */
	assert_in_range(reset, holds - holds / 2, holds - holds / 2 + 1);
	assert_true(is_reset(&clients[0]));
	client_send(&clients[holds - 1], "\n", 1);
	assert_true(run_until(received_all, &clients[holds - 1], 1000));
	check_answer(&clients[holds - 1], 0, 7);
	for (uint32_t i = 0; i < holds; i++)
		client_reset(&clients[i]);
	run_ms(100);
	assert_int_equal(pool_level(POOL_HOLD), 0);
}

/* The second request is in the app's buffer, and no byte follows it. */
static void what_the_app_keeps_is_offered_again(void **state)
{
	struct client *c = connect_client(0, false,
	    answer_len(100000) + 2 * answer_len(10));
	struct client *quick = connect_client(1, false, 3 * answer_len(10));

	(void)state;
	/* No acknowledgement between them, either. */
	network.delay_us = 10000;
	client_send(quick, "10\n10\n10\n", 9);
	run_ms(21);
	assert_true(received_all(quick));
	close_client(quick);
	network.delay_us = 1000;
	client_send(c, "100000\n10\n10\n", 13);
	run_ms(3);
	assert_int_equal(pool_level(POOL_HOLD), 1);
	assert_true(run_until(received_all, c, 5000));
	check_answer(c, 0, 100000);
	check_answer(c, answer_len(100000), 10);
	check_answer(c, answer_len(100000) + answer_len(10), 10);
	assert_int_equal(pool_level(POOL_HOLD), 0);
	close_client(c);
}

/* An app that asks for more again and again, with a buffer of its own or without. */
static void who_insists_does_not_stop_the_rest(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		struct client *c = connect_client(0, false, answer_len(1));

		tiny_holds = own != 0;
		tiny_insists = true;
		tiny_counters.received_calls = 0;
		client_send(c, "0", 1);
		run_ms(100);
		assert_in_range(tiny_counters.received_calls, 1,
		    2 * LIMIT_HOLD_LEN + 5);
		tiny_insists = false;
		client_send(c, "1\n", 2);
		assert_true(run_until(received_all, c, 1000));
		close_client(c);
	}
}

static void without_hold_buffers_nothing_is_kept(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1));

	(void)state;
	hog(POOL_HOLD, 0);
	client_send(c, "00", 2);
	run_ms(10);
	assert_true(is_reset(c));
	hog_no_more();
	assert_int_equal(pool_level(POOL_HOLD), 0);
}

/* Who asks for more behind an answer that he hardly reads holds a buffer for long. */
static void slow_readers_leave_buffers_for_requests(void **state)
{
	const uint32_t holds = pool_capacity(POOL_HOLD);
	struct client *c;

	(void)state;
	for (uint32_t i = 0; i < holds; i++) {
		struct client *slow =
		    connect_client(i, false, answer_len(100000) + answer_len(7));

		slow->read_rate = 0;
		slow->window_cap = 8192;
		client_send(slow, "100000\n7\n", 9);
		run_ms(2);
	}
	assert_int_equal(pool_left(POOL_HOLD), 2);
	run_ms(LIMIT_RECORD_MS);
	c = connect_client(holds, false, answer_len(10));
	for (const char *byte = "10\n"; *byte != 0; byte++) {
		client_send(c, byte, 1);
		run_ms(500);
		assert_true(is_open(c));
	}
	assert_true(run_until(received_all, c, 1000));
	check_answer(c, 0, 10);
	for (uint32_t i = 0; i <= holds; i++)
		client_reset(&clients[i]);
	run_ms(100);
	assert_int_equal(pool_level(POOL_HOLD), 0);
}

/* ---- One ends another ---------------------------------------------------- */

static void one_may_end_another_that_is_idle(void **state)
{
	struct client *victim = connect_client(0, false, 10), *c;

	(void)state;
	run_ms(1);
	tiny_victim = tiny_last;
	c = connect_client(1, false, answer_len(10));
	ask(c, 10, false);
	assert_true(run_until(received_all, c, 1000));
	assert_true(is_reset(victim));
	assert_int_equal(tiny_counters.closed, 1);
	check_answer(c, 0, 10);
	close_client(c);
}

/* In the middle of a response, after 0 to 30 ms of it. */
static void one_may_end_another_that_sends(void **state)
{
	(void)state;
	for (uint32_t ms = 0; ms < 30; ms++) {
		struct client *c = connect_client(0, false, answer_len(100));
		struct client *victim = connect_client(1, ms % 2 == 0,
		    answer_len(STACK_ROM_LEN));
		struct net_conn *conn;

		run_ms(1);
		conn = tiny_last;
		network.delay_us = 1000;
		ask(victim, STACK_ROM_LEN, false);
		run_ms(ms);
		tiny_victim = conn;
		ask(c, 100, false);
		assert_true(run_until(received_all, c, 1000));
		assert_true(run_until(is_reset, victim, 1000));
		run_ms(5);
		assert_int_equal(pool_level(POOL_RECORD), 0);
		assert_int_equal(pool_level(POOL_CONN), 1);
		network.delay_us = 0;
		close_client(c);
	}
}

/* Both wait for memory; whose turn comes first ends the other, before or behind it. */
static void one_may_end_another_that_waits(void **state)
{
	(void)state;
	for (int behind = 0; behind < 2; behind++) {
		struct client *c = connect_client(0, false, answer_len(100));
		struct client *victim = connect_client(1, false, answer_len(100));
		struct client *last = connect_client(2, false, answer_len(100));

		hog(POOL_RECORD_SMALL, 0);
		ask(behind != 0 ? c : victim, 100, false);
		run_ms(10);
		if (behind == 0)
			tiny_victim = tiny_last;
		ask(behind != 0 ? victim : c, 100, false);
		run_ms(10);
		if (behind != 0)
			tiny_victim = tiny_last;
		ask(last, 100, false);
		run_ms(10);
		hog_no_more();
		assert_true(run_until(received_all, c, 2000));
		assert_true(run_until(received_all, last, 2000));
		assert_null(tiny_victim);
		assert_true(is_reset(victim));
		close_client(c);
		close_client(last);
	}
}

/* ---- All of them ---- */

#define CASE(f) { #f, f }

const struct stack_case stack_hold_cases[] = {
	CASE(two_buffers_of_one_connection_give_way),
	CASE(what_the_app_keeps_is_offered_again),
	CASE(who_insists_does_not_stop_the_rest),
	CASE(without_hold_buffers_nothing_is_kept),
	CASE(slow_readers_leave_buffers_for_requests),
	CASE(one_may_end_another_that_is_idle),
	CASE(one_may_end_another_that_sends),
	CASE(one_may_end_another_that_waits),
	{ NULL, NULL },
};

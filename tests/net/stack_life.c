/*
 * Cases for the whole stack: how connections end, by whom, and who goes when
 * there are too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "net/nic.h"
#include "net/pools.h"
#include "tests/net/client.h"
#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

/* ---- Ends ---------------------------------------------------------------- */

static void the_server_closes_first(void **state)
{
	struct client *c = connect_client(0, false, answer_len(3000));

	(void)state;
	ask(c, 3000, true);
	assert_true(run_until(got_fin, c, 1000));
	check_answer(c, 0, 3000);
	assert_int_equal(pool_level(POOL_CONN), 1);
	client_close(c);
	run_ms(10);
	assert_int_equal(pool_level(POOL_CONN), 0);
	assert_int_equal(pool_level(POOL_PCB), 1);     /* TIME-WAIT */
	assert_int_equal(tiny_counters.closed, 1);
}

static void who_does_not_close_is_let_go(void **state)
{
	struct client *c = connect_client(0, false, answer_len(3000));

	(void)state;
	ask(c, 3000, true);
	assert_true(run_until(got_fin, c, 1000));
	run_ms(LIMIT_LINGER_MS - 1000);
	assert_int_equal(pool_level(POOL_CONN), 1);
	run_ms(2000);
	assert_int_equal(pool_level(POOL_CONN), 0);
	assert_true(is_reset(c));
}

static void half_closed_clients_get_their_answer(void **state)
{
	struct client *c = connect_client(0, false, answer_len(500000));

	(void)state;
	network.delay_us = 1000;
	ask(c, 500000, false);
	client_close(c);
	assert_true(run_until(received_all, c, 10000));
	check_answer(c, 0, 500000);
	assert_true(run_until(got_fin, c, 10000));
	assert_int_equal(tiny_counters.peer_closed, 1);
	run_ms(100);
	assert_int_equal(pool_level(POOL_CONN), 0);
}

static void both_close_at_once(void **state)
{
	struct client *c = connect_client(0, false, answer_len(10));

	(void)state;
	network.delay_us = 10000;
	ask(c, 10, true);
	run_ms(15);          /* the server's FIN is on its way */
	client_close(c);
	assert_true(run_until(got_fin, c, 5000));
	run_ms(200);
	assert_int_equal(pool_level(POOL_CONN), 0);
}

static void a_reset_ends_a_connection_in_any_state(void **state)
{
	(void)state;
	network.delay_us = 2000;
	for (uint32_t ms = 0; ms < 60; ms++) {
		struct client *c = client_open(ms, ms % 2 == 0, answer_len(1u << 20));

		client_connect(c);
		client_send(c, "1000000 close\n", 14);
		run_ms(ms);
		client_reset(c);
	}
	run_ms(30000);
	assert_int_equal(pool_level(POOL_CONN), 0);
}

static void a_fin_comes_at_any_time(void **state)
{
	(void)state;
	network.delay_us = 2000;
	for (uint32_t ms = 0; ms < 40; ms++) {
		struct client *c = client_open(ms, ms % 2 == 0, answer_len(100000));

		client_connect(c);
		client_send(c, "100000\n", 7);
		run_ms(ms / 2);
		client_close(c);
		assert_true(run_until(got_fin, c, 10000));
		check_answer(c, 0, 100000);
	}
}

static void refused_connections_are_reset(void **state)
{
	struct client *c = client_open(0, false, 10);

	(void)state;
	tiny_refuse = true;
	client_connect(c);
	assert_true(run_until(is_reset, c, 1000));
	assert_int_equal(tiny_counters.opened, 0);
	assert_int_equal(tiny_counters.closed, 0);
}

static void an_app_may_abort_while_it_receives(void **state)
{
	struct client *c = connect_client(0, false, 10);

	(void)state;
	tiny_abort = true;
	client_send(c, "1\n", 2);
	assert_true(run_until(is_reset, c, 1000));
	assert_int_equal(pool_level(POOL_CONN), 0);
}

static void a_port_is_used_again_in_time_wait(void **state)
{
	struct client *c = connect_client(0, false, answer_len(10));
	const uint16_t port = c->port;
	const uint32_t end = c->iss + 1000;

	(void)state;
	ask(c, 10, true);
	assert_true(run_until(got_fin, c, 1000));
	client_close(c);
	run_ms(100);
	assert_int_equal(pool_level(POOL_PCB), 1);

	c = client_open(0, false, answer_len(20));
	c->port = port;
	c->iss = end;
	client_connect(c);
	assert_true(run_until(is_open, c, 900));
	ask(c, 20, false);
	assert_true(run_until(received_all, c, 1000));
	check_answer(c, 0, 20);
	close_client(c);
}

/* ---- Deadlines ----------------------------------------------------------- */

static void silent_clients_are_dropped(void **state)
{
	struct client *c = connect_client(0, false, 10);

	(void)state;
	run_ms(LIMIT_IDLE_MS - 1000);
	assert_int_equal(tiny_counters.expired[NET_WAIT_IDLE], 0);
	assert_false(is_reset(c));
	run_ms(2000);
	assert_int_equal(tiny_counters.expired[NET_WAIT_IDLE], 1);
	assert_true(is_reset(c));
}

static void slow_requests_hear_a_last_word(void **state)
{
	struct client *c = connect_client(0, false, 5);
	const uint64_t start = wire_now_ns();

	(void)state;
	for (int i = 0; i < 1000 && !c->fin_received; i++) {
		client_send(c, "0", 1);
		run_ms(100);
	}
	assert_int_equal(tiny_counters.expired[NET_WAIT_REQUEST], 0);
	assert_true(wire_now_ns() - start > 90 * 1000000000ull);
	client_reset(c);
	run_ms(10);

	/* tiny_app restarts the deadline at each byte; so now in silence. */
	c = connect_client(0, false, 5);
	client_send(c, "0", 1);
	run_ms(LIMIT_REQUEST_MS + 1000);
	assert_int_equal(tiny_counters.expired[NET_WAIT_REQUEST], 1);
	assert_memory_equal(c->got, "late\n", 5);
	close_client(c);
}

static void clients_that_do_not_read_are_dropped(void **state)
{
	struct client *c = client_open(0, false, answer_len(STACK_ROM_LEN));

	(void)state;
	c->window_cap = 20000;
	c->read_rate = 0;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	ask(c, STACK_ROM_LEN, false);
	run_ms(LIMIT_WRITE_MS - 1000);
	assert_int_equal(pool_level(POOL_CONN), 1);
	/* The first span saw progress; the second does not. */
	run_ms(LIMIT_WRITE_MS + 2000);
	assert_int_equal(pool_level(POOL_CONN), 0);
	assert_int_equal(tiny_counters.expired[NET_WAIT_WRITE], 1);
}

static void clients_that_read_enough_may_stay(void **state)
{
	struct client *c = client_open(0, false, answer_len(STACK_ROM_LEN));

	(void)state;
	c->window_cap = 4000;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	/* Half a KiB a second: 10 KiB in each span. */
	c->read_rate = 0;
	ask(c, STACK_ROM_LEN, false);
	for (int i = 0; i < 200; i++) {
		run_ms(1000);
		c->unread = c->unread > 512 ? c->unread - 512 : 0;
		client_send(c, "", 0);
	}
	assert_int_equal(tiny_counters.expired[NET_WAIT_WRITE], 0);
	assert_int_equal(pool_level(POOL_CONN), 1);
	client_reset(c);
}

static void a_lost_client_is_forgotten(void **state)
{
	struct client *c = connect_client(0, false, answer_len(STACK_ROM_LEN));

	(void)state;
	network.delay_us = 10000;
	ask(c, STACK_ROM_LEN, false);
	run_ms(100);
	client_forget(c);
	c->muted = true;
	network.loss_per_10000 = 10000;
	run_ms(2 * LIMIT_WRITE_MS + 2000);
	assert_int_equal(pool_level(POOL_CONN), 0);
}

/* ---- Too many ------------------------------------------------------------ */

static void the_oldest_idle_connection_goes_first(void **state)
{
	const uint32_t cap = pool_capacity(POOL_CONN);
	struct client *busy, *c;

	(void)state;
	assert_in_range(cap, 100, CLIENTS_CAP - 20);
	network.delay_us = 200;
	busy = connect_client(CLIENTS_CAP - 1, false, answer_len(STACK_ROM_LEN));
	busy->read_rate = 40;
	busy->window_cap = 30000;
	ask(busy, STACK_ROM_LEN, false);
	for (uint32_t i = 0; i < cap + 10; i++) {
		c = connect_client(i, i % 2 == 0, answer_len(100));
		ask(c, 100, false);
		assert_true(run_until(received_all, c, 2000));
		check_answer(c, 0, 100);
	}
	/* One place is always kept free, one is the busy client's. */
	for (uint32_t i = 0; i < cap + 10; i++) {
		if (is_reset(&clients[i]) != (i < 12))
			fail_msg("client %u: reset %d", i, is_reset(&clients[i]));
	}
	assert_int_equal(busy->state, CLIENT_OPEN);
	for (uint32_t i = 0; i < cap + 10; i++)
		client_reset(&clients[i]);
	client_reset(busy);
	run_ms(100);
}

static void a_flood_of_syns_leaves_room(void **state)
{
	struct client *c = connect_client(0, false, answer_len(10) + answer_len(30));

	(void)state;
	ask(c, 10, false);
	for (uint32_t i = 0; i < 3000; i++) {
		send_stray_syn(i);
		if (i % 50 == 0)
			run_ms(1);
	}
	assert_in_range(pool_level(POOL_PCB), 100, LIMIT_HALF_OPEN + 2);
	assert_int_equal(c->state, CLIENT_OPEN);
	transfer(false, 1000, 5000);
	c = &clients[0];
	run_ms(25000);
}

/* Requests that are not complete take hold buffers; the oldest has to go. */
static void unfinished_requests_give_way(void **state)
{
	const uint32_t holds = pool_capacity(POOL_HOLD);
	uint32_t reset = 0;

	(void)state;
	assert_true(holds + 20 < pool_capacity(POOL_CONN));
	for (uint32_t i = 0; i < holds + 20; i++) {
		struct client *c = connect_client(i, false, answer_len(1));

		client_send(c, "00000", 5);
		run_ms(2);
	}
	for (uint32_t i = 0; i < holds + 20; i++)
		reset += is_reset(&clients[i]);
	assert_in_range(reset, 20, 22);
	assert_true(is_reset(&clients[0]));
	assert_false(is_reset(&clients[holds + 19]));
	ask(&clients[holds + 19], 1, false);
	assert_true(run_until(received_all, &clients[holds + 19], 1000));
	for (uint32_t i = 0; i < holds + 20; i++)
		client_reset(&clients[i]);
	run_ms(100);
}

static void an_empty_pool_only_delays(void **state)
{
	static const enum pool_id ids[] = {
		POOL_SEGMENT, POOL_REF, POOL_SMALL, POOL_RECORD_SMALL, POOL_RECORD,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct client *c;

		if (pool_capacity(ids[i]) == 0)
			continue;
		c = connect_client(0, false, answer_len(5000));
		run_ms(10);
		hog(ids[i], 0);
		ask(c, 5000, false);
		run_ms(3000);
		assert_false(received_all(c));
		assert_int_equal(c->state, CLIENT_OPEN);
		hog_no_more();
		assert_true(run_until(received_all, c, 3000));
		check_answer(c, 0, 5000);
		close_client(c);
	}
}

/* All connections download at once, over a bad line, and everyone gets all. */
static void everyone_at_once(void **state)
{
	const uint32_t count = pool_capacity(POOL_CONN) - 5;

	(void)state;
	network.delay_us = 3000;
	for (uint32_t i = 0; i < count; i++)
		(void)connect_client(i, i % 2 == 0, answer_len(60000));
	network.jitter_us = 2000;
	network.loss_per_10000 = 20;
	for (uint32_t i = 0; i < count; i++)
		ask(&clients[i], 60000, false);
	for (uint32_t i = 0; i < count; i++) {
		if (!run_until(received_all, &clients[i], 300000))
			fail_msg("client %u: state %d, %u bytes came", i,
			    clients[i].state,
			    clients[i].rcv_nxt - clients[i].irs - 1);
		check_answer(&clients[i], 0, 60000);
	}
	for (uint32_t i = 0; i < count; i++)
		client_reset(&clients[i]);
	network = (struct network){ 0 };
	run_ms(1000);
}

#define CHAOS_LEN (4u << 20)

/* A minute of clients that do anything, at any time. */
static void chaos(void **state)
{
	(void)state;
	network = (struct network){
		.loss_per_10000 = 300, .delay_us = 2000, .jitter_us = 2000,
	};
	for (uint32_t turn = 0; turn < 6000; turn++) {
		struct client *c = &clients[wire_random_below(40)];
		const size_t index = (size_t)(c - clients);

		hog_no_more();
		if (wire_random_below(4) == 0)
			hog((enum pool_id)wire_random_below(POOL_OTHER),
			    wire_random_below(8));
		tiny_abort = wire_random_below(100) == 0;
		tiny_refuse = wire_random_below(50) == 0;
		tiny_piecewise = wire_random_below(10) == 0;
		wire_nic_room = 1 + wire_random_below(GATE_TX_BATCH);
		wire_nic_delay = wire_random_below(60);
		if (c->state != CLIENT_OPEN || c->out_len > 12000 ||
		    c->rcv_nxt - c->irs > CHAOS_LEN / 2) {
			client_reset(c);
			c = client_open(index, wire_random_below(2) != 0, CHAOS_LEN);
			c->window_cap = 1 + wire_random_below(1u << 18);
			c->read_rate = wire_random_below(500);
			c->ack_every = 1 + wire_random_below(30);
			client_connect(c);
		} else {
			char line[40];

			switch (wire_random_below(6)) {
			case 0:
				client_close(c);
				break;
			case 1:
				client_reset(c);
				break;
			case 2:
				client_forget(c);
				break;
			default:
				client_send(c, line, (size_t)snprintf(line,
				    sizeof line, "%u%s\n",
				    wire_random_below(CHAOS_LEN / 8) >>
				        wire_random_below(18),
				    wire_random_below(4) == 0 ? " x" : ""));
			}
		}
		run_ms(wire_random_below(20));
	}
	hog_no_more();
}

/* ---- All of them ---- */

#define CASE(f) { #f, f }

const struct stack_case stack_life_cases[] = {
	CASE(the_server_closes_first),
	CASE(who_does_not_close_is_let_go),
	CASE(half_closed_clients_get_their_answer),
	CASE(both_close_at_once),
	CASE(a_reset_ends_a_connection_in_any_state),
	CASE(a_fin_comes_at_any_time),
	CASE(refused_connections_are_reset),
	CASE(an_app_may_abort_while_it_receives),
	CASE(a_port_is_used_again_in_time_wait),
	CASE(silent_clients_are_dropped),
	CASE(slow_requests_hear_a_last_word),
	CASE(clients_that_do_not_read_are_dropped),
	CASE(clients_that_read_enough_may_stay),
	CASE(a_lost_client_is_forgotten),
	CASE(the_oldest_idle_connection_goes_first),
	CASE(a_flood_of_syns_leaves_room),
	CASE(unfinished_requests_give_way),
	CASE(an_empty_pool_only_delays),
	CASE(everyone_at_once),
	CASE(chaos),
	{ NULL, NULL },
};

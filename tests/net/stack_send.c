/*
 * Cases for the whole stack: what is sent, and by which rules.
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

/* ---- Transfers ----------------------------------------------------------- */

static void files_of_any_length_arrive(void **state)
{
	static const size_t lengths[] = {
		0, 1, 2, 1400, 1448, 1449, 1450, 1451, 1460, 1461, 2919, 2920,
		14600, 64240, 65535, 65536, 100000, 1u << 20, STACK_ROM_LEN,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		transfer(false, lengths[i], 60000);
		transfer(true, lengths[i], 60000);
	}
	assert_int_equal(tiny_counters.answered, 2 * ARRAY_LEN(lengths));
}

static void files_arrive_over_a_distance(void **state)
{
	(void)state;
	network.delay_us = 50000;
	transfer(false, STACK_ROM_LEN, 60000);
	transfer(true, STACK_ROM_LEN, 60000);
}

static void files_arrive_despite_loss_and_reordering(void **state)
{
	static const uint32_t losses[] = { 10, 100, 500, 1500 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		for (uint64_t seed = 0; seed < 6; seed++) {
			wire_seed(seed);
			network = (struct network){
				.loss_per_10000 = losses[i],
				.delay_us = 10000,
				.jitter_us = seed % 2 == 0 ? 0 : 3000,
			};
			struct client *c = client_open(0, seed % 3 == 0,
			    answer_len(300000));

			client_connect(c);
			assert_true(run_until(is_open, c, 60000));
			ask(c, 300000, false);
			/* The server may lose patience with very bad lines. */
			if (run_until(received_all, c, 600000))
				check_answer(c, 0, 300000);
			else
				assert_true(losses[i] >= 500);
			client_reset(c);
			run_ms(2000);
		}
	}
}

static void many_requests_on_one_connection(void **state)
{
	struct client *c = connect_client(0, false, 500 * answer_len(777));

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		ask(c, 777, false);
		run_ms(1);
	}
	assert_true(run_until(received_all, c, 5000));
	for (size_t i = 0; i < 500; i++)
		check_answer(c, i * answer_len(777), 777);
	close_client(c);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct client *c = connect_client(0, false,
	    200 * (answer_len(5) + answer_len(20000)));
	size_t at = 0;

	(void)state;
	network.delay_us = 5000;
	for (size_t i = 0; i < 200; i++) {
		client_send(c, "5\n20000\n", 8);
	}
	assert_true(run_until(received_all, c, 60000));
	for (size_t i = 0; i < 200; i++) {
		check_answer(c, at, 5);
		check_answer(c, at + answer_len(5), 20000);
		at += answer_len(5) + answer_len(20000);
	}
	close_client(c);
}

static void requests_byte_by_byte(void **state)
{
	static const char request[] = "00000000000000000000012345\n";
	struct client *c = connect_client(0, true, answer_len(12345));

	(void)state;
	for (size_t i = 0; i < sizeof request - 1; i++) {
		client_send(c, &request[i], 1);
		run_ms(20);
	}
	assert_true(run_until(received_all, c, 5000));
	check_answer(c, 0, 12345);
	assert_true(tiny_counters.received_calls >= sizeof request - 1);
	close_client(c);
}

/* More bytes of requests than the window has. */
static void the_receive_window_opens_again(void **state)
{
	char line[1001];
	struct client *c = connect_client(0, false, 15 * answer_len(7));

	(void)state;
	memset(line, '0', sizeof line);
	line[999] = '7';
	line[1000] = '\n';
	for (int i = 0; i < 15; i++)
		client_send(c, line, sizeof line);
	assert_true(run_until(received_all, c, 5000));
	close_client(c);
}

static void a_file_in_tiny_pieces_arrives(void **state)
{
	(void)state;
	tiny_piecewise = true;
	transfer(false, 50000, 60000);
}

/* ---- Windows ------------------------------------------------------------- */

static void small_and_slow_windows(void **state)
{
	static const struct {
		uint32_t cap, rate, ack_every;
		uint8_t scale;
	} kinds[] = {
		{ 100, UINT32_MAX, 1, 255 },
		{ 1000, 100, 2, 0 },
		{ 1459, UINT32_MAX, 2, 255 },
		{ 2000, 50, 2, 0 },
		{ 5000, 500, 4, 7 },
		{ 65535, 2000, 2, 255 },
		{ 65536, 1000, 50, 14 },
		{ 200000, 3000, 100, 7 },
	};

	(void)state;
	network.delay_us = 1000;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const size_t n = kinds[i].cap < 200 ? 60 : 150000;
		struct client *c = client_open(0, i % 2 == 0, answer_len(n));

		c->window_cap = kinds[i].cap;
		c->read_rate = kinds[i].rate;
		c->ack_every = kinds[i].ack_every;
		c->scale = kinds[i].scale;
		client_connect(c);
		assert_true(run_until(is_open, c, 10000));
		ask(c, n, false);
		if (!run_until(received_all, c, 400000))
			fail_msg("kind %zu: %u bytes came", i,
			    c->rcv_nxt - c->irs - 1);
		check_answer(c, 0, n);
		c->window_cap = 65535;
		close_client(c);
	}
}

/* A window closes altogether in the middle, and opens again. */
static void a_window_that_closes_and_opens(void **state)
{
	struct client *c = client_open(0, false, answer_len(200000));

	(void)state;
	network.delay_us = 1000;
	c->window_cap = 30000;
	c->scale = 255;
	c->read_rate = 0;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	ask(c, 200000, false);
	run_ms(8000);
	assert_int_equal(c->rcv_nxt - c->irs - 1, 30000);
	c->read_rate = 100;
	c->last_read_ns = wire_now_ns();
	assert_true(run_until(received_all, c, 60000));
	check_answer(c, 0, 200000);
	close_client(c);
}

/*
 * With one byte left, a zero window, and its probe acknowledged
 * (config/lwip-peer.patch).
 */
static void the_last_byte_is_taken_as_a_probe(void **state)
{
	struct client *c = client_open(0, false, answer_len(1000));

	(void)state;
	c->window_cap = (uint32_t)answer_len(1000) - 1;
	c->scale = 255;
	c->read_rate = 0;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	ask(c, 1000, false);
	run_ms(1000);
	assert_int_equal(c->rcv_nxt - c->irs - 1, answer_len(1000) - 1);
	/* Room for exactly one byte, told by the acknowledgement of a probe. */
	c->window_cap++;
	run_ms(3000);
	assert_true(received_all(c));
	run_ms(15000);
	client_reset(c);
}

/* ---- Sending rules ------------------------------------------------------- */

static void the_first_flight_is_ten_segments(void **state)
{
	struct client *c = connect_client(0, false, answer_len(500000));

	(void)state;
	network.delay_us = 100000;
	ask(c, 500000, false);
	run_ms(250);
	assert_in_range(c->payload_bytes, 9 * 1460, 10 * 1460);
	client_reset(c);
}

static void segments_keep_to_the_mss(void **state)
{
	static const uint16_t asked[] = { 0, 1, 255, 256, 536, 1000, 1460, 9000 };
	static const uint16_t expected[] = {
		536, 256, 256, 256, 536, 1000, 1460, 1460
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct client *c = client_open(0, false, answer_len(200000));

		c->mss = asked[i];
		client_connect(c);
		assert_true(run_until(is_open, c, 1000));
		ask(c, 200000, false);
		assert_true(run_until(received_all, c, 60000));
		assert_int_equal(c->payload_max, expected[i]);
		close_client(c);
	}
}

static void all_segments_but_the_last_are_full(void **state)
{
	static const struct {
		uint32_t ack_every, window;
	} kinds[] = {
		{ 1, 1u << 20 }, { 2, 1u << 20 }, { 3, 50000 }, { 7, 1u << 20 },
		{ 2, 50000 }, { 1, 20001 }, { 40, 300000 },
	};

	(void)state;
	network.delay_us = 5000;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct client *c = client_open(0, false, answer_len(1u << 20));

		c->ack_every = kinds[i].ack_every;
		c->window_cap = kinds[i].window;
		client_connect(c);
		assert_true(run_until(is_open, c, 1000));
		ask(c, 1u << 20, false);
		assert_true(run_until(received_all, c, 60000));
		assert_int_equal(c->short_segments, 1);
		close_client(c);
	}
}

/* One packet is lost in the middle of many: it alone is sent again. */
static void a_lost_packet_is_repaired_alone(void **state)
{
	(void)state;
	network.delay_us = 5000;
	for (uint32_t lost = 100; lost < 400; lost += 37) {
		struct client *c = connect_client(0, false,
		    answer_len(1u << 20));
		const uint64_t start = wire_now_ns();

		network.drop_countdown = lost;
		ask(c, 1u << 20, false);
		assert_true(run_until(received_all, c, 60000));
		check_answer(c, 0, 1u << 20);
		assert_int_equal(network.drop_countdown, 0);
		/* The client counted what arrived: that is once. */
		assert_int_equal(c->payload_bytes, answer_len(1u << 20));
		/* Without waiting for a timeout. */
		assert_true(wire_now_ns() - start < 900000000u);
		close_client(c);
	}
}

/*
 * After a timeout the window is one segment, however long the lwIP segment is.
 */
static void a_timeout_sends_one_segment(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1u << 20));
	uint64_t before;

	(void)state;
	network.delay_us = 20000;
	ask(c, 1u << 20, false);
	run_ms(160);
	assert_true(c->payload_bytes > 100000);
	/* Nothing passes for a while; then the server tries again. */
	network.loss_per_10000 = 10000;
	run_ms(400);
	before = c->payload_bytes;
	c->burst_max = 0;
	network.loss_per_10000 = 0;
	c->muted = true;
	run_ms(1200);
	assert_in_range(c->payload_bytes - before, 1, 1460);
	c->muted = false;
	assert_true(run_until(received_all, c, 60000));
	check_answer(c, 0, 1u << 20);
	/* What was acknowledged was not sent again. */
	assert_true(c->payload_bytes < answer_len(1u << 20) + 600000);
	close_client(c);
}

static void long_segments_are_used_where_the_nic_cuts_them(void **state)
{
	struct client *c = connect_client(0, false, answer_len(STACK_ROM_LEN));

	(void)state;
	/*
	 * With every acknowledgement late, the whole window goes out at once.
	 */
	network.delay_us = 1000;
	c->ack_every = 20;
	ask(c, STACK_ROM_LEN, false);
	assert_true(run_until(received_all, c, 60000));
	check_answer(c, 0, STACK_ROM_LEN);
	/* Segments in flight: one for each MSS, or far fewer. */
	char line[512];
	unsigned peak = 0;
	line[pools_format(line, sizeof line - 1)] = '\0';
	sscanf(strstr(line, "segment"), "segment %*u/%*u peak %u", &peak);
	if ((wire_info.nic_features & GATE_NIC_TSO4) != 0)
		assert_in_range(peak, 1, 300);
	close_client(c);
}

static void a_busy_nic_loses_nothing(void **state)
{
	(void)state;
	wire_nic_delay = 40;
	wire_nic_room = 3;
	network.delay_us = 2000;
	transfer(false, 1u << 20, 60000);
	network.loss_per_10000 = 100;
	transfer(true, 300000, 120000);
}

/* ---- All of them ---- */

#define CASE(f) { #f, f }

const struct stack_case stack_send_cases[] = {
	CASE(files_of_any_length_arrive),
	CASE(files_arrive_over_a_distance),
	CASE(files_arrive_despite_loss_and_reordering),
	CASE(many_requests_on_one_connection),
	CASE(pipelined_requests_are_answered_in_order),
	CASE(requests_byte_by_byte),
	CASE(the_receive_window_opens_again),
	CASE(a_file_in_tiny_pieces_arrives),
	CASE(small_and_slow_windows),
	CASE(a_window_that_closes_and_opens),
	CASE(the_last_byte_is_taken_as_a_probe),
	CASE(the_first_flight_is_ten_segments),
	CASE(segments_keep_to_the_mss),
	CASE(all_segments_but_the_last_are_full),
	CASE(a_lost_packet_is_repaired_alone),
	CASE(a_timeout_sends_one_segment),
	CASE(long_segments_are_used_where_the_nic_cuts_them),
	CASE(a_busy_nic_loses_nothing),
	{ NULL, NULL },
};

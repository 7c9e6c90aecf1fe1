/*
 * Cases for the whole stack; see stack_cases.h.  Every case leaves the server as it
 * found it, which check_idle() verifies after each: no connection, no segment, no
 * buffer in use.
 */
#include "tests/net/stack_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "net/nic.h"
#include "net/pools.h"
#include "tests/net/client.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

#define ROM_LEN (3u << 20)
#define POOL_LEN (2u << 20)        /* some 200 connections */

static uint8_t rom[ROM_LEN];
static bool has_tso;

/* ---- Helpers --------------------------------------------------------------------- */

static bool received_all(void *arg)
{
	const struct client *c = arg;

	return c->rcv_nxt - (c->irs + 1) - c->fin_received >= c->got_cap;
}

static bool is_open(void *arg)
{
	return ((const struct client *)arg)->state == CLIENT_OPEN;
}

static bool is_reset(void *arg)
{
	return ((const struct client *)arg)->state == CLIENT_RESET;
}

static bool got_fin(void *arg)
{
	return ((const struct client *)arg)->fin_received;
}

static size_t answer_len(size_t n)
{
	char line[40];

	return (size_t)snprintf(line, sizeof line, "%zu bytes\n", n) + n;
}

static void ask(struct client *c, size_t n, bool close)
{
	char line[40];

	client_send(c, line, (size_t)snprintf(line, sizeof line, "%zu%s\n", n,
	    close ? " close" : ""));
}

/* Everything the client received, from its byte `at` on, is the answer to n. */
static void check_answer(const struct client *c, size_t at, size_t n)
{
	char line[40];
	const size_t head = (size_t)snprintf(line, sizeof line, "%zu bytes\n", n);

	assert_memory_equal(c->got + at, line, head);
	assert_memory_equal(c->got + at + head, rom, n);
}

static struct client *connect_client(size_t index, bool ipv6, size_t cap)
{
	struct client *c = client_open(index, ipv6, cap);

	client_connect(c);
	assert_true(run_until(is_open, c, 10000));
	return c;
}

static void close_client(struct client *c)
{
	if (!c->fin_sent)
		client_close(c);
	assert_true(run_until(got_fin, c, 30000));
	run_ms(500);
	client_forget(c);
}

static bool is_idle(void *arg)
{
	(void)arg;
	return pool_level(POOL_CONN) == 0 && pool_level(POOL_PCB) == 0 &&
	    pool_level(POOL_SEGMENT) == 0 && pool_level(POOL_REF) == 0 &&
	    pool_level(POOL_SMALL) == 0 && pool_level(POOL_MEDIUM) == 0 &&
	    pool_level(POOL_HOLD) == 0 && pool_level(POOL_FRAME) == 0 &&
	    nic_frames_out() == 0 && nic_buffers_held() == 0;
}

static int begin(void **state)
{
	(void)state;
	network = (struct network){ 0 };
	wire_nic_delay = 0;
	wire_nic_room = GATE_TX_BATCH;
	tiny_refuse = tiny_abort = tiny_piecewise = false;
	tiny_counters = (struct tiny_counters){ 0 };
	return 0;
}

/* TIME-WAIT is over after a minute: then nothing is left of a case. */
static int check_idle(void **state)
{
	(void)state;
	network = (struct network){ 0 };
	wire_nic_delay = 0;
	wire_nic_room = GATE_TX_BATCH;
	for (size_t i = 0; i < CLIENTS_CAP; i++)
		client_forget(&clients[i]);
	if (!run_until(is_idle, NULL, 200000)) {
		char line[512];

		fprintf(stderr, "left behind: %.*sframes out %u, buffers %u\n",
		    (int)pools_format(line, sizeof line), line,
		    nic_frames_out(), nic_buffers_held());
		return -1;
	}
	return tiny_counters.opened == tiny_counters.closed ? 0 : -1;
}

/* ---- Transfers ----------------------------------------------------------------------- */

static void transfer(bool ipv6, size_t n, uint32_t ms)
{
	struct client *c = connect_client(0, ipv6, answer_len(n));

	ask(c, n, false);
	assert_true(run_until(received_all, c, ms));
	check_answer(c, 0, n);
	close_client(c);
}

static void files_of_any_length_arrive(void **state)
{
	static const size_t lengths[] = {
		0, 1, 2, 1400, 1448, 1449, 1450, 1451, 1460, 1461, 2919, 2920,
		14600, 64240, 65535, 65536, 100000, 1u << 20, ROM_LEN,
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
	transfer(false, ROM_LEN, 60000);
	transfer(true, ROM_LEN, 60000);
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

static void a_file_in_tiny_pieces_arrives(void **state)
{
	(void)state;
	tiny_piecewise = true;
	transfer(false, 50000, 60000);
}

/* ---- Windows ------------------------------------------------------------------------- */

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

/* With one byte left, a zero window, and its probe acknowledged (config/lwip-peer.patch). */
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

/* ---- Sending rules -------------------------------------------------------------------- */

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

/* After a timeout the window is one segment, however long the lwIP segment is. */
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
	struct client *c = connect_client(0, false, answer_len(ROM_LEN));

	(void)state;
	/* With every acknowledgement late, the whole window goes out at once. */
	network.delay_us = 1000;
	c->ack_every = 20;
	ask(c, ROM_LEN, false);
	assert_true(run_until(received_all, c, 60000));
	check_answer(c, 0, ROM_LEN);
	/* Segments in flight: one for each MSS, or far fewer. */
	char line[512];
	unsigned peak = 0;
	line[pools_format(line, sizeof line - 1)] = '\0';
	sscanf(strstr(line, "segment"), "segment %*u/%*u peak %u", &peak);
	if (has_tso)
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

/* ---- Ends ------------------------------------------------------------------------------- */

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

/* ---- Deadlines --------------------------------------------------------------------------- */

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
	struct client *c = client_open(0, false, answer_len(ROM_LEN));

	(void)state;
	c->window_cap = 20000;
	c->read_rate = 0;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	ask(c, ROM_LEN, false);
	run_ms(LIMIT_WRITE_MS - 1000);
	assert_int_equal(pool_level(POOL_CONN), 1);
	/* The first span saw progress; the second does not. */
	run_ms(LIMIT_WRITE_MS + 2000);
	assert_int_equal(pool_level(POOL_CONN), 0);
	assert_int_equal(tiny_counters.expired[NET_WAIT_WRITE], 1);
}

static void clients_that_read_enough_may_stay(void **state)
{
	struct client *c = client_open(0, false, answer_len(ROM_LEN));

	(void)state;
	c->window_cap = 4000;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	/* Half a KiB a second: 10 KiB in each span. */
	c->read_rate = 0;
	ask(c, ROM_LEN, false);
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
	struct client *c = connect_client(0, false, answer_len(ROM_LEN));

	(void)state;
	network.delay_us = 10000;
	ask(c, ROM_LEN, false);
	run_ms(100);
	client_forget(c);
	c->muted = true;
	network.loss_per_10000 = 10000;
	run_ms(2 * LIMIT_WRITE_MS + 2000);
	assert_int_equal(pool_level(POOL_CONN), 0);
}

/* ---- Too many ------------------------------------------------------------------------------ */

static void the_oldest_idle_connection_goes_first(void **state)
{
	const uint32_t cap = pool_capacity(POOL_CONN);
	struct client *busy, *c;

	(void)state;
	assert_in_range(cap, 100, CLIENTS_CAP - 20);
	network.delay_us = 200;
	busy = connect_client(CLIENTS_CAP - 1, false, answer_len(ROM_LEN));
	busy->read_rate = 40;
	busy->window_cap = 30000;
	ask(busy, ROM_LEN, false);
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
		assert_true(run_until(received_all, &clients[i], 300000));
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
}

/* ---- Start --------------------------------------------------------------------------------- */

static int start(void **state)
{
	(void)state;
	if (net_start(&wire_info) != NULL || !net_listen(80, &tiny_app))
		return -1;
	clients_start();
	/* Duplicate address detection takes IPv6 two seconds. */
	run_ms(3000);
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, check_idle)

int run_stack_cases(uint32_t nic_features)
{
	const struct CMUnitTest cases[] = {
		CASE(files_of_any_length_arrive),
		CASE(files_arrive_over_a_distance),
		CASE(files_arrive_despite_loss_and_reordering),
		CASE(many_requests_on_one_connection),
		CASE(pipelined_requests_are_answered_in_order),
		CASE(requests_byte_by_byte),
		CASE(a_file_in_tiny_pieces_arrives),
		CASE(small_and_slow_windows),
		CASE(a_window_that_closes_and_opens),
		CASE(the_last_byte_is_taken_as_a_probe),
		CASE(the_first_flight_is_ten_segments),
		CASE(segments_keep_to_the_mss),
		CASE(a_timeout_sends_one_segment),
		CASE(long_segments_are_used_where_the_nic_cuts_them),
		CASE(a_busy_nic_loses_nothing),
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
		CASE(everyone_at_once),
		CASE(chaos),
	};

	has_tso = nic_features != 0;
	wire_seed(1);
	for (size_t i = 0; i < ROM_LEN; i++)
		rom[i] = (uint8_t)wire_random();
	wire_start(&(struct wire_options){
		.nic_features = nic_features,
		.cmdline = "ip=10.77.0.2/16::10.77.0.1 ip6=fd77::2/64,fd77::1",
		.pool_len = POOL_LEN,
		.rom = rom,
		.rom_len = ROM_LEN,
		.seed = 7,
	});
	return cmocka_run_group_tests(cases, start, NULL);
}

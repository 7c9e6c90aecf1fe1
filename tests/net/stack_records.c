/*
 * Cases for the whole stack as TLS uses it: when a record buffer is free again, and who
 * gets one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "net/conn.h"
#include "net/nic.h"
#include "net/pools.h"
#include "tests/net/client.h"
#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

/* ---- When a buffer is free ----------------------------------------------- */

static void a_record_is_free_when_it_is_acknowledged(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1000));

	(void)state;
	network.delay_us = 10000;
	ask(c, 1000, false);
	run_ms(15);
	assert_int_equal(tiny_counters.records, 1);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 1);
	run_ms(10);
	assert_true(received_all(c));
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 1);
	run_ms(10);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 0);
	close_client(c);
}

static void only_what_is_acknowledged_is_free(void **state)
{
	struct client *c = connect_client(0, false, answer_len(60000));
	uint32_t before;

	(void)state;
	network.delay_us = 10000;
	ask(c, 60000, false);
	run_ms(15);
	/* 1, 2, 4 and 8 segments: the window holds ten. */
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 1);
	assert_in_range(pool_level(POOL_RECORD), 2, 4);
	before = pool_level(POOL_RECORD);
	/* No acknowledgement comes for a while. */
	network.loss_per_10000 = 10000;
	c->muted = true;
	run_ms(100);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 1);
	assert_int_equal(pool_level(POOL_RECORD), before);
	c->muted = false;
	network.loss_per_10000 = 0;
	assert_true(run_until(received_all, c, 10000));
	run_ms(50);
	assert_int_equal(pool_level(POOL_RECORD), 0);
	check_answer(c, 0, 60000);
	close_client(c);
}

/*
 * Everything is acknowledged, but the NIC still reads a record: nobody else gets the
 * buffer, though he waits for it.  When the NIC has sent it, he gets it at once.
 */
static void check_nic_keeps_record(struct client *c)
{
	struct client *other = connect_client(1, false, answer_len(900));

	run_ms(10);
	assert_true(received_all(c));
	assert_int_equal(pool_level(POOL_SEGMENT), 0);
	assert_int_equal(pool_level(POOL_REF), 1);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 1);
	hog(POOL_RECORD_SMALL, 0);
	ask(other, 900, false);
	run_ms(1500);
	assert_true(tiny_counters.records_refused > 0);
	assert_false(received_all(other));

	wire_nic_stuck = false;
	assert_true(run_until(received_all, other, 20));
	check_answer(other, 0, 900);
	hog_no_more();
	close_client(other);
	close_client(c);
}

static void a_record_stays_until_the_nic_has_sent_it(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1000));

	(void)state;
	network.delay_us = 100;
	run_ms(1);
	wire_nic_stuck = true;
	ask(c, 1000, false);
	run_ms(10);
	check_nic_keeps_record(c);
}

/* The same for a copy that was sent because an acknowledgement came late. */
static void a_record_stays_until_its_last_copy_is_sent(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1000));

	(void)state;
	network.delay_us = 100;
	ask(c, 1000, false);
	c->muted = true;
	run_ms(10);
	assert_true(received_all(c));
	assert_int_equal(nic_frames_out(), 0);
	wire_nic_stuck = true;
	run_ms(2500);
	assert_true(nic_frames_out() > 0);
	c->muted = false;
	run_ms(10);
	check_nic_keeps_record(c);
}

/* The wire's own.  The NIC is stuck but for the time between two long frames. */
static void (*wire_forward)(const uint8_t *frame, size_t len);
static uint32_t long_frames;

static void count_frame(const uint8_t *frame, size_t len)
{
	if (len > 1000)
		wire_nic_stuck = ++long_frames != 1;
	wire_forward(frame, len);
}

/*
 * The NIC reports the record sent in the last exchange of a turn, in which two segments
 * go out that were lost.  Nothing more comes from the network, and yet who waits
 * is served at once.
 */
static void a_late_report_is_acted_on_at_once(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1000));
	struct client *other = connect_client(1, false, answer_len(900));
	struct client *lost[2];
	uint64_t start;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		lost[i] = connect_client(2 + i, false, answer_len(1000));
	run_ms(10);
	for (size_t i = 0; i < 2; i++) {
		ask(lost[i], 1000, false);
		lost[i]->muted = true;
	}
	run_ms(10);
	wire_nic_stuck = true;
	ask(c, 1000, false);
	run_ms(10);
	hog(POOL_RECORD_SMALL, 0);
	ask(other, 900, false);
	run_ms(10);
	long_frames = 0;
	wire_nic_room = 1;
	wire_forward = wire_on_frame;
	wire_on_frame = count_frame;
	while (long_frames < 2)
		run_ms(1);
	start = wire_now_ns();
	assert_true(run_until(received_all, other, 500));
	wire_on_frame = wire_forward;
	assert_true(wire_now_ns() - start < 5000000u);
	assert_int_equal(long_frames, 2);
	wire_nic_stuck = false;
	hog_no_more();
	for (size_t i = 0; i < 4; i++) {
		clients[i].muted = false;
		client_reset(&clients[i]);
	}
	run_ms(100);
}

/* The NIC has a record of a connection that is gone; another one is in its place. */
static void a_new_connection_owes_nothing(void **state)
{
	struct client *c = connect_client(0, false, answer_len(1000));

	(void)state;
	run_ms(1);
	wire_nic_stuck = true;
	ask(c, 1000, false);
	run_ms(10);
	client_reset(c);
	run_ms(10);
	assert_int_equal(pool_level(POOL_CONN), 0);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 1);
	c = connect_client(0, false, answer_len(1000));
	run_ms(10);
	wire_nic_stuck = false;
	run_ms(10);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 0);
	assert_int_equal(tiny_last->small_record_count, 0);
	ask(c, 1000, false);
	assert_true(run_until(received_all, c, 1000));
	close_client(c);
}

/* Each packet of an answer is lost once, while others use all buffers again and again. */
static void what_is_sent_again_is_the_same(void **state)
{
	(void)state;
	for (uint32_t lost = 1; lost < 40; lost += 3) {
		struct client *c = connect_client(0, lost % 2 == 0,
		    answer_len(50000));
		struct client *others[8];

		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			others[i] = connect_client(1 + i, false,
			    50 * answer_len(3000));
		network.delay_us = 5000;
		network.drop_countdown = lost;
		ask(c, 50000, false);
		for (int turn = 0; turn < 50; turn++) {
			for (size_t i = 0; i < ARRAY_LEN(others); i++)
				ask(others[i], 3000, false);
			run_ms(12);
		}
		assert_true(run_until(received_all, c, 10000));
		check_answer(c, 0, 50000);
		for (size_t i = 0; i < ARRAY_LEN(others); i++) {
			assert_true(run_until(received_all, others[i], 10000));
			for (size_t k = 0; k < 50; k++)
				check_answer(others[i], k * answer_len(3000), 3000);
			client_reset(others[i]);
		}
		client_reset(c);
		network.delay_us = 0;
		run_ms(100);
	}
}

static void a_reset_frees_all_records(void **state)
{
	(void)state;
	network.delay_us = 2000;
	for (uint32_t ms = 0; ms < 60; ms++) {
		struct client *c = connect_client(0, ms % 2 == 0,
		    answer_len(1u << 20));

		ask(c, 1u << 20, false);
		run_ms(ms);
		client_reset(c);
		run_ms(5);
		assert_int_equal(pool_level(POOL_RECORD), 0);
		assert_int_equal(pool_level(POOL_RECORD_SMALL), 0);
		assert_int_equal(pool_level(POOL_SESSION), 0);
	}
}

/* Responses under way, and the begin of a next request in a hold buffer each. */
static void evicted_responses_free_their_records(void **state)
{
	const uint32_t count = 2 * pool_capacity(POOL_HOLD);

	(void)state;
	for (uint32_t i = 0; i < count; i++) {
		struct client *c = connect_client(i, false, answer_len(1000));

		client_send(c, "1000\n00", 7);
		c->muted = true;
		run_ms(1);
		assert_true(received_all(c));
		assert_int_equal(pool_level(POOL_RECORD_SMALL),
		    pool_level(POOL_CONN));
	}
	assert_in_range(pool_level(POOL_CONN), count / 2 - 2, count / 2);
	assert_true(is_reset(&clients[0]));
	for (uint32_t i = 0; i < count; i++) {
		clients[i].muted = false;
		client_reset(&clients[i]);
	}
	run_ms(100);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 0);
}

static void after_the_end_there_is_no_room(void **state)
{
	struct client *c = connect_client(0, false, answer_len(10));

	(void)state;
	run_ms(1);
	assert_int_equal(net_segment_len(tiny_last), 1460);
	assert_int_equal(net_send_room(tiny_last) % 1460, 0);
	ask(c, 10, true);
	assert_true(run_until(got_fin, c, 1000));
	assert_int_equal(net_send_room(tiny_last), 0);
	assert_null(net_record_take(tiny_last, 10));
	assert_null(net_hold_take(tiny_last));
	close_client(c);
}

/* Segments of 256 bytes, and a queue of buffers that is more or less full. */
static void what_there_is_room_for_is_taken(void **state)
{
	(void)state;
	for (size_t queued = 0; queued <= 60000; queued += 10000) {
		struct client *c = client_open(0, false, 2 * answer_len(1u << 20));
		size_t room;

		c->mss = 256;
		network.delay_us = 5000;
		client_connect(c);
		assert_true(run_until(is_open, c, 1000));
		ask(c, 1u << 20, false);
		while (c->rcv_nxt - c->irs - 1 < answer_len(1u << 20))
			run_ms(1);
		run_ms(50);
		assert_int_equal(net_send_static(tiny_last, stack_rom, queued),
		    queued);
		room = net_send_room(tiny_last);
		/* A fifth of the segments there are is too much for one. */
		assert_true(queued > 40000 || room > 0);
		assert_int_equal(net_send_static(tiny_last, stack_rom, room),
		    room);
		client_reset(c);
		run_ms(50);
	}
}

static void objects_are_there_as_long_as_needed(void **state)
{
	struct client *c = connect_client(0, false, answer_len(10));

	(void)state;
	run_ms(1);
	assert_int_equal(pool_level(POOL_SESSION), 1);
	assert_int_equal(pool_level(POOL_HANDSHAKE), 1);
	ask(c, 10, false);
	assert_true(run_until(received_all, c, 1000));
	assert_int_equal(pool_level(POOL_SESSION), 1);
	assert_int_equal(pool_level(POOL_HANDSHAKE), 0);
	close_client(c);
	assert_int_equal(pool_level(POOL_SESSION), 0);
}

/* ---- Who gets one -------------------------------------------------------- */

/* One client with a large window far away: an eighth of what is left is its share. */
static void the_greedy_leave_most(void **state)
{
	const uint32_t capacity = pool_capacity(POOL_RECORD);
	struct client *c = connect_client(0, false, answer_len(STACK_ROM_LEN));
	uint32_t most = 0;

	(void)state;
	network.delay_us = 50000;
	ask(c, STACK_ROM_LEN, false);
	for (int i = 0; i < 20000 && !received_all(c); i++) {
		run_ms(1);
		if (pool_level(POOL_RECORD) > most)
			most = pool_level(POOL_RECORD);
	}
	check_answer(c, 0, STACK_ROM_LEN);
	assert_in_range(most, 3, (16 + capacity) / 9 + 1);
	close_client(c);
}

/* Nothing is built that could not leave. */
static void a_closed_window_holds_two_records(void **state)
{
	struct client *c = client_open(0, false, answer_len(100000));

	(void)state;
	c->window_cap = 3000;
	c->read_rate = 0;
	client_connect(c);
	assert_true(run_until(is_open, c, 1000));
	ask(c, 100000, false);
	run_ms(5000);
	/* What it takes, acknowledged, and a record that reaches beyond. */
	assert_in_range(c->rcv_nxt - c->irs - 1, 2920, 3000);
	assert_int_equal(pool_level(POOL_RECORD_SMALL), 0);
	assert_int_equal(pool_level(POOL_RECORD), 1);
	c->read_rate = 100;
	c->last_read_ns = wire_now_ns();
	assert_true(run_until(received_all, c, 60000));
	check_answer(c, 0, 100000);
	close_client(c);
}

/* One buffer for all: each waits for its turn, and everyone has one. */
static void check_turns(enum pool_id pool, size_t n)
{
	const uint32_t count = 40;

	for (uint32_t i = 0; i < count; i++)
		(void)connect_client(i, i % 2 == 0, answer_len(n));
	network.delay_us = 1000;
	hog(pool, 1);
	for (uint32_t i = 0; i < count; i++)
		ask(&clients[i], n, false);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(run_until(received_all, &clients[i], 4000));
		check_answer(&clients[i], 0, n);
		client_reset(&clients[i]);
	}
	assert_true(tiny_counters.records_refused >= count - 1);
	run_ms(50);
	hog_no_more();
	network.delay_us = 0;
}

static void everyone_has_a_turn(void **state)
{
	(void)state;
	check_turns(POOL_RECORD_SMALL, 1000);
	check_turns(POOL_RECORD, 50000);
}

/* One buffer becomes free just when a newcomer asks for one. */
static void who_came_first_is_served_first(void **state)
{
	struct client *first = connect_client(0, false, answer_len(100));
	struct client *second = connect_client(1, false, answer_len(100));

	(void)state;
	hog(POOL_RECORD_SMALL, 0);
	ask(first, 100, false);
	run_ms(10);
	assert_true(tiny_counters.records_refused > 0);
	ask(second, 100, false);
	hog_no_more();
	hog(POOL_RECORD_SMALL, 1);
	assert_true(run_until(received_all, first, 1000));
	assert_false(received_all(second));
	assert_true(run_until(received_all, second, 1000));
	hog_no_more();
	close_client(first);
	close_client(second);
}

static bool no_record_left(void *arg)
{
	(void)arg;
	return pool_left(POOL_RECORD) == 0;
}

/* Two buffers, and a long download uses both. */
static void newcomers_come_before_the_greedy(void **state)
{
	struct client *greedy = connect_client(0, false, answer_len(STACK_ROM_LEN));
	struct client *c = connect_client(1, false, answer_len(60000));

	(void)state;
	network.delay_us = 10000;
	hog(POOL_RECORD, 2);
	ask(greedy, STACK_ROM_LEN, false);
	run_ms(500);
	assert_true(run_until(no_record_left, NULL, 100));
	ask(c, 60000, false);
	/* Eight round trips, with no buffer to spare. */
	assert_true(run_until(received_all, c, 300));
	assert_false(received_all(greedy));
	hog_no_more();
	assert_true(run_until(received_all, greedy, 60000));
	check_answer(c, 0, 60000);
	check_answer(greedy, 0, STACK_ROM_LEN);
	close_client(greedy);
	close_client(c);
}

#define STALLERS 40

static uint32_t reset_stallers(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < STALLERS; i++)
		count += is_reset(&clients[i]);
	return count;
}

/*
 * Clients that stop reading hold all buffers.  As long as nobody else needs any, they
 * have the time that everyone has; then they go.
 */
static void who_does_not_read_goes_when_others_wait(void **state)
{
	struct client *slow = connect_client(STALLERS, false, answer_len(200000));
	struct client *c = connect_client(STALLERS + 1, false, answer_len(200000));
	uint64_t start;

	(void)state;
	for (uint32_t i = 0; i < STALLERS; i++)
		(void)connect_client(i, false, answer_len(STACK_ROM_LEN));
	network.delay_us = 2000;
	/* This one reads: slowly, but more than a record in LIMIT_RECORD_MS. */
	slow->window_cap = 20000;
	slow->read_rate = 10;
	ask(slow, 200000, false);
	for (uint32_t i = 0; i < STALLERS; i++)
		ask(&clients[i], STACK_ROM_LEN, false);
	run_ms(15);
	for (uint32_t i = 0; i < STALLERS; i++)
		clients[i].muted = true;
	run_ms(2 * LIMIT_RECORD_MS);
	hog(POOL_RECORD, 0);
	assert_int_equal(reset_stallers(), 0);

	start = wire_now_ns();
	ask(c, 200000, false);
	assert_true(run_until(received_all, c, 4000));
	assert_true(wire_now_ns() - start < 3000000000u);
	assert_in_range(reset_stallers(), 1, STALLERS);
	hog_no_more();
	assert_true(run_until(received_all, slow, 60000));
	for (uint32_t i = 0; i < STALLERS; i++)
		client_reset(&clients[i]);
	client_reset(slow);
	client_reset(c);
	run_ms(100);
}

/* ---- All of them ---- */

#define CASE(f) { #f, f }

const struct stack_case stack_record_cases[] = {
	CASE(a_record_is_free_when_it_is_acknowledged),
	CASE(only_what_is_acknowledged_is_free),
	CASE(a_record_stays_until_the_nic_has_sent_it),
	CASE(a_record_stays_until_its_last_copy_is_sent),
	CASE(a_late_report_is_acted_on_at_once),
	CASE(a_new_connection_owes_nothing),
	CASE(what_is_sent_again_is_the_same),
	CASE(a_reset_frees_all_records),
	CASE(evicted_responses_free_their_records),
	CASE(after_the_end_there_is_no_room),
	CASE(what_there_is_room_for_is_taken),
	CASE(objects_are_there_as_long_as_needed),
	CASE(the_greedy_leave_most),
	CASE(a_closed_window_holds_two_records),
	CASE(everyone_has_a_turn),
	CASE(who_came_first_is_served_first),
	CASE(newcomers_come_before_the_greedy),
	CASE(who_does_not_read_goes_when_others_wait),
	{ NULL, NULL },
};

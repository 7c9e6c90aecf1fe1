/* links: tests/host_panic.c tests/tls/fake_net.c tests/tls/fake_engine.c
 * tests/tls/line_app.c tests/tls/private_rig.c tls/private.c tls/incoming.c
 * tls/outgoing.c tls/stream.c */
/*
 * What a private stream sends: the same bytes whatever TCP has room for, in records
 * that are whole segments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tls/private_rig.h"

/* For tests that send without the app. */
static struct stream *the_stream(void)
{
	line.is_bystander = true;
	return (struct stream *)(void *)client.conn->state;
}

/* Acknowledge so much at a time, until all is sent. */
static void drain(size_t room)
{
	for (size_t i = 0; i < 20000 && client.conn->wants_room; i++)
		fake_acknowledge(client.conn, room);
	assert_false(client.conn->wants_room);
}

/* The lengths of the first records. */
static void expect_records(const size_t *lens, size_t count)
{
	client_read(&client);
	assert_true(client.record_count >= count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(client.record_lens[i], lens[i]);
}

static void the_same_bytes_arrive_whatever_room_there_is(void **state)
{
	static const char *requests = "3000\n0\n40000\n100\n";

	for (size_t first = 0; first < 6000; first += 1 + first / 40) {
		client_handshake(&client);
		fake_acknowledge(client.conn, first);
		say(requests);
		drain(20 + first % 5000);
		expect_answers(requests);
		fake_acknowledge(client.conn, 0);
		assert_int_equal(fake.small.used + fake.large.used, 0);
		teardown(state);
		setup(state);
	}
}

static void room_that_turns_out_to_be_less_changes_nothing(void **state)
{
	static const char *requests = "3000\n0\n40000\n100\n";

	for (size_t most = 50; most < 40000; most += most / 4) {
		client_handshake(&client);
		fake_acknowledge(client.conn, 1 << 20);
		fake.static_max = most;
		say(requests);
		drain(1 << 20);
		expect_answers(requests);
		teardown(state);
		setup(state);
	}
}

static void records_begin_small_and_grow(void **state)
{
	static const size_t wanted[] = {
		1460, 1460, 2 * 1460, 4 * 1460, 8 * 1460, 11 * 1460, 11 * 1460,
	};

	(void)state;
	client_handshake(&client);
	say("200000\n");
	expect_records(wanted, ARRAY_LEN(wanted));
	expect_answers("200000\n");
}

static void records_of_short_segments_grow_as_far(void **state)
{
	static const size_t wanted[] = {
		536, 536, 1072, 2144, 4288, 8576, 30 * 536, 30 * 536,
	};

	(void)state;
	fake.segment_len = 536;
	client_handshake(&client);
	say("100000\n");
	expect_records(wanted, ARRAY_LEN(wanted));
}

static void while_they_grow_they_are_what_can_be_sent_now(void **state)
{
	static const size_t wanted[] = {
		1460, 1460, 1460, 3 * 1460, 3 * 1460,
	};

	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 3 * 1460);
	say("200000\n");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(client.conn->room, 0);
		client_read(&client);
		assert_int_equal(client.read, client.conn->out_len);
		fake_acknowledge(client.conn, 3 * 1460);
	}
	expect_records(wanted, ARRAY_LEN(wanted));
}

static void in_bulk_they_are_long_and_leave_in_pieces(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 60000);
	say("1000000\n");
	client_read(&client);
	const size_t before = client.record_count;
	for (size_t i = 0; i < 100; i++) {
		fake_acknowledge(client.conn, 2 * 1460);
		/* One record waits, and no more. */
		assert_true(fake.large.used <= 2);
	}
	client_read(&client);
	assert_in_range(client.record_count - before, 18, 19);
	for (size_t i = before; i < client.record_count; i++)
		assert_int_equal(client.record_lens[i], 11 * 1460);
	drain(100000);
	expect_answers("1000000\n");
}

static void after_a_pause_they_begin_small_again(void **state)
{
	(void)state;
	client_handshake(&client);
	say("100000\n");
	client_read(&client);
	const size_t first = client.record_count;
	fake.now_ms += 900;
	say("100000\n");
	client_read(&client);
	assert_int_equal(client.record_lens[first], 11 * 1460);
	const size_t second = client.record_count;
	fake.now_ms += 1000;
	say("100000\n");
	client_read(&client);
	assert_int_equal(client.record_lens[second], 1460);
}

static void short_answers_do_not_make_records_grow(void **state)
{
	(void)state;
	client_handshake(&client);
	for (size_t i = 0; i < 20; i++)
		say("1000\n");
	client_read(&client);
	assert_int_equal(client.record_count, 20);
	say("100000\n");
	client_read(&client);
	assert_int_equal(client.record_lens[20], 1460);
}

static void an_answer_of_one_segment_takes_a_small_buffer(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 1 << 20);
	/* <1425> before it, 29 bytes around it. */
	say("1425\n");
	client_read(&client);
	assert_int_equal(client.record_count, 1);
	assert_int_equal(client.record_lens[0], 1460);
	assert_int_equal(fake.small.used, 1);
	assert_int_equal(fake.large.used, 0);
	fake_acknowledge(client.conn, 1 << 20);
	assert_int_equal(fake.small.used, 0);
}

static void a_head_is_never_split(void **state)
{
	static uint8_t head[512];
	size_t taken = 0;

	for (size_t room = 1; room < 1500; room += 13) {
		fake.segment_len = LIMIT_MSS_MIN;
		client_handshake(&client);
		fake_acknowledge(client.conn, room);
		memset(head, 'h', sizeof head);
		assert_true(stream_send(the_stream(), head, sizeof head,
		    line_body(), 10000, &taken));
		assert_true(taken > 0);
		fake_acknowledge(client.conn, 1 << 20);
		client_read(&client);
		assert_int_equal(client.record_lens[0], 3 * LIMIT_MSS_MIN);
		assert_memory_equal(client.plain, head, sizeof head);
		assert_int_equal(client.plain_len, 512 + taken);
		assert_memory_equal(client.plain + 512, line_body(), taken);
		teardown(state);
		setup(state);
	}
}

static void a_head_without_a_body_is_sent(void **state)
{
	size_t taken = 1;

	(void)state;
	client_handshake(&client);
	assert_true(stream_send(the_stream(), "head", 4, NULL, 0, &taken));
	assert_int_equal(taken, 0);
	client_read(&client);
	assert_int_equal(client.plain_len, 4);
	assert_int_equal(stream_send_static(the_stream(), NULL, 0), 0);
}

static void without_room_nothing_is_sealed(void **state)
{
	size_t taken;

	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 0);
	const size_t before = client.conn->out_len;
	assert_false(stream_send(the_stream(), "head", 4, "body", 4, &taken));
	assert_int_equal(stream_send_static(the_stream(), "body", 4), 0);
	assert_true(client.conn->wants_room);
	assert_int_equal(fake.small.used + fake.large.used, 0);
	assert_int_equal(client.conn->out_len, before);
}

static void without_buffers_an_answer_waits_and_goes_on(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 1 << 20);
	fake.small.cap = 0;
	say("1000\n");
	assert_int_equal(line.answers, 0);
	fake.small.cap = 1;
	fake_acknowledge(client.conn, 1 << 20);
	assert_int_equal(line.answers, 1);
	expect_answers("1000\n");

	fake.large.cap = 1;
	say("200000\n");
	drain(1 << 20);
	expect_answers("1000\n200000\n");
}

static void behind_a_record_that_waits_nothing_is_sealed(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 100);
	say("1000\n");
	assert_int_equal(line.answers, 1);
	assert_int_equal(stream_send_static(the_stream(), "body", 4), 0);
	assert_int_equal(fake.small.used, 1);
	fake_acknowledge(client.conn, 100);
	assert_int_equal(line.writable, 0);
	fake_acknowledge(client.conn, 1 << 20);
	assert_int_equal(line.writable, 1);
	assert_int_equal(stream_send_static(the_stream(), "body", 4), 4);
	client_read(&client);
	assert_int_equal(client.plain_len, 6 + 1000 + 4);
}

static void behind_the_end_nothing_is_sent(void **state)
{
	size_t taken = 0;

	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 0);
	stream_close(the_stream());
	stream_close(the_stream());
	assert_true(stream_send(the_stream(), "head", 4, "body", 4, &taken));
	assert_int_equal(taken, 4);
	assert_int_equal(stream_send_static(the_stream(), "body", 4), 4);
	fake_acknowledge(client.conn, 1000);
	expect_answers("");
	expect_end(1, TLS_CLOSE_NOTIFY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(the_same_bytes_arrive_whatever_room_there_is),
		sentence(room_that_turns_out_to_be_less_changes_nothing),
		sentence(records_begin_small_and_grow),
		sentence(records_of_short_segments_grow_as_far),
		sentence(while_they_grow_they_are_what_can_be_sent_now),
		sentence(in_bulk_they_are_long_and_leave_in_pieces),
		sentence(after_a_pause_they_begin_small_again),
		sentence(short_answers_do_not_make_records_grow),
		sentence(an_answer_of_one_segment_takes_a_small_buffer),
		sentence(a_head_is_never_split),
		sentence(a_head_without_a_body_is_sent),
		sentence(without_room_nothing_is_sealed),
		sentence(without_buffers_an_answer_waits_and_goes_on),
		sentence(behind_a_record_that_waits_nothing_is_sealed),
		sentence(behind_the_end_nothing_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

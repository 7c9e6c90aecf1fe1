/* links: tests/host_panic.c tests/tls/fake_net.c tests/tls/fake_engine.c
 * tests/tls/line_app.c tests/tls/private_rig.c tls/private.c tls/incoming.c
 * tls/outgoing.c tls/stream.c */
/*
 * Private streams that are open, and how they end: each record, deadline and FIN, and
 * that everything is given back wherever a connection stops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tls/private_rig.h"

/* ---- Data ------------------------------------------------------------------ */

static void a_request_may_be_spread_over_records(void **state)
{
	(void)state;
	client_handshake(&client);
	say("1");
	assert_int_equal(fake.holds.used, 1);
	assert_int_equal(client.conn->wait, NET_WAIT_REQUEST);
	say("2");
	say("\n3");
	expect_answers("12\n");
	assert_int_equal(fake.holds.used, 1);
	say("\n");
	expect_answers("12\n3\n");
	assert_int_equal(fake.holds.used, 0);
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);
}

static void records_of_one_byte_fill_a_head_to_its_limit(void **state)
{
	(void)state;
	client_handshake(&client);
	for (size_t i = 0; i + 1 < LIMIT_REQUEST_HEAD_LEN; i++)
		say("1");
	assert_false(client.conn->closing);
	assert_int_equal(line.longest_offer, LIMIT_REQUEST_HEAD_LEN - 1);
	say("1");
	client_read(&client);
	assert_int_equal(client.plain_len, 3);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void the_longest_record_fits_behind_the_longest_kept_head(void **state)
{
	static char text[TLS_PLAIN_MAX];

	(void)state;
	client_handshake(&client);
	memset(text, '0', sizeof text);
	client_send(&client, TLS_DATA, text, LIMIT_REQUEST_HEAD_LEN - 1);
	client_send(&client, TLS_DATA, text, sizeof text);
	assert_int_equal(line.longest_offer,
	    LIMIT_REQUEST_HEAD_LEN - 1 + TLS_PLAIN_MAX);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void without_a_hold_buffer_the_connection_is_reset(void **state)
{
	(void)state;
	client_handshake(&client);
	fake.holds.cap = 0;
	say("1\n2\n");
	expect_answers("1\n2\n");
	say("1");
	assert_true(client.conn->was_reset);
	assert_int_equal(line.closed, 1);
	assert_true(fake_is_idle());
}

static void a_beginning_of_a_record_starts_the_deadline_of_a_request(
    void **state)
{
	uint8_t record[128];
	size_t len;

	(void)state;
	client_handshake(&client);
	len = client_format(&client, TLS_DATA, "5\n", 2, record);
	fake.now_ms += 30000;
	raw(record, 1);
	assert_int_equal(client.conn->wait, NET_WAIT_REQUEST);
	assert_int_equal(client.conn->wait_since, fake.now_ms);
	fake.now_ms += 1000;
	raw(record + 1, len - 2);
	assert_int_equal(client.conn->wait_since, fake.now_ms - 1000);
	raw(record + len - 1, 1);
	expect_answers("5\n");
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);

	/* If the app counts already, that goes on. */
	say("1");
	len = client_format(&client, TLS_DATA, "\n", 1, record);
	fake.now_ms += 1000;
	raw(record, 7);
	assert_int_equal(client.conn->wait_since, fake.now_ms - 1000);
	raw(record + 7, len - 7);
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);

	/* One that brings the app nothing gives back what was left of the time. */
	len = client_format(&client, TLS_DATA, "", 0, record);
	raw(record, 7);
	assert_int_equal(client.conn->wait, NET_WAIT_REQUEST);
	raw(record + 7, len - 7);
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);
}

static void an_expired_request_has_its_answer_and_close_notify(void **state)
{
	(void)state;
	client_handshake(&client);
	say("1");
	fake_expire(client.conn);
	client_read(&client);
	assert_int_equal(client.plain_len, 4);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void an_idle_stream_expires_with_close_notify(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_expire(client.conn);
	assert_int_equal(line.expired[NET_WAIT_IDLE], 1);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void an_answer_that_is_cut_off_does_not_end_in_close_notify(
    void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 3000);
	say("100000\n");
	assert_int_equal(client.conn->wait, NET_WAIT_WRITE);
	fake_expire(client.conn);
	assert_true(client.conn->was_reset);
	client_read(&client);
	assert_int_equal(client.alert_count, 0);
	assert_true(fake_is_idle());
}

static void an_app_may_reset_a_stream_within_its_call(void **state)
{
	(void)state;
	client_handshake(&client);
	line.abort = true;
	say("1\n");
	assert_true(client.conn->was_reset);
	assert_int_equal(line.closed, 1);
}

static void requests_wait_while_an_answer_is_under_way(void **state)
{
	(void)state;
	client_handshake(&client);
	/* To the end of a record, so that the app alone has more to send. */
	fake_acknowledge(client.conn, fake.segment_len);
	say("100000\n");
	assert_int_equal(fake.small.used, 1);
	for (size_t i = 0; i < 100; i++)
		say("1\n2\n3\n");
	/* They wait as they came, with net. */
	assert_int_equal(fake.holds.used, 0);
	assert_true(client.conn->held_len > 0);
	for (size_t i = 0; i < 400; i++)
		fake_acknowledge(client.conn, 3000);
	assert_int_equal(line.answers, 301);
	assert_int_equal(client.conn->held_len, 0);
	client_read(&client);
	assert_int_equal(client.plain_len, 8 + 100000 + 100 * (9 + 6));
}

static void pipelined_requests_in_one_record_are_kept_and_asked_for(
    void **state)
{
	static const char *requests = "40000\n1\n30000\n2\n20000\n3\n";

	for (size_t room = 60; room < 50000; room += room / 3) {
		client_handshake(&client);
		fake_acknowledge(client.conn, room);
		say(requests);
		for (size_t i = 0; i < 3000 && line.answers < 6; i++)
			fake_acknowledge(client.conn, room);
		for (size_t i = 0; i < 3000 && client.conn->wants_room; i++)
			fake_acknowledge(client.conn, room);
		expect_answers(requests);
		assert_int_equal(fake.holds.used, 0);
		teardown(state);
		setup(state);
	}
}

static void what_an_app_does_not_take_is_bounded(void **state)
{
	static const char text[TLS_PLAIN_MAX];

	(void)state;
	client_handshake(&client);
	line.is_deaf = true;
	client_send(&client, TLS_DATA, text, LIMIT_REQUEST_HEAD_LEN - 1);
	client_send(&client, TLS_DATA, text, sizeof text);
	assert_int_equal(client.conn->held_len, 0);
	client_send(&client, TLS_DATA, text, sizeof text);
	assert_int_equal(client.conn->held_len, sizeof text + FAKE_OVERHEAD);
	assert_int_equal(line.longest_offer,
	    LIMIT_REQUEST_HEAD_LEN - 1 + sizeof text);
}

static void an_app_that_asks_again_and_again_is_not_called_for_ever(
    void **state)
{
	(void)state;
	client_handshake(&client);
	line.always_resumes = true;
	say("1");
	say("2\n3");
	expect_answers("12\n");
	assert_in_range(client.conn->received_calls, 4, 20);
	say("\n");
	expect_answers("12\n3\n");
}

static void an_app_that_sends_nothing_when_it_could_is_heard_further(
    void **state)
{
	struct stream *const s =
	    (struct stream *)(void *)client.conn->state;
	size_t taken;

	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 0);
	assert_false(stream_send(s, "head", 4, "body", 4, &taken));
	line.is_bystander = true;
	say("1\n");
	assert_int_equal(line.answers, 0);
	fake_acknowledge(client.conn, 1 << 20);
	expect_answers("1\n");
}

/* ---- Ends ------------------------------------------------------------------ */

static void close_notify_is_answered_by_close_notify(void **state)
{
	(void)state;
	client_handshake(&client);
	client_send(&client, TLS_ALERT, "\1\0", 2);
	assert_int_equal(line.peer_closed, 1);
	expect_end(1, TLS_CLOSE_NOTIFY);
	fake_peer_closes(client.conn);
	assert_int_equal(line.peer_closed, 1);
}

static void a_fin_without_close_notify_looks_the_same_to_the_app(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_peer_closes(client.conn);
	assert_int_equal(line.peer_closed, 1);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void an_answer_under_way_is_sent_after_the_clients_end(void **state)
{
	static const char *requests = "50000\n4\n";

	for (int by_fin = 0; by_fin < 2; by_fin++) {
		client_handshake(&client);
		fake_acknowledge(client.conn, 1000);
		say(requests);
		if (by_fin == 0)
			client_send(&client, TLS_ALERT, "\1\0", 2);
		fake_peer_closes(client.conn);
		for (size_t i = 0; i < 100 && !client.conn->closing; i++)
			fake_acknowledge(client.conn, 1500);
		assert_int_equal(line.peer_closed, 1);
		expect_answers(requests);
		expect_end(1, TLS_CLOSE_NOTIFY);
		teardown(state);
		setup(state);
	}
}

static void the_end_is_told_after_the_records_before_it(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 1000);
	say("50000\n");
	say("4\n");
	say("5\n");
	fake_peer_closes(client.conn);
	assert_int_equal(line.peer_closed, 0);
	for (size_t i = 0; i < 100 && !client.conn->closing; i++)
		fake_acknowledge(client.conn, 1500);
	expect_answers("50000\n4\n5\n");
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void after_close_notify_the_client_is_not_heard(void **state)
{
	(void)state;
	client_handshake(&client);
	line.stays = true;
	client_send(&client, TLS_ALERT, "\1\0", 2);
	say("1\n");
	raw("garbage", 7);
	fake_peer_closes(client.conn);
	assert_int_equal(line.peer_closed, 1);
	assert_int_equal(client.conn->held_len, 0);
	expect_answers("");
	assert_false(client.conn->closing);
	fake_expire(client.conn);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void the_last_answer_is_followed_by_close_notify(void **state)
{
	for (size_t room = 0; room < 5000; room += 1 + room / 9) {
		client_handshake(&client);
		fake_acknowledge(client.conn, room);
		say("c2000\n");
		for (size_t i = 0; i < 100 && !client.conn->closing; i++)
			fake_acknowledge(client.conn, room > 40 ? room : 40);
		expect_answers("c2000\n");
		expect_end(1, TLS_CLOSE_NOTIFY);
		teardown(state);
		setup(state);
	}
}

static void an_end_that_finds_no_room_has_a_deadline(void **state)
{
	(void)state;
	client_handshake(&client);
	fake_acknowledge(client.conn, 0);
	fake_peer_closes(client.conn);
	assert_false(client.conn->closing);
	assert_int_equal(client.conn->wait, NET_WAIT_WRITE);
	/* Nothing is heard or told any more. */
	say("1\n");
	fake_peer_closes(client.conn);
	fake_expire(client.conn);
	assert_true(client.conn->was_reset);
	assert_int_equal(line.expired[NET_WAIT_WRITE], 0);
	assert_int_equal(line.closed, 1);
	assert_true(fake_is_idle());
}

static void a_fatal_alert_of_the_client_resets(void **state)
{
	(void)state;
	client_handshake(&client);
	client_send(&client, TLS_ALERT, "\2\x14", 2);
	assert_true(client.conn->was_reset);
	assert_int_equal(line.closed, 1);
	client_read(&client);
	assert_int_equal(client.alert_count, 0);
}

static void malformed_alerts_are_decode_errors(void **state)
{
	client_handshake(&client);
	client_send(&client, TLS_ALERT, "\1", 1);
	expect_end(2, TLS_DECODE_ERROR);
	teardown(state);
	setup(state);
	client_handshake(&client);
	client_send(&client, TLS_ALERT, "", 0);
	expect_end(2, TLS_DECODE_ERROR);
	teardown(state);
	setup(state);
	client_handshake(&client);
	client_send(&client, TLS_ALERT, "\1\x5a\1\0", 4);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void a_record_that_is_not_the_clients_ends_the_connection(void **state)
{
	uint8_t record[128];
	size_t len;

	client_handshake(&client);
	len = client_format(&client, TLS_DATA, "5\n", 2, record);
	record[len - 16] ^= 1;
	raw(record, len);
	expect_end(2, TLS_BAD_RECORD_MAC);
	expect_answers("");
	teardown(state);
	setup(state);

	/* Shorter than any that could be one. */
	client_handshake(&client);
	raw("\x17\3\3\0\x17", 5);
	raw(record, 0x17);
	expect_end(2, TLS_BAD_RECORD_MAC);
	teardown(state);
	setup(state);

	/* Played again. */
	client_handshake(&client);
	len = client_format(&client, TLS_DATA, "5\n", 2, record);
	raw(record, len);
	raw(record, len);
	expect_answers("5\n");
	expect_end(2, TLS_BAD_RECORD_MAC);
}

static void renegotiation_is_refused_and_the_stream_goes_on(void **state)
{
	(void)state;
	client_handshake(&client);
	client_send(&client, TLS_HANDSHAKE, "\1\0\0\2ab", 6);
	say("7\n");
	expect_answers("7\n");
	assert_int_equal(client.alert_count, 1);
	assert_int_equal(client.levels[0], 1);
	assert_int_equal(client.alerts[0], TLS_NO_RENEGOTIATION);

	/* Without room for the refusal no further record is looked at. */
	fake_acknowledge(client.conn, 0);
	client_send(&client, TLS_HANDSHAKE, "\1\0\0\0", 4);
	say("8\n");
	assert_int_equal(line.answers, 1);
	fake_acknowledge(client.conn, 1 << 20);
	expect_answers("7\n8\n");
	assert_int_equal(client.alert_count, 2);

	/* One refusal waits at a time. */
	fake_acknowledge(client.conn, 0);
	for (size_t i = 0; i < 5; i++)
		client_send(&client, TLS_HANDSHAKE, "\1\0\0\0", 4);
	for (size_t i = 0; i < 5; i++)
		fake_acknowledge(client.conn, 40);
	expect_answers("7\n8\n");
	assert_int_equal(client.alert_count, 7);

	/* And the end behind it. */
	fake_acknowledge(client.conn, 0);
	client_send(&client, TLS_HANDSHAKE, "\1\0\0\0", 4);
	fake_peer_closes(client.conn);
	fake_acknowledge(client.conn, 100);
	client_read(&client);
	assert_int_equal(client.alert_count, 9);
	expect_end(1, TLS_CLOSE_NOTIFY);
}

static void other_handshake_messages_are_unexpected(void **state)
{
	static const char *const messages[] = {
		"\2\0\0\0", "\1\0\0\1", "\x10\0\0\2", "\1\0\0",
	};

	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		client_handshake(&client);
		client_send(&client, TLS_HANDSHAKE, messages[i],
		    i == 3 ? 3 : 4);
		expect_end(2, TLS_UNEXPECTED_MESSAGE);
		teardown(state);
		setup(state);
	}
}

static void records_without_data_are_bounded(void **state)
{
	static const struct {
		uint8_t type;
		const char *bytes;
		size_t len;
	} quiet[] = {
		{ TLS_DATA, "", 0 },
		{ TLS_ALERT, "\1\x5a", 2 },
		{ TLS_HANDSHAKE, "\1\0\0\0", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(quiet); i++) {
		client_handshake(&client);
		for (size_t n = 0; n < 3 * LIMIT_QUIET_RECORDS; n++) {
			client_send(&client, quiet[i].type, quiet[i].bytes,
			    quiet[i].len);
			if (n % LIMIT_QUIET_RECORDS == LIMIT_QUIET_RECORDS - 1)
				say("1\n");
			client_read(&client);
			client.alert_count = 0;
		}
		assert_false(client.conn->closing);
		for (size_t n = 0; n <= LIMIT_QUIET_RECORDS; n++) {
			assert_false(client.conn->closing);
			client_send(&client, quiet[i].type, quiet[i].bytes,
			    quiet[i].len);
		}
		expect_end(2, TLS_UNEXPECTED_MESSAGE);
		teardown(state);
		setup(state);
	}
}

/* ---- At every point -------------------------------------------------------- */

/* One connection with a bit of everything, that stops after so many steps. */
static void run_until(size_t stop)
{
	static const char *requests = "30000\n1\n2";
	uint8_t all[1024];
	const size_t len = format_all(all, "5\n6\n");
	size_t step = 0;

	fake_acknowledge(client.conn, 1000);
	for (size_t i = 0; i < len - 31; i += 17, step++) {
		const size_t n = len - 31 - i < 17 ? len - 31 - i : 17;

		if (step == stop)
			return;
		raw(all + i, n);
		if (i % 3 == 0)
			fake_acknowledge(client.conn, 700);
	}
	for (size_t i = 0; i < 8 && !client.is_open; i++) {
		fake_acknowledge(client.conn, 700);
		client_read(&client);
	}
	client.seq_out = 2;
	client_send(&client, TLS_DATA, requests, strlen(requests));
	for (; step < stop; step++)
		fake_acknowledge(client.conn, 1700);
}

static void at_every_point_all_is_given_back(void **state)
{
	for (size_t stop = 0; stop < 60; stop++) {
		for (size_t how = 0; how < 4; how++) {
			run_until(stop);
			switch (how) {
			case 0:
				break;
			case 1:
				fake_peer_closes(client.conn);
				break;
			case 2:
				fake_expire(client.conn);
				break;
			case 3:
				raw("\xff\xff\xff\xff\xff", 5);
				break;
			}
			fake_free(client.conn);
			client_free(&client);
			assert_true(fake_is_idle());
			setup(state);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(a_request_may_be_spread_over_records),
		sentence(records_of_one_byte_fill_a_head_to_its_limit),
		sentence(the_longest_record_fits_behind_the_longest_kept_head),
		sentence(without_a_hold_buffer_the_connection_is_reset),
		sentence(a_beginning_of_a_record_starts_the_deadline_of_a_request),
		sentence(an_expired_request_has_its_answer_and_close_notify),
		sentence(an_idle_stream_expires_with_close_notify),
		sentence(an_answer_that_is_cut_off_does_not_end_in_close_notify),
		sentence(an_app_may_reset_a_stream_within_its_call),
		sentence(requests_wait_while_an_answer_is_under_way),
		sentence(pipelined_requests_in_one_record_are_kept_and_asked_for),
		sentence(what_an_app_does_not_take_is_bounded),
		sentence(an_app_that_asks_again_and_again_is_not_called_for_ever),
		sentence(an_app_that_sends_nothing_when_it_could_is_heard_further),
		sentence(close_notify_is_answered_by_close_notify),
		sentence(a_fin_without_close_notify_looks_the_same_to_the_app),
		sentence(an_answer_under_way_is_sent_after_the_clients_end),
		sentence(the_end_is_told_after_the_records_before_it),
		sentence(after_close_notify_the_client_is_not_heard),
		sentence(the_last_answer_is_followed_by_close_notify),
		sentence(an_end_that_finds_no_room_has_a_deadline),
		sentence(a_fatal_alert_of_the_client_resets),
		sentence(malformed_alerts_are_decode_errors),
		sentence(a_record_that_is_not_the_clients_ends_the_connection),
		sentence(renegotiation_is_refused_and_the_stream_goes_on),
		sentence(other_handshake_messages_are_unexpected),
		sentence(records_without_data_are_bounded),
		sentence(at_every_point_all_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

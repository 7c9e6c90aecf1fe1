/* links: tests/host_panic.c tests/tls/fake_net.c tests/tls/fake_engine.c
 * tests/tls/line_app.c tests/tls/private_rig.c tls/private.c tls/incoming.c
 * tls/outgoing.c tls/stream.c */
/*
 * Private streams until they are open: each event in the handshake, headers that are
 * not TLS's, and who goes when there is no room; with an engine that does as the
 * client says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tls/private_rig.h"

/* ---- The handshake --------------------------------------------------------- */

static void before_the_first_byte_nothing_is_allocated(void **state)
{
	(void)state;
	assert_true(fake_is_idle());
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);
	raw("\x16", 1);
	assert_int_equal(fake.sessions.used, 1);
	assert_int_equal(fake.handshakes.used, 0);
	assert_int_equal(client.conn->wait, NET_WAIT_REQUEST);
	raw("\3\1\0\2N", 5);
	assert_int_equal(fake.handshakes.used, 0);
	raw("N", 1);
	assert_int_equal(fake.handshakes.used, 1);
	assert_int_equal(fake.small.used + fake.large.used, 0);
}

static void after_the_handshake_its_object_is_free_and_the_app_has_the_stream(
    void **state)
{
	(void)state;
	client_handshake(&client);
	assert_true(client.is_open);
	assert_int_equal(line.opened, 1);
	assert_int_equal(fake.handshakes.used, 0);
	assert_int_equal(fake.sessions.used, 1);
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);
	assert_int_equal(private_counters.full, 1);
	assert_int_equal(private_counters.failed, 0);
	say("10\n");
	expect_answers("10\n");
}

static void a_resumed_handshake_is_counted_as_one(void **state)
{
	(void)state;
	client_send(&client, TLS_HANDSHAKE, "R", 1);
	assert_int_equal(line.opened, 1);
	assert_int_equal(private_counters.resumed, 1);
	assert_int_equal(private_counters.full, 0);
}

static void records_may_come_cut_anywhere(void **state)
{
	const char *requests = "5\n0\n7\n9\n";
	uint8_t all[1024];
	const size_t len = format_all(all, requests);

	for (size_t cut = 0; cut <= len; cut++) {
		raw(all, cut);
		raw(all + cut, len - cut);
		expect_answers(requests);
		expect_end(1, TLS_CLOSE_NOTIFY);
		assert_int_equal(line.peer_closed, 1);
		teardown(state);
		setup(state);
	}
	for (size_t i = 0; i < len; i++)
		raw(all + i, 1);
	expect_answers(requests);
	expect_end(1, TLS_CLOSE_NOTIFY);
	/* Each byte was looked at when it came, and not again. */
	assert_in_range(client.conn->received_calls, len, len + 8);
}

static void the_deadline_of_a_handshake_is_never_restarted(void **state)
{
	(void)state;
	raw("\x16", 1);
	const uint64_t began = client.conn->wait_since;
	fake.now_ms += 1000;
	raw("\3\1\0\1H", 5);
	fake.now_ms += 1000;
	client_send(&client, TLS_CHANGE_CIPHER_SPEC, "\1", 1);
	fake_acknowledge(client.conn, 1 << 20);
	assert_int_equal(client.conn->wait, NET_WAIT_REQUEST);
	assert_int_equal(client.conn->wait_since, began);
	client_send(&client, TLS_HANDSHAKE, "F", 1);
	assert_int_equal(client.conn->wait, NET_WAIT_IDLE);
}

static void a_handshake_that_takes_too_long_is_reset(void **state)
{
	(void)state;
	client_send(&client, TLS_HANDSHAKE, "H", 1);
	fake_expire(client.conn);
	assert_true(client.conn->was_reset);
	assert_true(fake_is_idle());
	assert_int_equal(private_counters.failed, 1);
	assert_int_equal(line.closed, 0);
}

static void a_client_that_says_nothing_is_closed_silently(void **state)
{
	(void)state;
	fake_expire(client.conn);
	assert_true(client.conn->closing);
	assert_int_equal(client.conn->out_len, 0);
	assert_int_equal(private_counters.failed, 0);
}

static void a_fin_before_the_first_byte_is_answered_by_one(void **state)
{
	(void)state;
	fake_peer_closes(client.conn);
	assert_true(client.conn->closing);
	assert_int_equal(client.conn->out_len, 0);
}

static void a_fin_within_the_handshake_ends_it(void **state)
{
	(void)state;
	client_send(&client, TLS_HANDSHAKE, "H", 1);
	fake_peer_closes(client.conn);
	assert_true(client.conn->closing);
	assert_int_equal(fake.handshakes.used, 0);
	assert_int_equal(private_counters.failed, 1);
}

static void the_engines_alert_is_sent_before_the_end(void **state)
{
	(void)state;
	client_send(&client, TLS_HANDSHAKE, "B", 1);
	expect_end(2, TLS_HANDSHAKE_FAILURE);
	assert_int_equal(private_counters.failed, 1);
}

static void an_alert_of_the_client_ends_the_handshake_in_silence(void **state)
{
	(void)state;
	client_send(&client, TLS_HANDSHAKE, "H", 1);
	client_send(&client, TLS_ALERT, "\2\x30", 2);
	client_read(&client);
	assert_true(client.conn->closing);
	assert_int_equal(client.alert_count, 0);
}

static void the_engines_alert_waits_for_room(void **state)
{
	(void)state;
	fake_acknowledge(client.conn, 3);
	client_send(&client, TLS_HANDSHAKE, "B", 1);
	assert_false(client.conn->closing);
	assert_int_equal(fake.handshakes.used, 0);
	fake_acknowledge(client.conn, 100);
	expect_end(2, TLS_HANDSHAKE_FAILURE);
}

static void a_flight_may_leave_in_any_pieces(void **state)
{
	const char *requests = "3\n0\n";
	uint8_t all[1024];
	const size_t len = format_all(all, requests);

	for (size_t room = 1; room < 3100; room += 1 + room / 7) {
		fake_acknowledge(client.conn, room);
		raw(all, len);
		/* What follows the hello waits until its answer has left. */
		assert_int_equal(fake_engine.calls, room < 3000 ? 1 : 3);
		for (size_t i = 0; i < 100 && !client.conn->closing; i++)
			fake_acknowledge(client.conn, room < 40 ? 40 : room);
		expect_answers(requests);
		expect_end(1, TLS_CLOSE_NOTIFY);
		teardown(state);
		setup(state);
	}
}

static void without_a_record_buffer_the_handshake_waits(void **state)
{
	(void)state;
	fake.large.cap = 0;
	client_send(&client, TLS_HANDSHAKE, "H", 1);
	client_send(&client, TLS_CHANGE_CIPHER_SPEC, "\1", 1);
	assert_int_equal(fake_engine.calls, 0);
	assert_int_equal(fake.handshakes.used, 0);
	fake.large.cap = 1;
	fake_acknowledge(client.conn, 1 << 20);
	assert_int_equal(fake_engine.calls, 1);
	assert_true(client.conn->wants_room);
	fake_acknowledge(client.conn, 1 << 20);
	assert_int_equal(fake_engine.calls, 2);
	client_send(&client, TLS_HANDSHAKE, "F", 1);
	assert_int_equal(line.opened, 1);
}

static void without_a_session_the_connection_is_reset(void **state)
{
	(void)state;
	fake.sessions.cap = 0;
	raw("\x16", 1);
	assert_true(client.conn->was_reset);
}

static void without_any_handshake_object_the_connection_is_reset(void **state)
{
	(void)state;
	fake.handshakes.cap = 0;
	client_send(&client, TLS_HANDSHAKE, "H", 1);
	assert_true(client.conn->was_reset);
}

#define CROWD 12

static void the_oldest_handshake_makes_room_for_the_newest(void **state)
{
	struct fake_client crowd[CROWD];

	(void)state;
	fake.handshakes.cap = CROWD - 4;
	for (size_t i = 0; i < CROWD; i++) {
		client_init(&crowd[i], fake_open());
		client_send(&crowd[i], TLS_HANDSHAKE, "H", 1);
		/* The second is done early, the fourth gives up. */
		if (i == 4)
			client_send(&crowd[1], TLS_HANDSHAKE, "F", 1);
		if (i == 5)
			fake_peer_closes(crowd[3].conn);
	}
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(crowd[i].conn->was_reset, i == 0 || i == 2);
	assert_int_equal(private_counters.failed, 3);
	for (size_t i = 4; i < CROWD; i++)
		client_send(&crowd[i], TLS_HANDSHAKE, "F", 1);
	assert_int_equal(line.opened, CROWD - 3);
	assert_int_equal(fake.handshakes.used, 0);
	for (size_t i = 0; i < CROWD; i++) {
		fake_free(crowd[i].conn);
		client_free(&crowd[i]);
	}
}

static void bytes_for_a_handshake_are_bounded(void **state)
{
	static const uint8_t nothing[16000] = "N";

	(void)state;
	for (size_t i = 0; i < 4; i++)
		client_send(&client, TLS_HANDSHAKE, nothing, sizeof nothing);
	assert_false(client.conn->closing);
	client_send(&client, TLS_HANDSHAKE, nothing,
	    LIMIT_HANDSHAKE_LEN - 4 * 16005 - 5 + 1);
	expect_end(2, TLS_DECODE_ERROR);
}

static void an_app_may_refuse_a_stream(void **state)
{
	(void)state;
	line.refuse = true;
	client_handshake(&client);
	assert_true(client.conn->was_reset);
	assert_int_equal(line.closed, 0);
	assert_true(fake_is_idle());
}

/* ---- Headers --------------------------------------------------------------- */

static const struct {
	const char *header;
	enum tls_alert clear, open;    /* TLS_CLOSE_NOTIFY: nothing wrong yet */
} headers[] = {
	{ "\x16\3\1\x40\x00", TLS_CLOSE_NOTIFY, TLS_PROTOCOL_VERSION },
	{ "\x16\3\3\x40\x00", TLS_CLOSE_NOTIFY, TLS_CLOSE_NOTIFY },
	{ "\x16\3\3\x40\x01", TLS_RECORD_OVERFLOW, TLS_CLOSE_NOTIFY },
	{ "\x16\3\3\x40\x18", TLS_RECORD_OVERFLOW, TLS_CLOSE_NOTIFY },
	{ "\x16\3\3\x40\x19", TLS_RECORD_OVERFLOW, TLS_RECORD_OVERFLOW },
	{ "\x16\3\3\x48\x01", TLS_RECORD_OVERFLOW, TLS_RECORD_OVERFLOW },
	{ "\x16\3\3\xff\xff", TLS_RECORD_OVERFLOW, TLS_RECORD_OVERFLOW },
	{ "\x16\3\3\x00\x00", TLS_DECODE_ERROR, TLS_BAD_RECORD_MAC },
	{ "\x16\2\3\x00\x10", TLS_PROTOCOL_VERSION, TLS_PROTOCOL_VERSION },
	{ "\x16\4\0\x00\x10", TLS_PROTOCOL_VERSION, TLS_PROTOCOL_VERSION },
	{ "\x17\3\3\x00\x00", TLS_UNEXPECTED_MESSAGE, TLS_BAD_RECORD_MAC },
	{ "\x17\3\3\x00\x10", TLS_UNEXPECTED_MESSAGE, TLS_CLOSE_NOTIFY },
	{ "\x14\3\3\x00\x01", TLS_CLOSE_NOTIFY, TLS_UNEXPECTED_MESSAGE },
	{ "\x15\3\3\x00\x00", TLS_DECODE_ERROR, TLS_BAD_RECORD_MAC },
	{ "\x13\3\3\x00\x10", TLS_UNEXPECTED_MESSAGE, TLS_UNEXPECTED_MESSAGE },
	{ "\x18\3\3\x00\x10", TLS_UNEXPECTED_MESSAGE, TLS_UNEXPECTED_MESSAGE },
	{ "\x80\x2e\1\0\2", TLS_UNEXPECTED_MESSAGE, TLS_UNEXPECTED_MESSAGE },
	{ "\0\0\0\0\0", TLS_UNEXPECTED_MESSAGE, TLS_UNEXPECTED_MESSAGE },
	{ "SSH-2", TLS_UNEXPECTED_MESSAGE, TLS_UNEXPECTED_MESSAGE },
	{ "get /", TLS_UNEXPECTED_MESSAGE, TLS_UNEXPECTED_MESSAGE },
};

static void expect_fault(enum tls_alert alert)
{
	if (alert == TLS_CLOSE_NOTIFY)
		assert_false(client.conn->closing);
	else
		expect_end(2, (uint8_t)alert);
}

static void a_bad_header_gets_the_alert_that_names_it(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		const char *header = headers[i].header;

		if (strcmp(header, "SSH-2") != 0) {
			raw(header, 5);
			expect_fault(headers[i].clear);
			assert_int_equal(fake_engine.calls, 0);
		}
		teardown(state);
		setup(state);
		client_handshake(&client);
		raw(header, 4);
		assert_false(client.conn->closing);
		raw(header + 4, 1);
		expect_fault(headers[i].open);
		assert_int_equal(line.closed, 0);
		fake_acknowledge(client.conn, 1 << 20);
		teardown(state);
		assert_int_equal(line.closed, 1);
		setup(state);
	}
}

static void garbage_within_a_handshake_gets_an_alert_too(void **state)
{
	(void)state;
	client_send(&client, TLS_HANDSHAKE, "H", 1);
	raw("GET / HTTP/1.1\r\n", 16);
	expect_end(2, TLS_UNEXPECTED_MESSAGE);
}

static void who_speaks_http_in_the_clear_is_told_so(void **state)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\n\r\n", "HEAD /", "POST /", "PUT /x",
		"OPTIONS *", "PRI * HTTP/2.0",
	};

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		raw(requests[i], strlen(requests[i]));
		assert_true(client.conn->closing);
		assert_memory_equal(client.conn->out, "HTTP/1.1 400 ", 13);
		assert_int_equal(fake.handshakes.used, 0);
		teardown(state);
		setup(state);
	}
	/* Without room for it, the end alone has to do. */
	fake_acknowledge(client.conn, 20);
	raw(requests[0], strlen(requests[0]));
	assert_true(client.conn->closing);
	assert_int_equal(client.conn->out_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(before_the_first_byte_nothing_is_allocated),
		sentence(after_the_handshake_its_object_is_free_and_the_app_has_the_stream),
		sentence(a_resumed_handshake_is_counted_as_one),
		sentence(records_may_come_cut_anywhere),
		sentence(the_deadline_of_a_handshake_is_never_restarted),
		sentence(a_handshake_that_takes_too_long_is_reset),
		sentence(a_client_that_says_nothing_is_closed_silently),
		sentence(a_fin_before_the_first_byte_is_answered_by_one),
		sentence(a_fin_within_the_handshake_ends_it),
		sentence(the_engines_alert_is_sent_before_the_end),
		sentence(an_alert_of_the_client_ends_the_handshake_in_silence),
		sentence(the_engines_alert_waits_for_room),
		sentence(a_flight_may_leave_in_any_pieces),
		sentence(without_a_record_buffer_the_handshake_waits),
		sentence(without_a_session_the_connection_is_reset),
		sentence(without_any_handshake_object_the_connection_is_reset),
		sentence(the_oldest_handshake_makes_room_for_the_newest),
		sentence(bytes_for_a_handshake_are_bounded),
		sentence(an_app_may_refuse_a_stream),
		sentence(a_bad_header_gets_the_alert_that_names_it),
		sentence(garbage_within_a_handshake_gets_an_alert_too),
		sentence(who_speaks_http_in_the_clear_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

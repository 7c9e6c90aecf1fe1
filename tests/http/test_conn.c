/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/fake_net.c
 * tests/http/fake_private.c tls/stream.c @romfs net/text.c http/conn.c
 * http/log.c http/respond.c http/answer.c http/acme.c http/redirect.c
 * http/location.c http/conditions.c http/path.c http/date.c http/request.c
 * http/authority.c http/chars.c */
/*
 * HTTP on a stream, with the test as the network: whatever the pieces in which
 * requests come and answers leave, the bytes of the answers are the same.  Most cases
 * run twice, on plain streams and on private ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/conn.h"
#include "tests/http/fake_net.h"
#include "tests/http/tiny_rom.h"

#define DATE "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"
#define GET_ROOT "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_AB "GET /a%20b.txt HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LAST "GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define ROOT "HTTP/1.1 200 OK\r\n" DATE \
	"ETag: \"root\"\r\nContent-Length: 6\r\n\r\nhello\n"
#define AB "HTTP/1.1 200 OK\r\n" DATE \
	"ETag: \"ab\"\r\nContent-Length: 2\r\n\r\nab"
#define LAST "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n" \
	"ETag: \"e\"\r\nContent-Length: 0\r\n\r\n"
#define BAD "HTTP/1.1 400 Bad Request\r\n" DATE "Connection: close\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\r\n" \
	"400 Bad Request\n"
#define LATE "HTTP/1.1 408 Request Timeout\r\n" DATE "Connection: close\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\n\r\n" \
	"408 Request Timeout\n"

static bool is_private;

static void open_with(const struct http_settings *settings)
{
	http_conn_start(tiny_rom(), settings, (struct http_text){ 0 });
	fake_open(&http_app, is_private);
}

static void open_conn(void)
{
	static const struct http_settings settings = { .log = true };

	open_with(&settings);
}

static void receive(const char *text)
{
	fake_receive(text, strlen(text));
}

static void sent(const char *want)
{
	fake.out[fake.out_len] = 0;
	assert_string_equal((const char *)fake.out, want);
}

static void a_request_is_answered_and_the_connection_stays(void **state)
{
	(void)state;
	open_conn();
	receive(GET_ROOT);
	sent(ROOT);
	assert_int_equal(fake.wait, NET_WAIT_IDLE);
	assert_false(fake.closing);
	receive(GET_AB);
	sent(ROOT AB);
	assert_int_equal(fake.held_len, 0);
}

static void single_bytes_make_the_same_request(void **state)
{
	static const char bytes[] = GET_ROOT GET_AB GET_LAST;

	(void)state;
	open_conn();
	for (size_t i = 0; i < sizeof bytes - 1; i++)
		fake_receive(bytes + i, 1);
	sent(ROOT AB LAST);
	assert_true(fake.closing);
}

static void each_cut_in_two_makes_the_same_requests(void **state)
{
	static const char bytes[] = GET_ROOT GET_AB GET_LAST;

	(void)state;
	for (size_t cut = 1; cut < sizeof bytes - 1; cut++) {
		open_conn();
		fake_receive(bytes, cut);
		fake_receive(bytes + cut, sizeof bytes - 1 - cut);
		sent(ROOT AB LAST);
		assert_true(fake.closing);
	}
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	open_conn();
	receive(GET_AB GET_ROOT GET_AB "GET /");
	sent(AB ROOT AB);
	assert_int_equal(fake.held_len, strlen("GET /"));
	assert_int_equal(fake.wait, NET_WAIT_REQUEST);
	receive(" HTTP/1.1\r\nHost: a\r\n\r\n");
	sent(AB ROOT AB ROOT);
	assert_int_equal(fake.wait, NET_WAIT_IDLE);
}

/* Every amount of room, again and again: answers leave in pieces of that size. */
static void little_room_cuts_answers_but_loses_nothing(void **state)
{
	(void)state;
	for (size_t room = 1; room < 300; room++) {
		open_conn();
		fake.room = 0;
		receive(GET_ROOT GET_AB GET_LAST);
		assert_int_equal(fake.out_len, 0);
		assert_int_equal(fake.wait, NET_WAIT_WRITE);
		for (size_t turn = 0; turn < 1000 && !fake.closing; turn++)
			fake_acknowledge(room < 120 ? fake.room + room : room);
		sent(ROOT AB LAST);
		assert_true(fake.closing);
		assert_int_equal(fake.held_len, 0);
	}
}

static void no_request_is_read_while_an_answer_waits(void **state)
{
	uint32_t waits;

	(void)state;
	open_conn();
	fake.room = 60;
	receive(GET_ROOT);
	assert_int_equal(fake.out_len, 60);
	assert_int_equal(fake.wait, NET_WAIT_WRITE);
	waits = fake.wait_set;
	receive(GET_AB);
	receive(GET_AB);
	/* A client can not put off the deadline by asking for more. */
	assert_int_equal(fake.wait_set, waits);
	assert_int_equal(fake.held_len, 2 * strlen(GET_AB));
	fake_acknowledge(10);
	assert_int_equal(fake.wait_set, waits);
	fake_acknowledge(SIZE_MAX);
	sent(ROOT AB AB);
	assert_int_equal(fake.wait, NET_WAIT_IDLE);
}

/* RFC 9112, section 9.6 */
static void nothing_is_answered_after_close(void **state)
{
	(void)state;
	open_conn();
	receive(GET_LAST GET_ROOT);
	sent(LAST);
	assert_true(fake.closing);

	open_conn();
	fake.room = 60;
	receive(GET_LAST GET_ROOT);
	assert_false(fake.closing);
	fake_acknowledge(SIZE_MAX);
	sent(LAST);
	assert_true(fake.closing);
}

static void a_refusal_is_the_last_answer(void **state)
{
	(void)state;
	open_conn();
	receive(GET_ROOT "GET / HTTP/1.1\n" GET_ROOT);
	sent(ROOT BAD);
	assert_true(fake.closing);
}

static void the_first_bytes_can_be_refused_without_a_line_end(void **state)
{
	(void)state;
	open_conn();
	receive("\x16\x03\x01");
	sent(BAD);
	assert_true(fake.closing);
}

static void a_body_is_skipped(void **state)
{
	static const char post[] =
	    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234";

	(void)state;
	open_conn();
	receive(post);
	sent(ROOT);
	assert_int_equal(fake.wait, NET_WAIT_REQUEST);
	receive("GET /" GET_AB);
	sent(ROOT AB);
	assert_int_equal(fake.wait, NET_WAIT_IDLE);
}

static void a_body_that_does_not_come_ends_the_connection(void **state)
{
	(void)state;
	open_conn();
	receive("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
	fake_expire();
	sent(ROOT);
	assert_true(fake.closing);
}

static void idle_connections_are_closed_without_a_word(void **state)
{
	(void)state;
	open_conn();
	fake_expire();
	sent("");
	assert_true(fake.closing);
	open_conn();
	receive(GET_ROOT);
	fake_expire();
	sent(ROOT);
	assert_true(fake.closing);
}

/* RFC 9110, section 15.5.9 */
static void a_request_that_takes_too_long_gets_408(void **state)
{
	uint32_t waits;

	(void)state;
	open_conn();
	receive("GET / HT");
	waits = fake.wait_set;
	receive("TP/1.1\r\n");
	/* The deadline runs from the first byte. */
	assert_int_equal(fake.wait, NET_WAIT_REQUEST);
	assert_int_equal(fake.wait_set, waits);
	fake_expire();
	sent(LATE);
	assert_true(fake.closing);
}

static void each_request_has_a_deadline_of_its_own(void **state)
{
	uint32_t waits;

	(void)state;
	open_conn();
	receive("GET / HTTP/1.1\r\n");
	waits = fake.wait_set;
	receive("Host: a\r\n\r\nGET");
	sent(ROOT);
	assert_int_equal(fake.wait, NET_WAIT_REQUEST);
	assert_true(fake.wait_set > waits);
}

static void a_client_that_does_not_read_is_reset(void **state)
{
	(void)state;
	open_conn();
	fake.room = 60;
	receive(GET_ROOT);
	fake_expire();
	assert_true(fake.reset);

	open_conn();
	receive("GET");
	fake.room = 60;
	fake_expire();
	assert_true(fake.reset);
}

/* RFC 9112, section 9.6: a client may close its side and still read. */
static void a_client_that_closed_its_side_gets_its_answers(void **state)
{
	(void)state;
	open_conn();
	receive(GET_ROOT);
	fake_peer_closes();
	sent(ROOT);
	assert_true(fake.closing);

	open_conn();
	fake.room = 60;
	receive(GET_ROOT GET_AB "GET /");
	fake_peer_closes();
	assert_false(fake.closing);
	fake_acknowledge(20);
	fake_acknowledge(SIZE_MAX);
	sent(ROOT AB);
	assert_true(fake.closing);

	open_conn();
	receive("GET /");
	fake_peer_closes();
	sent("");
	assert_true(fake.closing);
}

static void a_head_beyond_the_limit_is_refused_when_the_limit_is_reached(
    void **state)
{
	static char bytes[LIMIT_REQUEST_HEAD_LEN];

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	memcpy(bytes, "GET / HTTP/1.1\r\nX: ", 19);
	open_conn();
	for (size_t at = 0; at < sizeof bytes; at += 64) {
		assert_int_equal(fake.out_len, 0);
		fake_receive(bytes + at, 64);
	}
	assert_memory_equal(fake.out, "HTTP/1.1 431 ", 13);
	assert_true(fake.closing);
}

static void each_answer_is_logged_and_counted(void **state)
{
	const struct http_counters *const counters = http_conn_counters();
	const struct http_counters before = *counters;

	(void)state;
	open_conn();
	receive("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\"y\r\n\r\n"
	    "HEAD /no HTTP/1.1\r\nHost: a\r\nReferer: r\r\n\r\n\n");
	fake.log[fake.log_len] = 0;
	assert_string_equal(fake.log,
	    "192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] \"GET / HTTP/1.1\" "
	    "200 6 \"-\" \"x\\x22y\"\n"
	    "192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] \"HEAD /no HTTP/1.1\" "
	    "404 0 \"r\" \"-\"\n"
	    "192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] \"-\" "
	    "400 16 \"-\" \"-\"\n");
	assert_int_equal(counters->connections, before.connections + 1);
	assert_int_equal(counters->requests, before.requests + 3);
	assert_int_equal(counters->by_class[2], before.by_class[2] + 1);
	assert_int_equal(counters->by_class[4], before.by_class[4] + 2);

	open_with(&(struct http_settings){ .log = false });
	receive(GET_ROOT);
	assert_int_equal(fake.log_len, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered_and_the_connection_stays),
		cmocka_unit_test(single_bytes_make_the_same_request),
		cmocka_unit_test(each_cut_in_two_makes_the_same_requests),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(little_room_cuts_answers_but_loses_nothing),
		cmocka_unit_test(no_request_is_read_while_an_answer_waits),
		cmocka_unit_test(nothing_is_answered_after_close),
		cmocka_unit_test(a_refusal_is_the_last_answer),
		cmocka_unit_test(the_first_bytes_can_be_refused_without_a_line_end),
		cmocka_unit_test(a_body_is_skipped),
		cmocka_unit_test(a_body_that_does_not_come_ends_the_connection),
		cmocka_unit_test(idle_connections_are_closed_without_a_word),
		cmocka_unit_test(a_request_that_takes_too_long_gets_408),
		cmocka_unit_test(each_request_has_a_deadline_of_its_own),
		cmocka_unit_test(a_client_that_does_not_read_is_reset),
		cmocka_unit_test(a_client_that_closed_its_side_gets_its_answers),
		cmocka_unit_test(
		    a_head_beyond_the_limit_is_refused_when_the_limit_is_reached),
		cmocka_unit_test(each_answer_is_logged_and_counted),
	};
	int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);

	is_private = true;
	failed += cmocka_run_group_tests_name("private", tests, NULL, NULL);
	return failed;
}

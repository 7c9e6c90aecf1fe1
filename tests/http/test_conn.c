/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/fake_net.c
 * tests/http/fake_private.c tls/stream.c @romfs @http_answers http/conn.c
 * http/log.c */
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
#define FIELDS(len) "Content-Length: " #len "\r\nContent-Type: text/plain\r\n"
#define ROOT "HTTP/1.1 200 OK\r\n" DATE FIELDS(6) "ETag: \"root\"\r\n\r\nhello\n"
#define AB "HTTP/1.1 200 OK\r\n" DATE FIELDS(2) "ETag: \"ab\"\r\n\r\nab"
#define LAST "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n" \
	FIELDS(0) "ETag: \"e\"\r\n\r\n"
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

/* ---- Answers in pieces ----------------------------------------------------------- */

/* A redirect by a rule, a range, several ranges, and behind them one of one slice. */
#define PIECES \
	"GET /old/x?a HTTP/1.1\r\nHost: a\r\n\r\n" \
	"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n" \
	"GET /page.txt HTTP/1.1\r\nHost: a\r\n" \
	"Range: bytes=0-19,30-40,50-\r\nContent-Length: 3\r\n\r\nabc" \
	GET_LAST

static void little_room_cuts_pieces_but_loses_nothing(void **state)
{
	static uint8_t whole[sizeof fake.out];

	(void)state;
	open_conn();
	receive(PIECES);
	const size_t whole_len = fake.out_len;
	memcpy(whole, fake.out, whole_len);
	assert_true(fake.closing);
	whole[whole_len] = 0;
	assert_non_null(strstr((char *)whole,
	    "\r\n\r\nThe quick brown fox \r\n--stele-p\r\n"));
	for (size_t room = 1; room < 700; room++) {
		const uint64_t before = http_conn_counters()->requests;

		open_conn();
		fake.room = room;
		receive(PIECES);
		for (size_t turn = 0; turn < 2000 && !fake.closing; turn++)
			fake_acknowledge(room < 250 ? fake.room + room : room);
		assert_int_equal(fake.out_len, whole_len);
		assert_memory_equal(fake.out, whole, whole_len);
		assert_true(fake.closing);
		assert_int_equal(fake.held_len, 0);
		assert_int_equal(http_conn_counters()->requests, before + 4);
	}
}

/* A part is like a body: what is behind it does not cost a look at the request. */
static void a_part_under_way_waits_for_room_alone(void **state)
{
	(void)state;
	open_conn();
	receive("GET /page.txt HTTP/1.1\r\nHost: a\r\n"
	    "Range: bytes=0-39,50-\r\n");
	fake.room = 260;
	receive("\r\n");
	assert_int_equal(fake.out_len, 260);
	const uint32_t calls = fake.received_calls;
	const uint32_t waits = fake.wait_set;
	assert_int_equal(fake.wait, NET_WAIT_WRITE);
	assert_true(fake.held_len > 0);
	fake_acknowledge(3);
	fake_acknowledge(3);
	assert_int_equal(fake.received_calls, calls);
	assert_int_equal(fake.out_len, 266);
	fake_acknowledge(SIZE_MAX);
	assert_int_equal(fake.wait_set, waits + 1);
	assert_int_equal(fake.wait, NET_WAIT_IDLE);
	assert_int_equal(fake.held_len, 0);
}

static void the_pieces_of_an_answer_have_one_deadline(void **state)
{
	(void)state;
	open_conn();
	fake.room = 5;
	receive("GET /page.txt HTTP/1.1\r\nHost: a\r\n"
	    "Range: bytes=0-39,50-\r\n\r\n");
	const uint32_t waits = fake.wait_set;
	assert_int_equal(fake.wait, NET_WAIT_WRITE);
	for (size_t room = 5; room <= 142; room++)
		fake_acknowledge(room);
	fake_acknowledge(30);
	fake_acknowledge(80);
	assert_int_equal(fake.out_len, 142 + 30 + 80);
	assert_int_equal(fake.wait_set, waits);
	fake_expire();
	assert_true(fake.reset);
}

/* Then nobody can go on with it, and the client sees that it is cut off. */
static void an_answer_that_changes_under_way_is_ended(void **state)
{
	(void)state;
	open_conn();
	fake.unix_time = 784111777 + 3600;
	fake.room = 260;
	receive("GET /page.txt HTTP/1.1\r\nHost: a\r\n"
	    "Range: bytes=0-39,50-\r\n"
	    "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
	assert_int_equal(fake.out_len, 260);
	fake.unix_time = 784111777;
	fake_acknowledge(SIZE_MAX);
	assert_true(fake.closing);
	assert_true(fake.out_len < 400);
}

static uint32_t status_len;

static size_t make_status(const struct http_site *site, uint32_t index,
    uint8_t *out)
{
	assert_non_null(site->peer);
	assert_int_equal(site->peer->addr[3], 1);
	memset(out, 'a' + (int)index, HTTP_PREFIX_CAP);
	return index < status_len ? HTTP_PREFIX_CAP : 0;
}

static bool answer_status(const struct http_site *site,
    const struct http_request *req, const struct net_peer *peer,
    struct http_response *out)
{
	assert_ptr_equal(site->peer, peer);
	if (!http_text_equal(req->path, HTTP_TEXT("/status")))
		return false;
	http_begin(site, req, 200, out);
	HTTP_PUT(out, "\r\n");
	out->body_len = (uint64_t)status_len * HTTP_PREFIX_CAP;
	http_end_made(make_status, out);
	return true;
}

/* As a range that is asked for with If-Range, of a file whose body lies elsewhere. */
static bool answer_by_time(const struct http_site *site,
    const struct http_request *req, const struct net_peer *peer,
    struct http_response *out)
{
	const bool is_part = site->now->time > 784111777;

	(void)peer;
	http_begin(site, req, is_part ? 206 : 200, out);
	http_put_length(out, is_part ? 2 : 6);
	out->slice = HTTP_TEXT("ETag: \"x\"\r\n\r\n");
	out->rest = HTTP_REST_SLICE;
	out->place = 0;
	out->last = is_part ? HTTP_TEXT("el") : HTTP_TEXT("hello\n");
	out->body_len = out->last.len;
	return true;
}

static void an_answer_of_another_status_does_not_go_on(void **state)
{
	(void)state;
	open_conn();
	http_conn_serve_status(answer_by_time);
	fake.unix_time = 784111777;
	fake.room = 80;      /* not all of the head */
	receive(GET_ROOT);
	assert_int_equal(fake.out_len, 80);
	fake.unix_time++;
	fake_acknowledge(SIZE_MAX);
	fake.out[fake.out_len] = 0;
	assert_null(strstr((char *)fake.out, "\r\n\r\nel"));
	assert_true(fake.closing);
	http_conn_serve_status(NULL);
}

static void a_made_answer_ends_with_its_last_piece(void **state)
{
	static const char start[] = "HTTP/1.1 200 OK\r\n" DATE "\r\n";

	(void)state;
	for (size_t room = 40; room < 1200; room += 7) {
		http_conn_start(tiny_rom(), &(struct http_settings){ .log = false },
		    (struct http_text){ 0 });
		http_conn_serve_status(answer_status);
		fake_open(&http_app, is_private);
		const uint64_t before = http_conn_counters()->body_bytes;
		status_len = 3;
		fake.room = room;
		receive("GET /status HTTP/1.1\r\nHost: a\r\n\r\n" GET_LAST);
		for (size_t turn = 0; turn < 1000 && !fake.closing; turn++)
			fake_acknowledge(fake.room + room);
		fake.out[fake.out_len] = 0;
		const char *at = (char *)fake.out;
		assert_memory_equal(at, start, sizeof start - 1);
		at += sizeof start - 1;
		for (char c = 'a'; c < 'd'; c++, at += HTTP_PREFIX_CAP)
			assert_true(at[0] == c && at[HTTP_PREFIX_CAP - 1] == c);
		assert_string_equal(at, LAST);
		assert_int_equal(http_conn_counters()->body_bytes,
		    before + 3 * HTTP_PREFIX_CAP);
	}
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
		cmocka_unit_test(little_room_cuts_pieces_but_loses_nothing),
		cmocka_unit_test(a_part_under_way_waits_for_room_alone),
		cmocka_unit_test(the_pieces_of_an_answer_have_one_deadline),
		cmocka_unit_test(an_answer_that_changes_under_way_is_ended),
		cmocka_unit_test(an_answer_of_another_status_does_not_go_on),
		cmocka_unit_test(a_made_answer_ends_with_its_last_piece),
	};
	int failed = cmocka_run_group_tests_name("plain", tests, NULL, NULL);

	is_private = true;
	failed += cmocka_run_group_tests_name("private", tests, NULL, NULL);
	return failed;
}

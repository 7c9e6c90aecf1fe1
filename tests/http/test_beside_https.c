/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/fake_net.c
 * tests/http/fake_private.c tls/stream.c @romfs @http_answers http/conn.c
 * http/log.c */
/*
 * HTTP beside HTTPS: what plain streams answer then, and how an answer leaves that is
 * longer than what can be copied at once.
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
#define LATE "HTTP/1.1 408 Request Timeout\r\n" DATE "Connection: close\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\n\r\n" \
	"408 Request Timeout\n"
#define THUMBPRINT "0123456789_-ABCDEFGHIJKLMNOPQRSTUVWXYZabcde"
#define HSTS "Strict-Transport-Security: max-age=31536000\r\n"

static const struct http_settings beside_https = {
	.log = true,
	.redirect_port = 8443,
	.hsts = { .on = true, .max_age_s = 31536000 },
	.thumbprint = { (const uint8_t *)THUMBPRINT, 43 },
};

static void open_beside_https(bool is_private)
{
	http_conn_start(tiny_rom(), &beside_https, (struct http_text){ 0 });
	fake_open(&http_app, is_private);
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

static void plain_streams_redirect_and_private_ones_serve(void **state)
{
	(void)state;
	open_beside_https(false);
	receive(GET_ROOT);
	sent("HTTP/1.1 308 Permanent Redirect\r\n" DATE
	    "Location: https://a:8443/\r\nCache-Control: max-age=3600\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 23\r\n\r\n308 Permanent Redirect\n");
	assert_int_equal(fake.wait, NET_WAIT_IDLE);

	open_beside_https(true);
	receive(GET_ROOT);
	sent("HTTP/1.1 200 OK\r\n" DATE HSTS
	    "Content-Length: 6\r\nContent-Type: text/plain\r\n"
	    "ETag: \"root\"\r\n\r\nhello\n");
}

static void challenges_are_answered_on_plain_streams_only(void **state)
{
	static const char ask[] = "GET /.well-known/acme-challenge/tok "
	    "HTTP/1.1\r\nHost: a\r\n\r\n";

	(void)state;
	open_beside_https(false);
	receive(ask);
	sent("HTTP/1.1 200 OK\r\n" DATE
	    "Content-Type: application/octet-stream\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Length: 47\r\n\r\ntok." THUMBPRINT);
	assert_int_equal(fake.wait, NET_WAIT_IDLE);

	open_beside_https(true);
	receive(ask);
	assert_memory_equal(fake.out, "HTTP/1.1 404 ", 13);
}

/* RFC 6797, sections 7.1 and 7.2 */
static void refusals_have_hsts_on_private_streams_only(void **state)
{
	(void)state;
	open_beside_https(true);
	receive("GET / HT");
	fake_expire();
	fake.out[fake.out_len] = 0;
	assert_memory_equal(fake.out, "HTTP/1.1 408 ", 13);
	assert_non_null(strstr((char *)fake.out, HSTS));

	open_beside_https(false);
	receive("GET / HT");
	fake_expire();
	sent(LATE);
}

static void redirects_and_challenges_are_logged(void **state)
{
	(void)state;
	open_beside_https(false);
	receive("GET /.well-known/acme-challenge/tok HTTP/1.1\r\nHost: a\r\n\r\n"
	    "HEAD /x HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\n\r\n");
	fake.log[fake.log_len] = 0;
	assert_string_equal(fake.log,
	    "192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] "
	    "\"GET /.well-known/acme-challenge/tok HTTP/1.1\" "
	    "200 47 \"-\" \"-\"\n"
	    "192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] \"HEAD /x HTTP/1.1\" "
	    "308 0 \"-\" \"u\"\n");
}

/* Two long redirects: bytes that stay, and bytes that become three. */
#define LONG_LEN 3000

static const char *long_requests(bool odd)
{
	static char text[2 * LONG_LEN + 200];
	char target[LONG_LEN + 1];

	memset(target, odd ? '\\' : 'x', LONG_LEN);
	target[LONG_LEN] = 0;
	target[LONG_LEN / 2] = '?';
	snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
	    "GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	    target, target);
	return text;
}

static void a_location_has_no_limit_of_its_own(void **state)
{
	static const char start[] = "HTTP/1.1 308 Permanent Redirect\r\n" DATE
	    "Location: https://a:8443/";

	(void)state;
	open_beside_https(false);
	receive(long_requests(false));
	fake.out[fake.out_len] = 0;
	const char *at = (const char *)fake.out;
	assert_memory_equal(at, start, sizeof start - 1);
	at += sizeof start - 1;
	assert_int_equal(strspn(at, "x"), LONG_LEN / 2);
	assert_int_equal(at[LONG_LEN / 2], '?');
	at += LONG_LEN / 2 + 1;
	assert_int_equal(strspn(at, "x"), LONG_LEN / 2 - 1);
	at += LONG_LEN / 2 - 1;
	assert_memory_equal(at, "\r\nCache-Control: ", 17);
	assert_true(fake.closing);

	open_beside_https(false);
	receive(long_requests(true));
	assert_true(fake.out_len > 2 * 3 * LONG_LEN);
	assert_true(fake.closing);
}

static void little_room_cuts_a_location_but_loses_nothing(void **state)
{
	static uint8_t whole[sizeof fake.out];

	(void)state;
	for (int odd = 0; odd < 2; odd++) {
		open_beside_https(false);
		receive(long_requests(odd));
		const size_t whole_len = fake.out_len;
		memcpy(whole, fake.out, whole_len);
		for (size_t room = 40; room < 1100; room += 13) {
			open_beside_https(false);
			fake.room = room;
			receive(long_requests(odd));
			assert_false(fake.closing);
			for (size_t turn = 0; turn < 2000 && !fake.closing; turn++)
				fake_acknowledge(fake.room + room);
			assert_int_equal(fake.out_len, whole_len);
			assert_memory_equal(fake.out, whole, whole_len);
			assert_true(fake.closing);
		}
	}
}

static void a_prefix_is_not_sent_twice_when_the_clock_changes(void **state)
{
	static uint8_t whole[sizeof fake.out];

	(void)state;
	open_beside_https(false);
	receive(long_requests(false));
	const size_t whole_len = fake.out_len;
	memcpy(whole, fake.out, whole_len);

	open_beside_https(false);
	fake.room = HTTP_PREFIX_CAP;
	receive(long_requests(false));
	assert_int_equal(fake.out_len, HTTP_PREFIX_CAP);
	fake.unix_time = 0;
	fake_acknowledge(HTTP_PREFIX_CAP);
	assert_int_equal(fake.out_len, 2 * HTTP_PREFIX_CAP);
	fake.unix_time = 1790000000;
	fake_acknowledge(SIZE_MAX);
	assert_int_equal(fake.out_len, whole_len);
	assert_memory_equal(fake.out, whole, whole_len);
}

static void the_pieces_of_a_location_have_one_deadline(void **state)
{
	(void)state;
	open_beside_https(false);
	fake.room = HTTP_PREFIX_CAP;
	receive(long_requests(false));
	assert_int_equal(fake.wait, NET_WAIT_WRITE);
	const uint32_t waits = fake.wait_set;
	for (int turn = 0; turn < 4; turn++)
		fake_acknowledge(HTTP_PREFIX_CAP);
	assert_int_equal(fake.wait_set, waits);
	assert_int_equal(fake.out_len, 5 * HTTP_PREFIX_CAP);
	fake_expire();
	assert_true(fake.reset);
}

static void a_folder_with_a_long_query_redirects_on_private_streams(
    void **state)
{
	static char request[2000];
	char query[1001];

	(void)state;
	memset(query, 'q', 1000);
	query[1000] = 0;
	snprintf(request, sizeof request,
	    "GET /dir?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
	open_beside_https(true);
	fake.room = 200;
	receive(request);
	const size_t begun = fake.out_len;
	assert_true(begun > 0);
	fake_acknowledge(600);
	assert_int_equal(fake.out_len, begun + HTTP_PREFIX_CAP);
	fake_acknowledge(SIZE_MAX);
	fake.out[fake.out_len] = 0;
	const char *const at = strstr((char *)fake.out, "Location: /dir/?");
	assert_non_null(at);
	assert_int_equal(strspn(at + 16, "q"), 1000);
	assert_memory_equal(at + 1016, "\r\n\r\n", 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_streams_redirect_and_private_ones_serve),
		cmocka_unit_test(challenges_are_answered_on_plain_streams_only),
		cmocka_unit_test(refusals_have_hsts_on_private_streams_only),
		cmocka_unit_test(redirects_and_challenges_are_logged),
		cmocka_unit_test(a_location_has_no_limit_of_its_own),
		cmocka_unit_test(little_room_cuts_a_location_but_loses_nothing),
		cmocka_unit_test(
		    a_prefix_is_not_sent_twice_when_the_clock_changes),
		cmocka_unit_test(the_pieces_of_a_location_have_one_deadline),
		cmocka_unit_test(
		    a_folder_with_a_long_query_redirects_on_private_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

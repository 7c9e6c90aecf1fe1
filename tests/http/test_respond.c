/* links: tests/host_panic.c tests/http/tiny_rom.c @romfs net/text.c
 * http/respond.c http/answer.c http/acme.c http/redirect.c http/location.c
 * http/conditions.c http/path.c http/date.c http/request.c http/authority.c
 * http/chars.c */
/*
 * The responder: whole requests in, whole answers out, over a site of which every
 * byte is known.
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
#include "http/respond.h"
#include "tests/http/tiny_rom.h"

#define DATE "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"
#define H11 " HTTP/1.1\r\nHost: a\r\n"

static const struct http_now *now(void)
{
	static struct http_now at = { .time = 1790000000 };

	http_format_date(at.time, at.date);
	return &at;
}

static char answer_text[1024];
static struct http_response answer;

/* What answers are made from; HTTPS has no part in it until a case says so. */
static struct http_site site(void)
{
	static uint8_t scratch[LIMIT_TARGET_LEN];

	return (struct http_site){
		.fs = tiny_rom(), .now = now(),
		.scratch = scratch, .scratch_cap = sizeof scratch,
	};
}

static void render(void)
{
	memcpy(answer_text, answer.prefix, answer.prefix_len);
	memcpy(answer_text + answer.prefix_len, answer.rest.at,
	    answer.rest.len);
	answer_text[answer.prefix_len + answer.rest.len] = 0;
}

static void ask_of(const struct http_site *of, const char *request)
{
	struct http_request req;

	assert_int_equal(http_parse_request((const uint8_t *)request,
	    strlen(request), &req), HTTP_OK);
	http_respond(of, &req, &answer);
	assert_int_equal(answer.location_at, answer.location_len);
	render();
}

static void ask(const char *request)
{
	const struct http_site of = site();

	ask_of(&of, request);
}

/* The answer is these bytes, and the connection goes on or not. */
static void gives(const char *request, bool close, const char *want)
{
	ask(request);
	assert_string_equal(answer_text, want);
	assert_int_equal(answer.close, close);
	assert_int_equal(answer.status, atoi(want + strlen("HTTP/1.1 ")));
	assert_int_equal(answer.body_len,
	    strlen(strstr(want, "\r\n\r\n") + 4));
}

#define ROOT "HTTP/1.1 200 OK\r\n" DATE \
	"ETag: \"root\"\r\nContent-Length: 6\r\n\r\n"
#define SAME "HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"root\"\r\n\r\n"
#define NOTHING "HTTP/1.1 404 Not Found\r\n" DATE \
	"Content-Length: 13\r\n\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"

static void get_gives_head_and_body(void **state)
{
	(void)state;
	gives("GET /" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /?a=/b" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /x/../index.html" H11 "\r\n", false, ROOT "hello\n");
	gives("GET http://a" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /a%20b.txt" H11 "\r\n", false, "HTTP/1.1 200 OK\r\n" DATE
	    "ETag: \"ab\"\r\nContent-Length: 2\r\n\r\nab");
	gives("GET /empty" H11 "\r\n", false, "HTTP/1.1 200 OK\r\n" DATE
	    "ETag: \"e\"\r\nContent-Length: 0\r\n\r\n");
}

/* RFC 9110, section 9.3.2 */
static void head_gives_the_head_alone(void **state)
{
	(void)state;
	gives("HEAD /" H11 "\r\n", false, ROOT);
	gives("HEAD /nowhere" H11 "\r\n", false, NOTHING);
	gives("HEAD /%" H11 "\r\n", false, "HTTP/1.1 400 Bad Request\r\n" DATE
	    PLAIN "Content-Length: 16\r\n\r\n");
}

static void a_folder_redirects(void **state)
{
	(void)state;
	gives("GET /dir" H11 "\r\n", false,
	    "HTTP/1.1 301 Moved Permanently\r\n" DATE
	    "Location: /dir/\r\nContent-Length: 0\r\n\r\n");
}

#define MOVED(target) "HTTP/1.1 301 Moved Permanently\r\n" DATE \
	"Location: " target "\r\n" PLAIN "Content-Length: 22\r\n\r\n"

static void a_folder_redirects_with_its_query(void **state)
{
	(void)state;
	gives("GET /dir?a=/b?c" H11 "\r\n", false,
	    MOVED("/dir/?a=/b?c") "301 Moved Permanently\n");
	gives("GET /dir?" H11 "\r\n", false,
	    MOVED("/dir/?") "301 Moved Permanently\n");
	gives("HEAD /dir?a" H11 "\r\n", false, MOVED("/dir/?a"));
	gives("GET /%5Cd%25%3F?%5C%" H11 "\r\n", false,
	    MOVED("/%5Cd%25%3F/?%5C%") "301 Moved Permanently\n");
}

/* RFC 3986, section 4.2: "//" would begin the name of a host. */
static void a_folder_redirects_to_no_other_host(void **state)
{
	(void)state;
	gives("GET //b.example/../../dir?a" H11 "\r\n", false,
	    MOVED("/dir/?a") "301 Moved Permanently\n");
	gives("GET /%2e%2e//../dir?a" H11 "\r\n", false,
	    MOVED("/dir/?a") "301 Moved Permanently\n");
	gives("GET /%5cd%25%3f?//b.example" H11 "\r\n", false,
	    MOVED("/%5Cd%25%3F/?//b.example") "301 Moved Permanently\n");
}

/* RFC 9110, section 6.6.1: without a clock there MUST NOT be a Date. */
static void an_unknown_time_is_not_sent(void **state)
{
	static const struct http_now unknown = { .time = 0 };
	struct http_site of = site();

	(void)state;
	of.now = &unknown;
	ask_of(&of, "GET /" H11 "\r\n");
	assert_string_equal(answer_text, "HTTP/1.1 200 OK\r\n"
	    "ETag: \"root\"\r\nContent-Length: 6\r\n\r\nhello\n");
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	gives("GET /nowhere" H11 "\r\n", false, NOTHING "nothing here\n");
	gives("GET //" H11 "\r\n", false, NOTHING "nothing here\n");
	gives("GET /dir%2f" H11 "\r\n", false, NOTHING "nothing here\n");
	gives("GET /\\" H11 "\r\n", false, NOTHING "nothing here\n");
	gives("GET /nowhere" H11 "If-None-Match: *\r\n\r\n", false,
	    NOTHING "nothing here\n");
}

static void a_path_that_means_nothing_is_bad(void **state)
{
	(void)state;
	gives("GET /%zz" H11 "\r\n", false, "HTTP/1.1 400 Bad Request\r\n"
	    DATE PLAIN "Content-Length: 16\r\n\r\n400 Bad Request\n");
}

/* RFC 9110, section 15.5.6 */
static void other_methods_are_not_allowed(void **state)
{
	static const char want[] = "HTTP/1.1 405 Method Not Allowed\r\n" DATE
	    "Allow: GET, HEAD\r\n" PLAIN
	    "Content-Length: 23\r\n\r\n405 Method Not Allowed\n";

	(void)state;
	gives("POST /" H11 "Content-Length: 5\r\n\r\n", false, want);
	gives("get /" H11 "\r\n", false, want);
	gives("OPTIONS *" H11 "\r\n", false, want);
	gives("CONNECT a:1" H11 "\r\n", false, want);
	gives("DELETE /%zz" H11 "\r\n", false, want);
}

/* RFC 9112, section 9.3 */
static void the_connection_ends_when_it_has_to(void **state)
{
	char request[128];

	(void)state;
	gives("GET /empty" H11 "Connection: close\r\n\r\n", true,
	    "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n"
	    "ETag: \"e\"\r\nContent-Length: 0\r\n\r\n");
	gives("GET /empty HTTP/1.0\r\n\r\n", true,
	    "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n"
	    "ETag: \"e\"\r\nContent-Length: 0\r\n\r\n");
	gives("GET /empty HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false,
	    "HTTP/1.1 200 OK\r\n" DATE "Connection: keep-alive\r\n"
	    "ETag: \"e\"\r\nContent-Length: 0\r\n\r\n");

	for (uint32_t over = 0; over < 2; over++) {
		snprintf(request, sizeof request,
		    "GET /" H11 "Content-Length: %u\r\n\r\n",
		    LIMIT_BODY_SKIP_LEN + over);
		ask(request);
		assert_int_equal(answer.close, over);
	}
}

/* RFC 9110, section 10.1.1 */
static void a_body_that_waits_for_us_is_not_waited_for(void **state)
{
	(void)state;
	ask("GET /" H11 "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
	assert_true(answer.close);
	ask("GET /" H11 "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n");
	assert_false(answer.close);
	ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n"
	    "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
	assert_false(answer.close);
}

/* RFC 9110, section 13.1.2 */
static void none_match_compares_weakly(void **state)
{
	static const char *const same[] = {
		"\"root\"", "W/\"root\"", "*", "\"a\", \"root\"",
		" , ,\"a\" ,\tW/\"root\",", "\"a,b\",\"root\"", "\"\",\"root\"",
	};
	static const char *const other[] = {
		"", "\"rooT\"", "root", "\"root", "'root'", "w/\"root\"",
		"\"root \"", "W/ \"root\"", "\"a\" \"root\"", "x, \"root\"",
		"\"a\"; \"root\"", "*, \"a\"", "\"*\"", "\"roo\"", "\"roott\"",
	};
	char request[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		snprintf(request, sizeof request,
		    "GET /" H11 "If-None-Match: %s\r\n\r\n", same[i]);
		gives(request, false, SAME);
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		snprintf(request, sizeof request,
		    "GET /" H11 "If-None-Match: %s\r\n\r\n", other[i]);
		gives(request, false, ROOT "hello\n");
	}
	gives("GET /" H11 "If-None-Match: \"a\"\r\nIf-None-Match: \"root\"\r\n"
	    "\r\n", false, SAME);
	gives("HEAD /" H11 "If-None-Match: *\r\n\r\n", false, SAME);
	gives("GET /" H11 "If-None-Match: *\r\nConnection: close\r\n\r\n", true,
	    "HTTP/1.1 304 Not Modified\r\n" DATE "Connection: close\r\n"
	    "ETag: \"root\"\r\n\r\n");
}

/* RFC 9110, section 13.1.3 */
static void modified_since_compares_times(void **state)
{
	static const struct { const char *fields; bool same; } cases[] = {
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 1 },
		{ "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 1 },
		{ "If-Modified-Since: Sun Nov  6 08:49:38 1994\r\n", 1 },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 0 },
		{ "If-Modified-Since: tomorrow\r\n", 0 },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		  "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0 },
		/* section 13.2.2: If-None-Match decides alone */
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		  "If-None-Match: \"x\"\r\n", 0 },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
		  "If-None-Match: \"root\"\r\n", 1 },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		  "If-None-Match:\r\n", 0 },
	};
	char request[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(request, sizeof request, "GET /" H11 "%s\r\n",
		    cases[i].fields);
		gives(request, false, cases[i].same ? SAME : ROOT "hello\n");
	}
	gives("GET /dir" H11
	    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", false,
	    "HTTP/1.1 301 Moved Permanently\r\n" DATE
	    "Location: /dir/\r\nContent-Length: 0\r\n\r\n");
}

/* RFC 6797, section 7.1 */
static void hsts_is_in_every_answer(void **state)
{
	static const char field[] = "Strict-Transport-Security: max-age=1\r\n";
	static const char *const requests[] = {
		"GET /" H11 "\r\n", "HEAD /nowhere" H11 "\r\n",
		"GET /dir" H11 "\r\n", "GET /dir?a" H11 "\r\n",
		"GET /" H11 "If-None-Match: *\r\n\r\n", "POST /" H11 "\r\n",
		"GET /%" H11 "\r\n",
	};
	struct http_site of = site();

	(void)state;
	of.hsts = (struct http_text){
		(const uint8_t *)field, sizeof field - 1
	};
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		ask_of(&of, requests[i]);
		assert_non_null(strstr(answer_text, field));
		assert_true(strstr(answer_text, field) <
		    strstr(answer_text, "\r\n\r\n"));
		ask(requests[i]);
		assert_null(strstr(answer_text, "Strict"));
	}
	http_refuse(&of, 400, HTTP_METHOD_OTHER, &answer);
	render();
	assert_non_null(strstr(answer_text, field));
}

static void a_refusal_is_complete_and_last(void **state)
{
	static const struct { uint16_t status; const char *line; } cases[] = {
		{ 400, "400 Bad Request" }, { 408, "408 Request Timeout" },
		{ 414, "414 URI Too Long" },
		{ 431, "431 Request Header Fields Too Large" },
		{ 501, "501 Not Implemented" },
		{ 505, "505 HTTP Version Not Supported" },
	};
	const struct http_site of = site();
	char want[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const int head_len = snprintf(want, sizeof want,
		    "HTTP/1.1 %s\r\n" DATE "Connection: close\r\n" PLAIN
		    "Content-Length: %zu\r\n\r\n%s\n", cases[i].line,
		    strlen(cases[i].line) + 1, cases[i].line) -
		    (int)strlen(cases[i].line) - 1;

		http_refuse(&of, cases[i].status, HTTP_METHOD_OTHER,
		    &answer);
		render();
		assert_string_equal(answer_text, want);
		assert_true(answer.close);
		assert_int_equal(answer.body_len,
		    strlen(cases[i].line) + 1);

		http_refuse(&of, cases[i].status, HTTP_METHOD_HEAD, &answer);
		render();
		want[head_len] = 0;
		assert_string_equal(answer_text, want);
		assert_int_equal(answer.body_len, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_gives_head_and_body),
		cmocka_unit_test(head_gives_the_head_alone),
		cmocka_unit_test(a_folder_redirects),
		cmocka_unit_test(a_folder_redirects_with_its_query),
		cmocka_unit_test(a_folder_redirects_to_no_other_host),
		cmocka_unit_test(an_unknown_time_is_not_sent),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(a_path_that_means_nothing_is_bad),
		cmocka_unit_test(other_methods_are_not_allowed),
		cmocka_unit_test(the_connection_ends_when_it_has_to),
		cmocka_unit_test(a_body_that_waits_for_us_is_not_waited_for),
		cmocka_unit_test(none_match_compares_weakly),
		cmocka_unit_test(modified_since_compares_times),
		cmocka_unit_test(hsts_is_in_every_answer),
		cmocka_unit_test(a_refusal_is_complete_and_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

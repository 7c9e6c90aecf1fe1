/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/render.c @romfs
 * @http_answers -Xlinker --wrap=romfs_host
 * -Xlinker --wrap=romfs_variant */
/*
 * The responder: whole requests in, whole answers out, over a site of which every
 * byte is known.  Codings, conditions and ranges: test_representations.c.
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
#include "tests/http/render.h"
#include "tests/http/tiny_rom.h"

#define DATE "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"
#define H11 " HTTP/1.1\r\nHost: a\r\n"

static const struct http_now *now(void)
{
	static struct http_now at = { .time = 1790000000 };

	http_format_date(at.time, at.date);
	return &at;
}

/* ---- Images that the tiny one is not -------------------------------------------- */

/* What romfs_host() says while the image has names; NULL: there is no such site. */
static const struct romfs_host *host_found;
static char host_asked[300];

bool __wrap_romfs_host(const struct romfs *fs, const uint8_t *name,
    size_t len, struct romfs_host *out);
void __wrap_romfs_variant(const struct romfs *fs,
    const struct romfs_entry *entry, uint32_t i, struct romfs_variant *out);
void __real_romfs_variant(const struct romfs *fs,
    const struct romfs_entry *entry, uint32_t i, struct romfs_variant *out);

bool __wrap_romfs_host(const struct romfs *fs, const uint8_t *name,
    size_t len, struct romfs_host *out)
{
	assert_true(fs->name_count > 0);
	snprintf(host_asked, sizeof host_asked, "%.*s", (int)len,
	    (const char *)name);
	if (host_found != NULL)
		*out = *host_found;
	return host_found != NULL;
}

/* Not NULL: where all bodies are. */
static const char *body_elsewhere;

void __wrap_romfs_variant(const struct romfs *fs,
    const struct romfs_entry *entry, uint32_t i, struct romfs_variant *out)
{
	__real_romfs_variant(fs, entry, i, out);
	if (body_elsewhere == NULL)
		return;
	out->body = (const uint8_t *)body_elsewhere;
	out->body_len = strlen(body_elsewhere);
}

/* ---- Asking ------------------------------------------------------------------- */

static char answer_text[2048];
static struct http_response answer;

/* What answers are made from; HTTPS has no part in it until a case says so. */
static struct http_site site(void)
{
	static uint8_t scratch[HTTP_SCRATCH_CAP];

	return (struct http_site){
		.fs = tiny_rom(), .now = now(), .scratch = scratch,
	};
}

static void render_answer(const struct http_site *of)
{
	answer_text[render(of, &answer, (uint8_t *)answer_text,
	    sizeof answer_text - 1)] = 0;
}

static void ask_of(const struct http_site *of, const char *request)
{
	struct http_request req;

	assert_int_equal(http_parse_request((const uint8_t *)request,
	    strlen(request), &req), HTTP_OK);
	http_respond(of, &req, &answer);
	render_answer(of);
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

/* What tiny_rom.h says of heads. */
#define FIELDS(len) "Content-Length: " #len "\r\nContent-Type: text/plain\r\n"
#define ROOT_HEAD FIELDS(6) "ETag: \"root\"\r\n\r\n"
#define ROOT "HTTP/1.1 200 OK\r\n" DATE ROOT_HEAD
#define EMPTY_HEAD FIELDS(0) "ETag: \"e\"\r\n\r\n"
#define NOTHING "HTTP/1.1 404 Not Found\r\n" DATE FIELDS(13) "\r\n"

#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"

static void get_gives_head_and_body(void **state)
{
	(void)state;
	gives("GET /" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /?a=/b" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /x/../index.html" H11 "\r\n", false, ROOT "hello\n");
	gives("GET http://a" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /a%20b.txt" H11 "\r\n", false, "HTTP/1.1 200 OK\r\n" DATE
	    FIELDS(2) "ETag: \"ab\"\r\n\r\nab");
	gives("GET /empty" H11 "\r\n", false, "HTTP/1.1 200 OK\r\n" DATE
	    EMPTY_HEAD);
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
	    FIELDS(0) "Location: /dir/\r\n\r\n");
}

#define MOVED(target) "HTTP/1.1 301 Moved Permanently\r\n" DATE FIELDS(0) \
	"Location: " target "\r\n\r\n"

static void a_folder_redirects_with_its_query(void **state)
{
	(void)state;
	gives("GET /dir?a=/b?c" H11 "\r\n", false,
	    MOVED("/dir/?a=/b?c"));
	gives("GET /dir?" H11 "\r\n", false,
	    MOVED("/dir/?"));
	gives("HEAD /dir?a" H11 "\r\n", false, MOVED("/dir/?a"));
	gives("GET /%5Cd%25%3F?%5C%\\" H11 "\r\n", false,
	    MOVED("/dir/?%5C%%5C"));
}

/* RFC 3986, section 4.2: "//" would begin the name of a host. */
static void a_folder_redirects_to_no_other_host(void **state)
{
	(void)state;
	gives("GET //b.example/../../dir?a" H11 "\r\n", false,
	    MOVED("/dir/?a"));
	gives("GET /%2e%2e//../dir?a" H11 "\r\n", false,
	    MOVED("/dir/?a"));
}

/* RFC 3986, section 3.5: a fragment is behind the query. */
static void a_query_goes_before_the_fragment(void **state)
{
	(void)state;
	gives("GET /frag" H11 "\r\n", false, "HTTP/1.1 308 Permanent Redirect"
	    "\r\n" DATE FIELDS(6) "Location: /dir/#top\r\n\r\nmoved\n");
	gives("GET /frag?a" H11 "\r\n", false, "HTTP/1.1 308 Permanent Redirect"
	    "\r\n" DATE FIELDS(6) "Location: /dir/?a#top\r\n\r\nmoved\n");
	gives("HEAD /frag?" H11 "\r\n", false, "HTTP/1.1 308 Permanent Redirect"
	    "\r\n" DATE FIELDS(6) "Location: /dir/?#top\r\n\r\n");
	gives("GET /away?z=1" H11 "\r\n", false, "HTTP/1.1 302 Found\r\n" DATE
	    FIELDS(5) "Location: https://other.example/x?y=1\r\n\r\naway\n");
}

#define MADE(target) "HTTP/1.1 301 Moved Permanently\r\n" DATE \
	"Location: " target "\r\nCache-Control: max-age=3600\r\n" \
	PLAIN "Content-Length: 22\r\n\r\n301 Moved Permanently\n"

static void rules_make_redirects(void **state)
{
	(void)state;
	gives("GET /old/x" H11 "\r\n", false, MADE("/dir/x#t"));
	gives("GET /old/x?a=1" H11 "\r\n", false, MADE("/dir/x?a=1#t"));
	gives("GET /old/%C3%A9%20%3F?\"" H11 "\r\n", false,
	    MADE("/dir/%C3%A9%20%3F?%22#t"));
	gives("GET /old/a%2Fb" H11 "\r\n", false, MADE("/dir/a%2Fb#t"));
	gives("GET /old/a/b" H11 "\r\n", false, NOTHING "nothing here\n");
	gives("GET /campaign?x=1&id=%22\"" H11 "\r\n", false,
	    "HTTP/1.1 302 Found\r\n" DATE "Location: /c/%22%22\r\n" PLAIN
	    "Content-Length: 10\r\n\r\n302 Found\n");
	gives("GET /campaign?x=1" H11 "\r\n", false, "HTTP/1.1 200 OK\r\n" DATE
	    FIELDS(4) "ETag: \"c\"\r\n\r\nall\n");
}

static void rules_rewrite(void **state)
{
	(void)state;
	gives("GET /app/any/thing?x" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /app/a%2Fb" H11 "\r\n", false, ROOT "hello\n");
	gives("GET /app/x" H11 "If-None-Match: \"root\"\r\n\r\n", false,
	    "HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"root\"\r\n\r\n");
	gives("GET /files/a%20b.txt" H11 "\r\n", false, "HTTP/1.1 200 OK\r\n"
	    DATE FIELDS(2) "ETag: \"ab\"\r\n\r\nab");
	gives("GET /files/a%2Fb.txt" H11 "\r\n", false,
	    NOTHING "nothing here\n");
	gives("GET /dir/x" H11 "If-Match: \"x\"\r\nRange: bytes=0-0\r\n\r\n",
	    false, "HTTP/1.1 404 Not Found\r\n" DATE FIELDS(15)
	    "\r\nnothing in dir\n");
}

static void a_body_may_lie_elsewhere(void **state)
{
	(void)state;
	body_elsewhere = "hell";
	gives("GET /" H11 "\r\n", false, ROOT "hell");
	assert_int_equal(answer.rest, HTTP_REST_SLICE);
	gives("HEAD /" H11 "\r\n", false, ROOT);
	assert_int_equal(answer.rest, HTTP_REST_NONE);
	gives("GET /nowhere" H11 "\r\n", false, NOTHING "hell");
	gives("GET /frag?a" H11 "\r\n", false, "HTTP/1.1 308 Permanent Redirect"
	    "\r\n" DATE FIELDS(6) "Location: /dir/?a#top\r\n\r\nhell");
	gives("HEAD /frag?a" H11 "\r\n", false, "HTTP/1.1 308 Permanent Redirect"
	    "\r\n" DATE FIELDS(6) "Location: /dir/?a#top\r\n\r\n");
	body_elsewhere = "";
	gives("GET /" H11 "\r\n", false, ROOT);
	assert_int_equal(answer.rest, HTTP_REST_NONE);
	body_elsewhere = NULL;
}

/* ---- Several sites ------------------------------------------------------------- */

/* The tiny site as one of several, of which the host is this one. */
static struct http_site of_names(const struct romfs_host *found)
{
	static struct romfs fs;
	struct http_site of = site();

	fs = *of.fs;
	fs.name_count = 1;
	of.fs = &fs;
	host_found = found;
	return of;
}

/* RFC 9110, section 15.5.20 */
static void an_unknown_host_is_misdirected(void **state)
{
	static const char want[] = "HTTP/1.1 421 Misdirected Request\r\n" DATE
	    PLAIN "Content-Length: 24\r\n\r\n421 Misdirected Request\n";
	const struct http_site of = of_names(NULL);

	(void)state;
	ask_of(&of, "GET /%zz HTTP/1.1\r\nHost: B.example:81\r\n\r\n");
	assert_string_equal(answer_text, want);
	assert_string_equal(host_asked, "B.example");
	assert_false(answer.close);
	ask_of(&of, "GET http://c.example./ HTTP/1.0\r\n\r\n");
	assert_int_equal(answer.status, 421);
	assert_string_equal(host_asked, "c.example.");
	ask_of(&of, "GET / HTTP/1.0\r\n\r\n");
	assert_int_equal(answer.status, 421);
	assert_string_equal(host_asked, "");
	ask_of(&of, "POST /" H11 "\r\n");
	assert_int_equal(answer.status, 405);
}

static void a_host_has_its_site(void **state)
{
	static const struct romfs_host host = { .site = 0 };
	const struct http_site of = of_names(&host);

	(void)state;
	ask_of(&of, "GET /" H11 "\r\n");
	assert_string_equal(answer_text, ROOT "hello\n");
}

#define ELSEWHERE(to) "HTTP/1.1 308 Permanent Redirect\r\n" DATE \
	"Location: " to "\r\nCache-Control: max-age=3600\r\n" PLAIN \
	"Content-Length: 23\r\n\r\n308 Permanent Redirect\n"

/* RFC 9110, section 15.4.9 */
static void a_host_may_have_another_name(void **state)
{
	static const struct romfs_host host = {
		.site = 0, .canonical = (const uint8_t *)"www.a.example",
		.canonical_len = 13,
	};
	struct http_site of = of_names(&host);

	(void)state;
	ask_of(&of, "GET //x/../%2f?q HTTP/1.1\r\nHost: a.example\r\n\r\n");
	assert_string_equal(answer_text,
	    ELSEWHERE("http://www.a.example//x/../%2f?q"));
	ask_of(&of, "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n");
	assert_string_equal(answer_text,
	    ELSEWHERE("http://www.a.example:8080/"));
	of.is_private = true;
	ask_of(&of, "GET /?\" HTTP/1.1\r\nHost: a.example\r\n\r\n");
	assert_string_equal(answer_text,
	    ELSEWHERE("https://www.a.example/?%22"));
}

/* ---- Status pages --------------------------------------------------------------- */

static const struct net_peer *peer_asked;

static size_t make_piece(const struct http_site *of, uint32_t index,
    uint8_t *out)
{
	assert_ptr_equal(of->peer, peer_asked);
	return index < 3 ? (size_t)sprintf((char *)out, "%u,", index) : 0;
}

/* Answers "/status" alone. */
static bool answer_status(const struct http_site *of,
    const struct http_request *req, const struct net_peer *peer,
    struct http_response *out)
{
	peer_asked = peer;
	if (!http_text_equal(req->path, HTTP_TEXT("/status")))
		return false;
	http_begin(of, req, 200, out);
	HTTP_PUT(out, "\r\n");
	out->body_len = 6;
	http_end_made(make_piece, out);
	return true;
}

static void status_pages_go_before_the_site(void **state)
{
	const struct net_peer *const peer = (const void *)&state;
	struct http_site of = site();

	of.status = answer_status;
	of.peer = peer;
	ask_of(&of, "GET /status" H11 "\r\n");
	assert_string_equal(answer_text,
	    "HTTP/1.1 200 OK\r\n" DATE "\r\n0,1,2,");
	assert_ptr_equal(peer_asked, peer);
	ask_of(&of, "GET /" H11 "\r\n");
	assert_string_equal(answer_text, ROOT "hello\n");
	ask_of(&of, "POST /status" H11 "\r\n");
	assert_int_equal(answer.status, 405);
}

/* RFC 9110, section 6.6.1: without a clock there MUST NOT be a Date. */
static void an_unknown_time_is_not_sent(void **state)
{
	static const struct http_now unknown = { .time = 0 };
	struct http_site of = site();

	(void)state;
	of.now = &unknown;
	ask_of(&of, "GET /" H11 "\r\n");
	assert_string_equal(answer_text,
	    "HTTP/1.1 200 OK\r\n" ROOT_HEAD "hello\n");
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
	    EMPTY_HEAD);
	gives("GET /empty HTTP/1.0\r\n\r\n", true,
	    "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n"
	    EMPTY_HEAD);
	gives("GET /empty HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false,
	    "HTTP/1.1 200 OK\r\n" DATE "Connection: keep-alive\r\n"
	    EMPTY_HEAD);

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
	render_answer(&of);
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
		render_answer(&of);
		assert_string_equal(answer_text, want);
		assert_true(answer.close);
		assert_int_equal(answer.body_len,
		    strlen(cases[i].line) + 1);

		http_refuse(&of, cases[i].status, HTTP_METHOD_HEAD, &answer);
		render_answer(&of);
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
		cmocka_unit_test(a_query_goes_before_the_fragment),
		cmocka_unit_test(rules_make_redirects),
		cmocka_unit_test(rules_rewrite),
		cmocka_unit_test(a_body_may_lie_elsewhere),
		cmocka_unit_test(an_unknown_host_is_misdirected),
		cmocka_unit_test(a_host_has_its_site),
		cmocka_unit_test(a_host_may_have_another_name),
		cmocka_unit_test(status_pages_go_before_the_site),
		cmocka_unit_test(an_unknown_time_is_not_sent),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(a_path_that_means_nothing_is_bad),
		cmocka_unit_test(other_methods_are_not_allowed),
		cmocka_unit_test(the_connection_ends_when_it_has_to),
		cmocka_unit_test(a_body_that_waits_for_us_is_not_waited_for),
		cmocka_unit_test(hsts_is_in_every_answer),
		cmocka_unit_test(a_refusal_is_complete_and_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

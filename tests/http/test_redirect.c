/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/render.c @romfs
 * @http_answers */
/*
 * From plain HTTP to HTTPS: which host, which port, which target; and what HSTS says.
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
#include "http/redirect.h"
#include "http/respond.h"
#include "tests/http/render.h"
#include "tests/http/tiny_rom.h"

#define HOSTS "a.example\0www.a.example\0"

static struct http_response answer;
static char text[1024];

static struct http_redirect redirect;

/* Where plain streams lead to HTTPS. */
static struct http_site site(void)
{
	static uint8_t scratch[HTTP_SCRATCH_CAP];
	static const struct http_now now = { .time = 0 };

	return (struct http_site){
		.fs = tiny_rom(), .now = &now, .scratch = scratch,
		.redirect = &redirect,
	};
}

/* The answer to these bytes. */
static const char *ask(const char *bytes)
{
	const struct http_site of = site();
	struct http_request req;

	assert_int_equal(http_parse_request((const uint8_t *)bytes,
	    strlen(bytes), &req), HTTP_OK);
	http_respond(&of, &req, &answer);
	text[render(&of, &answer, (uint8_t *)text, sizeof text - 1)] = 0;
	return text;
}

/* What stands behind "Location: ". */
static void leads_to(const char *bytes, const char *want)
{
	static const char start[] = "\r\nLocation: ";
	char *const at = strstr((char *)ask(bytes), start);

	assert_int_equal(answer.status, 308);
	assert_non_null(at);
	assert_null(strstr(at + 1, start));
	*strchr(at + 2, '\r') = 0;
	assert_string_equal(at + sizeof start - 1, want);
}

static int with_hosts(void **state)
{
	(void)state;
	redirect = (struct http_redirect){ HTTP_TEXT(HOSTS), 443 };
	return 0;
}

static int without_hosts(void **state)
{
	(void)state;
	redirect = (struct http_redirect){ { 0 }, 443 };
	return 0;
}

#define FIELDS "Cache-Control: max-age=3600\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Length: 23\r\n\r\n"

/* RFC 9110, section 15.4.9 */
static void a_request_is_sent_to_the_same_target(void **state)
{
	(void)state;
	assert_string_equal(ask("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n"),
	    "HTTP/1.1 308 Permanent Redirect\r\n"
	    "Location: https://a.example/x\r\n" FIELDS
	    "308 Permanent Redirect\n");
	assert_int_equal(answer.body_len, 23);
	assert_false(answer.close);
	assert_string_equal(ask("HEAD /x HTTP/1.0\r\nHost: a.example\r\n\r\n"),
	    "HTTP/1.1 308 Permanent Redirect\r\nConnection: close\r\n"
	    "Location: https://a.example/x\r\n" FIELDS);
	assert_int_equal(answer.body_len, 0);
	assert_true(answer.close);

	leads_to("GET /a/../b%2f%zz//?q=/?%00 HTTP/1.1\r\nHost: a.example\r\n"
	    "\r\n", "https://a.example/a/../b%2f%zz//?q=/?%00");
	leads_to("GET //b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
	    "https://a.example//b.example/");
	leads_to("GET /\\\"<\xc3\xa9>? HTTP/1.1\r\nHost: a.example\r\n\r\n",
	    "https://a.example/%5C%22%3C%C3%A9%3E?");
	/* What HTTPS would answer with 404, 301 or 400 is its business. */
	leads_to("GET /dir HTTP/1.1\r\nHost: a.example\r\n"
	    "If-None-Match: *\r\n\r\n", "https://a.example/dir");
	leads_to("GET /% HTTP/1.1\r\nHost: a.example\r\n\r\n",
	    "https://a.example/%");
}

/* RFC 9112, section 3.2.2 */
static void a_whole_uri_is_sent_to_its_target(void **state)
{
	(void)state;
	leads_to("GET http://www.a.example:80/p?q HTTP/1.1\r\n"
	    "Host: www.a.example\r\n\r\n", "https://www.a.example/p?q");
	leads_to("GET http://www.a.example?q HTTP/1.1\r\n"
	    "Host: www.a.example\r\n\r\n", "https://www.a.example/?q");
	leads_to("GET http://www.a.example HTTP/1.0\r\n\r\n",
	    "https://www.a.example/");
	leads_to("GET http://b.example/ HTTP/1.0\r\n\r\n",
	    "https://a.example/");
}

static void names_that_are_ours_are_kept(void **state)
{
	(void)state;
	leads_to("GET / HTTP/1.1\r\nHost: www.a.example\r\n\r\n",
	    "https://www.a.example/");
	leads_to("GET / HTTP/1.1\r\nHost: WWW.a.Example:8080\r\n\r\n",
	    "https://WWW.a.Example/");
	redirect.hosts.len--;      /* the last NUL is no part of a name */
	leads_to("GET / HTTP/1.1\r\nHost: www.a.example\r\n\r\n",
	    "https://www.a.example/");
}

static void other_names_become_the_first_of_ours(void **state)
{
	static const char *const others[] = {
		"b.example", "a.exampl", "a.example.", "xa.example", "",
		".a.example", "a.example.b", "192.0.2.1", "[2001:db8::1]", ":80",
		"www.a.exampl", "a.examplewww.a.example", "b.a.example",
	};
	char bytes[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		snprintf(bytes, sizeof bytes,
		    "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", others[i]);
		leads_to(bytes, "https://a.example/");
	}
	leads_to("GET / HTTP/1.0\r\n\r\n", "https://a.example/");
}

static void without_names_the_request_says_where(void **state)
{
	(void)state;
	leads_to("GET / HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n\r\n",
	    "https://192.0.2.1/");
	leads_to("GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
	    "https://[2001:db8::1]/");
	leads_to("GET / HTTP/1.1\r\nHost: a%0d%0aX\r\n\r\n",
	    "https://a%0d%0aX/");
	leads_to("GET http://b/ HTTP/1.0\r\n\r\n", "https://b/");
}

static void without_any_name_there_is_no_redirect(void **state)
{
	static const char bad[] = "HTTP/1.1 400 Bad Request\r\n";

	(void)state;
	assert_memory_equal(ask("GET / HTTP/1.0\r\n\r\n"), bad, sizeof bad - 1);
	assert_null(strstr(text, "Location"));
	assert_memory_equal(ask("GET / HTTP/1.1\r\nHost:\r\n\r\n"), bad,
	    sizeof bad - 1);
	assert_false(answer.close);
	assert_memory_equal(ask("HEAD / HTTP/1.1\r\nHost: :80\r\n\r\n"), bad,
	    sizeof bad - 1);
	assert_int_equal(answer.body_len, 0);
}

static void a_host_has_a_limit(void **state)
{
	char bytes[512] = "GET / HTTP/1.1\r\nHost: ";
	char want[512] = "https://";

	(void)state;
	memset(bytes + strlen(bytes), 'h', LIMIT_HOST_LEN);
	memset(want + strlen(want), 'h', LIMIT_HOST_LEN);
	strcat(want, ":65535/");
	strcat(bytes, "\r\n\r\n");
	redirect.port = 65535;
	leads_to(bytes, want);
	strcpy(bytes + strlen(bytes) - 4, "h\r\n\r\n");
	ask(bytes);
	assert_int_equal(answer.status, 400);
}

static void another_port_is_named(void **state)
{
	(void)state;
	redirect.port = 8443;
	leads_to("GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n",
	    "https://a.example:8443/");
	redirect.port = 1;
	leads_to("GET / HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
	    "https://a.example:1/");
}

/* The answer there would be 405, too; RFC 9110, section 15.5.6 */
static void other_methods_are_answered_at_once(void **state)
{
	static const char *const others[] = {
		"POST /x HTTP/1.1", "OPTIONS * HTTP/1.1", "OPTIONS / HTTP/1.1",
		"CONNECT a.example:443 HTTP/1.1", "get / HTTP/1.1",
	};
	char bytes[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		snprintf(bytes, sizeof bytes, "%s\r\nHost: a.example%s\r\n\r\n",
		    others[i], strstr(others[i], "CONNECT") ? ":443" : "");
		ask(bytes);
		assert_int_equal(answer.status, 405);
		assert_null(strstr(text, "Location"));
	}
}

/* What does not fit is left for later, and nothing is lost. */
static void a_long_target_begins_in_the_prefix(void **state)
{
	static char bytes[LIMIT_REQUEST_HEAD_LEN];
	const struct http_site of = site();
	struct http_request req;
	size_t len = 0;

	(void)state;
	len += (size_t)sprintf(bytes, "GET /");
	memset(bytes + len, 'x', LIMIT_TARGET_LEN - 1);
	len += LIMIT_TARGET_LEN - 1;
	len += (size_t)sprintf(bytes + len,
	    " HTTP/1.1\r\nHost: a.example\r\n\r\n");
	assert_int_equal(http_parse_request((uint8_t *)bytes, len, &req),
	    HTTP_OK);
	http_respond(&of, &req, &answer);
	assert_int_equal(answer.status, 308);
	assert_int_equal(answer.prefix_len, HTTP_PREFIX_CAP);
	assert_int_equal(answer.rest, HTTP_REST_LOCATION);
	assert_int_equal(http_location_len(&answer.location), LIMIT_TARGET_LEN);
	const size_t start = strlen("HTTP/1.1 308 Permanent Redirect\r\n"
	    "Location: https://a.example");
	assert_int_equal(answer.place, HTTP_PREFIX_CAP - start);
	assert_ptr_equal(answer.location.text.at, bytes + 4);
}

/* The prefix of the longest name with everything else that may be in it. */
static void the_longest_name_fits_beside_hsts(void **state)
{
	static const struct http_now now = {
		.time = 1, .date = "Thu, 01 Jan 1970 00:00:01 GMT"
	};
	uint8_t name[LIMIT_HOST_LEN], hsts[HTTP_HSTS_CAP];
	const struct http_hsts longest = { true, true, true, UINT32_MAX };
	struct http_site of = site();
	struct http_request req;

	(void)state;
	memset(name, 'n', sizeof name);
	of.now = &now;
	of.is_private = true;
	of.hsts = (struct http_text){ hsts, http_format_hsts(&longest, hsts) };
	assert_int_equal(http_parse_request((const uint8_t *)
	    "GET /x HTTP/1.0\r\n\r\n", 19, &req), HTTP_OK);
	http_answer_canonical(&of, &req, 65535,
	    (struct http_text){ name, sizeof name }, &answer);
	text[render(&of, &answer, (uint8_t *)text, sizeof text - 1)] = 0;
	assert_non_null(strstr(text, "\r\nLocation: https://nnnn"));
	assert_non_null(strstr(text, "nnnn:65535/x\r\n"));
}

static void hsts_says(struct http_hsts hsts, const char *want)
{
	uint8_t *const out = malloc(HTTP_HSTS_CAP);

	assert_non_null(out);
	const size_t len = http_format_hsts(&hsts, out);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
	assert_true(len < HTTP_HSTS_CAP);
	free(out);
}

/* RFC 6797, section 6.1 */
static void hsts_is_one_line(void **state)
{
	(void)state;
	hsts_says((struct http_hsts){ .max_age_s = 5, .preload = true }, "");
	hsts_says((struct http_hsts){ .on = true },
	    "Strict-Transport-Security: max-age=0\r\n");
	hsts_says((struct http_hsts){ .on = true, .max_age_s = 31536000,
	    .subdomains = true }, "Strict-Transport-Security: "
	    "max-age=31536000; includeSubDomains\r\n");
	hsts_says((struct http_hsts){ .on = true, .max_age_s = UINT32_MAX,
	    .subdomains = true, .preload = true },
	    "Strict-Transport-Security: "
	    "max-age=4294967295; includeSubDomains; preload\r\n");
}

#define HOSTED(name) cmocka_unit_test_setup(name, with_hosts)
#define UNHOSTED(name) cmocka_unit_test_setup(name, without_hosts)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		HOSTED(a_request_is_sent_to_the_same_target),
		HOSTED(a_whole_uri_is_sent_to_its_target),
		HOSTED(names_that_are_ours_are_kept),
		HOSTED(other_names_become_the_first_of_ours),
		UNHOSTED(without_names_the_request_says_where),
		UNHOSTED(without_any_name_there_is_no_redirect),
		UNHOSTED(a_host_has_a_limit),
		HOSTED(another_port_is_named),
		HOSTED(other_methods_are_answered_at_once),
		HOSTED(a_long_target_begins_in_the_prefix),
		HOSTED(the_longest_name_fits_beside_hsts),
		HOSTED(hsts_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

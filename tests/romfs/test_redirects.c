/* links: romfs/mkromfs/redirects.c romfs/mkromfs/pattern.c romfs/mkromfs/lines.c
 *        romfs/mkromfs/memory.c romfs/mkromfs/url.c tests/romfs/fake_report.c
 *        tests/host_panic.c @romfs http/path.c http/chars.c -lunistring */
/*
 * _redirects: what each line means, and which lines are errors.  Rules are compared as text:
 * NUL k is "<k>", other control bytes "\xHH"; a rule is
 *
 *     pattern [?conditions] STATUS[!] target [tail] [words about it]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/path.h"
#include "romfs/mkromfs/redirects.h"
#include "romfs/rules.h"
#include "tests/romfs/fake_report.h"

#define N REDIRECTS_NETLIFY
#define C REDIRECTS_CLOUDFLARE

static char *show_bytes(char *out, const struct rule_bytes *bytes)
{
	for (size_t i = 0; i < bytes->len; i++) {
		if (bytes->at[i] == 0 && i + 1 < bytes->len && bytes->at[i + 1] < 17)
			out += sprintf(out, "<%u>", bytes->at[++i]);
		else if (bytes->at[i] < 0x20)
			out += sprintf(out, "\\x%02x", bytes->at[i]);
		else
			*out++ = (char)bytes->at[i];
	}
	*out = '\0';
	return out;
}

/* Conditions: name=value, and '*' for a value that is captured. */
static char *show_query(char *out, const struct rule_bytes *query)
{
	for (size_t i = 0; i < query->len; ) {
		const char *const name = (const char *)query->at + i;
		const char *const value = name + strlen(name) + 1;

		out += sprintf(out, "%s%s=%s", i == 0 ? " ?" : "&", name,
		    strcmp(value, "\1") == 0 ? "*" : value);
		i += strlen(name) + strlen(value) + 2;
	}
	return out;
}

static void show(char *out, const struct redirect *rule)
{
	out = show_bytes(out, &rule->pattern);
	out = show_query(out, &rule->query);
	out += sprintf(out, " %u%s ", rule->status, rule->forced ? "!" : "");
	out = show_bytes(out, &rule->target);
	if (rule->tail.len > 0)
		*out++ = ' ';
	out = show_bytes(out, &rule->tail);
	sprintf(out, "%s", rule->keeps_query ? " keeps" : "");
}

/* What mkromfs relies on, whatever the line was. */
static void assert_well_formed(const struct redirect *rule)
{
	uint8_t captures, query_captures;

	assert_true(romfs_pattern_ok(
	    (struct romfs_pattern){ rule->pattern.at, rule->pattern.len }, &captures));
	assert_true(romfs_query_ok(
	    (struct romfs_pattern){ rule->query.at, rule->query.len }, &query_captures));
	assert_int_equal(captures + query_captures, rule->capture_count);
	assert_int_equal(rule->is_static, captures == 0);
	assert_int_equal(rule->target_is_static,
	    memchr(rule->target.at, 0, rule->target.len) == NULL);
}

/* The text's rules, with "; " between them. */
static void read_as(enum redirects_dialect dialect, const char *text, const char *want)
{
	struct redirects redirects;
	char got[4096] = "";

	fake_report.count = 0;
	redirects_read(&redirects, "_redirects", text, strlen(text), dialect);
	if (fake_report.count > 0)
		fail_msg("%s: %s: %s", text, fake_report.place, fake_report.why);
	for (size_t i = 0; i < redirects.count; i++) {
		assert_well_formed(&redirects.rules[i]);
		strcat(got, i > 0 ? "; " : "");
		show(got + strlen(got), &redirects.rules[i]);
	}
	assert_string_equal(got, want);
	redirects_free(&redirects);
}

static void refused_as(enum redirects_dialect dialect, const char *text, const char *why)
{
	struct redirects redirects;

	fake_report.count = 0;
	redirects_read(&redirects, "_redirects", text, strlen(text), dialect);
	if (fake_report.count != 1 || strstr(fake_report.why, why) == NULL)
		fail_msg("%s: %zu errors, the last: %s", text, fake_report.count,
		    fake_report.why);
	assert_string_equal(fake_report.place, "_redirects:1");
	assert_int_equal(redirects.count, 0);
	redirects_free(&redirects);
}

static void refused(const char *text, const char *why)
{
	refused_as(N, text, why);
	refused_as(C, text, why);
}

/* ---- Netlify ------------------------------------------------------------- */

static void netlify_a_source_and_a_target_is_301(void **state)
{
	(void)state;
	read_as(N, "/home /", "/home 301 / keeps; /home/ 301 / keeps");
	read_as(N, "/blog/my-post.php\t /blog/my-post",
	    "/blog/my-post.php 301 /blog/my-post keeps; "
	    "/blog/my-post.php/ 301 /blog/my-post keeps");
	read_as(N, "/cuties https://www.petsofnetlify.com",
	    "/cuties 301 https://www.petsofnetlify.com keeps; "
	    "/cuties/ 301 https://www.petsofnetlify.com keeps");
}

static void netlify_statuses(void **state)
{
	(void)state;
	read_as(N, "/my-redirect / 302", "/my-redirect 302 / keeps; /my-redirect/ 302 / keeps");
	read_as(N, "/ecommerce /store-closed 404",
	    "/ecommerce 404 /store-closed; /ecommerce/ 404 /store-closed");
	read_as(N, "/pass-through /index.html 200",
	    "/pass-through 200 /index.html; /pass-through/ 200 /index.html");
	read_as(N, "/en/* /en/404.html 404", "/en<3> 404 /en/404.html");
}

static void netlify_escapes_and_letters_are_the_same(void **state)
{
	(void)state;
	read_as(N, "/authors/c%C3%A9line/* /authors/about-c%C3%A9line",
	    "/authors/c\xc3\xa9line<3> 301 /authors/about-c%C3%A9line keeps");
	read_as(N, "/authors/c\xc3\xa9line/* /authors/about-c\xc3\xa9line",
	    "/authors/c\xc3\xa9line<3> 301 /authors/about-c%C3%A9line keeps");
	read_as(N, "/a%20b/* /c%20d", "/a b<3> 301 /c%20d keeps");
	read_as(N, "/a%20b/* /c%20d 200", "/a b<3> 200 /c d");
}

static void netlify_placeholders(void **state)
{
	(void)state;
	read_as(N, "/news/:month/:date/:year/:slug /blog/:year/:month/:date/:slug",
	    "/news/<1>/<1>/<1>/<1> 301 /blog/<3>/<1>/<2>/<4> keeps; "
	    "/news/<1>/<1>/<1>/<1>/ 301 /blog/<3>/<1>/<2>/<4> keeps");
	read_as(C, "/news/:year/:month/:date /blog-:year-:month-:date.html 200",
	    "/news/<1>/<1>/<1> 200! /blog-<1>-<2>-<3>.html");
}

static void netlify_a_splat_matches_without_its_slash(void **state)
{
	(void)state;
	read_as(N, "/news/* /blog/:splat", "/news<3> 301 /blog/<1> keeps");
	read_as(N, "/* /index.html 200", "<3> 200 /index.html");
	read_as(N, "/app/*  /app/index.html  200!", "/app<3> 200! /app/index.html");
}

static void netlify_conditions_on_the_query(void **state)
{
	(void)state;
	read_as(N, "/store id=:id /blog/:id 301",
	    "/store ?id=* 301 /blog/<1>; /store/ ?id=* 301 /blog/<1>");
	read_as(C, "/articles id=:id tag=:tag /posts/:tag/:id 301",
	    "/articles ?id=*&tag=* 301! /posts/<2>/<1>");
	read_as(N, "/path/* param1=:value1 /otherpath/:value1/:splat 301",
	    "/path<3> ?param1=* 301 /otherpath/<2>/<1>");
	read_as(N, "/path/* a=1 b= c=x=y /z", "/path<3> ?a=1&b=&c=x=y 301 /z");
	read_as(N, "/path/* a=\xc3\xa9+%20 /z", "/path<3> ?a=%C3%A9+%20 301 /z");
}

static void netlify_comments_stand_alone_or_behind(void **state)
{
	(void)state;
	read_as(N, "# Redirects\n\n  # more\n \t \n/a/* /b # old", "/a<3> 301 /b keeps");
	read_as(N, "/a/* /b 302 #old", "/a<3> 302 /b keeps");
	read_as(N, "", "");
}

static void netlify_a_slash_at_the_end_does_not_matter(void **state)
{
	(void)state;
	read_as(N, "/blog/title/ /x", "/blog/title/ 301 /x keeps; /blog/title 301 /x keeps");
	read_as(N, "/blog/:title/ /x/:title",
	    "/blog/<1>/ 301 /x/<1> keeps; /blog/<1> 301 /x/<1> keeps");
	read_as(N, "/ /x", "/ 301 /x keeps");
	/* But nobody is sent in circles by it. */
	read_as(N, "/trailing /trailing/ 301!", "/trailing 301! /trailing/ keeps");
	read_as(N, "/trailing/ /trailing", "/trailing/ 301 /trailing keeps");
	read_as(N, "/:x /%61/?q#f", "/<1> 301 /%61/?q #f");
	/* Those stay as they are: not always, or not here, or not by a redirect. */
	read_as(N, "/a b=1 /a/", "/a ?b=1 301 /a/; /a/ ?b=1 301 /a/");
	read_as(N, "/a https://other.example/a/",
	    "/a 301 https://other.example/a/ keeps; /a/ 301 https://other.example/a/ keeps");
	read_as(N, "/a /a/ 200", "/a 200 /a/; /a/ 200 /a/");
}

/* ---- Cloudflare ---------------------------------------------------------- */

static void cloudflare_documented_example(void **state)
{
	(void)state;
	read_as(C, "/home301 / 301\n/home302 / 302", "/home301 301! / keeps; /home302 302! / keeps");
	read_as(C, "/querystrings /?query=string 301", "/querystrings 301! /?query=string");
	read_as(C, "/twitch https://twitch.tv", "/twitch 302! https://twitch.tv keeps");
	read_as(C, "/trailing /trailing/ 301", "/trailing 301! /trailing/ keeps");
	read_as(C, "/notrailing/ /nottrailing 301", "/notrailing/ 301! /nottrailing keeps");
	read_as(C, "/page/ /page2/#fragment 301", "/page/ 301! /page2/ #fragment keeps");
	read_as(C, "/blog/* https://blog.my.domain/:splat",
	    "/blog/<2> 302! https://blog.my.domain/<1> keeps");
	read_as(C, "/products/:code/:name /products?code=:code&name=:name",
	    "/products/<1>/<1> 302! /products?code=<1>&name=<2>");
}

static void cloudflare_more_examples(void **state)
{
	(void)state;
	read_as(C, "/movies/:title /media/:title", "/movies/<1> 302! /media/<1> keeps");
	read_as(C, "/a /b 200\n/b /c 200", "/a 200! /b; /b 200! /c");
	read_as(C, "/about/faq/* /about/faqs 200", "/about/faq/<2> 200! /about/faqs");
	read_as(C, "/blog/* /blog 301", "/blog/<2> 301! /blog keeps");
	read_as(C, "/*.html /:splat", "/<2>.html 302! /<1> keeps");
	read_as(C, "/a /b 303\n/c /d 307\n/e /f 308",
	    "/a 303! /b keeps; /c 307! /d keeps; /e 308! /f keeps");
}

/* ---- Both ---------------------------------------------------------------- */

static void marks_may_stand_beside_letters(void **state)
{
	(void)state;
	read_as(C, "/a-:x-b/c*d/e /f", "/a-<1>-b/c<2>d/e 302! /f keeps");
	read_as(C, "/:a/:b/* /:b", "/<1>/<1>/<2> 302! /<2> keeps");
	read_as(C, "/12:30/a:/:_x /f", "/12:30/a:/:_x 302! /f keeps");
	read_as(C, "/:a%3Ab%2A /f%3Ab", "/<1>:b* 302! /f%3Ab keeps");
}

static void dot_segments_are_removed(void **state)
{
	(void)state;
	read_as(C, "/a/../b/./%2e%2E/c/. /z", "/c/ 302! /z keeps");
	read_as(C, "/../.. /z", "/ 302! /z keeps");
	read_as(C, "/a/:x/./* /y/../z 200", "/a/<1>/<2> 200! /z");
	read_as(C, "/...//a /z", "/...//a 302! /z keeps");
}

static void targets_become_characters_of_a_uri(void **state)
{
	(void)state;
	read_as(C, "/a /b\"<>\\^`{|}[]c", "/a 302! /b%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5Dc keeps");
	read_as(C, "/a /b?c?d#e#f", "/a 302! /b?c?d #e%23f");
	read_as(C, "/a HTTPS://Host.example:8443/:80?:1",
	    "/a 302! HTTPS://Host.example:8443/:80?:1");
	read_as(C, "/a http://[2001:db8::1]:80", "/a 302! http://[2001:db8::1]:80 keeps");
	read_as(C, "/a https://h#x", "/a 302! https://h #x keeps");
}

static void captures_in_a_fragment_keep_it_in_the_target(void **state)
{
	(void)state;
	read_as(C, "/f/:x /m#s-:x", "/f/<1> 302! /m#s-<1>");
	read_as(C, "/f/:x /m/:x#s", "/f/<1> 302! /m/<1> #s keeps");
}

static void lines_end_as_editors_write_them(void **state)
{
	(void)state;
	read_as(C, "\xef\xbb\xbf/a /b\r\n/c /d\r\n", "/a 302! /b keeps; /c 302! /d keeps");
	refused("/a /b\r /c", "control character");
	refused("/a\v/b /c", "control character");
	refused("/a /b\x7f", "control character");
	refused("/a /b\xff", "not UTF-8");
}

static void errors_have_the_number_of_their_line(void **state)
{
	struct redirects redirects;
	static const char text[] = "/a /b\n\n# x\n/c\n/d /e\n/f f\n";

	(void)state;
	fake_report.count = 0;
	redirects_read(&redirects, "sub/_redirects", text, strlen(text), C);
	assert_int_equal(fake_report.count, 2);
	assert_string_equal(fake_report.place, "sub/_redirects:6");
	assert_int_equal(redirects.count, 2);
	assert_int_equal(redirects.rules[1].line, 5);
	redirects_free(&redirects);
}

static void what_is_not_offered_is_refused(void **state)
{
	(void)state;
	refused("/ /anz 302 Country=au,nz", "country");
	refused("/ /anz Country=au,nz", "country");
	refused("/israel/* /israel/he/:splat 302 Language=he", "language");
	refused("/admin/* /x 200! Role=admin", "role");
	refused("/* /legacy/:splat 200 Cookie=is_legacy,my_other_cookie", "cookies");
	refused("/api/* https://api.example.com/:splat 200", "proxying");
	refused("/gone/* https://example.com/gone 404", "proxying");
	refused("http://blog.yoursite.com/* https://www.yoursite.com/blog/:splat 301!", "host");
	refused("workers.example.com/* /x 301", "has to begin with '/'");
}

static void a_line_has_a_form(void **state)
{
	(void)state;
	refused("/a", "target is missing");
	refused("/a # /b", "target is missing");
	refused("/a 200", "target is missing before the status");
	refused("/a x=1", "target is missing");
	refused("a /b", "has to begin with '/'");
	refused("/a b", "has to begin with '/'");
	refused("/a ftp://x/", "has to begin with '/'");
	refused("/a mailto:x@y", "has to begin with '/'");
	refused("/a /b 301 302", "nothing may follow");
	refused("/a /b 301 x=1", "nothing may follow");
	refused("/a /b 410", "status has to be");
	refused("/a /b 2000", "status has to be");
	refused("/a /b 301!!", "status has to be");
	refused("/a /b !", "status has to be");
	refused("/a =x /b", "no name");
	refused("/a x=1 x=:y /b", "two conditions");
	refused("/a x=a:b y=:c-d /b", "whole value");
	refused("/a x=a&b /b", "no '&'");
}

static void sources_have_a_form(void **state)
{
	(void)state;
	refused("/a?x=1 /b", "a source has no '?'");
	refused("/a#x /b", "fragment");
	refused("/a%2 /b", "two hexadecimal");
	refused("/a%zz /b", "two hexadecimal");
	refused("/a%00 /b", "byte 0");
	refused("/a%2Fb /b", "escaped '/'");
	refused("/a%ff /b", "UTF-8");
	refused("/%c3:x%a9 /b", "UTF-8");
	refused("/a/*/b/* /c", "only one '*'");
	refused("/a/**/b /c", "only one '*'");
	refused("/a/*/:b /c", "behind '*'");
	refused("/a/:b:c /d", "between two '/'");
	refused("/a/:b-* /d", "between two '/'");
	refused("/a/:b/:b /d", "twice");
	refused("/a/:splat/* /d", "twice");
	refused("/a/:b b=:b /d", "twice");
	refused("/:a/../b /d", "before \"..\"");
	refused("/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p/:q /x", "more than 16");
	refused("/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p q=:q /x", "more than 16");
	read_as(C, "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o q=:q /:q:a",
	    "/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1>/<1> ?q=* 302! /<16><1>");
}

static void targets_have_a_form(void **state)
{
	(void)state;
	refused("/a /:x", "source has not");
	refused("/a /b:c 200", "source has not");
	refused("/a/:x /:xy", "source has not");
	refused("/a/* /b/*", "no '*'");
	refused("/a/* /b/* 200", "no '*'");
	refused("/a /b%4", "two hexadecimal");
	refused("/a /b%4 200", "two hexadecimal");
	refused("/a /b%2Fc 200", "escaped '/'");
	refused("/a /b?x=1 200", "no query");
	refused("/a /b#x 404", "fragment");
	refused("/a/:x /:x/404.html 404", "write a line for each");
	refused("/:x /:x/../y 200", "before \"..\"");
}

/* A stranger who chooses captures does not choose the host. */
static void a_targets_host_is_the_authors(void **state)
{
	(void)state;
	refused("/* https://:splat/x", "stranger");
	refused("/a/:x https://:x.example.com/", "stranger");
	refused("/a/:x https://example.com:x/", "stranger");
	refused("/a/:x https://a@:x/", "user");
	refused("/a/* https://*/x", "stranger");
	refused("/a https://user@example.com/", "user");
	refused("/a https:///x", "host is missing");
	refused("/a https://", "host is missing");
	refused("/a https://?x", "host is missing");
	refused("/a https://ex\xc3\xa4mple.com/", "xn--");
	refused("/a https://ex%41mple.com/", "xn--");
	refused("/a https://example.com:80x/", "no host name has");
	refused("/a https://[::1/", "IPv6");
	refused("/a https://[]/", "IPv6");
	refused("/a https://[x]/", "IPv6");
	refused("/a //example.com/", "another host");
	/* "//host" from captures is what http/location.h sees to. */
	read_as(C, "/* /:splat 301", "/<2> 301! /<1> keeps");
}

static void too_long_is_refused(void **state)
{
	char *const text = malloc(30000);
	struct redirects redirects;

	(void)state;
	for (size_t len = 7999; len <= 8002; len++) {
		for (int side = 0; side < 2; side++) {
			size_t at = 0;

			if (side == 1)
				at += (size_t)sprintf(text, "/x ");
			text[at++] = '/';
			memset(text + at, 'a', len - 1);
			at += len - 1;
			at += (size_t)sprintf(text + at, " /b");
			fake_report.count = 0;
			redirects_read(&redirects, "_redirects", text, at - 3 * (size_t)side, C);
			assert_int_equal(fake_report.count, len > 8000);
			redirects_free(&redirects);
		}
	}
	free(text);
}

static void too_many_words_are_refused(void **state)
{
	char text[1024] = "/a";

	(void)state;
	for (int i = 0; i < 38; i++)
		sprintf(text + strlen(text), " q%d=1", i);
	strcat(text, " /b");
	refused_as(C, strcat(text, " 301"), "too many words");
}

/* A source without marks is what the same text in a request becomes. */
static void a_source_is_what_a_request_path_becomes(void **state)
{
	static const char *const paths[] = {
		"/", "/a", "/a/", "//", "/a//b", "/a/./b", "/a/../b", "/.", "/..", "/a/..",
		"/%41%20", "/%e2%82%ac", "/a%25b", "/%2e/b", "/a/%2E%2e", "/a.b/..c/...",
		"/a+b", "/a;b=c", "/a%0Ab", "/\\", "/.well-known/x", "/%f0%9f%97%bf",
	};
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct http_text raw = { (const uint8_t *)paths[i], strlen(paths[i]) };
		struct http_text want;
		struct redirects got;
		char line[80];

		assert_int_equal(http_normalise_path(raw, room, sizeof room, &want),
		    HTTP_PATH_OK);
		snprintf(line, sizeof line, "%s /target", paths[i]);
		redirects_read(&got, "_redirects", line, strlen(line), C);
		assert_int_equal(got.count, 1);
		assert_int_equal(got.rules[0].pattern.len, want.len);
		assert_memory_equal(got.rules[0].pattern.at, want.at, want.len);
		redirects_free(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netlify_a_source_and_a_target_is_301),
		cmocka_unit_test(netlify_statuses),
		cmocka_unit_test(netlify_escapes_and_letters_are_the_same),
		cmocka_unit_test(netlify_placeholders),
		cmocka_unit_test(netlify_a_splat_matches_without_its_slash),
		cmocka_unit_test(netlify_conditions_on_the_query),
		cmocka_unit_test(netlify_comments_stand_alone_or_behind),
		cmocka_unit_test(netlify_a_slash_at_the_end_does_not_matter),
		cmocka_unit_test(cloudflare_documented_example),
		cmocka_unit_test(cloudflare_more_examples),
		cmocka_unit_test(marks_may_stand_beside_letters),
		cmocka_unit_test(dot_segments_are_removed),
		cmocka_unit_test(targets_become_characters_of_a_uri),
		cmocka_unit_test(captures_in_a_fragment_keep_it_in_the_target),
		cmocka_unit_test(lines_end_as_editors_write_them),
		cmocka_unit_test(errors_have_the_number_of_their_line),
		cmocka_unit_test(what_is_not_offered_is_refused),
		cmocka_unit_test(a_line_has_a_form),
		cmocka_unit_test(sources_have_a_form),
		cmocka_unit_test(targets_have_a_form),
		cmocka_unit_test(a_targets_host_is_the_authors),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(too_many_words_are_refused),
		cmocka_unit_test(a_source_is_what_a_request_path_becomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

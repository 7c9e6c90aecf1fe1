/* links: romfs/mkromfs/headers.c romfs/mkromfs/headers_refused.c romfs/mkromfs/pattern.c
 *        romfs/mkromfs/lines.c romfs/mkromfs/memory.c romfs/mkromfs/url.c
 *        tests/romfs/fake_report.c tests/host_panic.c @romfs -lunistring */
/*
 * _headers: which fields a path gets, and which lines are errors.  Edits are compared as
 * text: "Name: value" or "! Name", with "; " between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "romfs/mkromfs/headers.h"
#include "tests/romfs/fake_report.h"

static struct header_rules *read_text(const char *text)
{
	/* Without a NUL behind it, so that a sanitizer sees who reads on. */
	const size_t len = strlen(text);
	char *const copy = malloc(len + (len == 0));
	struct header_rules *rules;

	memcpy(copy, text, len);
	fake_report.count = 0;
	rules = headers_read("_headers", copy, len);
	memset(copy, 'x', len);
	free(copy);
	return rules;
}

static void show(char *out, const struct header_edits *edits)
{
	*out = '\0';
	for (size_t i = 0; i < edits->count; i++) {
		const struct header_edit *const edit = &edits->edits[i];

		out += sprintf(out, "%s%s%s%s%s", i > 0 ? "; " : "",
		    edit->value == NULL ? "! " : "", edit->name,
		    edit->value == NULL ? "" : ": ", edit->value == NULL ? "" : edit->value);
	}
}

static void path_gets(const struct header_rules *rules, const char *path, const char *want)
{
	struct header_edits edits;
	char got[4096];

	headers_for(rules, (const uint8_t *)path, strlen(path), &edits);
	show(got, &edits);
	assert_string_equal(got, want);
	header_edits_free(&edits);
}

static struct header_rules *accepted(const char *text)
{
	struct header_rules *const rules = read_text(text);

	if (fake_report.count > 0)
		fail_msg("%s: %s", fake_report.place, fake_report.why);
	return rules;
}

static void refused(const char *text, unsigned line, const char *why)
{
	struct header_rules *const rules = read_text(text);
	char place[32];

	if (fake_report.count != 1 || strstr(fake_report.why, why) == NULL)
		fail_msg("%s: %zu errors, the last: %s", text, fake_report.count,
		    fake_report.why);
	snprintf(place, sizeof place, "_headers:%u", line);
	assert_string_equal(fake_report.place, place);
	headers_free(rules);
}

/* ---- Documented ---------------------------------------------------------- */

static void cloudflare_attach(void **state)
{
	struct header_rules *const rules = accepted(
	    "# This is a comment\n"
	    "/secure/page\n"
	    "  X-Frame-Options: DENY\n"
	    "  X-Content-Type-Options: nosniff\n"
	    "  Referrer-Policy: no-referrer\n"
	    "\n"
	    "/static/*\n"
	    "  Access-Control-Allow-Origin: *\n"
	    "  X-Robots-Tag: nosnippet\n"
	    "\n"
	    "/*\n"
	    "  X-Robots-Tag: noindex\n");

	(void)state;
	path_gets(rules, "/secure/page", "X-Frame-Options: DENY; X-Content-Type-Options: nosniff; "
	    "Referrer-Policy: no-referrer; X-Robots-Tag: noindex");
	path_gets(rules, "/static/styles.css",
	    "Access-Control-Allow-Origin: *; X-Robots-Tag: nosnippet, noindex");
	path_gets(rules, "/home", "X-Robots-Tag: noindex");
	headers_free(rules);
}

static void cloudflare_detach(void **state)
{
	struct header_rules *const rules = accepted(
	    "/*\n"
	    "  Content-Security-Policy: default-src 'self';\n"
	    "\n"
	    "/*.jpg\n"
	    "  ! Content-Security-Policy\n");

	(void)state;
	path_gets(rules, "/a.jpg", "! Content-Security-Policy");
	path_gets(rules, "/b/a.jpg", "! Content-Security-Policy");
	path_gets(rules, "/a.jpg.html", "Content-Security-Policy: default-src 'self';");
	headers_free(rules);
}

static void cloudflare_placeholders_in_values(void **state)
{
	struct header_rules *const rules = accepted(
	    "/movies/:title\n"
	    "  x-movie-name: You are watching \":title\"\n"
	    "/shows/:a/*\n"
	    "  x: :a:splat :other :a_ https://a:b :1\n");

	(void)state;
	path_gets(rules, "/movies/jaws", "x-movie-name: You are watching \"jaws\"");
	path_gets(rules, "/shows/x/y/z", "x: xy/z :other :a_ https://a:b :1");
	headers_free(rules);
}

static void cloudflare_cors_and_hardening(void **state)
{
	struct header_rules *const rules = accepted(
	    "/*\n"
	    "  Access-Control-Allow-Origin: *\n"
	    "/app/*\n"
	    "  Permissions-Policy: document-domain=()\n"
	    "  Content-Security-Policy: script-src 'self'; frame-ancestors 'none';\n"
	    "/about/faq/*\n"
	    "  Link: </about/faqs>; rel=\"canonical\"\n");

	(void)state;
	path_gets(rules, "/app/x", "Access-Control-Allow-Origin: *; "
	    "Permissions-Policy: document-domain=(); "
	    "Content-Security-Policy: script-src 'self'; frame-ancestors 'none';");
	path_gets(rules, "/about/faq/1", "Access-Control-Allow-Origin: *; "
	    "Link: </about/faqs>; rel=\"canonical\"");
	headers_free(rules);
}

static void cloudflare_hosts_are_refused(void **state)
{
	(void)state;
	refused("https://myproject.pages.dev/*\n  X-Robots-Tag: noindex\n", 1, "no host");
	refused("https://:project.pages.dev/*\n  X-Robots-Tag: noindex\n", 1, "no host");
}

static void netlify_paths_and_fields(void **state)
{
	struct header_rules *const rules = accepted(
	    "# a path:\n"
	    "/templates/index.html\n"
	    "  # headers for that path:\n"
	    "  X-Frame-Options: DENY\n"
	    "# another path:\n"
	    "/templates/index2.html\n"
	    "  # headers for that path:\n"
	    "  X-Frame-Options: SAMEORIGIN\n");

	(void)state;
	path_gets(rules, "/templates/index.html", "X-Frame-Options: DENY");
	path_gets(rules, "/templates/index2.html", "X-Frame-Options: SAMEORIGIN");
	path_gets(rules, "/templates/INDEX.html", "");
	headers_free(rules);
}

static void netlify_several_values(void **state)
{
	struct header_rules *const rules = accepted(
	    "/*\n"
	    "  cache-control: max-age=0\n"
	    "  cache-control: no-cache\n"
	    "  Cache-Control: no-store\n"
	    "  cache-control: must-revalidate\n");

	(void)state;
	path_gets(rules, "/",
	    "cache-control: max-age=0, no-cache, no-store, must-revalidate");
	headers_free(rules);
}

static void netlify_passwords_are_refused(void **state)
{
	(void)state;
	refused("/something/*\n  Basic-Auth: someuser:somepassword\n", 2, "everybody could read");
}

/* ---- Paths --------------------------------------------------------------- */

static void a_slash_at_the_end_does_not_matter(void **state)
{
	struct header_rules *const rules =
	    accepted("/a\n  A: 1\n/b/\n  B: 1\n/c/*\n  C: :splat.\n/\n  D: 1\n/*/\n  E: 1\n");

	(void)state;
	path_gets(rules, "/a", "A: 1");
	path_gets(rules, "/a/", "A: 1; E: 1");
	path_gets(rules, "/a//", "E: 1");
	path_gets(rules, "/b", "B: 1");
	path_gets(rules, "/b/", "B: 1; E: 1");
	path_gets(rules, "/c", "C: .");
	path_gets(rules, "/c/", "C: .; E: 1");
	path_gets(rules, "/c/x", "C: x.");
	path_gets(rules, "/cx", "");
	path_gets(rules, "/", "D: 1");
	headers_free(rules);
}

static void escapes_are_decoded_and_captures_are_encoded(void **state)
{
	struct header_rules *const rules = accepted("/a%20\xc3\xa9/:x/*\n  A: :x-:splat\n");

	(void)state;
	path_gets(rules, "/a \xc3\xa9/q?\r\nSet-Cookie: x=1/%\xc3\xa4/b",
	    "A: q%3F%0D%0ASet-Cookie:%20x=1-%25%C3%A4/b");
	headers_free(rules);
}

static void a_value_of_nothing_is_not_given(void **state)
{
	struct header_rules *const rules =
	    accepted("/*\n  A: :splat\n  B: :splat x\n  C: x\t:splat\n");

	(void)state;
	path_gets(rules, "/", "B: x; C: x");
	path_gets(rules, "/y", "A: y; B: y x; C: x\ty");
	headers_free(rules);
}

static void paths_have_a_form(void **state)
{
	(void)state;
	refused("/a b\n  A: 1\n", 1, "no blanks");
	refused("/a # x\n  A: 1\n", 1, "no blanks");
	refused("/a?b\n  A: 1\n", 1, "whatever the query");
	refused("/a#b\n  A: 1\n", 1, "fragment");
	refused("/a/*/*\n  A: 1\n", 1, "only one '*'");
	refused("/:a/:a\n  A: 1\n", 1, "twice");
	refused("/%zz\n  A: 1\n", 1, "two hexadecimal");
	refused("\n/a\n\n/b\n  A: 1\n", 2, "no fields");
	refused("/b\n  A: 1\n/a\n# x\n", 3, "no fields");
	refused("  A: 1\n", 1, "before fields");
}

/* ---- Fields -------------------------------------------------------------- */

static void fields_have_a_form(void **state)
{
	(void)state;
	refused("/a\n  A\n", 2, "a line is");
	refused("/a\n  : x\n", 2, "missing before ':'");
	refused("/a\n  A:\n", 2, "value is missing");
	refused("/a\n  A:  \t\n", 2, "value is missing");
	refused("/a\n  A B: x\n", 2, "5.6.2");
	refused("/a\n  A : x\n", 2, "5.6.2");
	refused("/a\n  \xc3\xa4: x\n", 2, "5.6.2");
	refused("/a\n  B: 1\n  A: x\001\n", 3, "control character");
	refused("/a\n  B: 1\n  A: x\ry\n", 3, "control character");
	refused("/a\n  B: 1\n  A: \xff\n", 3, "not UTF-8");
	refused("/a\n  !\n", 2, "missing behind '!'");
	refused("/a\n  ! A: x\n", 2, "has no value");
	refused("/a\n  ! A B\n", 2, "5.6.2");
}

static void values_are_taken_to_the_end_of_the_line(void **state)
{
	struct header_rules *const rules =
	    accepted("/a\r\n\tA:b\r\n  B: \tc: d\te # \xc3\xa4 \r\n");

	(void)state;
	path_gets(rules, "/a", "A: b; B: c: d\te # \xc3\xa4");
	headers_free(rules);
}

static void the_servers_fields_are_refused(void **state)
{
	static const char *const names[] = {
		"Content-Length", "transfer-encoding", "Date", "CONNECTION", "ETag",
		"Last-Modified", "Accept-Ranges", "Content-Encoding", "Content-Range",
		"Location", "Trailer", "Upgrade", "Keep-Alive", "WWW-Authenticate", "Age",
		"Repr-Digest", "Allow",
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(text, sizeof text, "/a\n %s: x\n", names[i]);
		refused(text, 2, "");
		snprintf(text, sizeof text, "/a\n ! %s\n", names[i]);
		refused(text, 2, "");
	}
	refused("/a\n ! vary\n", 2, "caches");
	headers_free(accepted("/a\n Vary: Origin\n ! Cache-Control\n Server: x\n"));
}

static void a_removal_goes_before_fields_of_its_block(void **state)
{
	struct header_rules *const rules = accepted(
	    "/*\n  A: 1\n  B: 1\n/a\n  A: 2\n  ! A\n  !b\n/*\n  a: 3\n  ! C\n");

	(void)state;
	path_gets(rules, "/a", "A: 2, 3; ! B; ! C");
	headers_free(rules);
}

static void single_values_are_not_joined(void **state)
{
	struct header_rules *rules;
	struct header_edits edits;

	(void)state;
	refused("/a\n Content-Type: a/b\n content-type: c/d\n", 3, "twice");
	refused("/a\n Content-Type: text/h\303\244ml\n", 2, "ASCII");
	refused("/a\n content-type: a/b;\tc=d\n", 2, "ASCII");
	refused("/a\n Set-Cookie: a=b\n Set-Cookie: c=d\n", 3, "twice");
	rules = accepted("/*\n Expires: a\n/x\n Expires: b\n"
	    "/y\n ! Expires\n Expires: c\n");
	path_gets(rules, "/y", "Expires: c");
	assert_int_equal(fake_report.count, 0);
	for (int i = 0; i < 2; i++) {
		headers_for(rules, (const uint8_t *)"/x", 2, &edits);
		header_edits_free(&edits);
	}
	assert_int_equal(fake_report.count, 1);
	assert_string_equal(fake_report.place, "_headers:4");
	headers_free(rules);
}

static void errors_do_not_hide_others(void **state)
{
	struct header_rules *const rules = read_text(
	    "/a b\n  no such line\n/b\n  bad\n  A\n/c\n  A: 1\nhttps://x\n  B\n/d\n  C\n");

	(void)state;
	assert_int_equal(fake_report.count, 5);
	assert_string_equal(fake_report.place, "_headers:11");
	path_gets(rules, "/c", "A: 1");
	headers_free(rules);
}

static void no_rules_is_no_edits(void **state)
{
	(void)state;
	path_gets(NULL, "/a", "");
	headers_free(NULL);
	headers_free(accepted(""));
	headers_free(accepted("\n# x\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cloudflare_attach),
		cmocka_unit_test(cloudflare_detach),
		cmocka_unit_test(cloudflare_placeholders_in_values),
		cmocka_unit_test(cloudflare_cors_and_hardening),
		cmocka_unit_test(cloudflare_hosts_are_refused),
		cmocka_unit_test(netlify_paths_and_fields),
		cmocka_unit_test(netlify_several_values),
		cmocka_unit_test(netlify_passwords_are_refused),
		cmocka_unit_test(a_slash_at_the_end_does_not_matter),
		cmocka_unit_test(escapes_are_decoded_and_captures_are_encoded),
		cmocka_unit_test(a_value_of_nothing_is_not_given),
		cmocka_unit_test(paths_have_a_form),
		cmocka_unit_test(fields_have_a_form),
		cmocka_unit_test(values_are_taken_to_the_end_of_the_line),
		cmocka_unit_test(the_servers_fields_are_refused),
		cmocka_unit_test(a_removal_goes_before_fields_of_its_block),
		cmocka_unit_test(single_values_are_not_joined),
		cmocka_unit_test(errors_do_not_hide_others),
		cmocka_unit_test(no_rules_is_no_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/host_panic.c tests/http/tiny_rom.c tests/http/render.c @romfs
 * @http_answers -Xlinker --wrap=romfs_variant */
/*
 * Which representation of a file is sent, and how much of it: codings, conditions, ranges
 * and digests, asked of the responder in whole requests.
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
#define OK "HTTP/1.1 200 OK\r\n" DATE
#define PART "HTTP/1.1 206 Partial Content\r\n" DATE
#define TYPE "Content-Type: text/plain\r\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\r\n"

/* The tiny site's files: tiny_rom.h. */
#define ROOT_FIELDS TYPE "ETag: \"root\"\r\n\r\n"
#define ROOT OK "Content-Length: 6\r\n" ROOT_FIELDS
#define SAME "HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"root\"\r\n\r\n"
#define FAILED "HTTP/1.1 412 Precondition Failed\r\n" DATE PLAIN \
	"Content-Length: 24\r\n\r\n412 Precondition Failed\n"
#define VARY "Vary: Accept-Encoding\r\n"
#define PAGE_FIELDS TYPE VARY "ETag: \"p\"\r\n\r\n"
#define PAGE OK "Content-Length: 62\r\n" PAGE_FIELDS
#define BR_FIELDS TYPE "Content-Encoding: br\r\n" VARY "ETag: \"p-br\"\r\n\r\n"
#define BR_BODY "the same in brotli"
#define BR OK "Content-Length: 18\r\n" BR_FIELDS
#define GZIP OK "Content-Length: 22\r\n" TYPE "Content-Encoding: gzip\r\n" \
	VARY "ETag: \"p-gz\"\r\n\r\n"
#define GZIP_BODY "the same, but in gzip"

static char answer_text[4096];
static struct http_response answer;

/* Not NULL: the Content-Type of everything. */
static const char *other_type;

void __wrap_romfs_variant(const struct romfs *fs,
    const struct romfs_entry *entry, uint32_t i, struct romfs_variant *out);
void __real_romfs_variant(const struct romfs *fs,
    const struct romfs_entry *entry, uint32_t i, struct romfs_variant *out);

void __wrap_romfs_variant(const struct romfs *fs,
    const struct romfs_entry *entry, uint32_t i, struct romfs_variant *out)
{
	static char head[1024];

	__real_romfs_variant(fs, entry, i, out);
	if (other_type == NULL)
		return;
	out->head_len = (uint32_t)snprintf(head, sizeof head,
	    "Content-Length: %llu\r\nContent-Type: %s\r\nETag: \"root\"\r\n\r\n",
	    (unsigned long long)out->body_len, other_type);
	out->head = (const uint8_t *)head;
	out->type = out->head + out->length_line_len + strlen("Content-Type: ");
	out->type_len = (uint32_t)strlen(other_type);
}

static void ask(const char *request)
{
	static uint8_t scratch[HTTP_SCRATCH_CAP];
	static struct http_now now = { .time = 1790000000 };
	const struct http_site site = {
		.fs = tiny_rom(), .now = &now, .scratch = scratch,
	};
	struct http_request req;

	http_format_date(now.time, now.date);
	assert_int_equal(http_parse_request((const uint8_t *)request,
	    strlen(request), &req), HTTP_OK);
	http_respond(&site, &req, &answer);
	answer_text[render(&site, &answer, (uint8_t *)answer_text,
	    sizeof answer_text - 1)] = 0;
	const char *const body = strstr(answer_text, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(answer.body_len, strlen(body + 4));
}

/* A request of these fields gives these bytes. */
static void gives(const char *line, const char *fields, const char *want)
{
	char request[1024];

	snprintf(request, sizeof request, "%s" H11 "%s\r\n", line, fields);
	ask(request);
	assert_string_equal(answer_text, want);
}

/* ---- Codings: RFC 9110, section 12.5.3 -------------------------------------------- */

static void the_best_coding_is_sent(void **state)
{
	(void)state;
	gives("GET /page.txt", "", PAGE TINY_PAGE);
	gives("GET /page.txt", "Accept-Encoding: gzip, deflate, br\r\n",
	    BR BR_BODY);
	gives("HEAD /page.txt", "Accept-Encoding: gzip, deflate, br\r\n", BR);
	ask("GET /page.txt" H11 "Accept-Encoding: br;q=0.5, gzip\r\n\r\n");
	assert_non_null(strstr(answer_text, "Content-Encoding: gzip\r\n"));
	assert_non_null(strstr(answer_text, GZIP_BODY));
	gives("GET /page.txt", "Accept-Encoding: deflate\r\n", PAGE TINY_PAGE);
	gives("GET /", "Accept-Encoding: br\r\n", ROOT "hello\n");
}

static void what_is_refused_is_not_sent(void **state)
{
	static const char refused[] = "HTTP/1.1 406 Not Acceptable\r\n" DATE
	    VARY PLAIN "Content-Length: 19\r\n\r\n";

	(void)state;
	gives("HEAD /", "Accept-Encoding: identity;q=0\r\n", refused);
	gives("HEAD /", "Accept-Encoding: *;q=0\r\n", refused);
	gives("HEAD /page.txt", "Accept-Encoding: identity;q=0\r\n"
	    "If-None-Match: *\r\n", refused);
	gives("HEAD /page.txt", "Accept-Encoding: br;q=0.001, *;q=0\r\n", BR);
	/* Section 12.4.1: an error may be told in a coding that was not asked for. */
	ask("GET /nowhere" H11 "Accept-Encoding: *;q=0\r\n\r\n");
	assert_int_equal(answer.status, 404);
	ask("GET /away" H11 "Accept-Encoding: *;q=0\r\n\r\n");
	assert_int_equal(answer.status, 302);
}

/* RFC 9110, section 8.8.3.3: the coding is a part of what the tag says. */
static void each_coding_has_its_tag(void **state)
{
	(void)state;
	gives("GET /page.txt", "If-None-Match: \"p\"\r\n",
	    "HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"p\"\r\n" VARY "\r\n");
	gives("GET /page.txt", "If-None-Match: \"p-br\"\r\n", PAGE TINY_PAGE);
	gives("GET /page.txt",
	    "Accept-Encoding: br\r\nIf-None-Match: \"p-br\"\r\n",
	    "HTTP/1.1 304 Not Modified\r\n" DATE "ETag: \"p-br\"\r\n" VARY
	    "\r\n");
}

/* RFC 9530, sections 2 and 4 */
static void a_digest_is_sent_to_who_wants_it(void **state)
{
	static const char want[] = "Want-Repr-Digest: sha-256=1\r\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof text, OK "%sContent-Length: 6\r\n" ROOT_FIELDS
	    "hello\n", tiny_digest_line("\"root\""));
	gives("GET /", want, text);
	snprintf(text, sizeof text, OK "%sContent-Length: 18\r\n" BR_FIELDS,
	    tiny_digest_line("\"p-br\""));
	gives("HEAD /page.txt", "Want-Repr-Digest: sha-256=1\r\n"
	    "Accept-Encoding: br\r\n", text);
	snprintf(text, sizeof text, PART "%sContent-Range: bytes 0-0/6\r\n"
	    "Content-Length: 1\r\n" ROOT_FIELDS "h", tiny_digest_line("\"root\""));
	gives("GET /", "Want-Repr-Digest: sha-256=1\r\nRange: bytes=0-0\r\n",
	    text);
	gives("GET /", "Want-Repr-Digest: sha-512=1, sha-256=0\r\n",
	    ROOT "hello\n");
	ask("GET /nowhere" H11 "Want-Repr-Digest: sha-256=1\r\n\r\n");
	assert_null(strstr(answer_text, "Repr-Digest"));
}

/* ---- Conditions: RFC 9110, section 13 --------------------------------------------- */

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
	char field[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		snprintf(field, sizeof field, "If-None-Match: %s\r\n", same[i]);
		gives("GET /", field, SAME);
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		snprintf(field, sizeof field, "If-None-Match: %s\r\n", other[i]);
		gives("GET /", field, ROOT "hello\n");
	}
	gives("GET /", "If-None-Match: \"a\"\r\nIf-None-Match: \"root\"\r\n",
	    SAME);
	gives("HEAD /", "If-None-Match: *\r\n", SAME);
	gives("GET /", "If-None-Match: *\r\nConnection: close\r\n",
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

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		gives("GET /", cases[i].fields,
		    cases[i].same ? SAME : ROOT "hello\n");
}

static void conditions_are_tried_in_order(void **state)
{
	static const char late[] =
	    "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
	static const char early[] =
	    "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n";
	char both[256];

	(void)state;
	gives("GET /", late, ROOT "hello\n");
	gives("GET /", early, FAILED);
	gives("GET /", "If-Match: \"x\"\r\n", FAILED);
	gives("GET /", "If-Match: W/\"root\"\r\n", FAILED);
	gives("GET /", "If-Match: \"x\", \"root\"\r\n", ROOT "hello\n");
	/* Section 13.2.2: If-Match goes before the rest, and replaces the date. */
	snprintf(both, sizeof both, "%sIf-Match: *\r\n", early);
	gives("GET /", both, ROOT "hello\n");
	gives("GET /", "If-Match: \"x\"\r\nIf-None-Match: *\r\n", FAILED);
	gives("GET /", "If-Match: *\r\nIf-None-Match: *\r\n", SAME);
	/* Section 14.2: the conditions go before the ranges. */
	gives("GET /", "If-None-Match: *\r\nRange: bytes=0-0\r\n", SAME);
	gives("GET /", "If-Match: \"x\"\r\nRange: bytes=9-\r\n", FAILED);
	gives("HEAD /", "If-Match: \"x\"\r\n",
	    "HTTP/1.1 412 Precondition Failed\r\n" DATE PLAIN
	    "Content-Length: 24\r\n\r\n");
}

/* Section 13.2.1 */
static void conditions_count_for_files_only(void **state)
{
	(void)state;
	gives("GET /dir", "If-Match: \"x\"\r\nIf-None-Match: *\r\n",
	    "HTTP/1.1 301 Moved Permanently\r\n" DATE "Content-Length: 0\r\n"
	    TYPE "Location: /dir/\r\n\r\n");
	gives("GET /nowhere", "If-Match: \"x\"\r\nIf-None-Match: *\r\n",
	    "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 13\r\n" TYPE
	    "\r\nnothing here\n");
}

/* ---- Ranges: RFC 9110, section 14 ------------------------------------------------- */

#define ONE(range, len) PART "Content-Range: bytes " range "\r\n" \
	"Content-Length: " #len "\r\n"

static void one_range_is_a_slice(void **state)
{
	(void)state;
	gives("GET /", "Range: bytes=1-3\r\n",
	    ONE("1-3/6", 3) ROOT_FIELDS "ell");
	gives("GET /", "Range: bytes=4-\r\n", ONE("4-5/6", 2) ROOT_FIELDS "o\n");
	gives("GET /", "Range: bytes=-1\r\n", ONE("5-5/6", 1) ROOT_FIELDS "\n");
	gives("GET /", "Range: bytes=0-99\r\n",
	    ONE("0-5/6", 6) ROOT_FIELDS "hello\n");
	gives("GET /app/x", "Range: bytes=0-0\r\n",
	    ONE("0-0/6", 1) ROOT_FIELDS "h");
	/* Section 15.3.7.2: two that are one need no multipart. */
	gives("GET /", "Range: bytes=3-3,0-2\r\n",
	    ONE("0-3/6", 4) ROOT_FIELDS "hell");
}

/* Section 14.1.2: of the bytes that are sent. */
static void a_range_is_of_the_chosen_coding(void **state)
{
	(void)state;
	gives("GET /page.txt", "Accept-Encoding: br\r\nRange: bytes=4-7\r\n",
	    ONE("4-7/18", 4) BR_FIELDS "same");
	gives("GET /page.txt", "Range: bytes=4-8\r\n",
	    ONE("4-8/62", 5) PAGE_FIELDS "quick");
}

static void what_is_no_range_gives_all(void **state)
{
	(void)state;
	gives("GET /", "Range: lines=1-3\r\n", ROOT "hello\n");
	gives("GET /", "Range: bytes=3-1\r\n", ROOT "hello\n");
	gives("GET /", "Range: bytes=0-0\r\nRange: bytes=1-1\r\n",
	    ROOT "hello\n");
	gives("GET /empty", "Range: bytes=0-\r\n",
	    OK "Content-Length: 0\r\n" TYPE "ETag: \"e\"\r\n\r\n");
	/* Section 14.2: with other methods it MUST be ignored. */
	gives("HEAD /", "Range: bytes=0-0\r\n", ROOT);
	gives("HEAD /", "Range: bytes=9-\r\n", ROOT);
}

/* Section 15.5.17 */
static void a_range_outside_is_refused(void **state)
{
	(void)state;
	gives("GET /", "Range: bytes=6-\r\n",
	    "HTTP/1.1 416 Range Not Satisfiable\r\n" DATE
	    "Content-Range: bytes */6\r\n" PLAIN
	    "Content-Length: 26\r\n\r\n416 Range Not Satisfiable\n");
	gives("GET /nowhere", "Range: bytes=99-\r\n",
	    "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 13\r\n" TYPE
	    "\r\nnothing here\n");
}

/* Section 13.1.5 */
static void a_range_of_something_else_gives_all(void **state)
{
	static const char one[] = ONE("0-0/6", 1) ROOT_FIELDS "h";

	(void)state;
	gives("GET /", "Range: bytes=0-0\r\nIf-Range: \"root\"\r\n", one);
	gives("GET /", "Range: bytes=0-0\r\nIf-Range: W/\"root\"\r\n",
	    ROOT "hello\n");
	gives("GET /", "Range: bytes=9-\r\nIf-Range: \"x\"\r\n", ROOT "hello\n");
	gives("GET /", "Range: bytes=0-0\r\n"
	    "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", one);
	gives("GET /", "Range: bytes=0-0\r\n"
	    "If-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n", ROOT "hello\n");
	/* Section 8.8.2.2: the date of a file says nothing of its compressed bytes. */
	gives("GET /page.txt", "Range: bytes=0-0\r\nAccept-Encoding: br\r\n"
	    "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", BR BR_BODY);
}

#define BOUNDARY "--stele-root"
#define SEVERAL(len) PART "Content-Length: " #len "\r\n" \
	"Content-Type: multipart/byteranges; boundary=stele-root\r\n" \
	"ETag: \"root\"\r\n\r\n"
#define PIECE(range, bytes) BOUNDARY "\r\n" TYPE \
	"Content-Range: bytes " range "/6\r\n\r\n" bytes

/* Sections 14.6 and 15.3.7.2 */
static void several_ranges_are_parts(void **state)
{
	(void)state;
	gives("GET /", "Range: bytes=4-,0-1\r\n", SEVERAL(164)
	    PIECE("4-5", "o\n") "\r\n" PIECE("0-1", "he") "\r\n"
	    BOUNDARY "--\r\n");
	gives("GET /", "Range: bytes=0-0,2-2,99-,4-4\r\n", SEVERAL(235)
	    PIECE("0-0", "h") "\r\n" PIECE("2-2", "l") "\r\n"
	    PIECE("4-4", "o") "\r\n" BOUNDARY "--\r\n");
	ask("GET /page.txt" H11 "Accept-Encoding: br\r\n"
	    "Range: bytes=0-0,2-2\r\nWant-Repr-Digest: sha-256=3\r\n\r\n");
	assert_non_null(strstr(answer_text, tiny_digest_line("\"p-br\"")));
	assert_non_null(strstr(answer_text, "Content-Encoding: br\r\n"));
	assert_non_null(strstr(answer_text, "\r\n--stele-p-br--\r\n"));
}

static void as_many_parts_as_the_limit_and_no_more(void **state)
{
	char range[256] = "Range: bytes=0-0";

	(void)state;
	for (int i = 1; i < LIMIT_RANGE_PARTS; i++)
		sprintf(range + strlen(range), ",%d-%d", 2 * i, 2 * i);
	strcat(range, "\r\n");
	gives("HEAD /page.txt", range, PAGE);
	char request[512];
	snprintf(request, sizeof request, "GET /page.txt" H11 "%s\r\n", range);
	ask(request);
	assert_int_equal(answer.status, 206);
	assert_int_equal(answer.parts.count, LIMIT_RANGE_PARTS);
	range[strlen(range) - 2] = 0;
	strcat(range, ",40-40\r\n");
	gives("GET /page.txt", range, PAGE TINY_PAGE);
}

/* A type that would make the parts' heads too long is not repeated. */
static void a_long_type_has_no_parts(void **state)
{
	static char type[LIMIT_PART_TYPE_LEN + 2];
	static const char request[] =
	    "GET /" H11 "Range: bytes=0-0,2-2\r\n\r\n";

	(void)state;
	memset(type, 't', LIMIT_PART_TYPE_LEN);
	other_type = type;
	ask(request);
	assert_int_equal(answer.status, 206);
	assert_non_null(strstr(answer_text, "\r\nContent-Type: t"));
	type[LIMIT_PART_TYPE_LEN] = 't';
	ask(request);
	assert_int_equal(answer.status, 200);
	other_type = NULL;
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

/* RFC 2046, section 5.1.1: a boundary is no part of a part; and is at most 70 long. */
static void a_boundary_is_made_of_the_tag(void **state)
{
	static const uint8_t long_tag[] =
	    "\"0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789\"";
	struct http_parts parts = {
		.etag = HTTP_TEXT("\"a b:c/\xff\""), .type = HTTP_TEXT("t"),
		.body = HTTP_TEXT("x"), .count = 0,
	};
	uint8_t out[HTTP_BOUNDARY_CAP];

	(void)state;
	assert_int_equal(http_format_boundary(&parts, out), 9);
	assert_memory_equal(out, "stele-abc", 9);
	parts.etag = (struct http_text){ long_tag, sizeof long_tag - 1 };
	assert_int_equal(http_format_boundary(&parts, out), HTTP_BOUNDARY_CAP);
	parts.etag = HTTP_TEXT("\"\"");
	assert_int_equal(http_format_boundary(&parts, out), 6);
	ask("GET /" H11 "Range: bytes=0-0,2-2\r\n\r\n");
	assert_int_equal(count_of(answer_text, "stele-root"), 4);
}

/* The longest numbers and texts fit where they are written. */
static void the_longest_part_fits(void **state)
{
	static uint8_t type[LIMIT_PART_TYPE_LEN];
	uint8_t tag[100], out[HTTP_PART_CAP + LIMIT_PART_TYPE_LEN];
	struct http_parts parts = {
		.etag = { tag, sizeof tag }, .type = { type, sizeof type },
		.body = { type, SIZE_MAX }, .count = 1,
		.ranges = { { UINT64_MAX - 10, 5 } },
	};

	(void)state;
	memset(tag, 'e', sizeof tag);
	memset(type, 't', sizeof type);
	const size_t len = http_format_part(&parts, 0, out);
	assert_true(len < sizeof out);
	assert_memory_equal(out + len - 4, "\r\n\r\n", 4);
	assert_int_equal(http_parts_len(&parts),
	    len + 5 + http_format_part(&parts, 1, out));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_coding_is_sent),
		cmocka_unit_test(what_is_refused_is_not_sent),
		cmocka_unit_test(each_coding_has_its_tag),
		cmocka_unit_test(a_digest_is_sent_to_who_wants_it),
		cmocka_unit_test(none_match_compares_weakly),
		cmocka_unit_test(modified_since_compares_times),
		cmocka_unit_test(conditions_are_tried_in_order),
		cmocka_unit_test(conditions_count_for_files_only),
		cmocka_unit_test(one_range_is_a_slice),
		cmocka_unit_test(a_range_is_of_the_chosen_coding),
		cmocka_unit_test(what_is_no_range_gives_all),
		cmocka_unit_test(a_range_outside_is_refused),
		cmocka_unit_test(a_range_of_something_else_gives_all),
		cmocka_unit_test(several_ranges_are_parts),
		cmocka_unit_test(as_many_parts_as_the_limit_and_no_more),
		cmocka_unit_test(a_long_type_has_no_parts),
		cmocka_unit_test(a_boundary_is_made_of_the_tag),
		cmocka_unit_test(the_longest_part_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

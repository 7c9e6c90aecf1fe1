/* links: tests/host_panic.c tests/http/slow_accept.c tests/http/slow_list.c http/accept.c
 * http/chars.c -lm */
/*
 * Content negotiation: every rule of RFC 9110, sections 12.4.2 and 12.5.3, and of
 * RFC 9530, section 4.  Each case is also asked of the slow twin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/accept.h"
#include "romfs/romfs.h"
#include "tests/http/slow_accept.h"

#define REFUSED 99

/* The lines are separated by '\n'; NULL: the field was not sent. */
static struct http_lines lines_of(const char *text)
{
	struct http_lines field = { 0 };

	while (text != NULL) {
		const size_t len = strcspn(text, "\n");
		assert_true(field.count < LIMIT_FIELD_LINES);
		field.line[field.count++] =
		    (struct http_text){ (const uint8_t *)text, len };
		text = text[len] == 0 ? NULL : text + len + 1;
	}
	return field;
}

/* The coding that is chosen out of identity, brotli, zstd, gzip, or the first few. */
static uint32_t choose_of(const char *text, uint32_t count)
{
	static const uint8_t offered[] = {
		ROMFS_IDENTITY, ROMFS_BROTLI, ROMFS_ZSTD, ROMFS_GZIP,
	};
	const struct http_request req = { .accept_encoding = lines_of(text) };
	uint32_t chosen = 77;
	uint32_t slow = 77;

	const bool got = http_choose_coding(&req, offered, count, &chosen);
	assert_int_equal(got, slow_choose_coding(&req, offered, count, &slow));
	if (!got)
		return REFUSED;
	if (req.accept_encoding.count > 0)
		assert_int_equal(chosen, slow);
	assert_true(chosen < count);
	return offered[chosen];
}

struct rule {
	const char *field;
	uint32_t want;
};

static void check_rules(const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint32_t got = choose_of(rules[i].field, 4);

		if (got != rules[i].want)
			fail_msg("\"%s\" chose %u, not %u", rules[i].field,
			    got, rules[i].want);
	}
}

#define RULES(name, ...) \
	static void name(void **state) \
	{ \
		static const struct rule rules[] = { __VA_ARGS__ }; \
		(void)state; \
		check_rules(rules, ARRAY_LEN(rules)); \
	}

/* ---- What the weights mean: sections 12.4.2 and 12.5.3 ----------------------- */

/* "no preferences": any would do, and identity is what everybody reads. */
RULES(without_the_field_identity_is_sent, { NULL, ROMFS_IDENTITY })

/* "An ... empty field value implies that the user agent does not want any" */
RULES(an_empty_field_asks_for_identity,
    { "", ROMFS_IDENTITY }, { ",, ,", ROMFS_IDENTITY },
    { "\n\n\n", ROMFS_IDENTITY })

RULES(the_first_offered_of_the_listed_is_sent,
    { "gzip, deflate, br, zstd", ROMFS_BROTLI },
    { "gzip, deflate, zstd", ROMFS_ZSTD }, { "gzip, deflate", ROMFS_GZIP },
    { "gzip", ROMFS_GZIP }, { "deflate, compress", ROMFS_IDENTITY })

RULES(the_highest_weight_wins,
    { "gzip;q=1.0, br;q=0.9, zstd;q=0.8", ROMFS_GZIP },
    { "gzip;q=0.9, br;q=0.9, zstd;q=0.901", ROMFS_ZSTD },
    { "gzip;q=0.002, br;q=0.001", ROMFS_GZIP },
    { "gzip;q=0.999, br;q=0.998, zstd;q=0.99", ROMFS_GZIP },
    { "gzip;q=0.1, br;q=0.09", ROMFS_GZIP },
    { "gzip, br;q=0.999", ROMFS_GZIP },
    { "identity, gzip;q=0.5", ROMFS_IDENTITY },
    { "identity;q=0.4, gzip;q=0.5", ROMFS_GZIP })

RULES(identity_is_last_among_equals,
    { "identity, gzip", ROMFS_GZIP },
    { "identity;q=0.5, zstd;q=0.5", ROMFS_ZSTD })

/* Rule 2: acceptable when nothing is said of it, but listed ones are better. */
RULES(identity_needs_no_mention,
    { "gzip;q=0.001", ROMFS_GZIP }, { "gzip;q=0", ROMFS_IDENTITY },
    { "gzip;q=0, br;q=0.000, zstd;q=0.0", ROMFS_IDENTITY })

/* "0 means not acceptable" */
RULES(a_weight_of_zero_excludes,
    { "gzip, br;q=0", ROMFS_GZIP },
    { "gzip, br;q=0.", ROMFS_GZIP }, { "gzip, br;q=0.000", ROMFS_GZIP })

/* "*" matches what is not listed. */
RULES(a_star_stands_for_the_others,
    { "*", ROMFS_BROTLI }, { "*, br;q=0", ROMFS_ZSTD },
    { "br;q=0.5, *;q=0.4", ROMFS_BROTLI },
    { "br;q=0.4, *;q=0.5", ROMFS_ZSTD },
    { "gzip;q=0.5, *;q=0", ROMFS_GZIP },
    { "identity;q=0.5, *;q=0", ROMFS_IDENTITY },
    { "identity, *;q=0.5", ROMFS_IDENTITY },
    { "br;q=0,zstd;q=0,gzip;q=0,*;q=0.5", ROMFS_IDENTITY })

/* Only where identity is excluded is there nothing to send. */
RULES(identity_can_be_refused,
    { "identity;q=0", REFUSED }, { "*;q=0", REFUSED },
    { "identity;q=0, gzip", ROMFS_GZIP },
    { "identity;q=0, *", ROMFS_BROTLI },
    { "identity;q=0, *;q=0", REFUSED },
    { "identity;q=0.001, *;q=0", ROMFS_IDENTITY },
    { "deflate, identity;q=0", REFUSED },
    { "gzip;q=0, br;q=0, zstd;q=0, *;q=0", REFUSED })

static void what_is_not_offered_is_not_sent(void **state)
{
	(void)state;
	assert_int_equal(choose_of("gzip, zstd", 1), ROMFS_IDENTITY);
	assert_int_equal(choose_of("gzip, zstd", 2), ROMFS_IDENTITY);
	assert_int_equal(choose_of("gzip, zstd", 3), ROMFS_ZSTD);
	assert_int_equal(choose_of("*", 1), ROMFS_IDENTITY);
	assert_int_equal(choose_of("gzip, identity;q=0", 1), REFUSED);
	assert_int_equal(choose_of("gzip, *;q=0", 3), REFUSED);
}

/* ---- How it is written --------------------------------------------------------- */

/* Sections 8.4.1 and 8.4.1.3 */
RULES(names_are_in_any_case_and_gzip_has_two,
    { "GZIP", ROMFS_GZIP }, { "Br", ROMFS_BROTLI }, { "zSTD", ROMFS_ZSTD },
    { "IDENTITY;q=0", REFUSED }, { "x-gzip", ROMFS_GZIP },
    { "X-GZip", ROMFS_GZIP }, { "gzip, br;q=0.5, x-gzip;q=0.1", ROMFS_BROTLI })

RULES(names_that_resemble_ours_are_others,
    { "gzipp", ROMFS_IDENTITY }, { "gzi", ROMFS_IDENTITY },
    { "b", ROMFS_IDENTITY }, { "**", ROMFS_IDENTITY },
    { "x-zstd", ROMFS_IDENTITY }, { "identitx;q=0", ROMFS_IDENTITY },
    { "x-gzix", ROMFS_IDENTITY }, { "gz!p", ROMFS_IDENTITY },
    { "#;q=0", ROMFS_IDENTITY })

/* Sections 5.6.1.2 and 5.6.3: empty elements, blanks; 12.4.2: "Q" is as good as "q". */
RULES(blanks_and_empty_elements_do_not_count,
    { " \tgzip \t", ROMFS_GZIP }, { ",gzip,,", ROMFS_GZIP },
    { "br;q=0.5\t,\tgzip", ROMFS_GZIP },
    { "br ; q=0.5 , gzip\t;\tQ=0.6", ROMFS_GZIP })

/* Section 5.3: lines are one list. */
RULES(lines_are_one_list,
    { "gzip\nbr", ROMFS_BROTLI }, { "gzip\n\n\nbr;q=0.5", ROMFS_GZIP },
    { "*;q=0\n identity", ROMFS_IDENTITY })

RULES(of_a_coding_named_twice_the_last_counts,
    { "gzip;q=0, gzip", ROMFS_GZIP }, { "gzip, gzip;q=0", ROMFS_IDENTITY },
    { "gzip\ngzip;q=0", ROMFS_IDENTITY }, { "*, *;q=0", REFUSED },
    { "x-gzip;q=0, gzip", ROMFS_GZIP })

/* From the first thing that is no list of codings on, nothing counts. */
RULES(a_malformed_list_counts_up_to_there,
    { "gzip, br;q=1.001, zstd", ROMFS_GZIP }, { "gzip;q=2", ROMFS_IDENTITY },
    { "gzip;q=0.0001, *", ROMFS_IDENTITY },
    { "gzip;q=1.0000", ROMFS_IDENTITY }, { "gzip;q=", ROMFS_IDENTITY },
    { "gzip;q", ROMFS_IDENTITY }, { "gzip;", ROMFS_IDENTITY },
    { "gzip;q=.5", ROMFS_IDENTITY }, { "gzip;q=-1", ROMFS_IDENTITY },
    { "gzip;q=0.5x", ROMFS_IDENTITY }, { "gzip;q =1", ROMFS_IDENTITY },
    { "gzip;q= 1", ROMFS_IDENTITY }, { "gzip;x=1", ROMFS_IDENTITY },
    { "gzip;q=1;q=1", ROMFS_IDENTITY }, { "gzip br", ROMFS_IDENTITY },
    { "gzip=1", ROMFS_IDENTITY }, { "\"gzip\"", ROMFS_IDENTITY },
    { "gzip;q=\"1\"", ROMFS_IDENTITY }, { "\xe4, gzip", ROMFS_IDENTITY },
    { "gzip, br;x, zstd\nzstd", ROMFS_GZIP },
    { "identity;q=0x, gzip;q=0", ROMFS_IDENTITY },
    { "*;q=0, ;", REFUSED })

/* 0.000 to 1.000 against each other: no two are taken for the same. */
static void weights_are_exact_to_three_decimals(void **state)
{
	char field[64];

	(void)state;
	for (int w = 0; w < 1000; w++) {
		snprintf(field, sizeof field, "br;q=0.%03d, gzip;q=%d.%03d", w,
		    (w + 1) / 1000, (w + 1) % 1000);
		assert_int_equal(choose_of(field, 4), ROMFS_GZIP);
		snprintf(field, sizeof field, "br;q=%d.%03d, gzip;q=0.%03d",
		    (w + 1) / 1000, (w + 1) % 1000, w);
		assert_int_equal(choose_of(field, 4), ROMFS_BROTLI);
	}
}

/* ---- Want-Repr-Digest: RFC 9530, section 4 --------------------------------------- */

static void a_digest_is_sent_if_it_is_wanted(void **state)
{
	static const struct { const char *field; bool wanted; } cases[] = {
		{ NULL, false }, { "", false }, { "sha-256=1", true },
		{ "sha-256=10", true }, { "sha-256=0", false },
		{ "sha-256=11", false }, { "sha-256=4294967297", false },
		{ "sha-256=18446744073709551617", false },
		{ "sha-256=007", true }, { "sha-512=3, sha-256=10, md5=0", true },
		{ "sha-512=10", false }, { "sha-512=9\nsha-256=1", true },
		{ "sha-256=1, sha-256=0", false },
		{ "sha-256=0, sha-256=1", true }, { "SHA-256=1", false },
		{ "sha-256", false }, { "sha-256=", false },
		{ "sha-256=-1", false }, { "sha-256=1.0", false },
		{ "sha-256=1;a", false }, { "sha-256 =1", false },
		{ "=1, sha-256=1", false }, { "md5=?1, sha-256=1", false },
		{ "sha-256=1, md5=?1", true }, { "x\nsha-256=1", false },
		{ "sha-2560=1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct http_request req = {
			.want_repr_digest = lines_of(cases[i].field)
		};

		if (http_wants_digest(&req) != cases[i].wanted)
			fail_msg("\"%s\"", cases[i].field);
		assert_int_equal(slow_wants_digest(&req), cases[i].wanted);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_field_identity_is_sent),
		cmocka_unit_test(an_empty_field_asks_for_identity),
		cmocka_unit_test(the_first_offered_of_the_listed_is_sent),
		cmocka_unit_test(the_highest_weight_wins),
		cmocka_unit_test(identity_is_last_among_equals),
		cmocka_unit_test(identity_needs_no_mention),
		cmocka_unit_test(a_weight_of_zero_excludes),
		cmocka_unit_test(a_star_stands_for_the_others),
		cmocka_unit_test(identity_can_be_refused),
		cmocka_unit_test(what_is_not_offered_is_not_sent),
		cmocka_unit_test(names_are_in_any_case_and_gzip_has_two),
		cmocka_unit_test(names_that_resemble_ours_are_others),
		cmocka_unit_test(blanks_and_empty_elements_do_not_count),
		cmocka_unit_test(lines_are_one_list),
		cmocka_unit_test(of_a_coding_named_twice_the_last_counts),
		cmocka_unit_test(a_malformed_list_counts_up_to_there),
		cmocka_unit_test(weights_are_exact_to_three_decimals),
		cmocka_unit_test(a_digest_is_sent_if_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

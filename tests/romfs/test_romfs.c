/* links: @romfs romfs/mkromfs/phash.c romfs/mkromfs/memory.c
 *        tests/romfs/sample.c tests/host_panic.c */
/*
 * The reader's look-ups: hosts, paths, answers, and what rules make of the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "romfs/romfs.h"
#include "tests/romfs/sample.h"

#define KEY(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static const struct phash_key keys[] = {
	KEY("/"), KEY("/index.html"), KEY("/a/"), KEY("/a/index.html"),
	KEY("/a b%20c"), KEY("/\xc3\xbc/\xe2\x82\xac"), KEY("/a\nb"),
	KEY("/a/rather/long/path/that/takes/several/words/of/the/hash.txt"),
	KEY("/last"),
};

struct opened {
	struct sample sample;
	struct romfs fs;
};

static int set_up(void **state)
{
	struct opened *o = malloc(sizeof *o);

	if (o == NULL)
		return -1;
	sample_make(&o->sample, keys, ARRAY_LEN(keys));
	*state = o;
	return romfs_open(&o->fs, o->sample.image, o->sample.len) == ROMFS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct opened *o = *state;

	sample_free(&o->sample);
	free(o);
	return 0;
}

static const struct romfs *opened(void **state)
{
	return &((struct opened *)*state)->fs;
}

static void assert_bytes(const uint8_t *bytes, uint64_t len, const char *text)
{
	assert_int_equal(len, strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

/* ---- Paths ---------------------------------------------------------------- */

static void every_path_is_found(void **state)
{
	const struct romfs *fs = opened(state);
	struct romfs_entry entry;

	assert_int_equal(fs->site_count, 2);
	assert_int_equal(fs->entry_count, ARRAY_LEN(keys) + SAMPLE_OTHER_SLOTS);
	assert_int_equal(fs->file_count, ARRAY_LEN(keys));
	assert_int_equal(romfs_slot_count(fs, 0), ARRAY_LEN(keys));
	assert_int_equal(romfs_page_count(fs, 0), SAMPLE_PAGES);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(romfs_find(fs, 0, keys[i].bytes, keys[i].len, &entry),
		    ROMFS_OK);
		assert_int_equal(entry.modified, i);
		assert_int_equal(entry.path_len, keys[i].len);
		assert_memory_equal(entry.path, keys[i].bytes, keys[i].len);
		assert_false(entry.keeps_query);
	}
}

static void other_paths_are_not_found(void **state)
{
	static const struct phash_key others[] = {
		KEY(""), KEY("index.html"), KEY("/index.htm"), KEY("/index.html/"),
		KEY("//"), KEY("/A/"), KEY("/a"), KEY("/a b c"), KEY("/\0"),
		KEY("/index.html\0"),
	};
	struct romfs_entry entry = { .path_len = 77 };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(romfs_find(opened(state), 0, others[i].bytes,
		    others[i].len, &entry), ROMFS_NOT_FOUND);
	assert_int_equal(entry.path_len, 77);
}

static void a_site_has_its_own_paths_only(void **state)
{
	const struct romfs *fs = opened(state);
	struct romfs_entry entry;

	assert_int_equal(romfs_slot_count(fs, 1), SAMPLE_OTHER_SLOTS);
	assert_int_equal(romfs_find(fs, 1, (const uint8_t *)"/", 1, &entry), ROMFS_OK);
	assert_true(entry.keeps_query);
	for (size_t i = 1; i < ARRAY_LEN(keys); i++)
		assert_int_equal(romfs_find(fs, 1, keys[i].bytes, keys[i].len, &entry),
		    ROMFS_NOT_FOUND);
}

static void an_image_may_lie_at_any_address(void **state)
{
	const struct sample *s = &((struct opened *)*state)->sample;
	uint8_t *odd = malloc(s->len + 1);
	struct romfs_entry entry;
	struct romfs fs;

	assert_non_null(odd);
	memcpy(odd + 1, s->image, s->len);
	assert_int_equal(romfs_open(&fs, odd + 1, s->len), ROMFS_OK);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(romfs_find(&fs, 0, keys[i].bytes, keys[i].len, &entry),
		    ROMFS_OK);
	free(odd);
}

static void what_people_want_to_know_is_handed_out(void **state)
{
	const struct romfs *fs = opened(state);

	assert_bytes(fs->info, fs->info_len, SAMPLE_INFO);
}

/* ---- Answers -------------------------------------------------------------- */

static void an_answer_is_head_and_body(void **state)
{
	const struct romfs *fs = opened(state);
	struct romfs_variant v;
	struct romfs_entry entry;

	assert_int_equal(romfs_find(fs, 0, (const uint8_t *)"/a/", 3, &entry), ROMFS_OK);
	assert_int_equal(entry.variant_count, 1);
	romfs_variant(fs, &entry, 0, &v);
	assert_int_equal(v.coding, ROMFS_IDENTITY);
	assert_int_equal(v.status, 200);
	assert_bytes(v.head, v.head_len, SAMPLE_HEAD);
	assert_bytes(v.head, v.length_line_len, SAMPLE_LENGTH_LINE);
	assert_bytes(v.body, v.body_len, SAMPLE_BODY);
	assert_bytes(v.type, v.type_len, SAMPLE_TYPE);
	assert_bytes(v.mark, v.mark_len, SAMPLE_ETAG);
	assert_bytes(v.not_modified, v.not_modified_len, SAMPLE_NOT_MODIFIED);
	assert_bytes(v.digest_line, ROM_DIGEST_LINE_LEN, SAMPLE_DIGEST_LINE);
}

static void further_codings_follow_the_identity(void **state)
{
	static const unsigned codings[] = { ROMFS_IDENTITY, ROMFS_BROTLI, ROMFS_GZIP };
	const struct romfs *fs = opened(state);
	struct romfs_variant v;
	struct romfs_entry entry;

	assert_int_equal(romfs_find(fs, 0, keys[0].bytes, keys[0].len, &entry), ROMFS_OK);
	assert_int_equal(entry.variant_count, 1 + SAMPLE_MORE);
	for (uint32_t i = 0; i < entry.variant_count; i++) {
		romfs_variant(fs, &entry, i, &v);
		assert_int_equal(v.coding, codings[i]);
		assert_int_equal(entry.codings[i], codings[i]);
		assert_int_equal(v.status, 200);
	}
}

static void a_page_has_no_tag(void **state)
{
	const struct romfs *fs = opened(state);
	struct romfs_variant v;
	struct romfs_entry entry;

	romfs_entry_at(fs, 0, ARRAY_LEN(keys), &entry);
	assert_int_equal(entry.variant_count, 1);
	assert_int_equal(entry.path_len, 0);
	assert_int_equal(entry.modified, -1);
	romfs_variant(fs, &entry, 0, &v);
	assert_int_equal(v.status, 404);
	assert_int_equal(v.mark_len, 0);
	assert_null(v.not_modified);
	assert_null(v.digest_line);
	assert_bytes(v.head, v.head_len, SAMPLE_MISSING_HEAD);
	assert_bytes(v.body, v.body_len, SAMPLE_MISSING_BODY);
}

static void a_redirect_has_its_location(void **state)
{
	const struct romfs *fs = opened(state);
	struct romfs_variant v;
	struct romfs_entry entry;

	romfs_entry_at(fs, 1, 0, &entry);
	assert_bytes(entry.path, entry.path_len, "/");
	assert_int_equal(entry.modified, -1);
	romfs_variant(fs, &entry, 0, &v);
	assert_int_equal(v.status, 301);
	assert_bytes(v.mark, v.mark_len, SAMPLE_LOCATION);
	assert_int_equal(v.body_len, 0);
	assert_null(v.not_modified);
}

/* ---- Hosts ---------------------------------------------------------------- */

static bool host(const struct romfs *fs, const char *name, struct romfs_host *out)
{
	return romfs_host(fs, (const uint8_t *)name, strlen(name), out);
}

static void a_name_leads_to_its_site(void **state)
{
	static const struct { const char *name; uint32_t site; } cases[] = {
		{ "a.example", 0 }, { "b.example", 1 }, { "A.eXAMPLE", 0 },
		{ "b.example.", 1 },
	};
	struct romfs_host out;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&out, 0xff, sizeof out);
		assert_true(host(opened(state), cases[i].name, &out));
		assert_int_equal(out.site, cases[i].site);
		assert_null(out.canonical);
	}
}

static void a_second_name_leads_to_the_first(void **state)
{
	struct romfs_host out;

	assert_true(host(opened(state), "WWW.a.example.", &out));
	assert_int_equal(out.site, 0);
	assert_bytes(out.canonical, out.canonical_len, "a.example");
}

static void other_names_are_misdirected_or_the_default_sites(void **state)
{
	static const char *const names[] = {
		"", ".", "a", "a.exampl", "a.example.org", "b.example..", "c.example",
		"x.a.example", "zzz", "[::1]", "a.example:80", "0",
	};
	struct opened *o = *state;
	struct romfs_host out;
	char long_name[300];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_false(host(&o->fs, names[i], &out));
	memset(long_name, 'a', sizeof long_name);
	assert_false(romfs_host(&o->fs, (uint8_t *)long_name, sizeof long_name, &out));

	o->sample.header->default_site = 1;
	assert_int_equal(romfs_open(&o->fs, o->sample.image, o->sample.len), ROMFS_OK);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_true(host(&o->fs, names[i], &out));
		assert_int_equal(out.site, 1);
		assert_null(out.canonical);
	}
	assert_true(host(&o->fs, "a.example", &out));
	assert_int_equal(out.site, 0);
}

/* ---- Rules ---------------------------------------------------------------- */

static uint8_t scratch[64];

static const struct romfs_answer *resolve_at(const struct romfs *fs, uint32_t site,
    const char *path, const char *query)
{
	static struct romfs_answer answer;

	memset(&answer, 0xff, sizeof answer);
	romfs_resolve(fs, site, (const uint8_t *)path, strlen(path),
	    (const uint8_t *)query, query == NULL ? 0 : strlen(query),
	    scratch, sizeof scratch, &answer);
	return &answer;
}

static const struct romfs_answer *resolve(void **state, const char *path,
    const char *query)
{
	return resolve_at(opened(state), 0, path, query);
}

static void assert_path(const struct romfs_answer *answer, const char *path)
{
	assert_int_equal(answer->target.status, 0);
	assert_bytes(answer->entry.path, answer->entry.path_len, path);
}

static uint32_t page_of(const struct romfs *fs, const struct romfs_answer *answer)
{
	const struct rom_entry *pages = (const void *)fs->entries;

	assert_int_equal(answer->target.status, 0);
	return (uint32_t)((const struct rom_entry *)(const void *)answer->entry.record -
	    (pages + ARRAY_LEN(keys)));
}

static void assert_capture(const struct romfs_answer *answer, uint32_t i,
    const char *text)
{
	assert_bytes(answer->target.captures[i].at, answer->target.captures[i].len, text);
}

static void a_path_with_an_entry_needs_no_rule(void **state)
{
	assert_path(resolve(state, "/", "go=1"), "/");
	assert_path(resolve(state, "/a/index.html", NULL), "/a/index.html");
}

static void a_forced_rule_goes_before_an_entry_that_says_so(void **state)
{
	const struct romfs_answer *answer = resolve(state, "/last", "x=1&go=now");

	assert_int_equal(answer->target.status, 302);
	assert_bytes(answer->target.text, answer->target.text_len - 2, "/went?");
	assert_bytes(answer->target.tail, answer->target.tail_len, "#tail");
	assert_int_equal(answer->target.capture_count, 2);
	assert_int_equal(answer->target.path_captures, 1);
	assert_capture(answer, 0, "/last");
	assert_capture(answer, 1, "now");
	assert_false(answer->target.keeps_query);
	/* Only forced ones do: rule 4 would match. */
	assert_path(resolve(state, "/last", "x=1"), "/last");
	assert_path(resolve(state, "/last", NULL), "/last");
}

static void the_first_rule_that_holds_answers(void **state)
{
	const struct romfs_answer *answer = resolve(state, "/m/x y/c", "go=");

	assert_int_equal(answer->target.status, 302);
	assert_capture(answer, 0, "/m/x y/c");
	assert_capture(answer, 1, "");
	answer = resolve(state, "/m/x y/c", "went=1");
	assert_int_equal(answer->target.status, 301);
	assert_true(answer->target.keeps_query);
	assert_int_equal(answer->target.capture_count, 1);
	assert_int_equal(answer->target.path_captures, 1);
	assert_capture(answer, 0, "x y");
	assert_int_equal(answer->target.tail_len, 0);
}

static void a_rule_may_answer_with_a_file(void **state)
{
	assert_path(resolve(state, "/spa/what/ever", NULL), "/");
	assert_path(resolve(state, "/spa/", NULL), "/");
}

static void a_rewrite_names_a_file_or_is_passed_over(void **state)
{
	const struct romfs *fs = opened(state);

	assert_path(resolve(state, "/files/a/index.html", NULL), "/a/index.html");
	assert_path(resolve(state, "/files/", NULL), "/");
	assert_path(resolve(state, "/files", NULL), "/");
	/* Rule 4 is what follows. */
	assert_int_equal(page_of(fs, resolve(state, "/files/nothing", NULL)), 1);
	assert_int_equal(page_of(fs, resolve(state, "/filesystem", NULL)), 1);
}

static void a_rewrite_to_what_redirects_redirects(void **state)
{
	struct opened *o = *state;
	struct romfs_variant v;

	assert_path(resolve(state, "/files/a/", NULL), "/a/");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct rom_entry *e = &o->sample.entries[i];

		if (e->path_len == 3)
			e->first = o->sample.moved->first, e->modified = -1;
	}
	assert_int_equal(romfs_open(&o->fs, o->sample.image, o->sample.len), ROMFS_OK);

	const struct romfs_answer *answer = resolve(state, "/files/a/", NULL);
	assert_path(answer, "/a/");
	romfs_variant(&o->fs, &answer->entry, 0, &v);
	assert_int_equal(v.status, 301);
}

static void a_rewrite_that_does_not_fit_is_passed_over(void **state)
{
	char path[sizeof scratch + 16];

	memset(path, 'x', sizeof path);
	memcpy(path, "/files/", 7);
	path[sizeof path - 1] = '\0';
	assert_int_equal(page_of(opened(state), resolve(state, path, NULL)), 1);
}

static void what_no_rule_matches_is_page_0(void **state)
{
	const struct romfs *fs = opened(state);

	assert_int_equal(page_of(fs, resolve(state, "none", NULL)), 0);
	assert_int_equal(page_of(fs, resolve(state, "", "go=1")), 0);
	assert_int_equal(page_of(fs, resolve(state, "/none", NULL)), 1);
}

static void rules_are_those_of_the_site(void **state)
{
	const struct romfs *fs = opened(state);
	const struct romfs_answer *answer = resolve_at(fs, 1, "/x/y", "go=1");
	struct romfs_entry page;

	assert_int_equal(answer->target.status, 308);
	assert_capture(answer, 0, "y");
	romfs_entry_at(fs, 1, SAMPLE_OTHER_SLOTS, &page);
	answer = resolve_at(fs, 1, "/m/x/c", NULL);
	assert_int_equal(answer->target.status, 0);
	assert_ptr_equal(answer->entry.record, page.record);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_path_is_found),
		CASE(other_paths_are_not_found),
		CASE(a_site_has_its_own_paths_only),
		CASE(an_image_may_lie_at_any_address),
		CASE(what_people_want_to_know_is_handed_out),
		CASE(an_answer_is_head_and_body),
		CASE(further_codings_follow_the_identity),
		CASE(a_page_has_no_tag),
		CASE(a_redirect_has_its_location),
		CASE(a_name_leads_to_its_site),
		CASE(a_second_name_leads_to_the_first),
		CASE(other_names_are_misdirected_or_the_default_sites),
		CASE(a_path_with_an_entry_needs_no_rule),
		CASE(a_forced_rule_goes_before_an_entry_that_says_so),
		CASE(the_first_rule_that_holds_answers),
		CASE(a_rule_may_answer_with_a_file),
		CASE(a_rewrite_names_a_file_or_is_passed_over),
		CASE(a_rewrite_to_what_redirects_redirects),
		CASE(a_rewrite_that_does_not_fit_is_passed_over),
		CASE(what_no_rule_matches_is_page_0),
		CASE(rules_are_those_of_the_site),
	};

	return cmocka_run_group_tests_name("romfs", tests, NULL, NULL);
}

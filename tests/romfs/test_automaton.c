/* links: romfs/mkromfs/automaton.c romfs/mkromfs/pattern.c romfs/mkromfs/memory.c
 *        romfs/mkromfs/url.c tests/romfs/slow_rules.c tests/host_panic.c @romfs -lunistring */
/*
 * The automaton: walked as the reader walks it, it accepts the rules whose patterns match.
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
#include "romfs/mkromfs/automaton.h"
#include "romfs/mkromfs/pattern.h"
#include "romfs/rules.h"
#include "tests/romfs/slow_rules.h"

#define RULES_CAP 2000u

struct fixture {
	size_t count;
	struct rule_bytes patterns[RULES_CAP];
	struct automaton_rule rules[RULES_CAP];
	struct automata tables;
	struct rom_site site;
	size_t culprit;
};

static struct fixture f;

/* '!' in front: the rule can fail; '=': '*' is exact. */
static void add(const char *source)
{
	struct rule_names names = { 0 };
	const bool can_fail = *source == '!';
	const bool is_exact = source[can_fail] == '=';

	source += can_fail + is_exact;
	assert_null(pattern_read_source(&f.patterns[f.count], &names, source, strlen(source),
	    is_exact ? STAR_EXACT : STAR_FOLDER));
	f.rules[f.count] = (struct automaton_rule){
		.pattern = f.patterns[f.count].at, .len = f.patterns[f.count].len,
		.can_fail = can_fail,
	};
	f.count++;
}

static const char *build(void)
{
	uint32_t start;

	automata_start(&f.tables);
	const char *const why =
	    automaton_add(&f.tables, f.rules, f.count, &start, &f.culprit);
	f.site.start = start;
	return why;
}

static void clear(void)
{
	for (size_t i = 0; i < f.count; i++)
		free(f.patterns[i].at);
	automata_free(&f.tables);
	f.count = 0;
}

static uint32_t walk(const char *path, const uint8_t **accepts)
{
	const struct romfs fs = {
		.sites = (const uint8_t *)&f.site,
		.states = (const uint8_t *)f.tables.states,
		.edges = (const uint8_t *)f.tables.edges,
		.accepts = (const uint8_t *)f.tables.accepts,
	};

	return romfs_accepts(&fs, 0, (const uint8_t *)path, strlen(path), accepts);
}

/* The rules that a path is accepted by, as "0 2". */
static void accepts(const char *path, const char *want)
{
	const uint8_t *at;
	const uint32_t count = walk(path, &at);
	char got[256] = "";

	for (uint32_t i = 0; i < count; i++)
		sprintf(got + strlen(got), "%s%u", i > 0 ? " " : "", load_le32(at + 4 * i));
	assert_string_equal(got, want);
}

/* ---- Marks --------------------------------------------------------------- */

static void no_rules_is_no_automaton(void **state)
{
	(void)state;
	assert_null(build());
	assert_int_equal(f.site.start, 0);
	assert_int_equal(f.tables.state_count, 1);
	accepts("/", "");
	clear();
}

static void literals(void **state)
{
	(void)state;
	add("/a");
	add("/ab");
	add("/\xc3\xa9");
	assert_null(build());
	accepts("/a", "0");
	accepts("/ab", "1");
	accepts("/abc", "");
	accepts("/", "");
	accepts("", "");
	accepts("/\xc3\xa9", "2");
	accepts("/\xc3", "");
	clear();
}

static void a_placeholder_is_one_byte_or_more_of_a_segment(void **state)
{
	(void)state;
	add("/a/:x");
	add("/a/:x/b");
	add("/p-:x.html");
	assert_null(build());
	accepts("/a/", "");
	accepts("/a/x", "0");
	accepts("/a/xy\xff", "0");
	accepts("/a/x/", "");
	accepts("/a/x/b", "1");
	accepts("/a//b", "");
	accepts("/p-.html", "");
	accepts("/p-x.html", "2");
	accepts("/p-.html.html", "2");
	accepts("/p-a/b.html", "");
	clear();
}

static void a_star_is_any_bytes(void **state)
{
	(void)state;
	add("=/a/*");
	add("/b/*");
	add("/*.jpg");
	assert_null(build());
	accepts("/a", "");
	accepts("/a/", "0");
	accepts("/a//x/y", "0");
	accepts("/b", "1");
	accepts("/b/", "1");
	accepts("/bx", "");
	accepts("/b/x.jpg", "1");
	accepts("/.jpg", "2");
	accepts("/x/y.jpg.jpg", "2");
	accepts("/x.jpgx", "");
	clear();
}

/* ---- Order --------------------------------------------------------------- */

static void rules_are_in_order_up_to_one_that_cannot_fail(void **state)
{
	(void)state;
	add("!/a/*");
	add("!/*");
	add("!/a/:x");
	add("/:y/b");
	add("!/a/b");
	add("/*");
	add("!/*");
	assert_null(build());
	accepts("/a/b", "0 1 2 3");
	accepts("/a/c", "0 1 2 5");
	accepts("/c", "1 5");
	clear();
}

/* What a rule takes that answers everything is not looked at byte by byte any more. */
static void a_rule_that_hides_others_makes_a_small_automaton(void **state)
{
	size_t with, without;
	char source[64];

	(void)state;
	add("/docs/*");
	for (int i = 0; i < 100; i++) {
		sprintf(source, "/docs/page-%d/:x/end", i);
		add(source);
	}
	assert_null(build());
	with = f.tables.state_count;
	accepts("/docs/page-3/x/end", "0");
	clear();
	add("/docz/*");
	for (int i = 0; i < 100; i++) {
		sprintf(source, "/docs/page-%d/:x/end", i);
		add(source);
	}
	assert_null(build());
	without = f.tables.state_count;
	accepts("/docs/page-3/x/end", "4");
	clear();
	/* Dead, start, six literals, and the rest. */
	assert_true(with <= 9);
	assert_true(without > 500);
}

static void pages_of_nested_folders_stay_small(void **state)
{
	(void)state;
	add("=/docs/api/v2/*");
	add("=/docs/api/*");
	add("=/docs/*");
	add("=/*");
	assert_null(build());
	accepts("/docs/api/v2/x", "0");
	accepts("/docs/api/v2", "1");
	accepts("/docs/api/v3/", "1");
	accepts("/docs/x", "2");
	accepts("/x", "3");
	assert_true(f.tables.state_count < 24);
	clear();
}

static void states_are_shared(void **state)
{
	(void)state;
	/* Dead, start, and one for each byte, whatever the first segment was. */
	add("/:x/:y/end");
	assert_null(build());
	assert_int_equal(f.tables.state_count, 10);
	clear();
}

/* ---- Limits -------------------------------------------------------------- */

static void more_rules_for_a_path_than_there_is_room_for(void **state)
{
	char source[64];

	(void)state;
	for (int i = 0; i < (int)ROM_ACCEPT_CAP; i++) {
		sprintf(source, "!/:x%d", i);
		add(source);
	}
	assert_null(build());
	clear();
	for (int i = 0; i < (int)ROM_ACCEPT_CAP; i++) {
		sprintf(source, "!/:x%d", i);
		add(source);
	}
	add("/other/:x");
	add("/*");
	assert_non_null(strstr(build(), "more than 32 rules"));
	assert_int_equal(f.culprit, 33);
	clear();
}

/* "/:a/x/:c", "/x/:b/:c", ...: where an x was, and where not, has to be remembered. */
static void too_many_states_are_refused_and_the_rule_is_named(void **state)
{
	const size_t depth = 22;
	struct rule_bytes *const patterns = f.patterns;

	(void)state;
	for (size_t i = 0; i < depth; i++) {
		patterns[i] = (struct rule_bytes){ .at = malloc(3 * depth) };
		for (size_t k = 0; k < depth; k++) {
			memcpy(patterns[i].at + patterns[i].len, k == i ? "/x" : "/\0\1",
			    k == i ? 2 : 3);
			patterns[i].len += k == i ? 2 : 3;
		}
		f.rules[i] = (struct automaton_rule){
		    .pattern = patterns[i].at, .len = patterns[i].len };
	}
	f.count = depth;
	assert_non_null(strstr(build(), "overlap too much"));
	assert_true(f.culprit < depth);
	assert_true(f.tables.state_count <= LIMIT_RULE_STATES + 1);
	clear();
}

static void conditions_of_rules_for_one_path_are_counted(void **state)
{
	(void)state;
	add("!/a/:x");
	add("!/a/*");
	add("!/b");
	f.rules[0].conditions = LIMIT_RULE_CONDITIONS - 1;
	f.rules[1].conditions = 1;
	f.rules[2].conditions = LIMIT_RULE_CONDITIONS;
	assert_null(build());
	clear();

	add("!/a/:x");
	add("!/a/*");
	f.rules[0].conditions = LIMIT_RULE_CONDITIONS - 1;
	f.rules[1].conditions = 2;
	assert_non_null(strstr(build(), "more than 64 conditions"));
	assert_int_equal(f.culprit, 1);
	clear();
}

static void two_sites_share_the_tables(void **state)
{
	uint32_t first;

	(void)state;
	add("/a/:x");
	assert_null(build());
	first = f.site.start;
	f.rules[0].can_fail = true;
	struct automaton_rule other = { .pattern = (const uint8_t *)"/b", .len = 2 };
	uint32_t start;
	assert_null(automaton_add(&f.tables, &other, 1, &start, &f.culprit));
	assert_true(start != first);
	accepts("/a/b", "0");
	f.site.start = start;
	accepts("/a/b", "");
	accepts("/b", "0");
	clear();
}

static void a_thousand_rules_are_quick(void **state)
{
	char source[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		sprintf(source, "/section-%d/:year/:slug", i * 7919 % 1000);
		add(source);
		sprintf(source, "/old-%d/*", i * 7907 % 1000);
		add(source);
	}
	assert_null(build());
	assert_true(f.tables.state_count < 20000);
	accepts("/old-7907", "");
	accepts("/old-907/x", "3");
	accepts("/section-919/x/y", "2");
	clear();
}

/* ---- As a property ------------------------------------------------------- */

static uint64_t random_state;

/* splitmix64: the same rules in every run. */
static uint64_t random_next(void)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void random_text(char *out, bool is_source)
{
	static const char *const parts[] = { "/", "/", "a", "b", "ab", "/a", ":x", "*", ":y" };
	const size_t count = random_next() % 8;
	bool has_star = false, has_mark = false;
	int names = 0;

	strcpy(out, "/");
	for (size_t i = 0; i < count; i++) {
		const char *const part = parts[random_next() % (is_source ? 9 : 6)];

		if (part[0] == '/')
			has_mark = false;
		if (part[0] != ':' && part[0] != '*') {
			strcat(out, part);
		} else if (!has_star && !has_mark) {
			has_mark = true;
			has_star = part[0] == '*';
			sprintf(out + strlen(out), has_star ? "*" : ":%c", 'p' + names++);
			/* A letter would be part of the name. */
			if (!has_star)
				strcat(out, random_next() % 2 ? "." : "/");
			has_mark = out[strlen(out) - 1] != '/';
		}
	}
}

static void agrees(char sources[][64], const char *path)
{
	const uint8_t *at;
	const uint32_t count = walk(path, &at);
	struct romfs_capture captures[ROM_CAPTURE_CAP];
	uint8_t captured;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < f.count; i++) {
		if (slow_match(sources[i], false, (const uint8_t *)path, strlen(path),
		    captures, &captured) == 0)
			continue;
		assert_true(seen < count);
		assert_int_equal(load_le32(at + 4 * seen), i);
		seen++;
		if (!f.rules[i].can_fail)
			break;
	}
	assert_int_equal(seen, count);
}

static void it_agrees_with_the_slow_matcher(void **state)
{
	char sources[12][64];
	char text[80];

	(void)state;
	random_state = 1;
	for (int round = 0; round < 400; round++) {
		for (int i = 0; i < 12; i++) {
			random_text(sources[i], true);
			add(sources[i]);
			f.rules[f.count - 1].can_fail = random_next() % 2;
		}
		assert_null(build());
		for (int i = 0; i < 100; i++) {
			random_text(text, false);
			agrees(sources, text);
		}
		clear();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rules_is_no_automaton),
		cmocka_unit_test(literals),
		cmocka_unit_test(a_placeholder_is_one_byte_or_more_of_a_segment),
		cmocka_unit_test(a_star_is_any_bytes),
		cmocka_unit_test(rules_are_in_order_up_to_one_that_cannot_fail),
		cmocka_unit_test(a_rule_that_hides_others_makes_a_small_automaton),
		cmocka_unit_test(pages_of_nested_folders_stay_small),
		cmocka_unit_test(states_are_shared),
		cmocka_unit_test(more_rules_for_a_path_than_there_is_room_for),
		cmocka_unit_test(too_many_states_are_refused_and_the_rule_is_named),
		cmocka_unit_test(conditions_of_rules_for_one_path_are_counted),
		cmocka_unit_test(two_sites_share_the_tables),
		cmocka_unit_test(a_thousand_rules_are_quick),
		cmocka_unit_test(it_agrees_with_the_slow_matcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

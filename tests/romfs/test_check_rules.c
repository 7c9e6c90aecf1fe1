/* links: @romfs romfs/mkromfs/phash.c romfs/mkromfs/memory.c
 *        tests/romfs/sample.c tests/host_panic.c */
/*
 * Opening an image: rules and automata that are not what they say are refused; and what
 * is accepted leads nowhere outside, whichever byte of the tables is another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/romfs/check_help.h"

static const struct phash_key keys[] = {
	KEY("/"), KEY("/index.html"), KEY("/a/"), KEY("/a b%20c"), KEY("/last"),
};

static int set_up(void **state)
{
	return check_set_up(state, keys, ARRAY_LEN(keys));
}

/* ---- Rules ---------------------------------------------------------------- */

static void bytes_outside_their_section_are_refused(void **state)
{
	struct sample *s = *state;
	const uint32_t end = (uint32_t)s->header->sections[ROM_PATHS].len;

	ASSERT_REFUSED(s->rules[0].pattern_off, end - 1, OFFSET);
	ASSERT_REFUSED(s->rules[0].pattern_off, UINT32_MAX, OFFSET);
	ASSERT_REFUSED(s->rules[0].pattern_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(s->rules[0].query_off, end - 1, OFFSET);
	ASSERT_REFUSED(s->rules[0].query_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(s->rules[0].target_off, end - 1, OFFSET);
	ASSERT_REFUSED(s->rules[0].target_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(s->rules[0].tail_off, end - 1, OFFSET);
	ASSERT_REFUSED(s->rules[0].tail_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(s->rules[1].tail_off, UINT32_MAX, OFFSET);
}

static void patterns_that_are_malformed_are_refused(void **state)
{
	struct sample *s = *state;
	uint8_t *one = s->paths + s->rules[2].pattern_off;      /* "/m/" NUL 1 "/c" */

	ASSERT_REFUSED(one[4], 0, RULE);
	ASSERT_REFUSED(one[4], 4, RULE);
	ASSERT_REFUSED(one[4], 3, RULE);
	ASSERT_REFUSED(one[6], 0, RULE);
	ASSERT_REFUSED(s->rules[2].pattern_len, 0, RULE);
	ASSERT_REFUSED(s->rules[2].pattern_len, 4, RULE);
	ASSERT_ACCEPTED(s->rules[2].pattern_len, 5);
	ASSERT_REFUSED(s->rules[2].capture_count, 0, RULE);
	ASSERT_REFUSED(s->rules[2].capture_count, 2, RULE);
	ASSERT_REFUSED(s->rules[2].capture_count, UINT8_MAX, RULE);
}

static void conditions_that_are_malformed_are_refused(void **state)
{
	struct sample *s = *state;
	uint8_t *go = s->paths + s->rules[0].query_off; /* "go" NUL 1 NUL */

	ASSERT_REFUSED(go[0], 0, RULE);
	ASSERT_REFUSED(go[4], 'x', RULE);
	ASSERT_REFUSED(go[2], 'x', RULE);
	ASSERT_REFUSED(s->rules[0].query_len, 4, RULE);
	ASSERT_REFUSED(s->rules[0].query_len, 2, RULE);
	/* A value that is not captured: the target wants the capture. */
	ASSERT_REFUSED(go[3], 2, RULE);
	ASSERT_REFUSED(s->rules[0].query_len, 0, RULE);
}

static void targets_that_are_malformed_are_refused(void **state)
{
	static const uint8_t bad[] = " \"<>\\^`{|}\r\n\t\x7f\x80\xff\x01";
	struct sample *s = *state;
	uint8_t *target = s->paths + s->rules[0].target_off;    /* "/went?" NUL 2 */
	uint8_t *tail = s->paths + s->rules[0].tail_off;        /* "#tail" */
	uint8_t *path = s->paths + s->rules[1].target_off;      /* "/" NUL 1 */

	ASSERT_REFUSED(target[7], 0, RULE);
	ASSERT_REFUSED(target[7], 3, RULE);
	ASSERT_REFUSED(target[7], 0xff, RULE);
	ASSERT_REFUSED(s->rules[0].target_len, 7, RULE);
	ASSERT_REFUSED(s->rules[0].target_len, 0, RULE);
	for (size_t i = 0; i + 1 < sizeof bad; i++) {
		ASSERT_REFUSED(target[1], bad[i], RULE);
		ASSERT_REFUSED(tail[1], bad[i], RULE);
		ASSERT_ACCEPTED(path[0], bad[i]);
	}
	ASSERT_REFUSED(tail[0], '/', RULE);
	ASSERT_REFUSED(tail[1], 0, RULE);
	ASSERT_REFUSED(path[2], 0, RULE);
	ASSERT_REFUSED(path[2], 2, RULE);
}

static void answers_that_contradict_are_refused(void **state)
{
	static const unsigned statuses[] = { 0, 200, 206, 300, 304, 305, 404, 500 };
	struct sample *s = *state;
	const uint32_t entries = ARRAY_LEN(keys) + SAMPLE_PAGES;

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		ASSERT_REFUSED(s->rules[0].status, statuses[i], RULE);
	ASSERT_ACCEPTED(s->rules[0].status, 303);
	ASSERT_ACCEPTED(s->rules[0].status, 307);
	ASSERT_REFUSED(s->rules[0].entry, 0, RULE);
	ASSERT_REFUSED(s->rules[0].flags, 4, RULE);
	/* A rewrite has neither tail nor query. */
	ASSERT_REFUSED(s->rules[1].entry, 0, RULE);
	ASSERT_REFUSED(s->rules[1].tail_len, 1, RULE);
	ASSERT_REFUSED(s->rules[1].flags, ROM_RULE_KEEP_QUERY, RULE);
	ASSERT_REFUSED(s->rules[1].status, 404, RULE);
	/* A file answers 200, a page 404. */
	ASSERT_REFUSED(s->rules[3].entry, ROM_NONE, RULE);
	ASSERT_REFUSED(s->rules[3].entry, entries, RULE);
	ASSERT_REFUSED(s->rules[3].entry, entries - 1, RULE);
	ASSERT_REFUSED(s->rules[3].status, 404, RULE);
	ASSERT_REFUSED(s->rules[4].entry, 0, RULE);
	ASSERT_REFUSED(s->rules[4].entry, entries, RULE);
	ASSERT_REFUSED(s->rules[4].status, 200, RULE);
}

/* ---- Automata ------------------------------------------------------------- */

static void automata_that_leave_themselves_are_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->site->start, 0, RULE);
	ASSERT_REFUSED(s->site->start, 4, RULE);
	ASSERT_REFUSED(s->site->start, UINT32_MAX, RULE);
	ASSERT_ACCEPTED(s->site->start, 3);
	ASSERT_REFUSED(s->other->start, 3, RULE);
	ASSERT_REFUSED(s->states[1].otherwise, 4, RULE);
	ASSERT_REFUSED(s->states[1].otherwise, UINT32_MAX, RULE);
	ASSERT_ACCEPTED(s->states[1].otherwise, 0);
	ASSERT_REFUSED(s->states[4].otherwise, 3, RULE);
	ASSERT_REFUSED(s->edges[1], 4, RULE);
	ASSERT_REFUSED(s->edges[3], 1, RULE);
	ASSERT_ACCEPTED(s->edges[1], 0);
	/* Another site's edges lead to its states. */
	ASSERT_REFUSED(s->states[4].edge_count, 1, RULE);
}

static void edges_out_of_order_are_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->edges[4], 'a', RULE);
	ASSERT_REFUSED(s->edges[4], 'b', RULE);
	ASSERT_REFUSED(s->states[2].first_edge, 2, OFFSET);
	ASSERT_REFUSED(s->states[2].first_edge, UINT32_MAX, OFFSET);
	ASSERT_REFUSED(s->states[2].edge_count, 3, OFFSET);
	ASSERT_REFUSED(s->states[2].edge_count, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(s->states[1].edge_count, 2, RULE);
}

static void accepts_that_are_no_rules_of_the_site_are_refused(void **state)
{
	struct sample *s = *state;
	uint8_t *other = s->accepts + 4 * SAMPLE_RULES;

	ASSERT_REFUSED(s->accepts[4 * 4], SAMPLE_RULES, RULE);
	ASSERT_REFUSED(s->accepts[4 * 4 + 3], 1, RULE);
	ASSERT_REFUSED(s->accepts[4], 0, RULE);
	ASSERT_REFUSED(s->accepts[4], 2, RULE);
	ASSERT_REFUSED(other[0], 1, RULE);
	ASSERT_REFUSED(s->states[2].accept_count, SAMPLE_RULES + 1, RULE);
	ASSERT_REFUSED(s->states[2].accept_count, SAMPLE_RULES + 2, OFFSET);
	ASSERT_REFUSED(s->states[2].accept_count, ROM_ACCEPT_CAP + 1, OFFSET);
	ASSERT_REFUSED(s->states[2].first_accept, UINT32_MAX, OFFSET);
	ASSERT_REFUSED(s->states[4].first_accept, 1, RULE);
}

static void an_automaton_without_rules_is_refused(void **state)
{
	struct sample *s = *state;

	s->header->sections[ROM_RULES].len = SAMPLE_RULES * sizeof *s->rules;
	s->other->rule_count = 0;
	assert_int_equal(open_sample(s), RULE);
	s->header->sections[ROM_STATES].len = 4 * sizeof *s->states;
	s->other->state_count = 0;
	assert_int_equal(open_sample(s), RULE);
	s->other->start = 0;
	assert_int_equal(open_sample(s), ROMFS_OK);
	/* Nothing to look at first. */
	ASSERT_REFUSED(s->moved->flags, ROM_ENTRY_RULES_FIRST, ROMFS_BAD_ENTRY);
}

static void an_image_without_any_rules_needs_no_states(void **state)
{
	struct sample *s = *state;

	s->header->sections[ROM_RULES].len = 0;
	s->header->sections[ROM_STATES].len = 0;
	s->last->flags = 0;
	for (struct rom_site *site = s->site; site <= s->other; site++)
		site->first_rule = site->rule_count = site->first_state =
		    site->state_count = site->start = 0;
	assert_int_equal(open_sample(s), ROMFS_OK);
}

/* ---- Anything at all ------------------------------------------------------ */

static void touch(const uint8_t *bytes, uint64_t len)
{
	static volatile uint8_t sink;

	if (len > 0) {
		sink ^= bytes[0];
		sink ^= bytes[len - 1];
	}
}

static void walk_entry(const struct romfs *fs, const struct romfs_entry *entry)
{
	struct romfs_variant v;

	touch(entry->path, entry->path_len);
	for (uint32_t k = 0; k < entry->variant_count; k++) {
		romfs_variant(fs, entry, k, &v);
		touch(v.head, v.head_len);
		touch(v.body, v.body_len);
		touch(v.type, v.type_len);
		touch(v.mark, v.mark_len);
		touch(v.not_modified, v.not_modified_len);
		if (v.digest_line != NULL)
			touch(v.digest_line, ROM_DIGEST_LINE_LEN);
	}
}

static void walk_path(const struct romfs *fs, uint32_t site, const char *path)
{
	static const uint8_t query[] = "x=%41&go=%2fto";
	struct romfs_answer answer;
	uint8_t scratch[32];

	romfs_resolve(fs, site, (const uint8_t *)path, strlen(path),
	    query, sizeof query - 1, scratch, sizeof scratch, &answer);
	if (answer.target.status == 0) {
		walk_entry(fs, &answer.entry);
		return;
	}
	touch(answer.target.text, answer.target.text_len);
	touch(answer.target.tail, answer.target.tail_len);
	for (uint32_t i = 0; i < answer.target.capture_count; i++)
		touch(answer.target.captures[i].at, answer.target.captures[i].len);
}

/* Everything an accepted image leads to can be read; the sanitizers watch. */
static void walk(const struct romfs *fs)
{
	static const char *const paths[] = {
		"/", "/last", "/m/x/c", "/files/a/", "/files", "/spa/x", "/a b%20c",
		"/x/y", "none", "",
	};
	static const char *const names[] = { "a.example", "WWW.A.example", "c", "" };
	struct romfs_host host;

	for (uint32_t site = 0; site < fs->site_count; site++)
		for (size_t i = 0; i < ARRAY_LEN(paths); i++)
			walk_path(fs, site, paths[i]);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!romfs_host(fs, (const uint8_t *)names[i], strlen(names[i]), &host))
			continue;
		assert_true(host.site < fs->site_count);
		if (host.canonical != NULL)
			touch(host.canonical, host.canonical_len);
	}
}

static void no_byte_of_the_tables_can_lead_outside(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x10, 0x40, 0x80, 0xff };
	struct sample *s = *state;
	const uint64_t end = s->header->sections[ROM_ANSWERS].off +
	    s->header->sections[ROM_ANSWERS].len;
	size_t refused = 0;

	for (uint64_t at = 0; at < end; at++) {
		for (size_t k = 0; k < ARRAY_LEN(flips); k++) {
			struct romfs fs;

			s->image[at] ^= flips[k];
			if (romfs_open(&fs, s->image, s->len) == ROMFS_OK)
				walk(&fs);
			else
				refused++;
			s->image[at] ^= flips[k];
		}
	}
	/* Bodies, paddings, times, file counts: little else can change. */
	assert_true(refused > end);
	assert_int_equal(open_sample(s), ROMFS_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, check_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(bytes_outside_their_section_are_refused),
		CASE(patterns_that_are_malformed_are_refused),
		CASE(conditions_that_are_malformed_are_refused),
		CASE(targets_that_are_malformed_are_refused),
		CASE(answers_that_contradict_are_refused),
		CASE(automata_that_leave_themselves_are_refused),
		CASE(edges_out_of_order_are_refused),
		CASE(accepts_that_are_no_rules_of_the_site_are_refused),
		CASE(an_automaton_without_rules_is_refused),
		CASE(an_image_without_any_rules_needs_no_states),
		CASE(no_byte_of_the_tables_can_lead_outside),
	};

	return cmocka_run_group_tests_name("check_rules", tests, NULL, NULL);
}

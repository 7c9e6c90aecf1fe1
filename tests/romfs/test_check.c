/* links: @romfs romfs/mkromfs/phash.c romfs/mkromfs/memory.c
 *        tests/romfs/sample.c tests/host_panic.c */
/*
 * Opening an image: each thing that can be wrong with one is refused, and for exactly that
 * reason; and what is accepted leads nowhere outside, whatever its bytes are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "tests/romfs/check_help.h"

static const struct phash_key keys[] = {
	KEY("/"), KEY("/index.html"), KEY("/a/"), KEY("/a/index.html"),
	KEY("/a b%20c"), KEY("/\xc3\xbc/\xe2\x82\xac"), KEY("/a\nb"), KEY("/last"),
};

static int set_up(void **state)
{
	return check_set_up(state, keys, ARRAY_LEN(keys));
}

/* ---- The frame ------------------------------------------------------------ */

static void each_status_has_its_own_words(void **state)
{
	(void)state;
	for (int a = ROMFS_OK; a <= ROMFS_BAD_OFFSET; a++)
		for (int b = ROMFS_OK; b < a; b++)
			assert_string_not_equal(romfs_status_text((enum romfs_status)a),
			    romfs_status_text((enum romfs_status)b));
	assert_non_null(romfs_status_text((enum romfs_status)99));
}

static void a_refused_image_leaves_the_result_alone(void **state)
{
	struct sample *s = *state;
	struct romfs fs = { .entry_count = 77 };

	s->header->magic[0] ^= 1;
	assert_int_equal(romfs_open(&fs, s->image, s->len), ROMFS_BAD_MAGIC);
	assert_int_equal(fs.entry_count, 77);
}

static void every_length_but_its_own_is_refused(void **state)
{
	struct sample *s = *state;
	struct romfs fs;

	for (size_t len = 0; len < s->len; len++) {
		/* A copy of exactly this length, so that reading past it is seen. */
		uint8_t *copy = malloc(len > 0 ? len : 1);

		assert_non_null(copy);
		memcpy(copy, s->image, len);
		assert_int_equal(romfs_open(&fs, copy, len), ROMFS_BAD_LENGTH);
		free(copy);
	}
	ASSERT_REFUSED(s->header->image_len, s->len + ROM_PAGE, ROMFS_BAD_LENGTH);
	ASSERT_REFUSED(s->header->image_len, UINT64_MAX, ROMFS_BAD_LENGTH);
	s->header->image_len = s->len - 1;
	assert_int_equal(romfs_open(&fs, s->image, s->len - 1), ROMFS_BAD_LENGTH);
}

static void another_version_is_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->header->version, 1, ROMFS_BAD_VERSION);
	ASSERT_REFUSED(s->header->version, ROM_VERSION + 1, ROMFS_BAD_VERSION);
}

static void a_section_outside_the_image_is_refused(void **state)
{
	struct sample *s = *state;
	static const uint64_t bad[] = { UINT64_MAX, UINT64_MAX - 63, 1ull << 63 };

	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		struct rom_range *range = &s->header->sections[i];

		for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
			ASSERT_REFUSED(range->off, bad[k], OFFSET);
			ASSERT_REFUSED(range->len, bad[k], OFFSET);
		}
		ASSERT_REFUSED(range->off, range->off + 1, OFFSET);
		ASSERT_REFUSED(range->len, s->len - range->off + 1, OFFSET);
		ASSERT_REFUSED(range->off, s->len + ROM_ALIGN, OFFSET);
	}
}

static void counts_that_do_not_match_are_refused(void **state)
{
	struct sample *s = *state;
	struct rom_range *sections = s->header->sections;

	ASSERT_REFUSED(s->header->section_count, ROM_SECTIONS + 1, TABLE);
	ASSERT_REFUSED(s->header->section_count, 0, TABLE);
	for (enum rom_section i = ROM_NAMES; i <= ROM_ACCEPTS; i++)
		ASSERT_REFUSED(sections[i].len, sections[i].len + 1, TABLE);
	ASSERT_REFUSED(sections[ROM_SITES].len, 0, TABLE);
	ASSERT_REFUSED(sections[ROM_SITES].len, sizeof *s->site, TABLE);
	ASSERT_REFUSED(sections[ROM_BUCKETS].len, sections[ROM_BUCKETS].len + 4, TABLE);
	ASSERT_REFUSED(sections[ROM_ENTRIES].len, sections[ROM_ENTRIES].len + 64, TABLE);
	ASSERT_REFUSED(sections[ROM_RULES].len, sections[ROM_RULES].len + 32, TABLE);
	ASSERT_REFUSED(sections[ROM_STATES].len, sections[ROM_STATES].len + 16, TABLE);
	ASSERT_REFUSED(sections[ROM_STATES].len, 0, TABLE);
}

static void runs_that_overlap_or_leave_gaps_are_refused(void **state)
{
	struct sample *s = *state;

	for (struct rom_site *site = s->site; site <= s->other; site++) {
		ASSERT_REFUSED(site->first_bucket, site->first_bucket + 1, TABLE);
		ASSERT_REFUSED(site->first_entry, site->first_entry + 1, TABLE);
		ASSERT_REFUSED(site->first_rule, site->first_rule + 1, TABLE);
		ASSERT_REFUSED(site->first_state, site->first_state - 1, TABLE);
		ASSERT_REFUSED(site->bucket_count, 0, TABLE);
		ASSERT_REFUSED(site->bucket_count, UINT32_MAX, TABLE);
		ASSERT_REFUSED(site->slot_count, 0, TABLE);
		ASSERT_REFUSED(site->slot_count, UINT32_MAX, TABLE);
		ASSERT_REFUSED(site->page_count, 0, TABLE);
		ASSERT_REFUSED(site->page_count, UINT32_MAX, TABLE);
		ASSERT_REFUSED(site->rule_count, site->rule_count + 2, TABLE);
		ASSERT_REFUSED(site->rule_count, UINT32_MAX, TABLE);
		ASSERT_REFUSED(site->state_count, site->state_count + 2, TABLE);
		ASSERT_REFUSED(site->state_count, UINT32_MAX, TABLE);
	}
	ASSERT_ACCEPTED(s->site->file_count, 1000);
	s->other->file_count = 1;
	ASSERT_REFUSED(s->site->file_count, UINT32_MAX, TABLE);
}

static void reserved_places_that_are_used_are_refused(void **state)
{
	struct sample *s = *state;

	for (size_t i = 0; i < sizeof s->header->zero; i++)
		ASSERT_REFUSED(s->header->zero[i], 1, TABLE);
	for (size_t i = 0; i < sizeof s->site->zero; i++) {
		ASSERT_REFUSED(s->site->zero[i], 0x80, TABLE);
		ASSERT_REFUSED(s->other->zero[i], 1, TABLE);
	}
	for (size_t i = 0; i < 2; i++) {
		ASSERT_REFUSED(s->first->first.zero[i], 1, ENTRY);
		ASSERT_REFUSED(s->variants[1].zero[i], 1, ENTRY);
	}
	for (size_t i = 0; i < sizeof *s->states; i++)
		ASSERT_REFUSED(((uint8_t *)s->states)[i], 1, RULE);
}

static void text_that_could_disturb_a_terminal_is_refused(void **state)
{
	struct sample *s = *state;
	const size_t len = strlen(SAMPLE_INFO);

	ASSERT_REFUSED(s->info[0], 0x1b, TABLE);
	ASSERT_REFUSED(s->info[0], 0, TABLE);
	ASSERT_REFUSED(s->info[3], 0x7f, TABLE);
	ASSERT_REFUSED(s->info[len - 1], 'x', TABLE);
	ASSERT_ACCEPTED(s->info[3], 0xc3);
	ASSERT_ACCEPTED(s->header->sections[ROM_INFO].len, 0);
}

/* ---- Names ---------------------------------------------------------------- */

static void names_that_could_not_be_found_are_refused(void **state)
{
	struct sample *s = *state;
	uint8_t *name = s->paths + s->names[1].off;
	const struct rom_name swapped = s->names[0];

	ASSERT_REFUSED(name[0], 'B', TABLE);
	ASSERT_REFUSED(name[0], ' ', TABLE);
	ASSERT_REFUSED(name[0], '/', TABLE);
	ASSERT_REFUSED(name[0], '\r', TABLE);
	ASSERT_REFUSED(name[0], 0x80, TABLE);
	ASSERT_REFUSED(name[s->names[1].len - 1], '.', TABLE);
	ASSERT_REFUSED(s->names[1].len, 0, TABLE);
	ASSERT_REFUSED(s->names[1].len, LIMIT_HOST_LEN + 1, TABLE);
	ASSERT_REFUSED(s->names[1].off, UINT32_MAX, OFFSET);
	ASSERT_REFUSED(s->names[1].len, UINT32_MAX, OFFSET);
	/* Ascending, and each once. */
	ASSERT_REFUSED(name[0], 'x', TABLE);
	ASSERT_REFUSED(name[0], 'a', TABLE);
	s->names[0] = s->names[1];
	s->names[1] = swapped;
	assert_int_equal(open_sample(s), TABLE);
}

static void names_that_lead_nowhere_are_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->names[1].site, 2, TABLE);
	ASSERT_REFUSED(s->names[1].site, UINT32_MAX, TABLE);
	ASSERT_REFUSED(s->names[2].canonical, SAMPLE_NAMES, TABLE);
	ASSERT_REFUSED(s->names[2].canonical, 2, TABLE);
	ASSERT_REFUSED(s->names[1].canonical, 2, TABLE);
	ASSERT_ACCEPTED(s->names[1].canonical, 0);
	ASSERT_REFUSED(s->header->default_site, 2, TABLE);
	ASSERT_ACCEPTED(s->header->default_site, 1);
	/* Without names there is one site, and it is for everybody. */
	s->header->default_site = 0;
	ASSERT_REFUSED(s->header->sections[ROM_NAMES].len, 0, TABLE);
}

/* ---- Slots ---------------------------------------------------------------- */

static void a_path_in_the_wrong_slot_is_refused(void **state)
{
	struct sample *s = *state;
	const struct rom_entry entry = s->entries[0];

	s->entries[0] = s->entries[1];
	s->entries[1] = entry;
	assert_int_equal(open_sample(s), TABLE);
	/* The same path twice. */
	s->entries[0] = s->entries[1];
	assert_int_equal(open_sample(s), TABLE);
	s->entries[0] = s->entries[2];
	assert_int_equal(open_sample(s), TABLE);
}

/* Of the many wrong seeds and displacements some would fit by chance: these do not. */
static void a_wrong_hash_is_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->site->seed, s->site->seed + 1, TABLE);
	ASSERT_REFUSED(s->buckets[0], s->buckets[0] ^ 0x40, TABLE);
}

static void a_path_outside_its_section_is_refused(void **state)
{
	struct sample *s = *state;
	const uint32_t len = (uint32_t)s->header->sections[ROM_PATHS].len;

	ASSERT_REFUSED(s->first->path_off, UINT32_MAX, OFFSET);
	ASSERT_REFUSED(s->first->path_off, len, OFFSET);
	ASSERT_REFUSED(s->first->path_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(s->pages[0].path_off, len + 1, OFFSET);
	ASSERT_ACCEPTED(s->pages[0].path_off, len);
}

static void a_path_that_is_none_is_refused(void **state)
{
	struct sample *s = *state;
	uint8_t *path = s->paths + s->last->path_off;

	ASSERT_REFUSED(s->first->path_len, 0, ENTRY);
	ASSERT_REFUSED(path[0], 'x', ENTRY);
	ASSERT_REFUSED(path[2], 0, ENTRY);
	ASSERT_REFUSED(s->pages[1].path_len, 1, ENTRY);
}

/* ---- Answers -------------------------------------------------------------- */

static void assert_answer_bounds(struct sample *s, struct rom_variant *v)
{
	const struct rom_range *answers = &s->header->sections[ROM_ANSWERS];
	const uint64_t end = answers->off + answers->len;

	ASSERT_REFUSED(v->head_off, 0, OFFSET);
	ASSERT_REFUSED(v->head_off, answers->off - 1, OFFSET);
	ASSERT_REFUSED(v->head_off, end, OFFSET);
	ASSERT_REFUSED(v->head_off, UINT64_MAX, OFFSET);
	ASSERT_REFUSED(v->head_off, UINT64_MAX - v->head_len + 1, OFFSET);
	ASSERT_REFUSED(v->head_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(v->body_off, 0, OFFSET);
	ASSERT_REFUSED(v->body_off, answers->off - 1, OFFSET);
	ASSERT_REFUSED(v->body_off, end - v->body_len + 1, OFFSET);
	ASSERT_REFUSED(v->body_off, UINT64_MAX, OFFSET);
	ASSERT_REFUSED(v->body_len, end - v->body_off + 1, OFFSET);
	ASSERT_REFUSED(v->body_len, UINT64_MAX, OFFSET);
	ASSERT_REFUSED(v->body_len, UINT64_MAX - v->body_off, OFFSET);
	/* Digest line and 304 head would begin before the section. */
	ASSERT_REFUSED(v->not_modified_len, v->head_off - answers->off, OFFSET);
	ASSERT_REFUSED(v->not_modified_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(v->mark_at, v->head_len, OFFSET);
	ASSERT_REFUSED(v->mark_at, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(v->mark_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(v->type_len, v->head_len, OFFSET);
	ASSERT_REFUSED(v->type_len, UINT16_MAX, OFFSET);
	ASSERT_REFUSED(v->length_line_len, v->head_len, OFFSET);
}

static void an_answer_outside_its_section_is_refused(void **state)
{
	struct sample *s = *state;

	assert_answer_bounds(s, &s->first->first);
	assert_answer_bounds(s, &s->variants[0]);
	assert_answer_bounds(s, &s->variants[1]);
}

/* The body may lie anywhere in the answers, up to their very end. */
static void a_body_may_lie_elsewhere(void **state)
{
	struct sample *s = *state;
	const struct rom_range *answers = &s->header->sections[ROM_ANSWERS];
	struct rom_variant *v = &s->first->first;

	ASSERT_ACCEPTED(v->body_off, answers->off);
	ASSERT_ACCEPTED(v->body_off, answers->off + answers->len - v->body_len);
}

static void a_head_without_its_empty_line_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;
	struct rom_variant *page = &s->pages[0].first;

	ASSERT_REFUSED(v->head_len, v->head_len - 1, ENTRY);
	ASSERT_REFUSED(v->head_len, v->head_len + 1, ENTRY);
	ASSERT_REFUSED(page->head_len, page->head_len - 1, OFFSET);
	ASSERT_REFUSED(page->head_len, 0, OFFSET);
	ASSERT_REFUSED(v->not_modified_len, 0, ENTRY);
	ASSERT_REFUSED(v->not_modified_len, 1, ENTRY);
	ASSERT_REFUSED(v->not_modified_len, 3, ENTRY);
	ASSERT_REFUSED(s->image[v->head_off - 2], 'x', ENTRY);
	ASSERT_REFUSED(s->image[v->head_off + v->head_len - 2], 'x', ENTRY);
}

static void a_digest_line_of_another_form_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;
	uint8_t *line = s->image + v->head_off - v->not_modified_len -
	    ROM_DIGEST_LINE_LEN;

	ASSERT_REFUSED(line[0], 'r', ENTRY);
	ASSERT_REFUSED(line[21], 'x', ENTRY);
	ASSERT_REFUSED(line[66], 'x', ENTRY);
	ASSERT_REFUSED(line[68], ' ', ENTRY);
}

static void a_head_that_lies_about_its_body_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;
	uint8_t *head = s->image + v->head_off;

	ASSERT_REFUSED(v->body_len, 4, ENTRY);
	ASSERT_REFUSED(v->body_len, 6, ENTRY);
	ASSERT_REFUSED(head[16], '4', ENTRY);
	ASSERT_REFUSED(head[16], 'x', ENTRY);
	ASSERT_REFUSED(head[16], ' ', ENTRY);
	ASSERT_REFUSED(head[0], 'c', ENTRY);
	ASSERT_REFUSED(head[17], ' ', ENTRY);
	ASSERT_REFUSED(v->length_line_len, v->length_line_len - 1, ENTRY);
	ASSERT_REFUSED(v->length_line_len, v->length_line_len + 1, ENTRY);
	ASSERT_REFUSED(v->length_line_len, 0, ENTRY);
}

static void a_type_that_could_end_its_field_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;
	uint8_t *type = s->image + v->head_off + v->length_line_len + ROM_TYPE_AT;

	ASSERT_REFUSED(type[4], '\r', ENTRY);
	ASSERT_REFUSED(type[4], '\n', ENTRY);
	ASSERT_REFUSED(type[4], 0x7f, ENTRY);
	ASSERT_REFUSED(type[-1], 'x', ENTRY);
	ASSERT_REFUSED(type[-(int)ROM_TYPE_AT], 'x', ENTRY);
	ASSERT_REFUSED(type[v->type_len], 'x', ENTRY);
	ASSERT_REFUSED(v->type_len, 0, ENTRY);
	ASSERT_REFUSED(v->type_len, v->type_len - 1, ENTRY);
	ASSERT_REFUSED(v->type_len, v->type_len + 1, ENTRY);
}

static void a_tag_without_its_quotes_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;
	uint8_t *tag = s->image + v->head_off + v->mark_at;

	ASSERT_REFUSED(v->mark_at, v->mark_at + 1, ENTRY);
	ASSERT_REFUSED(v->mark_at, v->mark_at - 1, ENTRY);
	ASSERT_REFUSED(v->mark_len, v->mark_len + 1, ENTRY);
	ASSERT_REFUSED(v->mark_len, v->mark_len - 1, ENTRY);
	ASSERT_REFUSED(v->mark_len, 1, ENTRY);
	ASSERT_REFUSED(v->mark_len, 0, ENTRY);
	ASSERT_REFUSED(tag[1], '"', ENTRY);
	ASSERT_REFUSED(tag[1], ' ', ENTRY);
	ASSERT_REFUSED(tag[1], '\n', ENTRY);
	ASSERT_REFUSED(tag[1], 0x7f, ENTRY);
	ASSERT_REFUSED(tag[1], 0x80, ENTRY);
}

static void a_location_that_could_end_its_field_is_refused(void **state)
{
	static const uint8_t bad[] = " \"<>\\^`{|}\r\n\t\x7f\x80\xff\x01";
	struct sample *s = *state;
	struct rom_variant *v = &s->moved->first;
	uint8_t *mark = s->image + v->head_off + v->mark_at;

	for (size_t i = 0; i < sizeof bad; i++)
		ASSERT_REFUSED(mark[1], bad[i], ENTRY);
	ASSERT_REFUSED(v->mark_len, 0, ENTRY);
	ASSERT_REFUSED(v->mark_len, v->mark_len + 1, ENTRY);
	ASSERT_ACCEPTED(mark[1], '%');
	ASSERT_ACCEPTED(mark[1], '#');
}

/* ---- Entries -------------------------------------------------------------- */

static void a_status_that_contradicts_is_refused(void **state)
{
	static const unsigned statuses[] = {
		0, 100, 206, 304, 300, 301, 302, 303, 307, 308, 404, 500,
	};
	struct sample *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		ASSERT_REFUSED(s->first->first.status, statuses[i], ENTRY);
	ASSERT_REFUSED(s->first->modified, -2, ENTRY);
	ASSERT_REFUSED(s->first->modified, INT64_MIN, ENTRY);
	ASSERT_ACCEPTED(s->first->modified, -1);
	ASSERT_REFUSED(s->pages[0].first.status, 301, ENTRY);
	ASSERT_REFUSED(s->pages[0].modified, 0, ENTRY);
	ASSERT_REFUSED(s->pages[0].first.mark_at, 1, ENTRY);
	ASSERT_REFUSED(s->pages[0].first.mark_len, 1, ENTRY);
	ASSERT_REFUSED(s->pages[0].first.not_modified_len, 2, ENTRY);
	ASSERT_REFUSED(s->moved->modified, 0, ENTRY);
	ASSERT_REFUSED(s->moved->first.not_modified_len, 2, ENTRY);
	for (size_t i = 5; i <= 9; i++)
		ASSERT_ACCEPTED(s->moved->first.status, statuses[i]);
}

static void flags_that_mean_nothing_are_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->first->flags, 4, ENTRY);
	ASSERT_REFUSED(s->first->flags, 0x80, ENTRY);
	ASSERT_REFUSED(s->first->flags, ROM_ENTRY_KEEP_QUERY, ENTRY);
	ASSERT_REFUSED(s->pages[0].flags, ROM_ENTRY_RULES_FIRST, ENTRY);
	ASSERT_ACCEPTED(s->first->flags, ROM_ENTRY_RULES_FIRST);
	ASSERT_ACCEPTED(s->moved->flags, 0);
}

static void page_0_is_for_what_is_not_found(void **state)
{
	struct sample *s = *state;

	s->rules[4].entry--;
	assert_int_equal(open_sample(s), ROMFS_OK);
	s->pages[1].first = s->first->first;
	assert_int_equal(open_sample(s), ROMFS_OK);
	s->pages[0].first = s->first->first;
	assert_int_equal(open_sample(s), ENTRY);
}

static void further_codings_that_contradict_are_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s->first->more_count, SAMPLE_MORE + 1, OFFSET);
	ASSERT_REFUSED(s->first->more_count, ROM_CODING_CAP, ENTRY);
	ASSERT_REFUSED(s->first->more_count, UINT8_MAX, ENTRY);
	ASSERT_REFUSED(s->first->more_count, 0, ENTRY);
	ASSERT_REFUSED(s->first->more_count, 1, ENTRY);
	ASSERT_REFUSED(s->first->more_first, 1, OFFSET);
	ASSERT_REFUSED(s->first->more_first, UINT32_MAX, OFFSET);
	ASSERT_REFUSED(s->last->more_first, 1, ENTRY);
	ASSERT_REFUSED(s->first->first.coding, 1, ENTRY);
	ASSERT_REFUSED(s->first->codings[0], 1, ENTRY);
	ASSERT_REFUSED(s->first->codings[1], 0, ENTRY);
	ASSERT_REFUSED(s->first->codings[1], ROMFS_GZIP, ENTRY);
	ASSERT_REFUSED(s->first->codings[3], ROMFS_ZSTD, ENTRY);
	ASSERT_REFUSED(s->variants[0].coding, 0, ENTRY);
	ASSERT_REFUSED(s->variants[1].coding, ROMFS_ZSTD, ENTRY);
	ASSERT_REFUSED(s->variants[0].status, 404, ENTRY);
	/* The same one twice. */
	s->first->codings[2] = s->variants[1].coding = ROMFS_BROTLI;
	assert_int_equal(open_sample(s), ENTRY);
}

static void codings_that_are_unknown_are_refused(void **state)
{
	struct sample *s = *state;

	s->first->codings[2] = s->variants[1].coding = ROM_CODING_CAP;
	assert_int_equal(open_sample(s), ENTRY);
	s->first->codings[2] = s->variants[1].coding = ROMFS_ZSTD;
	assert_int_equal(open_sample(s), ROMFS_OK);
	s->first->codings[2] = s->variants[1].coding = ROMFS_IDENTITY;
	assert_int_equal(open_sample(s), ENTRY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, check_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_status_has_its_own_words),
		CASE(a_refused_image_leaves_the_result_alone),
		CASE(every_length_but_its_own_is_refused),
		CASE(another_version_is_refused),
		CASE(a_section_outside_the_image_is_refused),
		CASE(counts_that_do_not_match_are_refused),
		CASE(runs_that_overlap_or_leave_gaps_are_refused),
		CASE(reserved_places_that_are_used_are_refused),
		CASE(text_that_could_disturb_a_terminal_is_refused),
		CASE(names_that_could_not_be_found_are_refused),
		CASE(names_that_lead_nowhere_are_refused),
		CASE(a_path_in_the_wrong_slot_is_refused),
		CASE(a_wrong_hash_is_refused),
		CASE(a_path_outside_its_section_is_refused),
		CASE(a_path_that_is_none_is_refused),
		CASE(an_answer_outside_its_section_is_refused),
		CASE(a_body_may_lie_elsewhere),
		CASE(a_head_without_its_empty_line_is_refused),
		CASE(a_digest_line_of_another_form_is_refused),
		CASE(a_head_that_lies_about_its_body_is_refused),
		CASE(a_type_that_could_end_its_field_is_refused),
		CASE(a_tag_without_its_quotes_is_refused),
		CASE(a_location_that_could_end_its_field_is_refused),
		CASE(a_status_that_contradicts_is_refused),
		CASE(flags_that_mean_nothing_are_refused),
		CASE(page_0_is_for_what_is_not_found),
		CASE(further_codings_that_contradict_are_refused),
		CASE(codings_that_are_unknown_are_refused),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}

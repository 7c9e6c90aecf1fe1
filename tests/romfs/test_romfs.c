/* links: romfs/romfs.c romfs/mkromfs/phash.c romfs/mkromfs/memory.c
 *        tests/romfs/sample.c tests/host_panic.c */
/*
 * The reader: what it finds, and that it refuses each thing that can be wrong
 * with an image for exactly that reason.
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
};

static int set_up(void **state)
{
	struct sample *s = malloc(sizeof *s);

	if (s == NULL)
		return -1;
	sample_make(s, keys, ARRAY_LEN(keys));
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	sample_free(*state);
	free(*state);
	return 0;
}

static enum romfs_status open_sample(const struct sample *s)
{
	struct romfs fs;

	return romfs_open(&fs, s->image, s->len);
}

static void assert_opens(struct romfs *fs, const struct sample *s)
{
	assert_int_equal(romfs_open(fs, s->image, s->len), ROMFS_OK);
}

/* ---- What is found -------------------------------------------------------- */

static void every_path_is_found(void **state)
{
	const struct sample *s = *state;
	struct romfs_entry entry;
	struct romfs fs;

	assert_opens(&fs, s);
	assert_int_equal(fs.entry_count, ARRAY_LEN(keys));
	assert_int_equal(fs.file_count, ARRAY_LEN(keys));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(romfs_find(&fs, keys[i].bytes, keys[i].len, &entry),
		    ROMFS_OK);
		assert_int_equal(entry.modified, i);
		assert_int_equal(entry.path_len, keys[i].len);
		assert_memory_equal(entry.path, keys[i].bytes, keys[i].len);
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
	struct romfs fs;

	assert_opens(&fs, *state);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(romfs_find(&fs, others[i].bytes, others[i].len, &entry),
		    ROMFS_NOT_FOUND);
	assert_int_equal(entry.path_len, 77);
}

static void an_answer_is_head_and_body_without_a_gap(void **state)
{
	struct romfs_variant v;
	struct romfs_entry entry;
	struct romfs fs;

	assert_opens(&fs, *state);
	assert_int_equal(romfs_find(&fs, (const uint8_t *)"/a/", 3, &entry), ROMFS_OK);
	assert_int_equal(entry.variant_count, 1);
	romfs_variant(&fs, &entry, 0, &v);
	assert_int_equal(v.coding, ROMFS_IDENTITY);
	assert_int_equal(v.full.status, 200);
	assert_int_equal(v.full.head_len, strlen(SAMPLE_HEAD));
	assert_int_equal(v.full.body_len, strlen(SAMPLE_BODY));
	assert_memory_equal(v.full.head, SAMPLE_HEAD SAMPLE_BODY,
	    strlen(SAMPLE_HEAD SAMPLE_BODY));
	assert_int_equal(v.etag_len, strlen(SAMPLE_ETAG));
	assert_memory_equal(v.etag, SAMPLE_ETAG, strlen(SAMPLE_ETAG));
	assert_int_equal(v.not_modified.status, 304);
	assert_int_equal(v.not_modified.body_len, 0);
	assert_int_equal(v.not_modified.head_len, strlen(SAMPLE_NOT_MODIFIED));
	assert_memory_equal(v.not_modified.head, SAMPLE_NOT_MODIFIED,
	    strlen(SAMPLE_NOT_MODIFIED));
}

static void further_codings_follow_the_identity(void **state)
{
	static const unsigned codings[] = { 0, 2, 5 };
	struct romfs_variant v;
	struct romfs_entry entry;
	struct romfs fs;

	assert_opens(&fs, *state);
	assert_int_equal(romfs_find(&fs, keys[0].bytes, keys[0].len, &entry), ROMFS_OK);
	assert_int_equal(entry.variant_count, 1 + SAMPLE_MORE);
	for (uint32_t i = 0; i < entry.variant_count; i++) {
		romfs_variant(&fs, &entry, i, &v);
		assert_int_equal(v.coding, codings[i]);
		assert_int_equal(v.full.status, 200);
	}
}

static void what_is_not_found_has_a_page_without_a_tag(void **state)
{
	struct romfs_variant v;
	struct romfs_entry entry;
	struct romfs fs;

	assert_opens(&fs, *state);
	romfs_not_found(&fs, &entry);
	assert_int_equal(entry.variant_count, 1);
	assert_int_equal(entry.path_len, 0);
	assert_int_equal(entry.modified, -1);
	romfs_variant(&fs, &entry, 0, &v);
	assert_int_equal(v.full.status, 404);
	assert_null(v.etag);
	assert_int_equal(v.not_modified.status, 0);
	assert_int_equal(v.full.head_len, strlen(SAMPLE_MISSING_HEAD));
	assert_memory_equal(v.full.head, SAMPLE_MISSING_HEAD SAMPLE_MISSING_BODY,
	    strlen(SAMPLE_MISSING_HEAD SAMPLE_MISSING_BODY));
}

static void a_redirect_has_no_tag(void **state)
{
	struct sample *s = *state;
	struct romfs_variant v;
	struct romfs_entry entry;
	struct romfs fs;

	*s->first = (struct rom_entry){
		.path_off = s->first->path_off, .path_len = s->first->path_len,
		.modified = -1, .first = s->entries[ARRAY_LEN(keys)].first,
	};
	s->first->first.status = 301;
	assert_opens(&fs, s);
	assert_int_equal(romfs_find(&fs, keys[0].bytes, keys[0].len, &entry), ROMFS_OK);
	assert_int_equal(entry.modified, -1);
	romfs_variant(&fs, &entry, 0, &v);
	assert_int_equal(v.full.status, 301);
	assert_null(v.etag);
	assert_int_equal(v.not_modified.status, 0);
}

static void an_image_may_lie_at_any_address(void **state)
{
	const struct sample *s = *state;
	uint8_t *odd = malloc(s->len + 1);
	struct romfs_entry entry;
	struct romfs fs;

	assert_non_null(odd);
	memcpy(odd + 1, s->image, s->len);
	assert_int_equal(romfs_open(&fs, odd + 1, s->len), ROMFS_OK);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(romfs_find(&fs, keys[i].bytes, keys[i].len, &entry),
		    ROMFS_OK);
	free(odd);
}

static void each_status_has_its_own_words(void **state)
{
	(void)state;
	for (int a = ROMFS_OK; a <= ROMFS_BAD_OFFSET; a++)
		for (int b = ROMFS_OK; b < a; b++)
			assert_string_not_equal(romfs_status_text((enum romfs_status)a),
			    romfs_status_text((enum romfs_status)b));
	assert_non_null(romfs_status_text((enum romfs_status)99));
}

/* ---- What is refused ------------------------------------------------------ */

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
	s->header->image_len += ROM_PAGE;
	assert_int_equal(open_sample(s), ROMFS_BAD_LENGTH);
	s->header->image_len = UINT64_MAX;
	assert_int_equal(open_sample(s), ROMFS_BAD_LENGTH);
	s->header->image_len = s->len - 1;
	assert_int_equal(romfs_open(&fs, s->image, s->len - 1), ROMFS_BAD_LENGTH);
}

static void another_version_is_refused(void **state)
{
	struct sample *s = *state;

	s->header->version = 0;
	assert_int_equal(open_sample(s), ROMFS_BAD_VERSION);
	s->header->version = ROM_VERSION + 1;
	assert_int_equal(open_sample(s), ROMFS_BAD_VERSION);
}

static void a_section_outside_the_image_is_refused(void **state)
{
	struct sample *s = *state;
	static const uint64_t bad[] = { UINT64_MAX, UINT64_MAX - 63, 1ull << 63, 1 };

	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		struct rom_range *range = &s->header->sections[i];
		const struct rom_range good = *range;

		for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
			range->off = bad[k];
			assert_int_equal(open_sample(s), ROMFS_BAD_OFFSET);
			range->off = good.off;
			if (bad[k] == 1)
				continue;
			range->len = bad[k];
			assert_int_equal(open_sample(s), ROMFS_BAD_OFFSET);
			range->len = good.len;
		}
		range->len = s->len - good.off + 1;
		assert_int_equal(open_sample(s), ROMFS_BAD_OFFSET);
		range->len = good.len;
		range->off = s->len + ROM_ALIGN;
		assert_int_equal(open_sample(s), ROMFS_BAD_OFFSET);
		*range = good;
	}
	assert_int_equal(open_sample(s), ROMFS_OK);
}

/* Refused with the value, accepted again without it. */
#define ASSERT_REFUSED(s, field, value, status) \
	do { \
		const __typeof__(field) good_ = (field); \
		(field) = (__typeof__(field))(value); \
		assert_int_equal(open_sample(s), (status)); \
		(field) = good_; \
		assert_int_equal(open_sample(s), ROMFS_OK); \
	} while (0)

static void counts_that_do_not_match_are_refused(void **state)
{
	struct sample *s = *state;
	const uint32_t n = ARRAY_LEN(keys);

	ASSERT_REFUSED(s, s->header->section_count, ROM_SECTIONS + 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->header->section_count, 0, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->header->sections[ROM_HOSTS].len, 0, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->header->sections[ROM_HOSTS].len, 128, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->header->sections[ROM_VARIANTS].len, 63, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->bucket_count, 0, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->bucket_count, s->host->bucket_count + 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->bucket_count, UINT32_MAX, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->entry_count, 0, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->entry_count, n - 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->entry_count, n + 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->entry_count, UINT32_MAX, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->file_count, n + 1, ROMFS_BAD_TABLE);
}

static void empty_tables_are_refused(void **state)
{
	struct sample *s = *state;

	s->host->bucket_count = 0;
	s->header->sections[ROM_BUCKETS].len = 0;
	assert_int_equal(open_sample(s), ROMFS_BAD_TABLE);
	tear_down(state);
	set_up(state);
	s = *state;
	s->host->entry_count = 0;
	s->host->file_count = 0;
	s->header->sections[ROM_ENTRIES].len = sizeof(struct rom_entry);
	assert_int_equal(open_sample(s), ROMFS_BAD_TABLE);
}

static void reserved_places_that_are_used_are_refused(void **state)
{
	struct sample *s = *state;

	for (size_t i = 0; i < sizeof s->header->zero; i++)
		ASSERT_REFUSED(s, s->header->zero[i], 1, ROMFS_BAD_TABLE);
	for (size_t i = 0; i < sizeof s->host->zero; i++)
		ASSERT_REFUSED(s, s->host->zero[i], 0x80, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->header->sections[ROM_HEADER_RULES].len, 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->header->sections[ROM_REDIRECT_RULES].len, 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->name_len, 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->name_off, 64, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->first_bucket, 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->host->first_entry, 1, ROMFS_BAD_TABLE);
	ASSERT_REFUSED(s, s->first->zero, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->first.zero, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->variants[1].zero, 1, ROMFS_BAD_ENTRY);
}

static void a_path_in_the_wrong_slot_is_refused(void **state)
{
	struct sample *s = *state;
	const struct rom_entry entry = s->entries[0];

	s->entries[0] = s->entries[1];
	s->entries[1] = entry;
	assert_int_equal(open_sample(s), ROMFS_BAD_TABLE);
	/* The same path twice. */
	s->entries[0] = s->entries[1];
	assert_int_equal(open_sample(s), ROMFS_BAD_TABLE);
	s->entries[0] = s->entries[2];
	assert_int_equal(open_sample(s), ROMFS_BAD_TABLE);
}

/* Of the many wrong seeds and displacements some would fit by chance: these do not. */
static void a_wrong_hash_is_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s, s->host->seed, s->host->seed + 1, ROMFS_BAD_TABLE);
	s->buckets[0] ^= 0x40;
	assert_int_equal(open_sample(s), ROMFS_BAD_TABLE);
}

static void a_path_outside_its_section_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_entry *page = &s->entries[ARRAY_LEN(keys)];
	const struct rom_range *paths = &s->header->sections[ROM_PATHS];

	ASSERT_REFUSED(s, s->first->path_off, UINT64_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->path_off, 0, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->path_off, paths->off - 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->path_off, paths->off + paths->len, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->path_len, paths->len + 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->path_len, UINT32_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, page->path_off, paths->off + paths->len + 1, ROMFS_BAD_OFFSET);
}

static void a_path_without_a_slash_in_front_is_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s, s->first->path_len, 0, ROMFS_BAD_ENTRY);
	s->image[s->first->path_off] = 'x';
	assert_int_equal(open_sample(s), ROMFS_BAD_ENTRY);
}

static void assert_answer_bounds(struct sample *s, struct rom_variant *v)
{
	const struct rom_range *answers = &s->header->sections[ROM_ANSWERS];
	const uint64_t end = answers->off + answers->len;

	ASSERT_REFUSED(s, v->head_off, 0, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->head_off, answers->off - 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->head_off, end, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->head_off, UINT64_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->head_off, UINT64_MAX - v->head_len + 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->head_len, end - v->head_off + 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->head_len, UINT32_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->body_len, end - v->head_off - v->head_len + 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->body_len, UINT64_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->body_len, UINT64_MAX - v->head_off, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->not_modified_len, v->head_off - answers->off + 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->not_modified_len, UINT32_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->etag_at, v->head_len, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->etag_at, UINT16_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, v->etag_len, UINT16_MAX, ROMFS_BAD_OFFSET);
}

static void an_answer_outside_its_section_is_refused(void **state)
{
	struct sample *s = *state;

	assert_answer_bounds(s, &s->first->first);
	assert_answer_bounds(s, &s->variants[0]);
	assert_answer_bounds(s, &s->variants[1]);
}

/* The edges of what is allowed. */
static void the_least_an_entry_can_have_is_accepted(void **state)
{
	struct sample *s = *state;
	const struct rom_range *paths = &s->header->sections[ROM_PATHS];

	s->entries[ARRAY_LEN(keys)].path_off = paths->off + paths->len;
	s->first->modified = -1;
	s->first->first.etag_len = 2;
	memcpy(s->image + s->first->first.head_off + s->first->first.etag_at, "\"\"", 2);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		s->entries[i].first = s->first->first;
	s->first->more_count = 0;
	assert_int_equal(open_sample(s), ROMFS_OK);
}

/* The body may reach to the very end of the answers. */
static void an_answer_that_ends_with_its_section_is_accepted(void **state)
{
	struct sample *s = *state;
	const struct rom_range *answers = &s->header->sections[ROM_ANSWERS];
	struct rom_variant *v = &s->first->first;

	v->body_len = answers->off + answers->len - v->head_off - v->head_len;
	assert_int_equal(open_sample(s), ROMFS_OK);
}

static void a_head_without_its_empty_line_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;
	struct rom_variant *page = &s->entries[ARRAY_LEN(keys)].first;

	ASSERT_REFUSED(s, v->head_len, v->head_len - 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->head_len, v->head_len + 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->not_modified_len, 0, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->not_modified_len, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->not_modified_len, 3, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->head_len, 0, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->head_len, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->head_len, 3, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->head_len, 4, ROMFS_BAD_ENTRY);
	s->image[v->head_off - 2] = 'x';
	assert_int_equal(open_sample(s), ROMFS_BAD_ENTRY);
}

static void a_tag_without_its_quotes_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_variant *v = &s->first->first;

	ASSERT_REFUSED(s, v->etag_at, v->etag_at + 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->etag_at, v->etag_at - 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->etag_len, v->etag_len + 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->etag_len, v->etag_len - 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->etag_len, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, v->etag_len, 0, ROMFS_BAD_ENTRY);
}

static void a_status_that_contradicts_is_refused(void **state)
{
	struct sample *s = *state;
	struct rom_entry *page = &s->entries[ARRAY_LEN(keys)];

	ASSERT_REFUSED(s, s->first->first.status, 0, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->first.status, 206, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->first.status, 301, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->first.status, 404, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->first.coding, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->modified, -2, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->modified, INT64_MIN, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->first.status, 200, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->first.status, 301, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->modified, 0, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->path_len, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->more_count, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->more_first, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->first.etag_at, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, page->first.not_modified_len, 2, ROMFS_BAD_ENTRY);
}

/* Only 200 has a tag, only 301 and 404 have none; 404 has no place among the slots. */
static void a_tagless_entry_is_a_redirect_or_refused(void **state)
{
	struct sample *s = *state;

	*s->first = (struct rom_entry){
		.path_off = s->first->path_off, .path_len = s->first->path_len,
		.modified = -1, .first = s->entries[ARRAY_LEN(keys)].first,
	};
	assert_int_equal(open_sample(s), ROMFS_BAD_ENTRY);
	s->first->first.status = 200;
	assert_int_equal(open_sample(s), ROMFS_BAD_ENTRY);
	s->first->first.status = 301;
	assert_int_equal(open_sample(s), ROMFS_OK);
	ASSERT_REFUSED(s, s->first->modified, 0, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->first->more_count, 1, ROMFS_BAD_ENTRY);
}

static void further_codings_that_contradict_are_refused(void **state)
{
	struct sample *s = *state;

	ASSERT_REFUSED(s, s->first->more_count, SAMPLE_MORE + 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->more_count, UINT32_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->more_first, 1, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->first->more_first, UINT32_MAX, ROMFS_BAD_OFFSET);
	ASSERT_REFUSED(s, s->variants[0].coding, 0, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->variants[0].coding, 5, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->variants[1].coding, 1, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->variants[1].coding, ROM_CODING_CAP, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->variants[0].status, 404, ROMFS_BAD_ENTRY);
	ASSERT_REFUSED(s, s->variants[0].etag_len, 0, ROMFS_BAD_ENTRY);
	s->first->more_first = 1;
	s->first->more_count = 1;
	assert_int_equal(open_sample(s), ROMFS_OK);
	ASSERT_REFUSED(s, s->header->sections[ROM_VARIANTS].len,
	    sizeof *s->variants, ROMFS_BAD_OFFSET);
	s->first->more_count = 0;
	assert_int_equal(open_sample(s), ROMFS_BAD_ENTRY);
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

/* Everything an accepted image leads to can be read; the sanitizers watch. */
static void walk(const struct romfs *fs)
{
	for (size_t i = 0; i <= ARRAY_LEN(keys); i++) {
		struct romfs_entry entry;
		struct romfs_variant v;

		if (i == ARRAY_LEN(keys))
			romfs_not_found(fs, &entry);
		else if (romfs_find(fs, keys[i].bytes, keys[i].len, &entry) != ROMFS_OK)
			continue;
		for (uint32_t k = 0; k < entry.variant_count; k++) {
			romfs_variant(fs, &entry, k, &v);
			touch(v.full.head, v.full.head_len + v.full.body_len);
			touch(v.etag, v.etag_len);
			touch(v.not_modified.head, v.not_modified.head_len);
		}
	}
}

static void no_byte_of_the_tables_can_lead_outside(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x10, 0x40, 0x80, 0xff };
	struct sample *s = *state;
	const uint64_t end = s->header->sections[ROM_ANSWERS].off;
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
	/* Paddings, times, file_count, a shorter body: little else can change. */
	assert_true(refused > end * ARRAY_LEN(flips) / 2);
	assert_int_equal(open_sample(s), ROMFS_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_path_is_found),
		CASE(other_paths_are_not_found),
		CASE(an_answer_is_head_and_body_without_a_gap),
		CASE(further_codings_follow_the_identity),
		CASE(what_is_not_found_has_a_page_without_a_tag),
		CASE(a_redirect_has_no_tag),
		CASE(an_image_may_lie_at_any_address),
		CASE(each_status_has_its_own_words),
		CASE(a_refused_image_leaves_the_result_alone),
		CASE(every_length_but_its_own_is_refused),
		CASE(another_version_is_refused),
		CASE(a_section_outside_the_image_is_refused),
		CASE(counts_that_do_not_match_are_refused),
		CASE(empty_tables_are_refused),
		CASE(reserved_places_that_are_used_are_refused),
		CASE(a_path_in_the_wrong_slot_is_refused),
		CASE(a_wrong_hash_is_refused),
		CASE(a_path_outside_its_section_is_refused),
		CASE(a_path_without_a_slash_in_front_is_refused),
		CASE(an_answer_outside_its_section_is_refused),
		CASE(the_least_an_entry_can_have_is_accepted),
		CASE(an_answer_that_ends_with_its_section_is_accepted),
		CASE(a_head_without_its_empty_line_is_refused),
		CASE(a_tag_without_its_quotes_is_refused),
		CASE(a_status_that_contradicts_is_refused),
		CASE(a_tagless_entry_is_a_redirect_or_refused),
		CASE(further_codings_that_contradict_are_refused),
		CASE(no_byte_of_the_tables_can_lead_outside),
	};

	return cmocka_run_group_tests_name("romfs", tests, NULL, NULL);
}

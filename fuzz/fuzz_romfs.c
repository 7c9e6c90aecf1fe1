/* links: @romfs tests/host_panic.c */
/*
 * The ROM reader on an image that can be anything.
 *
 * An image that is accepted has to keep what romfs.h promises: every path of
 * its own is found as itself, every answer lies in the image and reads as one,
 * and no other path, host or query, however odd, leads outside (which AddressSanitizer
 * sees), or puts anything into a Location that could end it.
 *
 * Input: an image.  Most changes of one break its magic, its length or its hash and
 * are refused at the first check, so after mutating we put those right half of
 * the time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "romfs/romfs.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t cap);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t cap, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- Mutations that get past the first checks --------------------------------- */

/* Whole pages, and a header that says so. */
static size_t repair_header(uint8_t *data, size_t len, size_t cap)
{
	struct rom_header *const header = (void *)data;
	const size_t pages = (len + ROM_PAGE - 1) / ROM_PAGE * ROM_PAGE;

	if (pages > cap || len < sizeof *header)
		return len;
	memset(data + len, 0, pages - len);
	memcpy(header->magic, ROM_MAGIC, sizeof header->magic);
	header->version = ROM_VERSION;
	header->section_count = ROM_SECTIONS;
	header->image_len = pages;
	memset(header->zero, 0, sizeof header->zero);
	return pages;
}

/* One site and nothing else; its one slot always fits its path, whatever the seed is. */
static void repair_single_slot(uint8_t *data, size_t len)
{
	struct rom_header *const header = (void *)data;
	const uint64_t off = header->sections[ROM_SITES].off;
	struct rom_site *site;

	if (off > len || len - off < sizeof *site)
		return;
	site = (void *)(data + off);
	site->first_bucket = site->first_entry = 0;
	site->bucket_count = site->slot_count = site->page_count = 1;
	site->first_rule = 0;
	site->rule_count = site->rule_count % 8;
	site->first_state = site->start = site->rule_count > 0;
	site->state_count = site->rule_count > 0 ? 1 + site->state_count % 4 : 0;
	header->default_site = 0;
	header->sections[ROM_NAMES].len = 0;
	header->sections[ROM_SITES].len = sizeof *site;
	header->sections[ROM_BUCKETS].len = sizeof(uint32_t);
	header->sections[ROM_ENTRIES].len = 2 * sizeof(struct rom_entry);
	header->sections[ROM_RULES].len = site->rule_count * sizeof(struct rom_rule);
	header->sections[ROM_STATES].len = site->rule_count == 0 ? 0 :
	    (1 + site->state_count) * sizeof(struct rom_state);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t cap, unsigned seed)
{
	len = LLVMFuzzerMutate(data, len, cap);
	if (seed % 2 == 0)
		len = repair_header(data, len, cap);
	if (seed % 8 == 0 && len >= sizeof(struct rom_header))
		repair_single_slot(data, len);
	return len;
}

/* ---- What is promised --------------------------------------------------------- */

static void require(bool promise)
{
	if (!promise)
		abort();
}

/* Read the range's ends, and that it lies in the image. */
static void touch(const struct romfs *fs, const uint8_t *bytes, uint64_t len)
{
	static volatile uint8_t sink;

	require(bytes >= fs->image && len <= fs->image_len &&
	    (uint64_t)(bytes - fs->image) <= fs->image_len - len);
	if (len > 0)
		sink = bytes[0] ^ bytes[len - 1];
	(void)sink;
}

static bool ends_in_empty_line(const uint8_t *head, uint32_t len)
{
	return len >= 2 && memcmp(head + len - 2, "\r\n", 2) == 0;
}

/* What becomes part of a field ends nothing. */
static void check_field_bytes(const struct romfs *fs, const uint8_t *bytes, uint32_t len,
    uint8_t first)
{
	touch(fs, bytes, len);
	for (uint32_t i = 0; i < len; i++)
		require(bytes[i] >= first && bytes[i] < 0x7f);
}

static void check_variant(const struct romfs *fs, const struct romfs_variant *v)
{
	touch(fs, v->head, v->head_len);
	touch(fs, v->body, v->body_len);
	require(ends_in_empty_line(v->head, v->head_len));
	require(v->length_line_len < v->head_len &&
	    v->type == v->head + v->length_line_len + ROM_TYPE_AT);
	check_field_bytes(fs, v->type, v->type_len, ' ');
	check_field_bytes(fs, v->mark, v->mark_len, '!');
	require((v->status == 404) == (v->mark_len == 0));
	require((v->status == 200) == (v->not_modified != NULL));
	if (v->status != 200)
		return;
	require(v->mark_len >= 2 && v->mark[0] == '"' && v->mark[v->mark_len - 1] == '"');
	touch(fs, v->not_modified, v->not_modified_len);
	require(ends_in_empty_line(v->not_modified, v->not_modified_len));
	touch(fs, v->digest_line, ROM_DIGEST_LINE_LEN);
	require(memcmp(v->digest_line, "Repr-Digest: ", 13) == 0);
}

static void check_entry(const struct romfs *fs, const struct romfs_entry *entry)
{
	struct romfs_variant v;

	touch(fs, entry->path, entry->path_len);
	require(entry->variant_count >= 1 && entry->variant_count <= ROM_CODING_CAP &&
	    entry->modified >= -1);
	for (uint32_t i = 0; i < entry->variant_count; i++) {
		romfs_variant(fs, entry, i, &v);
		require((v.coding == ROMFS_IDENTITY) == (i == 0));
		require(v.coding == entry->codings[i] && v.coding < ROM_CODING_CAP);
		check_variant(fs, &v);
	}
}

/* A redirect by a rule: NUL k stands for one of its captures. */
static void check_target(const struct romfs *fs, const struct romfs_target *t)
{
	require(t->capture_count <= ROM_CAPTURE_CAP && t->path_captures <= t->capture_count);
	touch(fs, t->text, t->text_len);
	for (uint32_t i = 0; i < t->text_len; i++) {
		if (t->text[i] != 0) {
			require(t->text[i] > ' ' && t->text[i] < 0x7f);
			continue;
		}
		i++;
		require(i < t->text_len && t->text[i] >= 1 &&
		    t->text[i] <= t->capture_count);
	}
	check_field_bytes(fs, t->tail, t->tail_len, '!');
}

static bool is_part(const uint8_t *at, size_t at_len, const uint8_t *of, size_t of_len)
{
	return at >= of && at_len <= of_len && (size_t)(at - of) <= of_len - at_len;
}

static void check_resolve(const struct romfs *fs, uint32_t site, const uint8_t *path,
    size_t path_len)
{
	static const uint8_t query[] = "a=1&b=%2f%zz&&a&id=x";
	struct romfs_answer answer;
	uint8_t scratch[64];

	romfs_resolve(fs, site, path, path_len, query, sizeof query - 1,
	    scratch, sizeof scratch, &answer);
	if (answer.target.status == 0) {
		check_entry(fs, &answer.entry);
		return;
	}
	check_target(fs, &answer.target);
	for (uint32_t i = 0; i < answer.target.capture_count; i++) {
		const struct romfs_capture *c = &answer.target.captures[i];

		require(i < answer.target.path_captures ?
		    is_part(c->at, c->len, path, path_len) :
		    is_part(c->at, c->len, query, sizeof query - 1));
	}
}

/* A path of the image, found as itself; and the same with its end cut off. */
static void check_own_path(const struct romfs *fs, uint32_t site, uint32_t i)
{
	struct romfs_entry own, entry;

	romfs_entry_at(fs, site, i, &own);
	check_entry(fs, &own);
	if (i >= romfs_slot_count(fs, site)) {
		require(own.path_len == 0);
		return;
	}
	require(romfs_find(fs, site, own.path, own.path_len, &entry) == ROMFS_OK);
	require(own.path[0] == '/' && entry.record == own.record);
	check_resolve(fs, site, own.path, own.path_len);
	check_resolve(fs, site, own.path, own.path_len - 1);
}

static void check_strangers(const struct romfs *fs, uint32_t site)
{
	static const char *const paths[] = {
		"", "/", "/index.html", "/404.html", "/nowhere", "/..", "//", "\xff",
		"/dir/x", "/old/x", "/files/dir/", "/app/a/b", "/campaign",
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		check_resolve(fs, site, (const uint8_t *)paths[i], strlen(paths[i]));
	for (size_t len = 0; len < fs->image_len; len = 2 * len + 1)
		check_resolve(fs, site, fs->image, len);
}

/* Names of the image are found as themselves. */
static void check_hosts(const struct romfs *fs)
{
	const struct rom_name *names = (const void *)fs->names;
	struct romfs_host host;

	for (uint32_t i = 0; i < fs->name_count; i++) {
		require(romfs_host(fs, fs->paths + names[i].off, names[i].len, &host));
		require(host.site == names[i].site && host.site < fs->site_count);
		if (host.canonical != NULL)
			check_field_bytes(fs, host.canonical, host.canonical_len, '!');
	}
	if (romfs_host(fs, (const uint8_t *)"Stranger.", 9, &host))
		require(host.site < fs->site_count);
	else
		require(fs->name_count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct romfs fs;
	const enum romfs_status status = romfs_open(&fs, data, len);

	require(romfs_status_text(status) != NULL && status != ROMFS_NOT_FOUND);
	if (status != ROMFS_OK)
		return 0;
	touch(&fs, fs.info, fs.info_len);
	check_hosts(&fs);
	for (uint32_t site = 0; site < fs.site_count; site++) {
		const uint32_t count =
		    romfs_slot_count(&fs, site) + romfs_page_count(&fs, site);

		for (uint32_t i = 0; i < count; i++)
			check_own_path(&fs, site, i);
		check_strangers(&fs, site);
	}
	return 0;
}

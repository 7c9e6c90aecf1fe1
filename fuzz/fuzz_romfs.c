/* links: romfs/romfs.c tests/host_panic.c */
/*
 * The ROM reader on an image that can be anything.
 *
 * An image that is accepted has to keep what romfs.h promises: every path of
 * its own is found as itself, every answer lies in the image and reads as one,
 * and no other path, however odd, leads outside (which AddressSanitizer sees).
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

/* One slot always fits its path, whatever the path and the seed are. */
static void repair_single_slot(uint8_t *data, size_t len)
{
	struct rom_header *const header = (void *)data;
	const uint64_t off = header->sections[ROM_HOSTS].off;
	struct rom_host *host;

	if (off > len || len - off < sizeof *host)
		return;
	host = (void *)(data + off);
	host->bucket_count = 1;
	host->entry_count = 1;
	host->file_count = 1;
	header->sections[ROM_HOSTS].len = sizeof *host;
	header->sections[ROM_BUCKETS].len = sizeof(uint32_t);
	header->sections[ROM_ENTRIES].len = 2 * sizeof(struct rom_entry);
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

static void check_answer(const struct romfs *fs, const struct romfs_answer *answer)
{
	require(answer->head_len >= 2);
	touch(fs, answer->head, answer->head_len + answer->body_len);
	require(memcmp(answer->head + answer->head_len - 2, "\r\n", 2) == 0);
}

static void check_entry(const struct romfs *fs, const struct romfs_entry *entry)
{
	struct romfs_variant v;

	touch(fs, entry->path, entry->path_len);
	require(entry->variant_count >= 1 && entry->modified >= -1);
	for (uint32_t i = 0; i < entry->variant_count; i++) {
		romfs_variant(fs, entry, i, &v);
		require((v.coding == ROMFS_IDENTITY) == (i == 0));
		check_answer(fs, &v.full);
		require((v.etag != NULL) == (v.full.status == 200));
		require((v.not_modified.status == 304) == (v.etag != NULL));
		if (v.etag == NULL)
			continue;
		check_answer(fs, &v.not_modified);
		require(v.not_modified.body_len == 0);
		require(v.etag >= v.full.head && v.etag_len >= 2 &&
		    v.etag + v.etag_len <= v.full.head + v.full.head_len);
		require(v.etag[0] == '"' && v.etag[v.etag_len - 1] == '"');
	}
}

/* A path of the image, found as itself; and the same with its end cut off. */
static void check_own_path(const struct romfs *fs, const struct rom_entry *record)
{
	const uint8_t *path = fs->image + record->path_off;
	struct romfs_entry entry;

	require(romfs_find(fs, path, record->path_len, &entry) == ROMFS_OK);
	require(entry.path == path && entry.path_len == record->path_len);
	require(path[0] == '/');
	require(entry.record == (const uint8_t *)record);
	check_entry(fs, &entry);
	if (romfs_find(fs, path, record->path_len - 1, &entry) == ROMFS_OK)
		check_entry(fs, &entry);
}

static void check_strangers(const struct romfs *fs)
{
	static const char *const paths[] = {
		"", "/", "/index.html", "/404.html", "/nowhere", "/..", "//", "\xff",
	};
	struct romfs_entry entry;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (romfs_find(fs, (const uint8_t *)paths[i], strlen(paths[i]), &entry) ==
		    ROMFS_OK)
			check_entry(fs, &entry);
	for (size_t len = 0; len < fs->image_len; len = 2 * len + 1)
		if (romfs_find(fs, fs->image, len, &entry) == ROMFS_OK)
			check_entry(fs, &entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct rom_entry *records;
	struct romfs_entry entry;
	struct romfs fs;
	const enum romfs_status status = romfs_open(&fs, data, len);

	require(romfs_status_text(status) != NULL && status != ROMFS_NOT_FOUND);
	if (status != ROMFS_OK)
		return 0;
	records = (const void *)fs.entries;
	for (uint32_t i = 0; i < fs.entry_count; i++)
		check_own_path(&fs, &records[i]);
	romfs_not_found(&fs, &entry);
	check_entry(&fs, &entry);
	check_strangers(&fs);
	return 0;
}

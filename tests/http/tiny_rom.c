/*
 * Building the tiny site: tests/http/tiny_rom.h.  One bucket; its displacement and
 * the seed are found by trying.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "tests/http/tiny_rom.h"

#define IMAGE_LEN (2 * ROM_PAGE)
#define PATHS_LEN 512
#define ANSWERS_LEN 4096

const struct tiny_entry tiny_entries[] = {
	{ "/", 200, "\"root\"", "hello\n" },
	{ "/index.html", 200, "\"root\"", "hello\n" },
	{ "/a b.txt", 200, "\"ab\"", "ab" },
	{ "/empty", 200, "\"e\"", "" },
	{ "/dir", 301, NULL, "" },
	{ "/dir/", 200, "\"d\"", "dir\n" },
	{ "/\\d%?", 301, NULL, "" },
	{ NULL, 404, NULL, "nothing here\n" },
};
const size_t tiny_entry_count = ARRAY_LEN(tiny_entries);

#define SLOTS (ARRAY_LEN(tiny_entries) - 1)

static uint8_t image[IMAGE_LEN];

struct tiny {
	struct rom_header *header;
	struct rom_host *host;
	uint8_t *bucket;
	struct rom_entry *entries;
	size_t paths_len;
	size_t answers_len;
};

static size_t put(enum rom_section section, size_t *len, size_t cap,
    const char *text)
{
	const size_t off =
	    ((struct rom_header *)image)->sections[section].off + *len;

	if (*len + strlen(text) > cap)
		abort();
	memcpy(image + off, text, strlen(text));
	*len += strlen(text);
	return off;
}

static uint32_t slot_of(const struct tiny *t, size_t i)
{
	const char *const path = tiny_entries[i].path;
	const uint64_t hash =
	    rom_hash(t->host->seed, (const uint8_t *)path, strlen(path));

	return rom_slot(hash, load_le32(t->bucket), SLOTS);
}

static bool slots_differ(const struct tiny *t)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < SLOTS; i++)
		seen |= 1u << slot_of(t, i);
	return seen == (1u << SLOTS) - 1;
}

static void put_entry(struct tiny *t, size_t i)
{
	const struct tiny_entry *const from = &tiny_entries[i];
	struct rom_entry *const e =
	    &t->entries[from->path != NULL ? slot_of(t, i) : SLOTS];
	char text[256];
	size_t off;

	const char *const path = from->path != NULL ? from->path : "";
	*e = (struct rom_entry){
		.path_off = put(ROM_PATHS, &t->paths_len, PATHS_LEN, path),
		.path_len = (uint32_t)strlen(path),
		.modified = -1,
	};
	if (from->etag != NULL) {
		e->modified = TINY_MODIFIED;
		snprintf(text, sizeof text, "ETag: %s\r\n\r\n", from->etag);
		put(ROM_ANSWERS, &t->answers_len, ANSWERS_LEN, text);
		e->first.not_modified_len = (uint32_t)strlen(text);
		e->first.etag_at = sizeof "ETag: " - 1;
		e->first.etag_len = (uint16_t)strlen(from->etag);
	}
	text[0] = 0;
	if (from->etag != NULL)
		snprintf(text, sizeof text, "ETag: %s\r\n", from->etag);
	else if (from->status == 301)
		snprintf(text, sizeof text, "Location: /dir/\r\n");
	off = put(ROM_ANSWERS, &t->answers_len, ANSWERS_LEN, text);
	e->first.head_len = (uint32_t)strlen(text);
	snprintf(text, sizeof text, "Content-Length: %zu\r\n\r\n",
	    strlen(from->body));
	put(ROM_ANSWERS, &t->answers_len, ANSWERS_LEN, text);
	e->first.head_len += (uint32_t)strlen(text);
	put(ROM_ANSWERS, &t->answers_len, ANSWERS_LEN, from->body);
	e->first.head_off = off;
	e->first.body_len = strlen(from->body);
	e->first.status = from->status;
}

static void build(void)
{
	static const uint64_t lens[ROM_SECTIONS] = {
		[ROM_HOSTS] = sizeof(struct rom_host),
		[ROM_BUCKETS] = sizeof(uint32_t),
		[ROM_ENTRIES] = (SLOTS + 1) * sizeof(struct rom_entry),
		[ROM_PATHS] = PATHS_LEN,
		[ROM_ANSWERS] = ANSWERS_LEN,
	};
	struct tiny t = { .header = (struct rom_header *)image };
	uint64_t off = sizeof *t.header;

	memcpy(t.header->magic, ROM_MAGIC, sizeof t.header->magic);
	t.header->version = ROM_VERSION;
	t.header->section_count = ROM_SECTIONS;
	t.header->image_len = IMAGE_LEN;
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		t.header->sections[i] = (struct rom_range){ off, lens[i] };
		off += (lens[i] + ROM_ALIGN - 1) / ROM_ALIGN * ROM_ALIGN;
	}
	t.host = (void *)(image + t.header->sections[ROM_HOSTS].off);
	t.bucket = image + t.header->sections[ROM_BUCKETS].off;
	t.entries = (void *)(image + t.header->sections[ROM_ENTRIES].off);
	*t.host = (struct rom_host){
		.bucket_count = 1, .entry_count = SLOTS, .file_count = 4,
	};
	for (uint32_t seed = 0; !slots_differ(&t); seed++) {
		t.host->seed = seed / 64;
		store_le32(t.bucket, seed % 64);
	}
	for (size_t i = 0; i <= SLOTS; i++)
		put_entry(&t, i);
}

const struct romfs *tiny_rom(void)
{
	static struct romfs fs;

	if (fs.image == NULL) {
		build();
		const enum romfs_status status =
		    romfs_open(&fs, image, sizeof image);
		if (status != ROMFS_OK) {
			fprintf(stderr, "tiny_rom: %s\n",
			    romfs_status_text(status));
			abort();
		}
	}
	return &fs;
}

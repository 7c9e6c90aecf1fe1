/*
 * Building the tiny site: tests/http/tiny_rom.h.  One bucket; its displacement and
 * the seed are found by trying.  The automaton is one state that accepts every rule: the
 * matcher finds out which of them match.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "tests/http/tiny_rom.h"

#define IMAGE_LEN (3 * ROM_PAGE)
#define PATHS_LEN 512
#define ANSWERS_LEN 8192

const struct tiny_entry tiny_entries[] = {
	{ "/", 200, "\"root\"", "hello\n", NULL, 0 },
	{ "/index.html", 200, "\"root\"", "hello\n", NULL, 0 },
	{ "/a b.txt", 200, "\"ab\"", "ab", NULL, 0 },
	{ "/empty", 200, "\"e\"", "", NULL, 0 },
	{ "/dir", 301, NULL, "", "/dir/", ROM_ENTRY_KEEP_QUERY },
	{ "/dir/", 200, "\"d\"", "dir\n", NULL, 0 },
	{ "/\\d%?", 301, NULL, "", "/dir/", ROM_ENTRY_KEEP_QUERY },
	{ "/frag", 308, NULL, "moved\n", "/dir/#top", ROM_ENTRY_KEEP_QUERY },
	{ "/away", 302, NULL, "away\n", "https://other.example/x?y=1", 0 },
	{ "/page.txt", 200, "\"p\"", TINY_PAGE, NULL, 0 },
	{ "/campaign", 200, "\"c\"", "all\n", NULL, ROM_ENTRY_RULES_FIRST },
	{ NULL, 404, NULL, "nothing here\n", NULL, 0 },
	{ NULL, 404, NULL, "nothing in dir\n", NULL, 0 },
};
const size_t tiny_entry_count = ARRAY_LEN(tiny_entries);

#define PAGES 2
#define SLOTS (ARRAY_LEN(tiny_entries) - PAGES)
#define INDEX_HTML 1            /* in tiny_entries[] */
#define CODED 9                 /* "/page.txt" */

const struct tiny_coding tiny_codings[2] = {
	{ ROMFS_BROTLI, "br", "\"p-br\"", "the same in brotli" },
	{ ROMFS_GZIP, "gzip", "\"p-gz\"", "the same, but in gzip" },
};

/* Of romfs/format.h, struct rom_rule; `entry` counts in tiny_entries[]. */
static const struct tiny_rule {
	const char *pattern;
	size_t pattern_len;
	const char *query;
	size_t query_len;
	const char *target;
	size_t target_len;
	const char *tail;
	int entry;
	uint16_t status;
	uint8_t flags;
	uint8_t captures;
} rules[] = {
#define BYTES(text) (text), sizeof(text) - 1
	{ BYTES("/campaign"), BYTES("id\0\1\0"), BYTES("/c/\0\1"), "", -1,
	    302, ROM_RULE_FORCED, 1 },
	{ BYTES("/old/\0\1"), BYTES(""), BYTES("/dir/\0\1"), "#t", -1,
	    301, ROM_RULE_KEEP_QUERY, 1 },
	{ BYTES("/app/\0\2"), BYTES(""), BYTES(""), "", INDEX_HTML, 200, 0, 1 },
	{ BYTES("/files\0\3"), BYTES(""), BYTES("/\0\1"), "", -1, 200, 0, 1 },
	{ BYTES("/dir/\0\2"), BYTES(""), BYTES(""), "", SLOTS + 1, 404, 0, 1 },
};

static uint8_t image[IMAGE_LEN];

struct tiny {
	struct rom_header *header;
	struct rom_site *site;
	uint8_t *bucket;
	struct rom_entry *entries;
	struct rom_variant *variants;
	struct rom_rule *rules;
	size_t paths_len;
	size_t answers_len;
};

static uint32_t put_path(struct tiny *t, const char *bytes, size_t len)
{
	const size_t at = t->paths_len;

	if (at + len > PATHS_LEN)
		abort();
	memcpy(image + t->header->sections[ROM_PATHS].off + at, bytes, len);
	t->paths_len += len;
	return (uint32_t)at;
}

/* Text for the answers; returns its offset. */
__attribute__((format(printf, 2, 3)))
static uint64_t put(struct tiny *t, const char *format, ...)
{
	const uint64_t off = t->header->sections[ROM_ANSWERS].off + t->answers_len;
	va_list args;

	va_start(args, format);
	const int len = vsnprintf((char *)image + off, ANSWERS_LEN - t->answers_len,
	    format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= ANSWERS_LEN - t->answers_len)
		abort();
	t->answers_len += (size_t)len;
	return off;
}

static uint32_t slot_of(const struct tiny *t, size_t i)
{
	const char *const path = tiny_entries[i].path;
	const uint64_t hash =
	    rom_hash(t->site->seed, (const uint8_t *)path, strlen(path));

	return rom_slot(hash, load_le32(t->bucket), SLOTS);
}

static bool slots_differ(const struct tiny *t)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < SLOTS; i++)
		seen |= 1u << slot_of(t, i);
	return seen == (1u << SLOTS) - 1;
}

const char *tiny_digest_line(const char *etag)
{
	static char line[ROM_DIGEST_LINE_LEN + 1];
	char digest[45];

	memset(digest, etag[strlen(etag) - 2], 43);
	digest[43] = '=';
	digest[44] = '\0';
	snprintf(line, sizeof line, "Repr-Digest: sha-256=:%s:\r\n", digest);
	return line;
}

static struct rom_variant put_variant(struct tiny *t, const struct tiny_entry *from,
    const struct tiny_coding *coding, bool varies)
{
	const char *const etag = coding != NULL ? coding->etag : from->etag;
	const char *const body = coding != NULL ? coding->body : from->body;
	const char *const vary = varies ? "Vary: Accept-Encoding\r\n" : "";
	struct rom_variant v = {
		.status = from->status, .body_len = strlen(body),
		.type_len = sizeof "text/plain" - 1,
		.coding = coding != NULL ? coding->coding : ROMFS_IDENTITY,
	};
	uint64_t off;

	if (etag != NULL) {
		put(t, "%s", tiny_digest_line(etag));
		off = put(t, "ETag: %s\r\n%s\r\n", etag, vary);
		v.not_modified_len = (uint16_t)(put(t, "%s", "") - off);
	}
	v.head_off = put(t, "Content-Length: %zu\r\n", strlen(body));
	v.length_line_len = (uint8_t)(put(t, "Content-Type: text/plain\r\n") - v.head_off);
	if (coding != NULL)
		put(t, "Content-Encoding: %s\r\n", coding->name);
	put(t, "%s", vary);
	off = put(t, "%s", etag != NULL ? "ETag: " :
	    from->location != NULL ? "Location: " : "");
	if (etag != NULL || from->location != NULL) {
		const char *const mark = etag != NULL ? etag : from->location;

		v.mark_at = (uint16_t)(put(t, "%s\r\n", mark) - v.head_off);
		v.mark_len = (uint16_t)strlen(mark);
	}
	put(t, "\r\n");
	v.body_off = put(t, "%s", body);
	v.head_len = (uint16_t)(v.body_off - v.head_off);
	return v;
}

static void put_entry(struct tiny *t, size_t i)
{
	const struct tiny_entry *const from = &tiny_entries[i];
	struct rom_entry *const e = &t->entries[i < SLOTS ? slot_of(t, i) : i];
	const char *const path = from->path != NULL ? from->path : "";

	*e = (struct rom_entry){
		.path_off = put_path(t, path, strlen(path)),
		.path_len = (uint16_t)strlen(path),
		.flags = from->flags,
		.modified = from->status == 200 ? TINY_MODIFIED : -1,
		.first = put_variant(t, from, NULL, i == CODED),
	};
	if (i != CODED)
		return;
	e->more_count = ARRAY_LEN(tiny_codings);
	for (size_t k = 0; k < ARRAY_LEN(tiny_codings); k++) {
		t->variants[k] = put_variant(t, from, &tiny_codings[k], true);
		e->codings[1 + k] = t->variants[k].coding;
	}
}

static void put_rule(struct tiny *t, size_t i)
{
	const struct tiny_rule *const from = &rules[i];

	t->rules[i] = (struct rom_rule){
		.pattern_off = put_path(t, from->pattern, from->pattern_len),
		.pattern_len = (uint16_t)from->pattern_len,
		.query_off = put_path(t, from->query, from->query_len),
		.query_len = (uint16_t)from->query_len,
		.target_off = put_path(t, from->target, from->target_len),
		.target_len = (uint16_t)from->target_len,
		.tail_off = put_path(t, from->tail, strlen(from->tail)),
		.tail_len = (uint16_t)strlen(from->tail),
		.entry = from->entry < 0 ? ROM_NONE : (size_t)from->entry < SLOTS ?
		    slot_of(t, (size_t)from->entry) : (uint32_t)from->entry,
		.status = from->status,
		.flags = from->flags,
		.capture_count = from->captures,
	};
}

static void *section(const struct tiny *t, enum rom_section which)
{
	return image + t->header->sections[which].off;
}

static void lay_out(struct rom_header *header)
{
	static const uint64_t lens[ROM_SECTIONS] = {
		[ROM_SITES] = sizeof(struct rom_site),
		[ROM_BUCKETS] = sizeof(uint32_t),
		[ROM_ENTRIES] = (SLOTS + PAGES) * sizeof(struct rom_entry),
		[ROM_VARIANTS] = ARRAY_LEN(tiny_codings) * sizeof(struct rom_variant),
		[ROM_RULES] = ARRAY_LEN(rules) * sizeof(struct rom_rule),
		[ROM_STATES] = 2 * sizeof(struct rom_state),
		[ROM_ACCEPTS] = ARRAY_LEN(rules) * sizeof(uint32_t),
		[ROM_PATHS] = PATHS_LEN,
		[ROM_ANSWERS] = ANSWERS_LEN,
	};
	uint64_t off = sizeof *header;

	memcpy(header->magic, ROM_MAGIC, sizeof header->magic);
	header->version = ROM_VERSION;
	header->section_count = ROM_SECTIONS;
	header->image_len = IMAGE_LEN;
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		header->sections[i] = (struct rom_range){ off, lens[i] };
		off += (lens[i] + ROM_ALIGN - 1) / ROM_ALIGN * ROM_ALIGN;
	}
	if (off > IMAGE_LEN)
		abort();
}

static void build(void)
{
	struct tiny t = { .header = (struct rom_header *)image };
	struct rom_state *states;
	uint8_t *accepts;

	lay_out(t.header);
	t.site = section(&t, ROM_SITES);
	t.bucket = section(&t, ROM_BUCKETS);
	t.entries = section(&t, ROM_ENTRIES);
	t.variants = section(&t, ROM_VARIANTS);
	t.rules = section(&t, ROM_RULES);
	states = section(&t, ROM_STATES);
	accepts = section(&t, ROM_ACCEPTS);
	*t.site = (struct rom_site){
		.bucket_count = 1, .slot_count = SLOTS, .page_count = PAGES,
		.rule_count = ARRAY_LEN(rules), .file_count = 6,
		.first_state = 1, .state_count = 1, .start = 1,
	};
	states[1] = (struct rom_state){
		.otherwise = 1, .accept_count = ARRAY_LEN(rules),
	};
	for (uint32_t seed = 0; !slots_differ(&t); seed++) {
		t.site->seed = seed / 64;
		store_le32(t.bucket, seed % 64);
	}
	for (size_t i = 0; i < ARRAY_LEN(tiny_entries); i++)
		put_entry(&t, i);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		put_rule(&t, i);
		store_le32(accepts + 4 * i, (uint32_t)i);
	}
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

/* Contract: sample.h. */
#include "tests/romfs/sample.h"

#include <stdlib.h>
#include <string.h>

#include "romfs/romfs.h"

#define ANSWERS_LEN 2048u
#define TEXTS_LEN 512u          /* what ROM_PATHS holds beside the keys */

struct builder {
	struct sample *s;
	uint64_t answers_used;
	uint64_t paths_used;
};

static uint64_t put(struct builder *b, const char *text)
{
	const uint64_t off = b->s->header->sections[ROM_ANSWERS].off + b->answers_used;

	if (b->answers_used + strlen(text) > ANSWERS_LEN)
		panic("a sample's answers are too long");
	memcpy(b->s->image + off, text, strlen(text));
	b->answers_used += strlen(text);
	return off;
}

static uint32_t put_path(struct builder *b, const void *bytes, size_t len)
{
	const uint64_t at = b->paths_used;

	if (at + len > b->s->header->sections[ROM_PATHS].len)
		panic("a sample's paths are too long");
	memcpy(b->s->paths + at, bytes, len);
	b->paths_used += len;
	return (uint32_t)at;
}

/* An answer with its body behind it; `mark` is in the head, or NULL. */
static struct rom_variant put_answer(struct builder *b, uint16_t status,
    const char *head, const char *mark, const char *body)
{
	const char *const type = strstr(head, "Content-Type: ");
	struct rom_variant v = {
		.head_len = (uint16_t)strlen(head),
		.body_len = strlen(body),
		.length_line_len = (uint8_t)(type - head),
		.type_len = (uint16_t)(strchr(type, '\r') - type - ROM_TYPE_AT),
		.status = status,
	};

	if (status == 200) {
		put(b, SAMPLE_DIGEST_LINE SAMPLE_NOT_MODIFIED);
		v.not_modified_len = (uint16_t)strlen(SAMPLE_NOT_MODIFIED);
	}
	if (mark != NULL) {
		v.mark_at = (uint16_t)(strstr(head, mark) - head);
		v.mark_len = (uint16_t)strlen(mark);
	}
	v.head_off = put(b, head);
	v.body_off = put(b, body);
	return v;
}

/* Sections one after the other; returns the whole image's length. */
static uint64_t lay_out(struct rom_header *header, const uint64_t lens[ROM_SECTIONS])
{
	uint64_t off = sizeof *header;

	*header = (struct rom_header){
		.version = ROM_VERSION, .section_count = ROM_SECTIONS,
		.default_site = ROM_NONE,
	};
	memcpy(header->magic, ROM_MAGIC, sizeof header->magic);
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		header->sections[i] = (struct rom_range){ off, lens[i] };
		off = (off + lens[i] + ROM_ALIGN - 1) / ROM_ALIGN * ROM_ALIGN;
	}
	header->image_len = (off + ROM_PAGE - 1) / ROM_PAGE * ROM_PAGE;
	return header->image_len;
}

static void *section(const struct sample *s, const struct rom_header *header,
    enum rom_section which)
{
	return s->image + header->sections[which].off;
}

static void make_room(struct sample *s, const struct phash_key *keys, uint32_t count,
    const struct phash *hash)
{
	uint64_t lens[ROM_SECTIONS] = {
		[ROM_NAMES] = SAMPLE_NAMES * sizeof *s->names,
		[ROM_SITES] = 2 * sizeof *s->site,
		[ROM_BUCKETS] = (hash->bucket_count + 1) * sizeof(uint32_t),
		[ROM_ENTRIES] = (count + SAMPLE_PAGES + 2ull) * sizeof *s->entries,
		[ROM_VARIANTS] = SAMPLE_MORE * sizeof *s->variants,
		[ROM_RULES] = (SAMPLE_RULES + 1) * sizeof *s->rules,
		[ROM_STATES] = 5 * sizeof *s->states,
		[ROM_EDGES] = 3 * sizeof(uint32_t),
		[ROM_ACCEPTS] = (SAMPLE_RULES + 1) * sizeof(uint32_t),
		[ROM_PATHS] = TEXTS_LEN,
		[ROM_INFO] = strlen(SAMPLE_INFO),
		[ROM_ANSWERS] = ANSWERS_LEN,
	};
	struct rom_header header;

	for (uint32_t i = 0; i < count; i++)
		lens[ROM_PATHS] += keys[i].len;
	s->len = lay_out(&header, lens);
	s->image = calloc(1, s->len);
	if (s->image == NULL)
		panic("no memory for a sample");
	memcpy(s->image, &header, sizeof header);
	s->header = (void *)s->image;
	s->names = section(s, &header, ROM_NAMES);
	s->site = section(s, &header, ROM_SITES);
	s->other = s->site + 1;
	s->buckets = section(s, &header, ROM_BUCKETS);
	s->entries = section(s, &header, ROM_ENTRIES);
	s->first = &s->entries[hash->slots[0]];
	s->last = &s->entries[hash->slots[count - 1]];
	s->pages = s->entries + count;
	s->moved = s->pages + SAMPLE_PAGES;
	s->variants = section(s, &header, ROM_VARIANTS);
	s->rules = section(s, &header, ROM_RULES);
	s->states = section(s, &header, ROM_STATES);
	s->edges = section(s, &header, ROM_EDGES);
	s->accepts = section(s, &header, ROM_ACCEPTS);
	s->paths = section(s, &header, ROM_PATHS);
	s->info = section(s, &header, ROM_INFO);
}

static void fill_entries(struct builder *b, const struct phash_key *keys,
    uint32_t count, const struct phash *hash)
{
	const struct rom_variant answer =
	    put_answer(b, 200, SAMPLE_HEAD, SAMPLE_ETAG, SAMPLE_BODY);
	const struct rom_variant missing =
	    put_answer(b, 404, SAMPLE_MISSING_HEAD, NULL, SAMPLE_MISSING_BODY);
	struct sample *s = b->s;

	for (uint32_t i = 0; i < count; i++) {
		s->entries[hash->slots[i]] = (struct rom_entry){
			.path_off = put_path(b, keys[i].bytes, keys[i].len),
			.path_len = (uint16_t)keys[i].len,
			.modified = i, .first = answer,
		};
	}
	s->first->more_count = SAMPLE_MORE;
	s->variants[0] = s->variants[1] = answer;
	s->variants[0].coding = s->first->codings[1] = ROMFS_BROTLI;
	s->variants[1].coding = s->first->codings[2] = ROMFS_GZIP;
	s->last->flags = ROM_ENTRY_RULES_FIRST;
	for (uint32_t i = 0; i < SAMPLE_PAGES; i++)
		s->pages[i] = (struct rom_entry){ .modified = -1, .first = missing };
	s->moved[0] = (struct rom_entry){
		.path_off = put_path(b, "/", 1), .path_len = 1,
		.flags = ROM_ENTRY_KEEP_QUERY, .modified = -1,
		.first = put_answer(b, 301, SAMPLE_MOVED_HEAD, SAMPLE_LOCATION, ""),
	};
	s->moved[1] = s->pages[0];
}

static void put_name(struct builder *b, uint32_t i, const char *name, uint32_t site,
    uint32_t canonical)
{
	b->s->names[i] = (struct rom_name){
		.off = put_path(b, name, strlen(name)), .len = (uint32_t)strlen(name),
		.site = site, .canonical = canonical,
	};
}

#define BYTES(text) (text), sizeof(text) - 1

static struct rom_rule *put_rule(struct builder *b, uint32_t i, uint16_t status,
    const char *pattern, size_t pattern_len, const char *target, size_t target_len)
{
	b->s->rules[i] = (struct rom_rule){
		.pattern_off = put_path(b, pattern, pattern_len),
		.pattern_len = (uint16_t)pattern_len,
		.target_off = put_path(b, target, target_len),
		.target_len = (uint16_t)target_len,
		.entry = ROM_NONE, .status = status, .capture_count = 1,
	};
	return &b->s->rules[i];
}

static void fill_rules(struct builder *b, uint32_t count)
{
	static const char condition[] = "go\0\1";       /* and the NUL at its end */
	struct rom_rule *r;

	r = put_rule(b, 0, 302, BYTES("\0\2"), BYTES("/went?\0\2"));
	r->query_off = put_path(b, condition, sizeof condition);
	r->query_len = sizeof condition;
	r->tail_off = put_path(b, BYTES("#tail"));
	r->tail_len = sizeof "#tail" - 1;
	r->flags = ROM_RULE_FORCED;
	r->capture_count = 2;
	put_rule(b, 1, 200, BYTES("/files\0\3"), BYTES("/\0\1"));
	r = put_rule(b, 2, 301, BYTES("/m/\0\1/c"), BYTES("/\0\1"));
	r->flags = ROM_RULE_KEEP_QUERY;
	r = put_rule(b, 3, 200, BYTES("/spa/\0\2"), BYTES(""));
	r->entry = (uint32_t)(b->s->first - b->s->entries);
	r = put_rule(b, 4, 404, BYTES("/\0\2"), BYTES(""));
	r->entry = count + 1;
	put_rule(b, SAMPLE_RULES, 308, BYTES("/x/\0\1"), BYTES("https://a.example/\0\1"));
}

static void fill_automata(struct sample *s)
{
	s->states[1] = (struct rom_state){ .edge_count = 1, .otherwise = 3 };
	s->states[2] = (struct rom_state){
		.first_edge = 1, .edge_count = 2, .otherwise = 2,
		.accept_count = SAMPLE_RULES,
	};
	s->states[3] = (struct rom_state){ .otherwise = 3, .accept_count = 1 };
	s->states[4] = (struct rom_state){
		.otherwise = 4, .first_accept = SAMPLE_RULES, .accept_count = 1,
	};
	store_le32(s->edges, 2u << 8 | '/');
	store_le32(s->edges + 4, 2u << 8 | '/');
	store_le32(s->edges + 8, 2u << 8 | 'a');
	for (uint32_t i = 0; i < SAMPLE_RULES; i++)
		store_le32(s->accepts + 4 * i, i);
	store_le32(s->accepts + 4 * SAMPLE_RULES, 0);
}

void sample_make(struct sample *s, const struct phash_key *keys, uint32_t count)
{
	struct builder b = { .s = s };
	struct phash hash;

	if (!phash_build(keys, count, &hash))
		panic("no perfect hash for a sample");
	make_room(s, keys, count, &hash);
	*s->site = (struct rom_site){
		.seed = hash.seed, .bucket_count = hash.bucket_count,
		.slot_count = count, .page_count = SAMPLE_PAGES,
		.rule_count = SAMPLE_RULES, .first_state = 1, .state_count = 3,
		.start = 1, .file_count = count,
	};
	*s->other = (struct rom_site){
		.first_bucket = hash.bucket_count, .bucket_count = 1,
		.first_entry = count + SAMPLE_PAGES,
		.slot_count = SAMPLE_OTHER_SLOTS, .page_count = 1,
		.first_rule = SAMPLE_RULES, .rule_count = 1,
		.first_state = 4, .state_count = 1, .start = 4,
	};
	memcpy(s->buckets, hash.displacements, hash.bucket_count * sizeof(uint32_t));
	fill_entries(&b, keys, count, &hash);
	put_name(&b, 0, "a.example", 0, ROM_NONE);
	put_name(&b, 1, "b.example", 1, ROM_NONE);
	put_name(&b, 2, "www.a.example", 0, 0);
	fill_rules(&b, count);
	fill_automata(s);
	memcpy(s->info, SAMPLE_INFO, strlen(SAMPLE_INFO));
	free(hash.displacements);
	free(hash.slots);
}

void sample_free(struct sample *s)
{
	free(s->image);
}

/* Contract: sample.h. */
#include "tests/romfs/sample.h"

#include <stdlib.h>
#include <string.h>

struct builder {
	uint8_t *image;
	struct rom_range *sections;
	uint64_t answers_used;
};

static const uint64_t answers_len = 512;

static uint64_t put(struct builder *b, const char *text)
{
	const uint64_t off = b->sections[ROM_ANSWERS].off + b->answers_used;

	memcpy(b->image + off, text, strlen(text));
	b->answers_used += strlen(text);
	return off;
}

static struct rom_variant put_answer(struct builder *b)
{
	const char *const etag = strstr(SAMPLE_HEAD, SAMPLE_ETAG);
	struct rom_variant v = {
		.body_len = strlen(SAMPLE_BODY),
		.head_len = (uint32_t)strlen(SAMPLE_HEAD),
		.not_modified_len = (uint32_t)strlen(SAMPLE_NOT_MODIFIED),
		.etag_at = (uint16_t)(etag - SAMPLE_HEAD),
		.etag_len = (uint16_t)strlen(SAMPLE_ETAG),
		.status = 200,
	};

	put(b, SAMPLE_NOT_MODIFIED);
	v.head_off = put(b, SAMPLE_HEAD);
	put(b, SAMPLE_BODY);
	return v;
}

static struct rom_variant put_missing(struct builder *b)
{
	const struct rom_variant v = {
		.head_off = put(b, SAMPLE_MISSING_HEAD),
		.head_len = (uint32_t)strlen(SAMPLE_MISSING_HEAD),
		.body_len = strlen(SAMPLE_MISSING_BODY),
		.status = 404,
	};

	put(b, SAMPLE_MISSING_BODY);
	return v;
}

/* Sections one after the other; returns the whole image's length. */
static uint64_t lay_out(struct rom_header *header, const uint64_t lens[ROM_SECTIONS])
{
	uint64_t off = sizeof *header;

	*header = (struct rom_header){
		.version = ROM_VERSION, .section_count = ROM_SECTIONS,
	};
	memcpy(header->magic, ROM_MAGIC, sizeof header->magic);
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		header->sections[i] = (struct rom_range){ off, lens[i] };
		off = (off + lens[i] + ROM_ALIGN - 1) / ROM_ALIGN * ROM_ALIGN;
	}
	header->image_len = (off + ROM_PAGE - 1) / ROM_PAGE * ROM_PAGE;
	return header->image_len;
}

static void fill_entries(struct sample *s, struct builder *b,
    const struct phash_key *keys, uint32_t count, const struct phash *hash)
{
	const struct rom_variant answer = put_answer(b);
	uint64_t path_off = s->header->sections[ROM_PATHS].off;

	for (uint32_t i = 0; i < count; i++) {
		s->entries[hash->slots[i]] = (struct rom_entry){
			.path_off = path_off, .path_len = (uint32_t)keys[i].len,
			.modified = i, .first = answer,
		};
		memcpy(s->image + path_off, keys[i].bytes, keys[i].len);
		path_off += keys[i].len;
	}
	s->first = &s->entries[hash->slots[0]];
	s->first->more_count = SAMPLE_MORE;
	s->variants[0] = s->variants[1] = answer;
	s->variants[0].coding = 2;
	s->variants[1].coding = 5;
	s->entries[count] = (struct rom_entry){
		.path_off = s->header->sections[ROM_PATHS].off,
		.modified = -1, .first = put_missing(b),
	};
}

void sample_make(struct sample *s, const struct phash_key *keys, uint32_t count)
{
	struct phash hash;
	struct rom_header header;
	struct builder b;
	uint64_t lens[ROM_SECTIONS] = { 0 };

	if (!phash_build(keys, count, &hash))
		panic("no perfect hash for a sample");
	lens[ROM_HOSTS] = sizeof *s->host;
	lens[ROM_BUCKETS] = hash.bucket_count * sizeof(uint32_t);
	lens[ROM_ENTRIES] = ((uint64_t)count + 1) * sizeof *s->entries;
	lens[ROM_VARIANTS] = SAMPLE_MORE * sizeof *s->variants;
	for (uint32_t i = 0; i < count; i++)
		lens[ROM_PATHS] += keys[i].len;
	lens[ROM_ANSWERS] = answers_len;

	s->len = lay_out(&header, lens);
	s->image = calloc(1, s->len);
	if (s->image == NULL)
		panic("no memory for a sample");
	memcpy(s->image, &header, sizeof header);
	s->header = (void *)s->image;
	s->host = (void *)(s->image + header.sections[ROM_HOSTS].off);
	s->buckets = s->image + header.sections[ROM_BUCKETS].off;
	s->entries = (void *)(s->image + header.sections[ROM_ENTRIES].off);
	s->variants = (void *)(s->image + header.sections[ROM_VARIANTS].off);
	*s->host = (struct rom_host){
		.seed = hash.seed, .bucket_count = hash.bucket_count,
		.entry_count = count, .file_count = count,
	};
	memcpy(s->buckets, hash.displacements, lens[ROM_BUCKETS]);
	b = (struct builder){ .image = s->image, .sections = s->header->sections };
	fill_entries(s, &b, keys, count, &hash);
	free(hash.displacements);
	free(hash.slots);
}

void sample_free(struct sample *s)
{
	free(s->image);
}

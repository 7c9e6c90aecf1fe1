/*
 * The ROM filesystem, reading side.  Contract: romfs.h; bytes: format.h, README.md.
 *
 * Everything untrusted is looked at in romfs_open(), once and completely.  The
 * functions after it rely on what it found and check nothing:
 *  - every slot's entry lies in the image, and so do its path and all its answers;
 *  - every bucket's displacement leads to a slot below entry_count, by arithmetic;
 *  - an entity tag lies inside its head, an answer without one has no 304.
 * The image is in read-only memory: what was checked stays true.
 */
#include "romfs/romfs.h"

#include <string.h>

#include "romfs/format.h"

#define CRLF 0x0a0d           /* as load_le16() reads it */

/* What romfs_open() carries from check to check. */
struct check {
	const uint8_t *image;
	struct rom_range sections[ROM_SECTIONS];
	uint32_t variant_count;
};

const char *romfs_status_text(enum romfs_status status)
{
	switch (status) {
	case ROMFS_OK:
		return "ok";
	case ROMFS_NOT_FOUND:
		return "no entry has this path";
	case ROMFS_BAD_MAGIC:
		return "not a stele ROM image";
	case ROMFS_BAD_VERSION:
		return "made for another version of the ROM format";
	case ROMFS_BAD_LENGTH:
		return "cut short, or not as long as it says";
	case ROMFS_BAD_TABLE:
		return "the hash table or the entry table is inconsistent";
	case ROMFS_BAD_ENTRY:
		return "an entry's fields contradict each other";
	case ROMFS_BAD_OFFSET:
		return "an offset or length reaches outside its section";
	}
	return "unknown status";
}

/* [off, off + len) lies in the range; no sum that could overflow. */
static bool inside(const struct rom_range *range, uint64_t off, uint64_t len)
{
	return off >= range->off && off - range->off <= range->len &&
	    len <= range->len - (off - range->off);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

static enum romfs_status check_header(struct check *c, size_t len)
{
	const struct rom_header *header = (const void *)c->image;
	const struct rom_range whole = { 0, len };

	if (len < sizeof *header)
		return ROMFS_BAD_LENGTH;
	if (memcmp(header->magic, ROM_MAGIC, sizeof header->magic) != 0)
		return ROMFS_BAD_MAGIC;
	if (header->version != ROM_VERSION)
		return ROMFS_BAD_VERSION;
	if (header->image_len != len || len % ROM_PAGE != 0)
		return ROMFS_BAD_LENGTH;
	if (header->section_count != ROM_SECTIONS ||
	    !all_zero(header->zero, sizeof header->zero))
		return ROMFS_BAD_TABLE;
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		c->sections[i] = header->sections[i];
		if (!inside(&whole, c->sections[i].off, c->sections[i].len) ||
		    c->sections[i].off % ROM_ALIGN != 0)
			return ROMFS_BAD_OFFSET;
	}
	return ROMFS_OK;
}

/*
 * The one host owns all buckets and all entries.  Counts are compared as 64-bit
 * products of 32-bit fields, which cannot overflow.
 */
static enum romfs_status check_tables(struct check *c, const struct rom_host *host)
{
	const struct rom_range *s = c->sections;

	if (s[ROM_HEADER_RULES].len != 0 || s[ROM_REDIRECT_RULES].len != 0)
		return ROMFS_BAD_TABLE;
	if (host->name_off != 0 || host->name_len != 0 ||
	    host->first_bucket != 0 || host->first_entry != 0 ||
	    !all_zero(host->zero, sizeof host->zero))
		return ROMFS_BAD_TABLE;
	if (host->bucket_count == 0 ||
	    s[ROM_BUCKETS].len != (uint64_t)host->bucket_count * sizeof(uint32_t))
		return ROMFS_BAD_TABLE;
	if (host->entry_count == 0 || host->file_count > host->entry_count ||
	    s[ROM_ENTRIES].len !=
	    ((uint64_t)host->entry_count + 1) * sizeof(struct rom_entry))
		return ROMFS_BAD_TABLE;
	if (s[ROM_VARIANTS].len % sizeof(struct rom_variant) != 0 ||
	    s[ROM_VARIANTS].len / sizeof(struct rom_variant) > UINT32_MAX)
		return ROMFS_BAD_TABLE;
	c->variant_count = (uint32_t)(s[ROM_VARIANTS].len / sizeof(struct rom_variant));
	return ROMFS_OK;
}

/* Field lines that each end in CRLF, then CRLF: it is one CRLF or ends in two. */
static bool head_ends(const uint8_t *head, uint32_t len)
{
	if (len < 4)
		return len == 2 && load_le16(head) == CRLF;
	return load_le32(head + len - 4) == (CRLF | (uint32_t)CRLF << 16);
}

/* A strong tag: not "W/", just quotes around its bytes (RFC 9110, section 8.8.3). */
static bool etag_quoted(const uint8_t *etag, uint32_t len)
{
	return len >= 2 && etag[0] == '"' && etag[len - 1] == '"';
}

/* `before` and `room`: the bytes of the section on the two sides of head_off. */
static enum romfs_status check_variant(const struct check *c,
    const struct rom_variant *v)
{
	const struct rom_range *answers = &c->sections[ROM_ANSWERS];
	const uint64_t before = v->head_off - answers->off;
	const uint64_t room = answers->len - before;
	const uint8_t *head;

	/* A head_off below the section makes `before` wrap, and so too large. */
	if (before > answers->len || v->not_modified_len > before ||
	    v->head_len > room || v->body_len > room - v->head_len ||
	    (uint32_t)v->etag_at + v->etag_len > v->head_len)
		return ROMFS_BAD_OFFSET;
	head = c->image + v->head_off;
	if (!head_ends(head, v->head_len) || v->zero != 0)
		return ROMFS_BAD_ENTRY;
	if (v->etag_len == 0)
		return v->etag_at == 0 && v->not_modified_len == 0 ?
		    ROMFS_OK : ROMFS_BAD_ENTRY;
	if (!etag_quoted(head + v->etag_at, v->etag_len) ||
	    !head_ends(head - v->not_modified_len, v->not_modified_len))
		return ROMFS_BAD_ENTRY;
	return ROMFS_OK;
}

/* The second and later codings: of a 200 only, ascending, so each once and few. */
static enum romfs_status check_more(const struct check *c, const struct rom_entry *e)
{
	const struct rom_variant *more =
	    (const void *)(c->image + c->sections[ROM_VARIANTS].off);
	uint8_t coding = 0;

	if (e->more_first > c->variant_count ||
	    e->more_count > c->variant_count - e->more_first)
		return ROMFS_BAD_OFFSET;
	for (uint32_t i = 0; i < e->more_count; i++) {
		const struct rom_variant *v = &more[e->more_first + i];
		const enum romfs_status status = check_variant(c, v);

		if (status != ROMFS_OK)
			return status;
		if (v->status != 200 || v->etag_len == 0 ||
		    v->coding <= coding || v->coding >= ROM_CODING_CAP)
			return ROMFS_BAD_ENTRY;
		coding = v->coding;
	}
	return ROMFS_OK;
}

/* What holds for every entry, slots and not-found page alike. */
static enum romfs_status check_entry(const struct check *c, const struct rom_entry *e)
{
	enum romfs_status status;

	if (!inside(&c->sections[ROM_PATHS], e->path_off, e->path_len))
		return ROMFS_BAD_OFFSET;
	status = check_variant(c, &e->first);
	if (status != ROMFS_OK)
		return status;
	if (e->first.coding != ROMFS_IDENTITY || e->zero != 0)
		return ROMFS_BAD_ENTRY;
	if (e->more_count == 0 && e->more_first != 0)
		return ROMFS_BAD_ENTRY;
	if (e->first.status != 200)
		return e->first.etag_len == 0 && e->modified == -1 &&
		    e->more_count == 0 ? ROMFS_OK : ROMFS_BAD_ENTRY;
	if (e->first.etag_len == 0 || e->modified < -1)
		return ROMFS_BAD_ENTRY;
	return e->more_count == 0 ? ROMFS_OK : check_more(c, e);
}

/* A look-up of slot i's path ends in slot i: so every path is found, and is there once. */
static enum romfs_status check_slot(const struct check *c,
    const struct rom_host *host, uint32_t i, const struct rom_entry *e)
{
	const uint8_t *buckets = c->image + c->sections[ROM_BUCKETS].off;
	const enum romfs_status status = check_entry(c, e);
	const uint8_t *path;
	uint64_t hash;
	uint32_t bucket;

	if (status != ROMFS_OK)
		return status;
	path = c->image + e->path_off;
	if (e->path_len == 0 || path[0] != '/')
		return ROMFS_BAD_ENTRY;
	if (e->first.status != 200 && e->first.status != 301)
		return ROMFS_BAD_ENTRY;
	hash = rom_hash(host->seed, path, e->path_len);
	bucket = rom_bucket(hash, host->bucket_count);
	if (rom_slot(hash, load_le32(buckets + 4 * (size_t)bucket),
	    host->entry_count) != i)
		return ROMFS_BAD_TABLE;
	return ROMFS_OK;
}

enum romfs_status romfs_open(struct romfs *fs, const void *image, size_t len)
{
	struct check c = { .image = image };
	enum romfs_status status = check_header(&c, len);
	const struct rom_host *host;
	const struct rom_entry *entries, *page;

	if (status != ROMFS_OK)
		return status;
	if (c.sections[ROM_HOSTS].len != sizeof *host)
		return ROMFS_BAD_TABLE;
	host = (const void *)(c.image + c.sections[ROM_HOSTS].off);
	status = check_tables(&c, host);
	if (status != ROMFS_OK)
		return status;

	entries = (const void *)(c.image + c.sections[ROM_ENTRIES].off);
	for (uint32_t i = 0; i < host->entry_count; i++) {
		status = check_slot(&c, host, i, &entries[i]);
		if (status != ROMFS_OK)
			return status;
	}
	page = &entries[host->entry_count];
	status = check_entry(&c, page);
	if (status != ROMFS_OK)
		return status;
	if (page->path_len != 0 || page->first.status != 404)
		return ROMFS_BAD_ENTRY;

	*fs = (struct romfs){
		.image = c.image,
		.image_len = len,
		.entry_count = host->entry_count,
		.file_count = host->file_count,
		.entries = (const uint8_t *)entries,
		.buckets = c.image + c.sections[ROM_BUCKETS].off,
		.variants = c.image + c.sections[ROM_VARIANTS].off,
		.bucket_count = host->bucket_count,
		.hash_seed = host->seed,
	};
	return ROMFS_OK;
}

static void entry_out(const struct romfs *fs, const struct rom_entry *e,
    struct romfs_entry *out)
{
	*out = (struct romfs_entry){
		.path = fs->image + e->path_off,
		.path_len = e->path_len,
		.modified = e->modified,
		.variant_count = 1 + e->more_count,
		.record = (const uint8_t *)e,
	};
}

enum romfs_status romfs_find(const struct romfs *fs, const uint8_t *path,
    size_t path_len, struct romfs_entry *out)
{
	const struct rom_entry *entries = (const void *)fs->entries;
	const uint64_t hash = rom_hash(fs->hash_seed, path, path_len);
	const uint32_t bucket = rom_bucket(hash, fs->bucket_count);
	const uint32_t displacement = load_le32(fs->buckets + 4 * (size_t)bucket);
	const struct rom_entry *e =
	    &entries[rom_slot(hash, displacement, fs->entry_count)];

	if (e->path_len != path_len ||
	    memcmp(fs->image + e->path_off, path, path_len) != 0)
		return ROMFS_NOT_FOUND;
	entry_out(fs, e, out);
	return ROMFS_OK;
}

void romfs_not_found(const struct romfs *fs, struct romfs_entry *out)
{
	const struct rom_entry *entries = (const void *)fs->entries;

	entry_out(fs, &entries[fs->entry_count], out);
}

void romfs_variant(const struct romfs *fs, const struct romfs_entry *entry,
    uint32_t i, struct romfs_variant *out)
{
	const struct rom_entry *e = (const void *)entry->record;
	const struct rom_variant *more = (const void *)fs->variants;
	const struct rom_variant *v =
	    i == 0 ? &e->first : &more[e->more_first + i - 1];
	const uint8_t *head = fs->image + v->head_off;

	ASSERT(i < entry->variant_count);
	*out = (struct romfs_variant){
		.coding = v->coding,
		.full = {
			.status = v->status,
			.head = head,
			.head_len = v->head_len,
			.body_len = v->body_len,
		},
	};
	if (v->etag_len == 0)
		return;
	out->etag = head + v->etag_at;
	out->etag_len = v->etag_len;
	out->not_modified = (struct romfs_answer){
		.status = 304,
		.head = head - v->not_modified_len,
		.head_len = v->not_modified_len,
	};
}

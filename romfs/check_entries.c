/*
 * Are a site's entries and their answers what they say?  Contract: check.h.
 *
 * What an image says to the outside is checked as far as the server builds on it: the two
 * lines that begin each head, entity tags, and what becomes part of a Location.
 */
#include "romfs/check.h"

#include <string.h>

#define CRLF 0x0a0d           /* as load_le16() reads it */

/* Printable ASCII: 0x20 to 0x7e, or from `first` on. */
static bool all_visible(const uint8_t *bytes, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < first || bytes[i] > 0x7e)
			return false;
	}
	return true;
}

/* ---- Heads ---------------------------------------------------------------- */

static const char length_name[] = "Content-Length: ";
static const char type_name[] = "Content-Type: ";
static const char digest_name[] = "Repr-Digest: sha-256=:";
static const char digest_end[] = ":\r\n";

#define TEXT_LEN(text) (sizeof(text) - 1)
#define LENGTH_DIGITS_CAP 19u  /* so many cannot overflow 64 bits */

_Static_assert(TEXT_LEN(type_name) == ROM_TYPE_AT, "the type stands behind its name");
_Static_assert(TEXT_LEN(digest_name) + 44 + TEXT_LEN(digest_end) ==
    ROM_DIGEST_LINE_LEN, "a SHA-256 has 44 characters in base64");

/* Field lines that each end in CRLF, then CRLF: it is one CRLF or ends in two. */
static bool head_ends(const uint8_t *head, uint32_t len)
{
	if (len < 4)
		return len == 2 && load_le16(head) == CRLF;
	return load_le32(head + len - 4) == (CRLF | (uint32_t)CRLF << 16);
}

/* The first line says how long the body is, or a client would read on too far. */
static bool length_line_ok(const uint8_t *head, uint32_t len, uint64_t body_len)
{
	const uint32_t end = len - 2;
	uint64_t value = 0;

	if (len < TEXT_LEN(length_name) + 3 ||
	    len > TEXT_LEN(length_name) + LENGTH_DIGITS_CAP + 2 ||
	    memcmp(head, length_name, TEXT_LEN(length_name)) != 0 ||
	    load_le16(head + end) != CRLF)
		return false;
	for (uint32_t i = TEXT_LEN(length_name); i < end; i++) {
		if (head[i] < '0' || head[i] > '9')
			return false;
		value = 10 * value + (head[i] - '0');
	}
	return value == body_len;
}

static bool type_line_ok(const uint8_t *line, uint32_t type_len)
{
	return type_len > 0 && memcmp(line, type_name, ROM_TYPE_AT) == 0 &&
	    all_visible(line + ROM_TYPE_AT, type_len, ' ') &&
	    load_le16(line + ROM_TYPE_AT + type_len) == CRLF;
}

/* A strong tag: not "W/", just quotes around its bytes (RFC 9110, section 8.8.3). */
static bool etag_ok(const uint8_t *etag, uint32_t len)
{
	return len >= 2 && etag[0] == '"' && etag[len - 1] == '"' &&
	    all_visible(etag + 1, len - 2, '!') && !check_has(etag + 1, len - 2, '"');
}

/* The mark, and what stands before the head, by status. */
static bool status_ok(const uint8_t *head, const struct rom_variant *v)
{
	const uint8_t *const mark = head + v->mark_at;
	const uint8_t *before;

	if (v->status == 404)
		return v->mark_at == 0 && v->mark_len == 0 && v->not_modified_len == 0;
	if (check_is_redirect(v->status))
		return v->mark_len > 0 && v->not_modified_len == 0 &&
		    check_is_uri(mark, v->mark_len);
	if (v->status != 200)
		return false;
	before = head - v->not_modified_len;
	return etag_ok(mark, v->mark_len) && head_ends(before, v->not_modified_len) &&
	    memcmp(before - ROM_DIGEST_LINE_LEN, digest_name,
	    TEXT_LEN(digest_name)) == 0 &&
	    memcmp(before - TEXT_LEN(digest_end), digest_end,
	    TEXT_LEN(digest_end)) == 0;
}

static enum romfs_status check_variant(const struct check *c,
    const struct rom_variant *v)
{
	const struct rom_range *answers = &c->sections[ROM_ANSWERS];
	const uint32_t before = v->status != 200 ? 0 :
	    ROM_DIGEST_LINE_LEN + v->not_modified_len;
	const uint32_t lines = v->length_line_len + ROM_TYPE_AT + v->type_len + 2u;
	const uint8_t *head;

	if (!check_inside(answers, v->head_off, v->head_len) ||
	    !check_inside(answers, v->body_off, v->body_len) ||
	    v->head_off - answers->off < before ||
	    (uint32_t)v->mark_at + v->mark_len > v->head_len ||
	    lines + 2 > v->head_len)
		return ROMFS_BAD_OFFSET;
	head = c->image + v->head_off;
	if (!length_line_ok(head, v->length_line_len, v->body_len) ||
	    !type_line_ok(head + v->length_line_len, v->type_len) ||
	    !head_ends(head, v->head_len) || !status_ok(head, v) ||
	    v->coding >= ROM_CODING_CAP || !check_is_zero(v->zero, sizeof v->zero))
		return ROMFS_BAD_ENTRY;
	return ROMFS_OK;
}

/* ---- Entries -------------------------------------------------------------- */

/* The second and later codings: each once, as the entry has them, smallest body first. */
static enum romfs_status check_more(const struct check *c, const struct rom_entry *e)
{
	const struct rom_variant *more = check_records(c, ROM_VARIANTS);
	unsigned seen = 1u << ROMFS_IDENTITY;
	uint64_t body_len = 0;

	if (e->more_count >= ROM_CODING_CAP)
		return ROMFS_BAD_ENTRY;
	if (e->more_first > c->counts[ROM_VARIANTS] ||
	    e->more_count > c->counts[ROM_VARIANTS] - e->more_first)
		return ROMFS_BAD_OFFSET;
	for (uint32_t i = 0; i < e->more_count; i++) {
		const struct rom_variant *v = &more[e->more_first + i];
		const enum romfs_status status = check_variant(c, v);

		if (status != ROMFS_OK)
			return status;
		if (v->status != e->first.status || v->body_len < body_len ||
		    v->coding != e->codings[1 + i] || (seen & 1u << v->coding) != 0)
			return ROMFS_BAD_ENTRY;
		seen |= 1u << v->coding;
		body_len = v->body_len;
	}
	return ROMFS_OK;
}

/* What holds for every entry, slots and pages alike. */
static enum romfs_status check_entry(const struct check *c, const struct rom_entry *e)
{
	const uint32_t codings = 1u + e->more_count;
	enum romfs_status status;

	if (!check_inside_paths(c, e->path_off, e->path_len))
		return ROMFS_BAD_OFFSET;
	status = check_variant(c, &e->first);
	if (status == ROMFS_OK)
		status = check_more(c, e);
	if (status != ROMFS_OK)
		return status;
	if (e->first.coding != ROMFS_IDENTITY || e->codings[0] != ROMFS_IDENTITY ||
	    !check_is_zero(e->codings + codings, sizeof e->codings - codings) ||
	    (e->more_count == 0 && e->more_first != 0))
		return ROMFS_BAD_ENTRY;
	if ((e->flags & ~(ROM_ENTRY_RULES_FIRST | ROM_ENTRY_KEEP_QUERY)) != 0 ||
	    ((e->flags & ROM_ENTRY_KEEP_QUERY) != 0 && !check_is_redirect(e->first.status)))
		return ROMFS_BAD_ENTRY;
	if (e->modified < -1 || (e->first.status != 200 && e->modified != -1))
		return ROMFS_BAD_ENTRY;
	return ROMFS_OK;
}

/* A look-up of slot i's path ends in slot i: so every path is found, and is there once. */
static enum romfs_status check_slot(const struct check *c, const struct rom_site *s,
    uint32_t i)
{
	const struct rom_entry *e = check_records(c, ROM_ENTRIES);
	const uint8_t *buckets = check_records(c, ROM_BUCKETS);
	const uint8_t *path = check_records(c, ROM_PATHS);
	enum romfs_status status;
	uint64_t hash;
	size_t bucket;

	e += s->first_entry + (size_t)i;
	status = check_entry(c, e);
	if (status != ROMFS_OK)
		return status;
	path += e->path_off;
	if (e->path_len == 0 || path[0] != '/' || check_has(path, e->path_len, 0))
		return ROMFS_BAD_ENTRY;
	if ((e->flags & ROM_ENTRY_RULES_FIRST) != 0 && s->rule_count == 0)
		return ROMFS_BAD_ENTRY;
	hash = rom_hash(s->seed, path, e->path_len);
	bucket = s->first_bucket + (size_t)rom_bucket(hash, s->bucket_count);
	if (rom_slot(hash, load_le32(buckets + 4 * bucket), s->slot_count) != i)
		return ROMFS_BAD_TABLE;
	return ROMFS_OK;
}

static enum romfs_status check_page(const struct check *c, const struct rom_site *s,
    uint32_t i)
{
	const struct rom_entry *e = check_records(c, ROM_ENTRIES);
	enum romfs_status status;

	e += (size_t)s->first_entry + s->slot_count + i;
	status = check_entry(c, e);
	if (status != ROMFS_OK)
		return status;
	if (e->path_len != 0 || (e->flags & ROM_ENTRY_RULES_FIRST) != 0 ||
	    (i == 0 && e->first.status != 404))
		return ROMFS_BAD_ENTRY;
	return ROMFS_OK;
}

enum romfs_status check_entries(const struct check *c, const struct rom_site *s)
{
	enum romfs_status status = ROMFS_OK;

	for (uint32_t i = 0; i < s->slot_count && status == ROMFS_OK; i++)
		status = check_slot(c, s, i);
	for (uint32_t i = 0; i < s->page_count && status == ROMFS_OK; i++)
		status = check_page(c, s, i);
	return status;
}

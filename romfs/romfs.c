/*
 * The ROM filesystem's look-ups.  Contract: romfs.h; bytes: format.h, README.md.
 *
 * They rely on what romfs_open() found (check.c) and check nothing again:
 *  - every slot's entry lies in the image, and so do its path and all its answers;
 *  - every bucket's displacement leads to a slot below slot_count, by arithmetic;
 *  - a site's automaton stays among its states and accepts its rules only;
 *  - a rule's patterns and targets are well-formed and lie in the image, and its entry
 *    is one of the site's.
 * The image is in read-only memory: what was checked stays true.
 */
#include "romfs/romfs.h"

#include <string.h>

#include "romfs/format.h"
#include "romfs/rules.h"

_Static_assert(ARRAY_LEN(((struct romfs_target *)0)->captures) == ROM_CAPTURE_CAP,
    "a target has room for all captures");

static const struct rom_site *site_at(const struct romfs *fs, uint32_t site)
{
	return (const struct rom_site *)(const void *)fs->sites + site;
}

static const struct rom_entry *first_entry(const struct romfs *fs,
    const struct rom_site *s)
{
	return (const struct rom_entry *)(const void *)fs->entries + s->first_entry;
}

/* ---- Hosts ---------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* As memcmp() of a name as sent and one of the image, the shorter one first. */
static int compare_names(const uint8_t *sent, size_t sent_len,
    const uint8_t *name, size_t name_len)
{
	const size_t shorter = sent_len < name_len ? sent_len : name_len;

	for (size_t i = 0; i < shorter; i++) {
		const int order = lower(sent[i]) - name[i];

		if (order != 0)
			return order;
	}
	return (sent_len > name_len) - (sent_len < name_len);
}

static const struct rom_name *find_name(const struct romfs *fs,
    const uint8_t *name, size_t len)
{
	const struct rom_name *names = (const void *)fs->names;
	uint32_t low = 0, high = fs->name_count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const struct rom_name *n = &names[middle];
		const int order = compare_names(name, len, fs->paths + n->off, n->len);

		if (order == 0)
			return n;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool romfs_host(const struct romfs *fs, const uint8_t *name, size_t len,
    struct romfs_host *out)
{
	const struct rom_name *names = (const void *)fs->names;
	const struct rom_name *found;

	/* "example.org." is the same host (RFC 3986, section 3.2.2). */
	if (len > 0 && name[len - 1] == '.')
		len--;
	found = find_name(fs, name, len);
	if (found == NULL) {
		*out = (struct romfs_host){ .site = fs->default_site };
		return fs->default_site != ROM_NONE;
	}
	*out = (struct romfs_host){ .site = found->site };
	if (found->canonical != ROM_NONE) {
		out->canonical = fs->paths + names[found->canonical].off;
		out->canonical_len = names[found->canonical].len;
	}
	return true;
}

/* ---- Entries -------------------------------------------------------------- */

static void entry_out(const struct romfs *fs, const struct rom_entry *e,
    struct romfs_entry *out)
{
	*out = (struct romfs_entry){
		.path = fs->paths + e->path_off,
		.path_len = e->path_len,
		.modified = e->modified,
		.variant_count = 1 + e->more_count,
		.keeps_query = (e->flags & ROM_ENTRY_KEEP_QUERY) != 0,
		.record = (const uint8_t *)e,
	};
	memcpy(out->codings, e->codings, sizeof out->codings);
}

static inline const struct rom_entry *look_up(const struct romfs *fs,
    const struct rom_site *s, const uint8_t *path, size_t path_len)
{
	const uint64_t hash = rom_hash(s->seed, path, path_len);
	const size_t bucket = s->first_bucket + rom_bucket(hash, s->bucket_count);
	const uint32_t displacement = load_le32(fs->buckets + 4 * bucket);
	const struct rom_entry *e =
	    first_entry(fs, s) + rom_slot(hash, displacement, s->slot_count);

	if (e->path_len != path_len ||
	    memcmp(fs->paths + e->path_off, path, path_len) != 0)
		return NULL;
	return e;
}

enum romfs_status romfs_find(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len, struct romfs_entry *out)
{
	const struct rom_entry *e = look_up(fs, site_at(fs, site), path, path_len);

	if (e == NULL)
		return ROMFS_NOT_FOUND;
	entry_out(fs, e, out);
	return ROMFS_OK;
}

uint32_t romfs_slot_count(const struct romfs *fs, uint32_t site)
{
	return site_at(fs, site)->slot_count;
}

uint32_t romfs_page_count(const struct romfs *fs, uint32_t site)
{
	return site_at(fs, site)->page_count;
}

void romfs_entry_at(const struct romfs *fs, uint32_t site, uint32_t i,
    struct romfs_entry *out)
{
	const struct rom_site *s = site_at(fs, site);

	ASSERT(i < (uint64_t)s->slot_count + s->page_count);
	entry_out(fs, first_entry(fs, s) + i, out);
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
		.status = v->status,
		.length_line_len = v->length_line_len,
		.head = head,
		.head_len = v->head_len,
		.body = fs->image + v->body_off,
		.body_len = v->body_len,
		.type = head + v->length_line_len + ROM_TYPE_AT,
		.type_len = v->type_len,
		.mark = head + v->mark_at,
		.mark_len = v->mark_len,
	};
	if (v->status != 200)
		return;
	out->not_modified = head - v->not_modified_len;
	out->not_modified_len = v->not_modified_len;
	out->digest_line = out->not_modified - ROM_DIGEST_LINE_LEN;
}

/* ---- Rules ---------------------------------------------------------------- */

/* What a look-up was asked with. */
struct question {
	const struct romfs *fs;
	uint32_t site;
	const uint8_t *path, *query;
	size_t path_len, query_len;
	uint8_t *scratch;
	size_t cap;
};

static struct romfs_pattern bytes_at(const struct romfs *fs, uint32_t off,
    uint16_t len)
{
	return (struct romfs_pattern){ fs->paths + off, len };
}

/* A path made of captures answers, if only with a redirect, or the rule does not apply. */
static bool rewrite(const struct question *q, const struct rom_rule *rule,
    struct romfs_answer *out)
{
	const size_t len = romfs_expand(
	    bytes_at(q->fs, rule->target_off, rule->target_len),
	    out->target.captures, out->target.path_captures, q->scratch, q->cap);
	const struct rom_entry *e;

	if (len == SIZE_MAX)
		return false;
	e = look_up(q->fs, site_at(q->fs, q->site), q->scratch, len);
	if (e == NULL)
		return false;
	entry_out(q->fs, e, &out->entry);
	return true;
}

static void redirect(const struct romfs *fs, const struct rom_rule *rule,
    struct romfs_target *out)
{
	out->status = rule->status;
	out->keeps_query = (rule->flags & ROM_RULE_KEEP_QUERY) != 0;
	out->text = fs->paths + rule->target_off;
	out->text_len = rule->target_len;
	out->tail = fs->paths + rule->tail_off;
	out->tail_len = rule->tail_len;
}

/* Answer by a rule; false if it does not apply. */
static bool apply(const struct question *q, const struct rom_rule *rule,
    struct romfs_answer *out)
{
	const struct rom_site *s = site_at(q->fs, q->site);
	struct romfs_target *t = &out->target;

	t->capture_count = 0;
	if (!romfs_match_path(bytes_at(q->fs, rule->pattern_off, rule->pattern_len),
	    q->path, q->path_len, t->captures, &t->capture_count))
		return false;
	t->path_captures = t->capture_count;
	if (!romfs_match_query(bytes_at(q->fs, rule->query_off, rule->query_len),
	    q->query, q->query_len, t->captures, &t->capture_count))
		return false;
	if (rule->status == 200 && rule->target_len > 0)
		return rewrite(q, rule, out);
	if (rule->target_len > 0)
		redirect(q->fs, rule, t);
	else
		entry_out(q->fs, first_entry(q->fs, s) + rule->entry, &out->entry);
	return true;
}

/* The first rule that applies, of those with all these flags. */
static bool apply_first(const struct question *q, uint8_t flags,
    struct romfs_answer *out)
{
	const struct rom_rule *rules = (const void *)q->fs->rules;
	const uint32_t first = site_at(q->fs, q->site)->first_rule;
	const uint8_t *accepts = NULL;
	const uint32_t count =
	    romfs_accepts(q->fs, q->site, q->path, q->path_len, &accepts);

	for (uint32_t i = 0; i < count; i++) {
		const struct rom_rule *rule =
		    &rules[first + load_le32(accepts + 4 * (size_t)i)];

		if ((rule->flags & flags) == flags && apply(q, rule, out))
			return true;
	}
	return false;
}

void romfs_resolve(const struct romfs *fs, uint32_t site,
    const uint8_t *path, size_t path_len,
    const uint8_t *query, size_t query_len,
    uint8_t *scratch, size_t cap, struct romfs_answer *out)
{
	const struct rom_site *s = site_at(fs, site);
	const struct rom_entry *e = look_up(fs, s, path, path_len);

	out->target.status = 0;
	if (e != NULL && (e->flags & ROM_ENTRY_RULES_FIRST) == 0) {
		entry_out(fs, e, &out->entry);
		return;
	}
	const struct question q = {
		.fs = fs, .site = site, .path = path, .path_len = path_len,
		.query = query, .query_len = query_len,
		.scratch = scratch, .cap = cap,
	};
	if (path_len > 0 && apply_first(&q, e != NULL ? ROM_RULE_FORCED : 0, out))
		return;
	if (e == NULL)
		e = first_entry(fs, s) + s->slot_count;
	entry_out(fs, e, &out->entry);
}

/*
 * The ROM filesystem, opening side: every check, once.  Contract: romfs.h; bytes: format.h;
 * what is refused for which reason: README.md.
 *
 * Nothing here believes a number before it has been compared: offsets with the length of
 * their section, counts with the sections' lengths, indices with the counts.  After ROMFS_OK
 * the look-ups (romfs.c, rules.c) follow them without looking again.  Here: the frame of
 * the image; check_entries.c and check_rules.c: what a site is made of.
 */
#include "romfs/check.h"

#include <string.h>

#include "config/limits.h"

static const uint8_t record_lens[ROM_SECTIONS] = {
	[ROM_NAMES] = sizeof(struct rom_name),
	[ROM_SITES] = sizeof(struct rom_site),
	[ROM_BUCKETS] = sizeof(uint32_t),
	[ROM_ENTRIES] = sizeof(struct rom_entry),
	[ROM_VARIANTS] = sizeof(struct rom_variant),
	[ROM_RULES] = sizeof(struct rom_rule),
	[ROM_STATES] = sizeof(struct rom_state),
	[ROM_EDGES] = sizeof(uint32_t),
	[ROM_ACCEPTS] = sizeof(uint32_t),
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
	case ROMFS_BAD_RULE:
		return "a rule is malformed, or an automaton leads out of itself";
	case ROMFS_BAD_OFFSET:
		return "an offset or length reaches outside its section";
	}
	return "unknown status";
}

/* ---- Header and sections -------------------------------------------------- */

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
	    !check_is_zero(header->zero, sizeof header->zero))
		return ROMFS_BAD_TABLE;
	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		c->sections[i] = header->sections[i];
		if (!check_inside(&whole, c->sections[i].off, c->sections[i].len) ||
		    c->sections[i].off % ROM_ALIGN != 0)
			return ROMFS_BAD_OFFSET;
	}
	return ROMFS_OK;
}

static enum romfs_status check_counts(struct check *c)
{
	const struct rom_state *dead = check_records(c, ROM_STATES);

	for (size_t i = 0; i < ROM_SECTIONS; i++) {
		const uint64_t len = c->sections[i].len;

		if (record_lens[i] == 0)
			continue;
		if (len % record_lens[i] != 0 || len / record_lens[i] >= ROM_NONE)
			return ROMFS_BAD_TABLE;
		c->counts[i] = (uint32_t)(len / record_lens[i]);
	}
	if (c->counts[ROM_SITES] == 0 || c->counts[ROM_STATES] > ROM_STATE_CAP)
		return ROMFS_BAD_TABLE;
	if (c->counts[ROM_STATES] == 0)
		return ROMFS_OK;
	c->states = 1;
	return check_is_zero((const uint8_t *)dead, sizeof *dead) ?
	    ROMFS_OK : ROMFS_BAD_RULE;
}

/* Lines "word value", for a terminal or a page. */
static enum romfs_status check_info(const struct check *c)
{
	const struct rom_range *info = &c->sections[ROM_INFO];
	const uint8_t *text = check_records(c, ROM_INFO);

	if (info->len > UINT32_MAX)
		return ROMFS_BAD_TABLE;
	if (info->len > 0 && text[info->len - 1] != '\n')
		return ROMFS_BAD_TABLE;
	for (uint64_t i = 0; i < info->len; i++) {
		if ((text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
			return ROMFS_BAD_TABLE;
	}
	return ROMFS_OK;
}

/* ---- Names ---------------------------------------------------------------- */

/* What a registered name or an address in brackets is made of, in lower case. */
static bool name_ok(const uint8_t *name, uint32_t len)
{
	static const uint8_t marks[] = "-._~!$&'()*+,;=%[]:";

	for (uint32_t i = 0; i < len; i++) {
		const uint8_t c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    !check_has(marks, sizeof marks - 1, c))
			return false;
	}
	return len >= 1 && len <= LIMIT_HOST_LEN && name[len - 1] != '.';
}

static bool ascends(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
	const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order < 0 || (order == 0 && a_len < b_len);
}

static enum romfs_status check_names(const struct check *c, uint32_t default_site)
{
	const struct rom_name *names = check_records(c, ROM_NAMES);
	const uint8_t *paths = check_records(c, ROM_PATHS);
	const uint32_t count = c->counts[ROM_NAMES];
	const uint32_t sites = c->counts[ROM_SITES];

	if (default_site != ROM_NONE && default_site >= sites)
		return ROMFS_BAD_TABLE;
	if (count == 0)
		return sites == 1 && default_site == 0 ? ROMFS_OK : ROMFS_BAD_TABLE;
	for (uint32_t i = 0; i < count; i++) {
		const struct rom_name *n = &names[i];

		if (!check_inside_paths(c, n->off, n->len))
			return ROMFS_BAD_OFFSET;
		if (n->site >= sites || !name_ok(paths + n->off, n->len))
			return ROMFS_BAD_TABLE;
		if (i > 0 && !ascends(paths + n[-1].off, n[-1].len,
		    paths + n->off, n->len))
			return ROMFS_BAD_TABLE;
		/* One step, to a name that answers: no chain, no loop. */
		if (n->canonical != ROM_NONE && (n->canonical >= count ||
		    names[n->canonical].canonical != ROM_NONE))
			return ROMFS_BAD_TABLE;
	}
	return ROMFS_OK;
}

/* ---- Sites ---------------------------------------------------------------- */

/* A run goes on where the last one ended, and no further than its section. */
static bool take_run(const struct check *c, enum rom_section section, uint64_t *taken,
    uint64_t first, uint64_t count)
{
	if (first != *taken || count > c->counts[section] - *taken)
		return false;
	*taken += count;
	return true;
}

static enum romfs_status check_site(struct check *c, const struct rom_site *s)
{
	enum romfs_status status;

	if (s->bucket_count == 0 || s->slot_count == 0 || s->page_count == 0 ||
	    !check_is_zero(s->zero, sizeof s->zero))
		return ROMFS_BAD_TABLE;
	if (!take_run(c, ROM_BUCKETS, &c->buckets, s->first_bucket, s->bucket_count) ||
	    !take_run(c, ROM_ENTRIES, &c->entries, s->first_entry,
	    (uint64_t)s->slot_count + s->page_count) ||
	    !take_run(c, ROM_RULES, &c->rules, s->first_rule, s->rule_count) ||
	    !take_run(c, ROM_STATES, &c->states, s->first_state, s->state_count))
		return ROMFS_BAD_TABLE;
	c->slots += s->slot_count;
	c->files += s->file_count;
	status = check_entries(c, s);
	return status == ROMFS_OK ? check_rules(c, s) : status;
}

static enum romfs_status check_sites(struct check *c)
{
	const struct rom_site *sites = check_records(c, ROM_SITES);
	enum romfs_status status;

	for (uint32_t i = 0; i < c->counts[ROM_SITES]; i++) {
		status = check_site(c, &sites[i]);
		if (status != ROMFS_OK)
			return status;
	}
	if (c->buckets != c->counts[ROM_BUCKETS] || c->entries != c->counts[ROM_ENTRIES] ||
	    c->rules != c->counts[ROM_RULES] || c->states != c->counts[ROM_STATES] ||
	    c->files > UINT32_MAX)
		return ROMFS_BAD_TABLE;
	return ROMFS_OK;
}

static enum romfs_status check_all(struct check *c, size_t len)
{
	enum romfs_status status = check_header(c, len);

	if (status == ROMFS_OK)
		status = check_counts(c);
	if (status == ROMFS_OK)
		status = check_info(c);
	if (status == ROMFS_OK)
		status = check_names(c,
		    ((const struct rom_header *)(const void *)c->image)->default_site);
	return status == ROMFS_OK ? check_sites(c) : status;
}

enum romfs_status romfs_open(struct romfs *fs, const void *image, size_t len)
{
	struct check c = { .image = image };
	const enum romfs_status status = check_all(&c, len);

	if (status != ROMFS_OK)
		return status;
	*fs = (struct romfs){
		.image = c.image,
		.image_len = len,
		.site_count = c.counts[ROM_SITES],
		.name_count = c.counts[ROM_NAMES],
		.entry_count = (uint32_t)c.slots,
		.file_count = (uint32_t)c.files,
		.default_site = ((const struct rom_header *)image)->default_site,
		.names = check_records(&c, ROM_NAMES),
		.sites = check_records(&c, ROM_SITES),
		.buckets = check_records(&c, ROM_BUCKETS),
		.entries = check_records(&c, ROM_ENTRIES),
		.variants = check_records(&c, ROM_VARIANTS),
		.rules = check_records(&c, ROM_RULES),
		.states = check_records(&c, ROM_STATES),
		.edges = check_records(&c, ROM_EDGES),
		.accepts = check_records(&c, ROM_ACCEPTS),
		.paths = check_records(&c, ROM_PATHS),
		.info = check_records(&c, ROM_INFO),
		.info_len = (uint32_t)c.sections[ROM_INFO].len,
	};
	return ROMFS_OK;
}

/*
 * What the files of romfs_open() share; nobody else includes it.
 */
#pragma once

#include "config/base.h"
#include "romfs/format.h"
#include "romfs/romfs.h"

/* What is carried from check to check. */
struct check {
	const uint8_t *image;
	struct rom_range sections[ROM_SECTIONS];        /* inside the image */
	uint32_t counts[ROM_SECTIONS];  /* of records; 0 for sections that have none */
	/* Records that belong to the sites so far: runs without gaps. */
	uint64_t buckets, entries, rules, states;
	uint64_t slots, files;
};

static inline const void *check_records(const struct check *c, enum rom_section section)
{
	return c->image + c->sections[section].off;
}

/* [off, off + len) lies in the range; no sum that could overflow. */
static inline bool check_inside(const struct rom_range *range, uint64_t off,
    uint64_t len)
{
	return off >= range->off && off - range->off <= range->len &&
	    len <= range->len - (off - range->off);
}

static inline bool check_inside_paths(const struct check *c, uint32_t off, uint32_t len)
{
	return off <= c->sections[ROM_PATHS].len &&
	    len <= c->sections[ROM_PATHS].len - off;
}

static inline bool check_is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

/* Some byte is b. */
static inline bool check_has(const uint8_t *bytes, size_t len, uint8_t b)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == b)
			return true;
	}
	return false;
}

static inline bool check_is_redirect(uint16_t status)
{
	return status == 301 || status == 302 || status == 303 ||
	    status == 307 || status == 308;
}

/*
 * What can stand in a Location: the characters of a URI (RFC 3986, section 2, with '%').
 * None of them ends a field or a line.
 */
bool check_is_uri(const uint8_t *bytes, size_t len);

/*
 * All entries, or all rules and states, of a site whose runs lie in their sections.  Rules
 * look at entries: those come first.
 */
MUST_USE enum romfs_status check_entries(const struct check *c, const struct rom_site *s);
MUST_USE enum romfs_status check_rules(const struct check *c, const struct rom_site *s);

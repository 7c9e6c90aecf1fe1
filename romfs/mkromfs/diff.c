/* `mkromfs --diff`: two images, URL by URL.  Contract: show.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/format.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/rom_file.h"
#include "romfs/mkromfs/sha256.h"
#include "romfs/mkromfs/show.h"
#include "romfs/mkromfs/url.h"
#include "romfs/romfs.h"

/* A URL, and a digest of all that it answers. */
struct line {
	char *url;
	uint8_t digest[SHA256_LEN];
};

struct lines {
	struct line *lines;
	size_t count, cap;
};

static void add(struct lines *all, char *url, const struct sha256 *sha)
{
	all->lines = xgrow(all->lines, &all->cap, all->count + 1, sizeof *all->lines);
	all->lines[all->count].url = url;
	sha256_end(sha, all->lines[all->count].digest);
	all->count++;
}

__attribute__((format(printf, 1, 2)))
static char *text(const char *format, ...)
{
	va_list args;
	char *out;

	va_start(args, format);
	if (vasprintf(&out, format, args) < 0)
		die("out of memory");
	va_end(args);
	return out;
}

/* Lengths between, so that no two lists of parts are the same bytes. */
static void add_part(struct sha256 *sha, const void *bytes, uint64_t len)
{
	sha256_add(sha, &len, sizeof len);
	sha256_add(sha, bytes, len);
}

/*
 * Heads have the tags, and tags stand for the bodies of what has some; other bodies are
 * pages of our own or a site's, and short.
 */
static void add_entry(struct sha256 *sha, const struct romfs *fs,
    const struct romfs_entry *entry)
{
	struct romfs_variant v;

	sha256_add(sha, entry->keeps_query ? "q" : "-", 1);
	for (uint32_t i = 0; i < entry->variant_count; i++) {
		romfs_variant(fs, entry, i, &v);
		sha256_add(sha, &v.status, sizeof v.status);
		add_part(sha, v.head, v.head_len);
		add_part(sha, v.not_modified, v.not_modified_len);
		add_part(sha, v.body, v.status == 200 ? 0 : v.body_len);
	}
}

static void add_entries(struct lines *all, const struct romfs *fs, uint32_t site,
    const char *host)
{
	const uint32_t slots = romfs_slot_count(fs, site);
	struct romfs_entry entry;
	struct sha256 sha;

	for (uint32_t i = 0; i < slots; i++) {
		char *path, *url;

		romfs_entry_at(fs, site, i, &entry);
		path = rom_file_text(entry.path, entry.path_len);
		url = url_encode(path);
		sha256_start(&sha);
		add_entry(&sha, fs, &entry);
		add(all, text("%s%s", host, url), &sha);
		free(url);
		free(path);
	}
	romfs_entry_at(fs, site, slots, &entry);
	sha256_start(&sha);
	add_entry(&sha, fs, &entry);
	add(all, text("%s*", host), &sha);
}

/* Append bytes with their marks as a person would write them. */
static char *with_marks(char *out, const uint8_t *bytes, size_t len, unsigned *marks)
{
	for (size_t i = 0; i < len; i++) {
		const char piece[2] = { (char)bytes[i], '\0' };
		char *encoded, *longer;

		if (bytes[i] != 0)
			encoded = url_encode(piece);
		else if (bytes[++i] == 1)
			encoded = text(":%u", ++*marks);
		else
			encoded = text("%s", ++*marks > 0 && bytes[i] == 2 ? "*" : "/*");
		longer = text("%s%s", out, encoded);
		free(encoded);
		free(out);
		out = longer;
	}
	return out;
}

/* Conditions look like the query that they want: "?id=:1". */
static char *rule_url(const struct romfs *fs, const struct rom_rule *rule, const char *host)
{
	const char *query = (const char *)fs->paths + rule->query_off;
	const char *end = query + rule->query_len;
	unsigned marks = 0;
	char *out = with_marks(xstrdup(host), fs->paths + rule->pattern_off,
	    rule->pattern_len, &marks);
	char separator = '?';

	while (query < end) {
		const char *value = query + strlen(query) + 1;
		char *longer = strcmp(value, "\1") == 0 ?
		    text("%s%c%s=:%u", out, separator, query, ++marks) :
		    text("%s%c%s=%s", out, separator, query, value);

		free(out);
		out = longer;
		separator = '&';
		query = value + strlen(value) + 1;
	}
	return out;
}

static void add_rules(struct lines *all, const struct romfs *fs, uint32_t site,
    const char *host)
{
	const struct rom_site *s = (const struct rom_site *)(const void *)fs->sites + site;
	const struct rom_rule *rules =
	    (const struct rom_rule *)(const void *)fs->rules + s->first_rule;
	struct romfs_entry entry;
	struct sha256 sha;

	for (uint32_t i = 0; i < s->rule_count; i++) {
		const struct rom_rule *r = &rules[i];

		sha256_start(&sha);
		sha256_add(&sha, &r->status, sizeof r->status);
		sha256_add(&sha, &r->flags, sizeof r->flags);
		add_part(&sha, fs->paths + r->target_off, r->target_len);
		add_part(&sha, fs->paths + r->tail_off, r->tail_len);
		if (r->target_len == 0) {
			romfs_entry_at(fs, site, r->entry, &entry);
			add_entry(&sha, fs, &entry);
		}
		add(all, rule_url(fs, r, host), &sha);
	}
}

static void add_names(struct lines *all, const struct romfs *fs)
{
	const struct rom_name *names = (const void *)fs->names;
	struct sha256 sha;

	for (uint32_t i = 0; i < fs->name_count; i++) {
		const struct rom_name *n = &names[i];
		char *site = rom_file_site_name(fs, n->site);

		sha256_start(&sha);
		add_part(&sha, site, strlen(site));
		if (n->canonical != ROM_NONE)
			add_part(&sha, fs->paths + names[n->canonical].off,
			    names[n->canonical].len);
		add(all, text("//%.*s", (int)n->len, (const char *)fs->paths + n->off),
		    &sha);
		free(site);
	}
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *la = a, *lb = b;
	const int order = strcmp(la->url, lb->url);

	return order != 0 ? order : memcmp(la->digest, lb->digest, SHA256_LEN);
}

static struct lines lines_of(const struct romfs *fs)
{
	struct lines all = { 0 };

	for (uint32_t site = 0; site < fs->site_count; site++) {
		char *name = rom_file_site_name(fs, site);
		char *host = fs->name_count == 0 ? xstrdup("") : text("//%s", name);

		add_entries(&all, fs, site, host);
		add_rules(&all, fs, site, host);
		free(host);
		free(name);
	}
	add_names(&all, fs);
	qsort(all.lines, all.count, sizeof *all.lines, compare_lines);
	return all;
}

static void free_lines(struct lines *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->lines[i].url);
	free(all->lines);
}

static bool compare(const struct lines *old, const struct lines *new)
{
	size_t i = 0, k = 0;
	bool same = true;

	while (i < old->count || k < new->count) {
		const int order = i == old->count ? 1 : k == new->count ? -1 :
		    strcmp(old->lines[i].url, new->lines[k].url);
		const bool equal = order == 0 && memcmp(old->lines[i].digest,
		    new->lines[k].digest, SHA256_LEN) == 0;

		if (!equal)
			printf("%s\t%s\n",
			    order < 0 ? "removed" : order > 0 ? "added" : "changed",
			    order > 0 ? new->lines[k].url : old->lines[i].url);
		same &= equal;
		i += order <= 0;
		k += order >= 0;
	}
	return same;
}

bool show_diff(const char *old_image, const char *new_image)
{
	struct romfs old_fs, new_fs;
	struct lines old, new;
	bool same;

	if (!rom_file_open(old_image, &old_fs) || !rom_file_open(new_image, &new_fs))
		return true;
	old = lines_of(&old_fs);
	new = lines_of(&new_fs);
	same = compare(&old, &new);
	free_lines(&old);
	free_lines(&new);
	return same;
}

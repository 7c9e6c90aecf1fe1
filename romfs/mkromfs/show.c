/* Contract: show.h; --resolve and --diff: resolve.c, diff.c. */
#include "romfs/mkromfs/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/coding.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/rom_file.h"
#include "romfs/mkromfs/url.h"
#include "romfs/romfs.h"

static void list_entry(const struct romfs *fs, const char *host,
    const struct romfs_entry *entry)
{
	char *path = rom_file_text(entry->path, entry->path_len);
	char *url = url_encode(path);
	struct romfs_variant v;

	for (uint32_t i = 0; i < entry->variant_count; i++) {
		romfs_variant(fs, entry, i, &v);
		printf("%s%s\t%d\t%.*s\t%llu\t%s\n", host,
		    entry->path_len == 0 ? "*" : url, v.status,
		    (int)v.type_len, (const char *)v.type,
		    (unsigned long long)v.body_len,
		    v.coding == ROMFS_IDENTITY ? "identity" : coding_name(v.coding));
	}
	free(url);
	free(path);
}

static int compare_entries(const void *a, const void *b)
{
	const struct romfs_entry *ea = a, *eb = b;
	const uint32_t shorter =
	    ea->path_len < eb->path_len ? ea->path_len : eb->path_len;
	const int order = memcmp(ea->path, eb->path, shorter);

	return order != 0 ? order :
	    (ea->path_len > eb->path_len) - (ea->path_len < eb->path_len);
}

static void list_site(const struct romfs *fs, uint32_t site)
{
	const uint32_t slots = romfs_slot_count(fs, site);
	const uint32_t pages = romfs_page_count(fs, site);
	struct romfs_entry *entries = xmalloc(slots * sizeof *entries);
	char *name = rom_file_site_name(fs, site);
	char *host = xmalloc(strlen(name) + 3);
	struct romfs_entry page;

	sprintf(host, "%s%s", fs->name_count == 0 ? "" : "//",
	    fs->name_count == 0 ? "" : name);
	for (uint32_t i = 0; i < slots; i++)
		romfs_entry_at(fs, site, i, &entries[i]);
	qsort(entries, slots, sizeof *entries, compare_entries);
	for (uint32_t i = 0; i < slots; i++)
		list_entry(fs, host, &entries[i]);
	for (uint32_t i = 0; i < pages; i++) {
		romfs_entry_at(fs, site, slots + i, &page);
		list_entry(fs, host, &page);
	}
	free(host);
	free(name);
	free(entries);
}

void show_list(const char *image)
{
	struct romfs fs;

	if (!rom_file_open(image, &fs))
		return;
	for (uint32_t site = 0; site < fs.site_count; site++)
		list_site(&fs, site);
}

void show_check(const char *image)
{
	struct romfs fs;

	if (!rom_file_open(image, &fs))
		return;
	print_escaped(stdout, image);
	printf(": ok, %u files at %u paths, %zu bytes\n", fs.file_count,
	    fs.entry_count, fs.image_len);
}

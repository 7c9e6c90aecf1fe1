/* Contract: show.h. */
#include "romfs/mkromfs/show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/url.h"
#include "romfs/romfs.h"

/* Map and check an image; it stays mapped until the program ends. */
static bool open_image(struct romfs *fs, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum romfs_status status;
	const void *bytes;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		report_error(path, "%s", strerror(errno));
		return false;
	}
	if (st.st_size == 0) {
		report_error(path, "refused: %s", romfs_status_text(ROMFS_BAD_LENGTH));
		return false;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		report_error(path, "%s", strerror(errno));
		return false;
	}
	close(fd);
	status = romfs_open(fs, bytes, (size_t)st.st_size);
	if (status == ROMFS_OK)
		return true;
	report_error(path, "refused: %s", romfs_status_text(status));
	return false;
}

static void list_entry(const struct romfs *fs, const struct romfs_entry *entry)
{
	char *path = xmalloc(entry->path_len + 1);
	struct romfs_variant variant;
	char *url;

	memcpy(path, entry->path, entry->path_len);
	path[entry->path_len] = '\0';
	url = url_encode(path);
	for (uint32_t i = 0; i < entry->variant_count; i++) {
		romfs_variant(fs, entry, i, &variant);
		if (variant.coding != ROMFS_IDENTITY)
			continue;
		printf("%s\t%d\t%.*s\t%llu\n", entry->path_len == 0 ? "*" : url,
		    variant.status, (int)variant.type_len, variant.type,
		    (unsigned long long)variant.body_len);
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
	struct romfs_entry *entries = xmalloc(slots * sizeof *entries), page;

	for (uint32_t i = 0; i < slots; i++)
		romfs_entry_at(fs, site, i, &entries[i]);
	qsort(entries, slots, sizeof *entries, compare_entries);
	for (uint32_t i = 0; i < slots; i++)
		list_entry(fs, &entries[i]);
	for (uint32_t i = 0; i < romfs_page_count(fs, site); i++) {
		romfs_entry_at(fs, site, slots + i, &page);
		list_entry(fs, &page);
	}
	free(entries);
}

void show_list(const char *image)
{
	struct romfs fs;

	if (!open_image(&fs, image))
		return;
	for (uint32_t site = 0; site < fs.site_count; site++)
		list_site(&fs, site);
}

void show_check(const char *image)
{
	struct romfs fs;

	if (!open_image(&fs, image))
		return;
	print_escaped(stdout, image);
	printf(": ok, %u files at %u paths, %zu bytes\n", fs.file_count,
	    fs.entry_count, fs.image_len);
}

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

#include "romfs/format.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/plan.h"
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

/* The value of a head's field, as printf's "%.*s" takes it; empty if there is none. */
static const char *head_field(const struct romfs_answer *answer,
    const char *name, int *len)
{
	const char *line = (const char *)answer->head;
	const char *end = line + answer->head_len;
	const size_t name_len = strlen(name);

	while (line < end) {
		const char *line_end = memchr(line, '\r', (size_t)(end - line));

		if (line_end == NULL)
			break;
		if ((size_t)(line_end - line) > name_len + 2 &&
		    memcmp(line, name, name_len) == 0 && line[name_len] == ':') {
			*len = (int)(line_end - line - (ptrdiff_t)name_len - 2);
			return line + name_len + 2;
		}
		line = line_end + 2;
	}
	*len = 0;
	return "";
}

static void list_entry(const struct romfs *fs, const struct romfs_entry *entry)
{
	char *path = xmalloc(entry->path_len + 1);
	struct romfs_variant variant;
	const char *type;
	char *url;
	int len;

	memcpy(path, entry->path, entry->path_len);
	path[entry->path_len] = '\0';
	url = url_encode(path);
	for (uint32_t i = 0; i < entry->variant_count; i++) {
		romfs_variant(fs, entry, i, &variant);
		type = head_field(&variant.full, "Content-Type", &len);
		printf("%s\t%d\t%.*s\t%llu\n", entry->path_len == 0 ? "*" : url,
		    variant.full.status, len, type,
		    (unsigned long long)variant.full.body_len);
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

void show_list(const char *image)
{
	const struct rom_entry *records;
	struct romfs_entry *entries, not_found;
	struct romfs fs;

	if (!open_image(&fs, image))
		return;
	records = (const void *)fs.entries;
	entries = xmalloc(fs.entry_count * sizeof *entries);
	for (uint32_t i = 0; i < fs.entry_count; i++)
		if (romfs_find(&fs, fs.image + records[i].path_off,
		    records[i].path_len, &entries[i]) != ROMFS_OK)
			panic("a checked entry is not found");
	qsort(entries, fs.entry_count, sizeof *entries, compare_entries);
	for (uint32_t i = 0; i < fs.entry_count; i++)
		list_entry(&fs, &entries[i]);
	romfs_not_found(&fs, &not_found);
	list_entry(&fs, &not_found);
	free(entries);
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

/* A file's name as one column: '%' and control bytes as %XX, the rest as it is. */
static void print_column(const char *text)
{
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '%')
			printf("%%%02X", c);
		else
			putchar(c);
	}
}

static void manifest_line(const struct site *site, const struct planned *p)
{
	char *path = xmalloc(strlen(site->files[p->file].path) + 2);
	char *url;

	path[0] = '/';
	strcpy(path + 1, site->files[p->file].path);
	path[p->path_len] = '\0';
	url = url_encode(path);
	if (p->kind == PLANNED_REDIRECT) {
		printf("%s\t301\t%s/\n", url, url);
	} else {
		printf("%s\t200\t", url);
		print_column(site->files[p->file].path);
		putchar('\n');
	}
	free(url);
	free(path);
}

void show_manifest(const struct site *site)
{
	const size_t page = plan_not_found(site);
	struct planned *plan;
	const size_t count = plan_site(site, &plan);

	for (size_t i = 0; i < count; i++)
		manifest_line(site, &plan[i]);
	printf("*\t404\t%s\n", page == SIZE_MAX ? "-" : site->files[page].path);
	free(plan);
}

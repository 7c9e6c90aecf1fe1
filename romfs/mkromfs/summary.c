/* Contract: summary.h. */
#include "romfs/mkromfs/summary.h"

#include <stdio.h>
#include <string.h>

#include "romfs/mkromfs/report.h"

#define SKIPPED_SHOWN 8

static size_t sum(const struct image *image, size_t (*of)(const struct image_site *site))
{
	size_t total = 0;

	for (size_t i = 0; i < image->site_count; i++)
		total += of(&image->sites[i]);
	return total;
}

static size_t files_of(const struct image_site *site)
{
	return site->site.file_count;
}

static size_t folders_of(const struct image_site *site)
{
	return site->site.directory_count;
}

static size_t skipped_of(const struct image_site *site)
{
	return site->site.skipped_count;
}

/* Lines, not rules: one line may be two. */
static size_t redirects_of(const struct image_site *site)
{
	size_t lines = 0;

	for (size_t i = 0; i < site->redirects.count; i++)
		lines += i == 0 || site->redirects.rules[i].line !=
		    site->redirects.rules[i - 1].line;
	return lines;
}

static void print_one_skipped(const char *folder, const char *name, size_t *shown)
{
	if (*shown < SKIPPED_SHOWN) {
		fputs(*shown == 0 ? "  " : ", ", stdout);
		if (folder != NULL) {
			print_escaped(stdout, folder);
			putchar('/');
		}
		print_escaped(stdout, name);
	}
	++*shown;
}

static void print_skipped(const struct image *image, const struct hosts_skipped *skipped)
{
	const size_t count = skipped->count + sum(image, skipped_of);
	size_t shown = 0;

	printf("skipped %zu", count);
	for (size_t i = 0; i < skipped->count; i++)
		print_one_skipped(NULL, skipped->names[i], &shown);
	for (size_t i = 0; i < image->site_count; i++) {
		const struct site *site = &image->sites[i].site;
		const char *slash = strrchr(site->root, '/');
		const char *folder = image->name_count == 0 ? NULL : slash + 1;

		for (size_t j = 0; j < site->skipped_count; j++)
			print_one_skipped(folder, site->skipped[j], &shown);
	}
	if (count > SKIPPED_SHOWN)
		printf(", and %zu more", count - SKIPPED_SHOWN);
	putchar('\n');
}

static void print_hosts(const struct image *image)
{
	printf("hosts   %zu", image->name_count);
	for (size_t i = 0; i < image->name_count && i < SKIPPED_SHOWN; i++)
		printf("%s%s", i == 0 ? "  " : ", ", image->names[i].name);
	if (image->name_count > SKIPPED_SHOWN)
		printf(", and %zu more", image->name_count - SKIPPED_SHOWN);
	putchar('\n');
}

void print_summary(const struct image *image, const struct image_summary *summary,
    const struct hosts_skipped *skipped)
{
	const size_t redirects = sum(image, redirects_of);

	printf("files   %zu\n", sum(image, files_of));
	printf("folders %zu\n", sum(image, folders_of));
	printf("input   %llu bytes\n", (unsigned long long)summary->bytes_in);
	printf("rom     %llu bytes\n", (unsigned long long)summary->image_len);
	if (summary->coded_files > 0)
		printf("codings %zu files, %llu bytes less on the wire\n",
		    summary->coded_files, (unsigned long long)summary->saved);
	if (redirects > 0)
		printf("rules   %zu in _redirects\n", redirects);
	if (image->name_count > 0)
		print_hosts(image);
	if (summary->dropped_hsts)
		puts("note    Strict-Transport-Security of _headers is left out: the setting "
		    "hsts= sends it");
	print_skipped(image, skipped);
}

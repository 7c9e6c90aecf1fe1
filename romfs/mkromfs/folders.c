/* Contract: folders.h.  Files are sorted by path, so a folder's are neighbours. */
#include "romfs/mkromfs/folders.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/url.h"

/* [first, end) of the files that begin with the folder's path. */
static size_t end_of(const struct site *site, size_t first, const char *path, size_t len)
{
	while (first < site->file_count &&
	    strncmp(site->files[first].path, path, len) == 0)
		first++;
	return first;
}

static void add_folder(struct folders *folders, const struct site *site, size_t first,
    size_t len)
{
	const char *path = site->files[first].path;

	folders->list = xgrow(folders->list, &folders->cap, folders->count + 1,
	    sizeof *folders->list);
	folders->list[folders->count++] = (struct folder){
		.path = path, .len = len, .first = first,
		.end = end_of(site, first, path, len),
	};
}

static int compare_folders(const void *a, const void *b)
{
	const struct folder *fa = a, *fb = b;
	const int order = memcmp(fa->path, fb->path, fa->len < fb->len ? fa->len : fb->len);

	return order != 0 ? order : (fa->len > fb->len) - (fa->len < fb->len);
}

/* A name that begins in '.' is not listed, and neither is what lies below. */
static bool is_hidden(const char *path, size_t len)
{
	return len > 0 && path[0] == '.';
}

void folders_find(struct folders *folders, const struct site *site)
{
	*folders = (struct folders){ 0 };
	for (size_t i = 0; i < site->file_count; i++) {
		const char *path = site->files[i].path;
		const char *before = i == 0 ? "" : site->files[i - 1].path;
		const char *slash = path;

		if (i == 0)
			add_folder(folders, site, 0, 0);
		while ((slash = strchr(slash, '/')) != NULL) {
			const size_t len = (size_t)(++slash - path);

			/* The file before is in it, too: it is known. */
			if (strncmp(path, before, len) != 0 && !is_hidden(path, len))
				add_folder(folders, site, i, len);
		}
	}
	if (folders->count > 0)
		qsort(folders->list, folders->count, sizeof *folders->list,
		    compare_folders);
}

bool folder_has(const struct site *site, const struct folder *folder, const char *name)
{
	for (size_t i = folder->first; i < folder->end; i++)
		if (strcmp(site->files[i].path + folder->len, name) == 0)
			return true;
	return false;
}

/* ---- The page -------------------------------------------------------------- */

static const char page_start[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<style>\n"
	"body { font: 1rem/1.6 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto;\n"
	"  padding: 0 1rem }\n"
	"h1 { font-size: 1.25rem; overflow-wrap: anywhere }\n"
	"table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }\n"
	"th { text-align: left; font-weight: normal; opacity: .7 }\n"
	"td, th { padding: .1rem .75rem .1rem 0; vertical-align: top }\n"
	"td:first-child { width: 100%; overflow-wrap: anywhere }\n"
	"td + td { white-space: nowrap }\n"
	"td:nth-child(2), th:nth-child(2) { text-align: right }\n"
	"</style>\n";

/* "/a b/" as the page shows it, and "/a%20b/" as it links to it. */
static void add_name(struct text *page, const struct folder *folder, const char *name,
    size_t name_len)
{
	char *path = xmalloc(1 + folder->len + name_len + 1);
	char *url;

	path[0] = '/';
	memcpy(path + 1, folder->path, folder->len);
	memcpy(path + 1 + folder->len, name, name_len);
	path[1 + folder->len + name_len] = '\0';
	url = url_encode(path);
	text_add(page, "<tr><td><a href=\"");
	text_add_html(page, url);
	text_add(page, "\">");
	text_add_html(page, path + 1 + folder->len);
	text_add(page, "</a>");
	free(url);
	free(path);
}

/* Not "../": without a '/' at the end of its own URL that would be one too far. */
static void add_parent(struct text *page, const struct folder *folder)
{
	size_t len = folder->len - 1;
	char *path, *url;

	while (len > 0 && folder->path[len - 1] != '/')
		len--;
	path = xmalloc(len + 2);
	path[0] = '/';
	memcpy(path + 1, folder->path, len);
	path[1 + len] = '\0';
	url = url_encode(path);
	text_add(page, "<tr><td><a href=\"");
	text_add_html(page, url);
	text_add(page, "\">../</a>\n");
	free(url);
	free(path);
}

static void add_file(struct text *page, const struct folder *folder,
    const struct site_file *file, int64_t modified)
{
	const char *name = file->path + folder->len;
	const time_t seconds = (time_t)modified;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		die("a time of modification is out of range");
	add_name(page, folder, name, strlen(name));
	text_add(page, "<td>%llu<td>%04d-%02d-%02d %02d:%02d\n",
	    (unsigned long long)file->len, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min);
}

static void add_folders(struct text *page, const struct site *site,
    const struct folder *folder)
{
	size_t i = folder->first;

	if (folder->len > 0)
		add_parent(page, folder);
	while (i < folder->end) {
		const char *name = site->files[i].path + folder->len;
		const size_t len = strcspn(name, "/") + 1;

		if (name[len - 1] == '\0') {
			i++;
			continue;
		}
		if (!is_hidden(name, len)) {
			add_name(page, folder, name, len);
			text_add(page, "\n");
		}
		i = end_of(site, i, site->files[i].path, folder->len + len);
	}
}

struct text folder_listing(const struct site *site, const struct folder *folder,
    int64_t (*modified_of)(const struct site_file *file, const void *context),
    const void *context, int64_t *newest)
{
	struct text page = { 0 }, path = { 0 };

	text_add(&path, "/%.*s", (int)folder->len, folder->path);
	*newest = -1;
	text_add(&page, "%s<title>", page_start);
	text_add_html(&page, path.at);
	text_add(&page, "</title>\n<h1>");
	text_add_html(&page, path.at);
	text_add(&page, "</h1>\n<table>\n<tr><th>Name<th>Bytes<th>Changed (UTC)\n");
	add_folders(&page, site, folder);
	for (size_t i = folder->first; i < folder->end; i++) {
		const struct site_file *file = &site->files[i];
		const int64_t modified = modified_of(file, context);

		if (strchr(file->path + folder->len, '/') != NULL)
			continue;
		add_file(&page, folder, file, modified);
		*newest = modified > *newest ? modified : *newest;
	}
	text_add(&page, "</table>\n");
	free(path.at);
	return page;
}

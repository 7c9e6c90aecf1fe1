/* Contract: hosts.h. */
#include "romfs/mkromfs/hosts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/limits.h"
#include "romfs/mkromfs/lines.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/text.h"

#define WORDS_CAP 4

struct work {
	struct image *image;
	size_t site_cap, name_cap;
};

/* ---- Names ------------------------------------------------------------------- */

/* RFC 1123, section 2.1, for labels; NULL, or what is wrong. */
static const char *check_name(const char *name)
{
	size_t label = 0;

	if (strlen(name) > LIMIT_HOST_LEN)
		return "longer than a host name can be";
	for (;; name++) {
		const bool end = *name == '.' || *name == '\0';

		if (end && (label == 0 || label > 63 || name[-1] == '-'))
			return "no host name: each part has 1 to 63 characters and no '-' "
			    "at its ends";
		if (*name == '\0')
			return NULL;
		if (end) {
			label = 0;
			continue;
		}
		if ((unsigned char)*name >= 0x80)
			return "no host name: write its form in ASCII, with xn--";
		if (!(*name >= 'a' && *name <= 'z') && !(*name >= '0' && *name <= '9') &&
		    (*name != '-' || label == 0))
			return "no host name: letters, digits, '-' and '.' make one";
		label++;
	}
}

static char *lower(const char *name)
{
	char *copy = xstrdup(name);

	for (char *c = copy; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	return copy;
}

static size_t find_name(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->name_count; i++)
		if (strcmp(image->names[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* Takes the name. */
static void add_name(struct work *w, char *name, size_t site, size_t canonical)
{
	struct image *image = w->image;

	image->names = xgrow(image->names, &w->name_cap, image->name_count + 1,
	    sizeof *image->names);
	image->names[image->name_count++] = (struct image_name){ name, site, canonical };
}

static int compare_names(const void *a, const void *b)
{
	const struct image_name *na = a, *nb = b;

	return strcmp(na->name, nb->name);
}

/* As the image wants them; canonical was a site until here, which has its folder's name. */
static void sort_names(struct image *image, char *const *site_names)
{
	if (image->name_count > 0)
		qsort(image->names, image->name_count, sizeof *image->names, compare_names);
	for (size_t i = 0; i < image->name_count; i++)
		if (image->names[i].canonical != SIZE_MAX)
			image->names[i].canonical =
			    find_name(image, site_names[image->names[i].canonical]);
}

/* ---- Folders ----------------------------------------------------------------- */

/* Where its links lead: what lies elsewhere was not meant to be served. */
static bool is_inside(const char *path, const char *folder)
{
	char *real = realpath(path, NULL), *real_folder = realpath(folder, NULL);
	const bool inside = real != NULL && real_folder != NULL &&
	    path_is_inside(real, real_folder);

	free(real);
	free(real_folder);
	return inside;
}

static void add_site(struct work *w, const char *folder, const char *entry)
{
	struct image *image = w->image;
	char *name = lower(entry);
	const char *why = check_name(name);
	struct text root = { 0 };
	struct stat st;

	text_add(&root, "%s%s%s", folder,
	    folder[strlen(folder) - 1] == '/' ? "" : "/", entry);
	if (stat(root.at, &st) != 0)
		report_error(root.at, "%s", strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		report_error(root.at, "not a folder: every host name has one here");
	else if (!is_inside(root.at, folder))
		report_error(root.at, "symlink leads outside the folder of sites");
	else if (why != NULL)
		report_error(root.at, "%s", why);
	else if (find_name(image, name) != SIZE_MAX)
		report_error(root.at, "the same host name once more");
	else {
		image->sites = xgrow(image->sites, &w->site_cap, image->site_count + 1,
		    sizeof *image->sites);
		image->sites[image->site_count] =
		    (struct image_site){ .site = { .root = root.at } };
		add_name(w, name, image->site_count++, SIZE_MAX);
		return;
	}
	free(root.at);
	free(name);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder's entries, sorted; false after reporting why not. */
static bool read_folder(const char *folder, char ***entries, size_t *count)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);
	size_t cap = 0;

	*entries = NULL;
	*count = 0;
	while (dir != NULL) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*entries = xgrow(*entries, &cap, *count + 1, sizeof **entries);
		(*entries)[(*count)++] = xstrdup(entry->d_name);
	}
	if (errno != 0)
		report_error(folder, "%s", strerror(errno));
	if (dir != NULL)
		closedir(dir);
	if (*count > 0)
		qsort(*entries, *count, sizeof **entries, compare_strings);
	return dir != NULL;
}

/* ---- _hosts ------------------------------------------------------------------- */

struct words {
	char *copy;
	char *list[WORDS_CAP];
	size_t count;            /* may be more than there are in the list */
};

static struct words split(const struct line *line)
{
	struct words w = { .copy = xmalloc(line->len + 1) };
	char *rest = NULL;

	memcpy(w.copy, line->at, line->len);
	w.copy[line->len] = '\0';
	for (char *word = strtok_r(w.copy, " \t", &rest); word != NULL;
	    word = strtok_r(NULL, " \t", &rest)) {
		if (w.count < WORDS_CAP)
			w.list[w.count] = word;
		w.count++;
	}
	return w;
}

/* The site with this folder; SIZE_MAX: there is none. */
static size_t find_site(const struct image *image, const char *name)
{
	char *copy = lower(name);
	const size_t i = find_name(image, copy);

	free(copy);
	/* The folders' names were the first. */
	return i < image->site_count ? i : SIZE_MAX;
}

/* alias NAME SITE, redirect NAME SITE; NULL, or what is wrong. */
static const char *take_name(struct work *w, const char *word, size_t site, bool redirects)
{
	char *name = lower(word);
	const char *why = check_name(name);

	if (why == NULL && find_name(w->image, name) != SIZE_MAX)
		why = "this name has a site already";
	if (why == NULL)
		add_name(w, name, site, redirects ? site : SIZE_MAX);
	else
		free(name);
	return why;
}

static const char *take_words(struct work *w, const struct words *words)
{
	const bool is_default = strcmp(words->list[0], "default") == 0;
	const bool is_alias = strcmp(words->list[0], "alias") == 0;
	const bool is_redirect = strcmp(words->list[0], "redirect") == 0;
	size_t site;

	if (!is_default && !is_alias && !is_redirect)
		return "a line begins with alias, redirect or default";
	if (words->count != (is_default ? 2 : 3))
		return is_default ? "a line is: default SITE" : is_alias ?
		    "a line is: alias NAME SITE" : "a line is: redirect NAME SITE";
	site = find_site(w->image, words->list[words->count - 1]);
	if (site == SIZE_MAX)
		return "the site has no folder here";
	if (!is_default)
		return take_name(w, words->list[1], site, is_redirect);
	if (w->image->default_site != SIZE_MAX)
		return "there is a default already";
	w->image->default_site = site;
	return NULL;
}

static void take_line(const struct line *line, void *context)
{
	struct words words = split(line);
	const char *why = take_words(context, &words);

	if (why != NULL)
		line_error(line, why);
	free(words.copy);
}

static void read_hosts(struct work *w, const char *folder)
{
	struct site here = { .root = folder };
	char *name = site_full_path(&here, "_hosts");
	char *text = NULL;
	size_t len;

	here.root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (here.root_fd < 0)
		report_error(folder, "%s", strerror(errno));
	else
		text = site_read(&here, "_hosts", &len);
	if (text != NULL)
		lines_read(name, text, len, take_line, w);
	if (here.root_fd >= 0)
		close(here.root_fd);
	free(text);
	free(name);
}

void hosts_find(struct image *image, const char *folder, struct hosts_skipped *skipped)
{
	struct work w = { .image = image };
	char **entries, **site_names;
	size_t count;
	bool has_hosts = false;

	image->default_site = SIZE_MAX;
	*skipped = (struct hosts_skipped){ 0 };
	if (!read_folder(folder, &entries, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(entries[i], "_hosts") == 0) {
			has_hosts = true;
		} else if (entries[i][0] == '.') {
			skipped->names = xgrow(skipped->names, &skipped->cap,
			    skipped->count + 1, sizeof *skipped->names);
			skipped->names[skipped->count++] = xstrdup(entries[i]);
		} else {
			add_site(&w, folder, entries[i]);
		}
	}
	if (image->site_count == 0 && report_count() == 0)
		report_error(folder, "no folders here: every host name wants one");
	site_names = xmalloc(image->site_count * sizeof *site_names);
	for (size_t i = 0; i < image->site_count; i++)
		site_names[i] = image->names[i].name;
	if (has_hosts)
		read_hosts(&w, folder);
	sort_names(image, site_names);
	free(site_names);
	for (size_t i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/*
 * Contract: coding_tidy.h.
 *
 * Nothing is deleted but files with names as we give them, in folders that are no symbolic
 * links: the cache may lie beside other things, temporary ones lie beside everybody's.
 */
#include "romfs/mkromfs/coding_tidy.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "romfs/mkromfs/coding_cache.h"
#include "romfs/mkromfs/memory.h"

typedef bool name_test(const char *name);

struct old {
	char name[80];
	uint64_t len;
	time_t used;
};

struct olds {
	struct old *list;
	size_t count, cap;
	uint64_t len;            /* of all */
};

/* 64 hexadecimal digits, a dot, a few letters. */
static bool is_entry(const char *name)
{
	const size_t digits = strspn(name, "0123456789abcdef");

	return digits == 2 * SHA256_LEN && name[digits] == '.' &&
	    strlen(name) < sizeof ((struct old *)NULL)->name;
}

/* Process and number. */
static bool is_unfinished(const char *name)
{
	return strspn(name, "0123456789-") == strlen(name);
}

static bool is_temporary(const char *name)
{
	return strncmp(name, TIDY_TEMPORARY, strlen(TIDY_TEMPORARY)) == 0;
}

static DIR *open_in(int parent, const char *name)
{
	const int fd = openat(parent, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (folder == NULL && fd >= 0)
		close(fd);
	return folder;
}

/* The cache's own folder may be a link: its user named it. */
static DIR *open_cache_folder(const char *path)
{
	return opendir(path);
}

static void delete_names(DIR *folder, name_test *test)
{
	const struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (test(entry->d_name))
			unlinkat(dirfd(folder), entry->d_name, 0);
}

static void delete_unfinished(DIR *cache)
{
	DIR *unfinished = open_in(dirfd(cache), TIDY_UNFINISHED);

	if (unfinished == NULL)
		return;
	delete_names(unfinished, is_unfinished);
	closedir(unfinished);
}

void tidy_unfinished(const char *folder)
{
	DIR *cache = open_cache_folder(folder);

	if (cache == NULL)
		return;
	delete_unfinished(cache);
	closedir(cache);
}

/* ---- Old entries ----------------------------------------------------------------- */

static struct olds list_entries(DIR *cache)
{
	const struct dirent *entry;
	struct olds olds = { 0 };

	while ((entry = readdir(cache)) != NULL) {
		struct stat st;

		if (!is_entry(entry->d_name) ||
		    fstatat(dirfd(cache), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		olds.list = xgrow(olds.list, &olds.cap, olds.count + 1, sizeof *olds.list);
		olds.list[olds.count] = (struct old){
			.len = (uint64_t)st.st_size, .used = st.st_mtime,
		};
		strcpy(olds.list[olds.count++].name, entry->d_name);
		olds.len += (uint64_t)st.st_size;
	}
	return olds;
}

static int compare_olds(const void *a, const void *b)
{
	const struct old *oa = a, *ob = b;

	return oa->used != ob->used ? (oa->used > ob->used) - (oa->used < ob->used) :
	    strcmp(oa->name, ob->name);
}

/* Was tidied less than CACHE_TIDY_S ago.  A time to come is a clock's error. */
static bool is_tidy(int lock, time_t now)
{
	struct stat st;

	return fstat(lock, &st) == 0 && st.st_mtime <= now &&
	    now - st.st_mtime < CACHE_TIDY_S;
}

void tidy_entries(const char *folder, int lock, time_t since)
{
	const time_t now = time(NULL);
	DIR *cache = is_tidy(lock, now) ? NULL : open_cache_folder(folder);
	struct olds olds;

	if (cache == NULL)
		return;
	delete_unfinished(cache);
	olds = list_entries(cache);
	if (olds.count > 0)
		qsort(olds.list, olds.count, sizeof *olds.list, compare_olds);
	for (size_t i = 0; i < olds.count && olds.list[i].used < since; i++) {
		const struct old *old = &olds.list[i];

		if (now - old->used <= CACHE_KEEP_S && olds.len <= CACHE_CAP_LEN)
			break;
		if (unlinkat(dirfd(cache), old->name, 0) == 0)
			olds.len -= old->len;
	}
	free(olds.list);
	closedir(cache);
	(void)futimens(lock, NULL);
}

/* ---- Temporary caches -------------------------------------------------------------- */

/* The folder `name` in `parent`, whose content is all ours. */
static void delete_cache(int parent, const char *name)
{
	DIR *cache = open_in(parent, name);

	if (cache == NULL)
		return;
	delete_names(cache, is_entry);
	delete_unfinished(cache);
	unlinkat(dirfd(cache), TIDY_UNFINISHED, AT_REMOVEDIR);
	unlinkat(dirfd(cache), TIDY_LOCK, 0);
	closedir(cache);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void tidy_away(const char *folder)
{
	delete_cache(AT_FDCWD, folder);
}

/* Delete a temporary cache if nobody holds its lock. */
static void delete_abandoned(int parent, const char *name)
{
	DIR *cache;
	struct stat st;
	int lock = -1;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return;
	cache = open_in(parent, name);
	if (cache == NULL)
		return;
	lock = openat(dirfd(cache), TIDY_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
		delete_cache(parent, name);
	else if (lock < 0)
		unlinkat(parent, name, AT_REMOVEDIR);    /* if it was not even begun */
	if (lock >= 0)
		close(lock);
	closedir(cache);
}

void tidy_abandoned(const char *parent)
{
	DIR *folder = opendir(parent);
	const struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (is_temporary(entry->d_name))
			delete_abandoned(dirfd(folder), entry->d_name);
	closedir(folder);
}

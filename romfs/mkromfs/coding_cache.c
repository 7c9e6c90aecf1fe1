/*
 * Contract, and the folder's layout: coding_cache.h.
 *
 * Here are opening, entries and closing; what is deleted when: coding_tidy.c.
 */
#include "romfs/mkromfs/coding_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "romfs/mkromfs/coding_tidy.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"

#define CHUNK_LEN (64 * 1024)

struct cache {
	char *folder;
	bool temporary;
	int lock;
	time_t opened;
	atomic_uint_fast64_t next;   /* number of the next name under new/ */
};

/*
 * At the end of each entry.  The digest covers kind, key and bytes, so neither a damaged
 * entry nor a whole one under a wrong name passes.
 */
struct footer {
	uint8_t kind[8];
	uint8_t len_le[8];
	uint8_t digest[SHA256_LEN];
};

_Static_assert(sizeof(struct footer) == 48, "a footer is written as it is");

static const uint8_t kind_kept[8] = "stelecod", kind_not_worth[8] = "stelenot";

static void footer_start(struct sha256 *sha, const uint8_t kind[8],
    const struct cache_key *key)
{
	sha256_start(sha);
	sha256_add(sha, kind, sizeof kind_kept);
	sha256_add(sha, key->digest, sizeof key->digest);
}

/* ---- Opening ------------------------------------------------------------------- */

static char *join(const char *folder, const char *name)
{
	char *path = xmalloc(strlen(folder) + 1 + strlen(name) + 1);

	sprintf(path, "%s/%s", folder, name);
	return path;
}

/* Make a folder, and those it lies in. */
static bool make_folders(const char *folder)
{
	char *path = xstrdup(folder);
	bool ok = true;

	for (char *p = path + 1; ok && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		ok = mkdir(path, 0777) == 0 || errno == EEXIST;
		*p = '/';
	}
	free(path);
	return ok && (mkdir(folder, 0777) == 0 || errno == EEXIST);
}

/*
 * Open and share the lock; whoever is alone clears up first.  False and errno;
 * ESTALE if the folder was deleted meanwhile.
 */
static bool take_lock(struct cache *cache)
{
	char *path = join(cache->folder, TIDY_LOCK);
	struct stat st;
	bool ok;

	cache->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	free(path);
	if (cache->lock < 0)
		return false;
	if (flock(cache->lock, LOCK_EX | LOCK_NB) == 0)
		tidy_unfinished(cache->folder);
	ok = flock(cache->lock, LOCK_SH) == 0 && fstat(cache->lock, &st) == 0;
	if (ok && st.st_nlink > 0)
		return true;
	if (ok)
		errno = ESTALE;
	close(cache->lock);
	return false;
}

static bool open_folder(struct cache *cache)
{
	char *unfinished = join(cache->folder, TIDY_UNFINISHED);
	const bool made = cache->temporary ? mkdir(unfinished, 0700) == 0 :
	    make_folders(unfinished);

	free(unfinished);
	return made && take_lock(cache);
}

/* A folder of our own.  Until we have its lock somebody may tidy it away: once more, then. */
static bool open_temporary(struct cache *cache)
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || *parent == '\0')
		parent = "/var/tmp";
	tidy_abandoned(parent);
	for (;;) {
		cache->folder = join(parent, TIDY_TEMPORARY "XXXXXX");
		if (mkdtemp(cache->folder) == NULL)
			return false;
		if (open_folder(cache))
			return true;
		if (errno != ESTALE && errno != ENOENT)
			return false;
		free(cache->folder);
	}
}

struct cache *cache_open(const char *folder)
{
	struct cache *cache = xmalloc(sizeof *cache);

	*cache = (struct cache){ .temporary = folder == NULL, .opened = time(NULL) };
	if (folder != NULL)
		cache->folder = xstrdup(folder);
	if (folder != NULL ? open_folder(cache) : open_temporary(cache))
		return cache;
	report_error(cache->folder, "cannot be written as the folder for compressed "
	    "files: %s", strerror(errno));
	free(cache->folder);
	free(cache);
	return NULL;
}

const char *cache_folder(const struct cache *cache)
{
	return cache->folder;
}

/* ---- Entries ------------------------------------------------------------------- */

static char *entry_path(const struct cache *cache, const struct cache_key *key)
{
	char name[2 * SHA256_LEN + 16];

	for (size_t i = 0; i < SHA256_LEN; i++)
		sprintf(name + 2 * i, "%02x", key->digest[i]);
	snprintf(name + 2 * SHA256_LEN, sizeof name - 2 * SHA256_LEN, ".%s", key->coding);
	return join(cache->folder, name);
}

static bool read_at(int fd, void *out, size_t len, uint64_t off)
{
	uint8_t *bytes = out;

	while (len > 0) {
		const ssize_t got = pread(fd, bytes, len, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes += got;
		off += (uint64_t)got;
		len -= (size_t)got;
	}
	return true;
}

/* Add the first `len` bytes of the file to a digest. */
static bool digest_file(int fd, uint64_t len, struct sha256 *sha)
{
	uint8_t *chunk = xmalloc(CHUNK_LEN);
	uint64_t off = 0;

	while (off < len) {
		const size_t step = len - off < CHUNK_LEN ? (size_t)(len - off) : CHUNK_LEN;

		if (!read_at(fd, chunk, step, off))
			break;
		sha256_add(sha, chunk, step);
		off += step;
	}
	free(chunk);
	return off == len;
}

static enum cache_found read_entry(int fd, const struct cache_key *key, uint64_t *len)
{
	uint8_t digest[SHA256_LEN];
	struct footer footer;
	struct sha256 sha;
	struct stat st;
	bool kept;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size < sizeof footer)
		return CACHE_MISSING;
	*len = (uint64_t)st.st_size - sizeof footer;
	if (!read_at(fd, &footer, sizeof footer, *len) || load_le64(footer.len_le) != *len)
		return CACHE_MISSING;
	kept = memcmp(footer.kind, kind_kept, sizeof kind_kept) == 0;
	if (!kept && memcmp(footer.kind, kind_not_worth, sizeof kind_not_worth) != 0)
		return CACHE_MISSING;
	footer_start(&sha, footer.kind, key);
	if (!digest_file(fd, *len, &sha))
		return CACHE_MISSING;
	sha256_end(&sha, digest);
	if (memcmp(digest, footer.digest, sizeof digest) != 0)
		return CACHE_MISSING;
	return kept ? CACHE_KEPT : CACHE_NOT_WORTH;
}

enum cache_found cache_find(struct cache *cache, const struct cache_key *key,
    uint64_t *len, char **path)
{
	const struct timespec used[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	enum cache_found found = CACHE_MISSING;
	int fd;

	*path = entry_path(cache, key);
	fd = open(*path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		found = read_entry(fd, key, len);
		if (found != CACHE_MISSING)
			(void)futimens(fd, used);    /* somebody else's: it looks older */
		close(fd);
	}
	if (found == CACHE_KEPT)
		return found;
	free(*path);
	*path = NULL;
	return found;
}

bool cache_start(struct cache *cache, const struct cache_key *key,
    struct cache_entry *entry)
{
	char name[sizeof TIDY_UNFINISHED + 64];

	*entry = (struct cache_entry){ .cache = cache, .key = *key };
	do {
		/* Another machine may have our process's number: so it may be taken. */
		snprintf(name, sizeof name, TIDY_UNFINISHED "/%ld-%llu", (long)getpid(),
		    (unsigned long long)cache->next++);
		free(entry->path);
		entry->path = join(cache->folder, name);
		entry->fd = open(entry->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	} while (entry->fd < 0 && errno == EEXIST);
	if (entry->fd < 0) {
		free(entry->path);
		return false;
	}
	footer_start(&entry->sha, kind_kept, key);
	return true;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		const ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		len -= (size_t)done;
	}
	return true;
}

bool cache_add(struct cache_entry *entry, const uint8_t *data, size_t len)
{
	sha256_add(&entry->sha, data, len);
	entry->len += len;
	return write_all(entry->fd, data, len);
}

static bool write_footer(struct cache_entry *entry, const uint8_t kind[8])
{
	struct footer footer;

	memcpy(footer.kind, kind, sizeof footer.kind);
	store_le64(footer.len_le, entry->len);
	sha256_end(&entry->sha, footer.digest);
	return write_all(entry->fd, &footer, sizeof footer);
}

/* End an entry; with a name if it is all right. */
static bool end_entry(struct cache_entry *entry, bool ok, char **path)
{
	char *name = entry_path(entry->cache, &entry->key);
	int reason;

	ok = ok && rename(entry->path, name) == 0;
	reason = errno;
	if (!ok)
		unlink(entry->path);
	close(entry->fd);
	free(entry->path);
	if (ok && path != NULL)
		*path = name;
	else
		free(name);
	errno = reason;
	return ok;
}

bool cache_not_worth(struct cache_entry *entry)
{
	entry->len = 0;
	footer_start(&entry->sha, kind_not_worth, &entry->key);
	return end_entry(entry, ftruncate(entry->fd, 0) == 0 &&
	    lseek(entry->fd, 0, SEEK_SET) == 0 &&
	    write_footer(entry, kind_not_worth), NULL);
}

bool cache_finish(struct cache_entry *entry, char **path)
{
	return end_entry(entry, write_footer(entry, kind_kept), path);
}

void cache_drop(struct cache_entry *entry)
{
	(void)end_entry(entry, false, NULL);
}

/* ---- The end ------------------------------------------------------------------- */

void cache_close(struct cache *cache)
{
	if (cache->temporary)
		tidy_away(cache->folder);
	else if (flock(cache->lock, LOCK_EX | LOCK_NB) == 0)
		tidy_entries(cache->folder, cache->lock, cache->opened);
	close(cache->lock);
	free(cache->folder);
	free(cache);
}

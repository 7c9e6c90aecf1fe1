/* Contract: site.h. */
#define _GNU_SOURCE 1  /* AT_EACCESS */
#include "romfs/mkromfs/site.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uninorm.h>
#include <unistr.h>

#include "config/limits.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/mkromfs/url.h"

/* The folders from the root down to here: a symlink back to one of them is a loop. */
struct ancestor {
	const struct ancestor *parent;
	dev_t device;
	ino_t inode;
};

struct names {
	char **list;
	size_t count, cap;
};

static void walk_folder(struct site *site, const char *path,
    const struct ancestor *parent);

char *site_full_path(const struct site *site, const char *path)
{
	const size_t root_len = strlen(site->root), len = strlen(path);
	const bool slash = root_len > 0 && site->root[root_len - 1] != '/' && len > 0;
	char *full = xmalloc(root_len + slash + len + 1);

	memcpy(full, site->root, root_len);
	if (slash)
		full[root_len] = '/';
	memcpy(full + root_len + slash, path, len + 1);
	return full;
}

bool path_is_inside(const char *path, const char *folder)
{
	const size_t len = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

/* report_error() for a path of the site. */
static void site_error(const struct site *site, const char *path, const char *message)
{
	char *full = site_full_path(site, path);

	report_error(full, "%s", message);
	free(full);
}

/*
 * A folder's descriptor and the last part of the path, such that openat() and its
 * kin accept it: folders that reach past PATH_MAX are entered step by step.
 * Returns the descriptor, to be closed unless it is the root's, or -1.
 */
static int enter(const struct site *site, const char **path)
{
	int fd = site->root_fd;

	while (strlen(*path) >= PATH_MAX) {
		char part[PATH_MAX];
		size_t len = PATH_MAX - 1;
		int next;

		while (len > 0 && (*path)[len] != '/')
			len--;
		memcpy(part, *path, len);
		part[len] = '\0';
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != site->root_fd)
			close(fd);
		if (next < 0)
			return -1;
		fd = next;
		*path += len + 1;
	}
	return fd;
}

static void leave(const struct site *site, int fd)
{
	const int saved = errno;

	if (fd != site->root_fd)
		close(fd);
	errno = saved;
}

int site_open(const struct site *site, const char *path, int flags)
{
	const int folder = enter(site, &path);
	int fd;

	if (folder < 0)
		return -1;
	fd = openat(folder, *path == '\0' ? "." : path, flags | O_CLOEXEC);
	leave(site, folder);
	return fd;
}

static int site_stat(const struct site *site, const char *path,
    struct stat *st, int flags)
{
	const int folder = enter(site, &path);
	int result;

	if (folder < 0)
		return -1;
	result = fstatat(folder, path, st, flags);
	leave(site, folder);
	return result;
}

static bool site_readable(const struct site *site, const char *path)
{
	const int folder = enter(site, &path);
	int result;

	if (folder < 0)
		return false;
	result = faccessat(folder, path, R_OK, AT_EACCESS);
	leave(site, folder);
	return result == 0;
}

/* Follow a symlink: fills *st with what it leads to, or reports why not. */
static bool follow(const struct site *site, const char *path, struct stat *st)
{
	char *full, *real;
	bool ok = false;

	if (site_stat(site, path, st, 0) != 0) {
		if (errno == ELOOP)
			site_error(site, path, "symlink loop");
		else if (errno == ENOENT)
			site_error(site, path, "symlink leads nowhere");
		else
			site_error(site, path, strerror(errno));
		return false;
	}
	full = site_full_path(site, path);
	real = realpath(full, NULL);
	if (real == NULL)
		report_error(full, "%s", strerror(errno));
	else if (!path_is_inside(real, site->real_root))
		report_error(full, "symlink leads outside the site");
	else
		ok = true;
	free(real);
	free(full);
	return ok;
}

static void add_file(struct site *site, const char *path, const struct stat *st)
{
	const size_t url_len = url_encoded_len(path) + 1;
	char *full;

	if (!site_readable(site, path)) {
		site_error(site, path, strerror(errno));
		return;
	}
	if (url_len > LIMIT_TARGET_LEN) {
		full = site_full_path(site, path);
		report_error(full, "its URL would have %zu bytes, more than the "
		    "%d a request may ask for", url_len, LIMIT_TARGET_LEN);
		free(full);
		return;
	}
	site->files = xgrow(site->files, &site->file_cap,
	    site->file_count + 1, sizeof *site->files);
	site->files[site->file_count++] = (struct site_file){
		.path = xstrdup(path),
		.len = (uint64_t)st->st_size,
		.mtime = st->st_mtim,
	};
}

static void add_skipped(struct site *site, const char *path)
{
	site->skipped = xgrow(site->skipped, &site->skipped_cap,
	    site->skipped_count + 1, sizeof *site->skipped);
	site->skipped[site->skipped_count++] = xstrdup(path);
}

static const char *kind_of(mode_t mode)
{
	if (S_ISFIFO(mode))
		return "a named pipe, not a file";
	if (S_ISSOCK(mode))
		return "a socket, not a file";
	return "a device, not a file";
}

/* RFC 8615, section 3: well-known paths start at the root; other dot-names are private. */
static bool is_served_name(const char *path, const char *name)
{
	return name[0] != '.' || strcmp(path, ".well-known") == 0;
}

/* Files at the root that say how the others are served. */
static bool take_rules(struct site *site, const char *path)
{
	bool *has = strcmp(path, "_redirects") == 0 ? &site->has_redirects :
	    strcmp(path, "_headers") == 0 ? &site->has_headers : NULL;

	if (has != NULL)
		*has = true;
	return has != NULL;
}

static void walk_name(struct site *site, const char *path, const char *name,
    const struct ancestor *parent)
{
	struct stat st;

	if (!is_served_name(path, name)) {
		add_skipped(site, path);
		return;
	}
	if (u8_check((const uint8_t *)name, strlen(name)) != NULL) {
		site_error(site, path, "the name is not UTF-8: no URL can name it");
		return;
	}
	if (site_stat(site, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		site_error(site, path, strerror(errno));
		return;
	}
	if (S_ISLNK(st.st_mode) && !follow(site, path, &st))
		return;
	if (S_ISDIR(st.st_mode))
		walk_folder(site, path, parent);
	else if (S_ISREG(st.st_mode) && !take_rules(site, path))
		add_file(site, path, &st);
	else if (S_ISREG(st.st_mode))
		return;
	else
		site_error(site, path, kind_of(st.st_mode));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names in a folder but "." and "..", sorted. */
static bool read_names(DIR *folder, struct names *names)
{
	const struct dirent *entry;

	for (;;) {
		errno = 0;
		entry = readdir(folder);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		names->list = xgrow(names->list, &names->cap,
		    names->count + 1, sizeof *names->list);
		names->list[names->count++] = xstrdup(entry->d_name);
	}
	if (errno != 0)
		return false;
	if (names->count > 0)
		qsort(names->list, names->count, sizeof *names->list, compare_names);
	return true;
}

static bool is_loop(const struct ancestor *a)
{
	for (const struct ancestor *p = a->parent; p != NULL; p = p->parent)
		if (p->device == a->device && p->inode == a->inode)
			return true;
	return false;
}

static void walk_names(struct site *site, const char *path, const struct names *names,
    const struct ancestor *here)
{
	const size_t len = strlen(path);

	for (size_t i = 0; i < names->count; i++) {
		char *child = xmalloc(len + strlen(names->list[i]) + 2);

		if (len == 0)
			strcpy(child, names->list[i]);
		else
			sprintf(child, "%s/%s", path, names->list[i]);
		walk_name(site, child, names->list[i], here);
		free(child);
	}
}

static void walk_folder(struct site *site, const char *path,
    const struct ancestor *parent)
{
	const int fd = site_open(site, path, O_RDONLY | O_DIRECTORY);
	struct ancestor here = { .parent = parent };
	struct names names = { 0 };
	struct stat st;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (folder == NULL || fstat(fd, &st) != 0) {
		site_error(site, path, strerror(errno));
		if (folder != NULL)
			closedir(folder);
		return;
	}
	here.device = st.st_dev;
	here.inode = st.st_ino;
	if (is_loop(&here)) {
		site_error(site, path, "symlink loop: leads back to a folder it is in");
		closedir(folder);
		return;
	}
	site->directory_count++;
	if (!read_names(folder, &names))
		site_error(site, path, strerror(errno));
	closedir(folder);
	walk_names(site, path, &names, &here);
	for (size_t i = 0; i < names.count; i++)
		free(names.list[i]);
	free(names.list);
}

static int compare_files(const void *a, const void *b)
{
	const struct site_file *fa = a, *fb = b;

	return strcmp(fa->path, fb->path);
}

/* A path in Normalization Form C, and whose it is. */
struct normal {
	char *path;
	size_t file;
};

static int compare_normals(const void *a, const void *b)
{
	const struct normal *na = a, *nb = b;
	const int order = strcmp(na->path, nb->path);

	return order != 0 ? order : (na->file > nb->file) - (na->file < nb->file);
}

static char *normal_form(const char *path)
{
	size_t len = 0;
	uint8_t *normal = u8_normalize(UNINORM_NFC, (const uint8_t *)path,
	    strlen(path) + 1, NULL, &len);

	if (normal == NULL)
		die("out of memory");
	return (char *)normal;
}

/*
 * Two names that look the same and that tools convert into each other: it would
 * depend on who typed a link which file it reaches (RFC 3987, section 5.3.2.2).
 */
static void check_collisions(const struct site *site)
{
	struct normal *normals = xmalloc(site->file_count * sizeof *normals);

	for (size_t i = 0; i < site->file_count; i++)
		normals[i] = (struct normal){ normal_form(site->files[i].path), i };
	qsort(normals, site->file_count, sizeof *normals, compare_normals);
	for (size_t i = 1; i < site->file_count; i++) {
		char *first, *second;

		if (strcmp(normals[i - 1].path, normals[i].path) != 0)
			continue;
		first = site_full_path(site, site->files[normals[i - 1].file].path);
		second = url_encode(site->files[normals[i].file].path);
		report_error(first, "collides with a file of the same name in "
		    "another Unicode form: %s", second);
		free(first);
		free(second);
	}
	for (size_t i = 0; i < site->file_count; i++)
		free(normals[i].path);
	free(normals);
}

bool site_is_unchanged(int fd, const struct site_file *file)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size == file->len &&
	    st.st_mtim.tv_sec == file->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == file->mtime.tv_nsec)
		return true;
	errno = ESTALE;
	return false;
}

size_t site_find(const struct site *site, const char *path)
{
	size_t low = 0, high = site->file_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(site->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < site->file_count && strcmp(site->files[low].path, path) == 0 ?
	    low : SIZE_MAX;
}

char *site_read(const struct site *site, const char *path, size_t *len)
{
	const int fd = site_open(site, path, O_RDONLY | O_NONBLOCK);
	struct stat st = { .st_mode = S_IFREG };
	char *text = NULL;
	size_t cap = 0;
	ssize_t got = -1;

	*len = 0;
	/* A device may have no end. */
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		site_error(site, path, kind_of(st.st_mode));
		close(fd);
		return NULL;
	}
	while (fd >= 0) {
		text = xgrow(text, &cap, *len + 65536, 1);
		got = read(fd, text + *len, 65535);
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		*len += got < 0 ? 0 : (size_t)got;
	}
	if (got < 0) {
		site_error(site, path, strerror(errno));
		free(text);
		text = NULL;
	} else {
		text[*len] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return text;
}

void site_walk(struct site *site, const char *root)
{
	const size_t before = report_count();
	struct stat st;

	*site = (struct site){ .root = root, .root_fd = -1 };
	if (stat(root, &st) != 0) {
		report_error(root, "%s", strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		report_error(root, "not a folder");
		return;
	}
	site->real_root = realpath(root, NULL);
	site->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (site->real_root == NULL || site->root_fd < 0) {
		report_error(root, "%s", strerror(errno));
		return;
	}
	walk_folder(site, "", NULL);
	if (site->file_count == 0) {
		if (!site->has_redirects && report_count() == before)
			report_error(root, "no files to serve in this folder");
		return;
	}
	qsort(site->files, site->file_count, sizeof *site->files, compare_files);
	check_collisions(site);
}

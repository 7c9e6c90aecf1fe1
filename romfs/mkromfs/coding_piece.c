/* Contract: coding_piece.h. */
#include "romfs/mkromfs/coding_piece.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/coding_check.h"
#include "romfs/mkromfs/coding_encode.h"
#include "romfs/mkromfs/coding_worth.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/romfs.h"

#define COPY_LEN (64 * 1024)

static bool add_to_entry(void *to, const uint8_t *data, size_t len)
{
	return cache_add(to, data, len);
}

/* What is made of this file, or was, by our own encoder or (with its digest) a sidecar. */
static struct cache_key key_of(const struct piece *piece, const uint8_t *sidecar)
{
	struct cache_key key = { .coding = coding_name(piece->coding) };
	char parameters[CODING_PARAMETERS_CAP];
	char text[CODING_PARAMETERS_CAP + 64];
	struct sha256 sha;

	coding_parameters(piece->coding, parameters);
	snprintf(text, sizeof text, "1 %s saves 1/%d %d %s", parameters,
	    CODING_SAVED_PART, CODING_SAVED_LEN, sidecar != NULL ? "sidecar" : "own");
	sha256_start(&sha);
	sha256_add(&sha, text, strlen(text) + 1);
	sha256_add(&sha, piece->task->digest, SHA256_LEN);
	if (sidecar != NULL)
		sha256_add(&sha, sidecar, SHA256_LEN);
	sha256_end(&sha, key.digest);
	return key;
}

/* The file is still the one of the first round. */
static bool finish_same(struct source *source, const uint8_t wanted[SHA256_LEN])
{
	uint8_t digest[SHA256_LEN];

	if (!source_finish(source, digest))
		return false;
	errno = ESTALE;
	return memcmp(digest, wanted, sizeof digest) == 0;
}

/*
 * An entry decodes to its file.  False after a remark, which is about `culprit`: the
 * sidecar, or the file itself if its coding is ours.
 */
static bool check_entry(const struct piece *piece, const struct cache_entry *entry,
    size_t culprit, struct check *check)
{
	struct task *task = piece->task;
	const size_t file = task->job->file;
	enum check_status status;
	struct source source;

	if (!source_open(&source, task->job->site, file)) {
		coding_bad_source(task, piece->coding, file);
		return false;
	}
	status = coding_check(piece->coding, entry->fd, entry->len, &source, check);
	if (status == CHECK_BAD_SOURCE ||
	    (status == CHECK_SAME && !finish_same(&source, task->digest))) {
		coding_bad_source(task, piece->coding, file);
		status = CHECK_BAD_SOURCE;
	} else if (status == CHECK_BAD_CODED) {
		coding_remark(task, piece->coding, culprit, true, "reading its copy: %s",
		    strerror(errno));
	} else if (status == CHECK_DIFFERENT) {
		coding_remark(task, piece->coding, culprit, true, "%s%s", culprit == file ?
		    "what we made of it with a library is broken: it " : "",
		    check->reason);
	}
	source_close(&source);
	return status == CHECK_SAME;
}

static void use(const struct piece *piece, uint64_t len, char *path)
{
	piece->task->job->coded[piece->coding] = (struct coded){ .len = len, .path = path };
}

/* A checked entry becomes the file's coding. */
static void finish_and_use(struct run *run, const struct piece *piece,
    struct cache_entry *entry)
{
	const uint64_t len = entry->len;
	char *path;

	if (cache_finish(entry, &path))
		use(piece, len, path);
	else
		coding_bad_cache(run);
}

/* Our own coding of the file into an entry; what is left of the entry is dealt with. */
static void encode_entry(struct run *run, const struct piece *piece,
    struct source *source, struct cache_entry *entry)
{
	struct task *task = piece->task;
	struct check check;
	enum encode_status status = coding_encode(piece->coding, source,
	    coding_limit(source->file->len), add_to_entry, entry);

	if (status == ENCODE_BAD_SINK)
		coding_bad_cache(run);
	else if (status == ENCODE_BAD_SOURCE || !finish_same(source, task->digest))
		coding_bad_source(task, piece->coding, task->job->file);
	else if (status == ENCODE_NOT_WORTH) {
		if (!cache_not_worth(entry))
			coding_bad_cache(run);
		return;
	} else if (check_entry(piece, entry, task->job->file, &check)) {
		finish_and_use(run, piece, entry);
		return;
	}
	cache_drop(entry);
}

static void make_own(struct run *run, const struct piece *piece)
{
	const struct coding_job *job = piece->task->job;
	const struct cache_key key = key_of(piece, NULL);
	struct cache_entry entry;
	struct source source;
	uint64_t len;
	char *path;

	switch (cache_find(run->cache, &key, &len, &path)) {
	case CACHE_KEPT:
		use(piece, len, path);
		return;
	case CACHE_NOT_WORTH:
		return;
	case CACHE_MISSING:
		break;
	}
	if (!source_open(&source, job->site, job->file)) {
		coding_bad_source(piece->task, piece->coding, job->file);
		return;
	}
	if (cache_start(run->cache, &key, &entry))
		encode_entry(run, piece, &source, &entry);
	else
		coding_bad_cache(run);
	source_close(&source);
}

/* ---- Sidecars ----------------------------------------------------------------------- */

enum sidecar {
	SIDECAR_DONE,            /* used, or wrong: there is no more to do */
	SIDECAR_UNUSED,          /* right, but our own will be better */
};

/* Copy a sidecar into an entry and find its digest there; false after a remark. */
static bool copy_sidecar(struct run *run, const struct piece *piece,
    struct source *source, struct cache_entry *entry, const uint8_t digest[SHA256_LEN])
{
	uint8_t *chunk = xmalloc(COPY_LEN);
	size_t len = 0;
	bool read_ok, written = true;

	do {
		read_ok = source_read(source, chunk, COPY_LEN, &len);
		if (read_ok)
			written = cache_add(entry, chunk, len);
	} while (read_ok && written && len > 0);
	free(chunk);
	if (!written)
		coding_bad_cache(run);
	else if (!read_ok || !finish_same(source, digest))
		coding_bad_source(piece->task, piece->coding,
		    piece->task->job->sidecars[piece->coding]);
	else
		return true;
	return false;
}

static void remark_members(const struct piece *piece)
{
	coding_remark(piece->task, piece->coding,
	    piece->task->job->sidecars[piece->coding], false,
	    "has several members, of which browsers read the first only: "
	    "not used, compressed anew");
}

/* A sidecar that is an entry now: is it right, and is it any good? */
static enum sidecar judge_sidecar(struct run *run, const struct piece *piece,
    struct cache_entry *entry)
{
	const struct coding_job *job = piece->task->job;
	const size_t sidecar = job->sidecars[piece->coding];
	struct check check;

	if (!check_entry(piece, entry, sidecar, &check)) {
		cache_drop(entry);
		return SIDECAR_DONE;
	}
	if (entry->len >= job->site->files[job->file].len) {
		coding_remark(piece->task, piece->coding, sidecar, false,
		    "is not smaller than its file: not used");
		cache_drop(entry);
		return SIDECAR_UNUSED;
	}
	/* RFC 1952, section 2.2 allows for members; Chromium, Firefox and curl do not. */
	if (piece->coding == ROMFS_GZIP && check.parts > 1) {
		remark_members(piece);
		if (!cache_not_worth(entry))
			coding_bad_cache(run);
		return SIDECAR_UNUSED;
	}
	finish_and_use(run, piece, entry);
	return SIDECAR_DONE;
}

/* The sidecar is an opened source, whose digest is known. */
static enum sidecar make_sidecar(struct run *run, const struct piece *piece,
    struct source *source, const uint8_t digest[SHA256_LEN])
{
	const struct cache_key key = key_of(piece, digest);
	struct cache_entry entry;
	uint64_t len;
	char *path;

	switch (cache_find(run->cache, &key, &len, &path)) {
	case CACHE_KEPT:
		use(piece, len, path);
		return SIDECAR_DONE;
	case CACHE_NOT_WORTH:
		remark_members(piece);
		return SIDECAR_UNUSED;
	case CACHE_MISSING:
		break;
	}
	if (!cache_start(run->cache, &key, &entry)) {
		coding_bad_cache(run);
		return SIDECAR_DONE;
	}
	if (copy_sidecar(run, piece, source, &entry, digest))
		return judge_sidecar(run, piece, &entry);
	cache_drop(&entry);
	return SIDECAR_DONE;
}

static enum sidecar try_sidecar(struct run *run, const struct piece *piece)
{
	const struct coding_job *job = piece->task->job;
	const size_t sidecar = job->sidecars[piece->coding];
	enum sidecar result = SIDECAR_DONE;
	uint8_t digest[SHA256_LEN];
	struct source source;
	bool known = false;

	if (source_open(&source, job->site, sidecar)) {
		known = source_finish(&source, digest);
		source_close(&source);
	}
	if (!known || !source_open(&source, job->site, sidecar)) {
		coding_bad_source(piece->task, piece->coding, sidecar);
		return SIDECAR_DONE;
	}
	result = make_sidecar(run, piece, &source, digest);
	source_close(&source);
	return result;
}

/* ---- Either ------------------------------------------------------------------------- */

void coding_make_piece(void *context, size_t i)
{
	struct run *run = context;
	const struct piece *piece = &run->pieces[i];
	const bool alone = piece->task->job->sidecars[piece->coding] == SIZE_MAX;

	if (run->failed)
		return;
	if ((alone || try_sidecar(run, piece) == SIDECAR_UNUSED) &&
	    piece->task->may_be_worth)
		make_own(run, piece);
	progress_add(&run->progress, 1, piece->cost);
}

/*
 * Contract: coding.h.
 *
 * In two rounds, each with all processors.  First every file is read: its digest, and
 * by a probe whether it is worth more.  Then come the pieces of work, one for each file
 * and coding, the longest first, so that the last processor to end is not far behind the
 * others.  What goes wrong is written down beside the piece and reported at the end in the
 * order of the files, whoever was first.
 */
#include "romfs/mkromfs/coding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "romfs/mkromfs/coding_encode.h"
#include "romfs/mkromfs/coding_piece.h"
#include "romfs/mkromfs/coding_pool.h"
#include "romfs/mkromfs/coding_worth.h"
#include "romfs/mkromfs/memory.h"
#include "romfs/mkromfs/report.h"
#include "romfs/romfs.h"

_Static_assert(CODING_COUNT == ROMFS_ZSTD + 1, "each coding has its place");

/* From codings_make() to codings_end(). */
static struct cache *open_cache;

const char *coding_name(unsigned coding)
{
	static const char *const names[] = {
		[ROMFS_GZIP] = "gzip", [ROMFS_BROTLI] = "br", [ROMFS_ZSTD] = "zstd",
	};

	ASSERT(coding > 0 && coding < CODING_COUNT);
	return names[coding];
}

static bool is_wanted(const struct run *run, unsigned coding)
{
	return (run->options->codings >> coding & 1) != 0;
}

/* ---- Remarks and errors ---------------------------------------------------------- */

void coding_remark(struct task *task, unsigned coding, size_t file, bool is_error,
    const char *format, ...)
{
	struct remark *r = &task->remarks[coding];
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	free(r->text);
	*r = (struct remark){ file, is_error, xstrdup(text) };
}

void coding_bad_source(struct task *task, unsigned coding, size_t file)
{
	coding_remark(task, coding, file, true, "%s", errno == ESTALE ?
	    "changed while it was read" : strerror(errno));
}

void coding_bad_cache(struct run *run)
{
	const char *reason = strerror(errno);

	pthread_mutex_lock(&run->mutex);
	if (run->failure == NULL)
		run->failure = xstrdup(reason);
	pthread_mutex_unlock(&run->mutex);
	run->failed = true;
}

static void say(const struct site *site, const struct remark *r)
{
	char *path = site_full_path(site, site->files[r->file].path);

	if (r->is_error) {
		report_error(path, "%s", r->text);
	} else {
		fputs("mkromfs: note: ", stderr);
		print_escaped(stderr, path);
		fprintf(stderr, ": %s\n", r->text);
	}
	free(path);
}

/* The same of the same file is said once, though three codings met it. */
static bool was_said(const struct task *task, unsigned coding)
{
	const struct remark *r = &task->remarks[coding];

	for (unsigned c = 0; c < coding; c++)
		if (task->remarks[c].text != NULL && task->remarks[c].file == r->file &&
		    strcmp(task->remarks[c].text, r->text) == 0)
			return true;
	return false;
}

static void say_all(const struct run *run)
{
	for (size_t i = 0; i < run->task_count; i++) {
		const struct task *task = &run->tasks[i];

		for (unsigned c = 0; c < CODING_COUNT; c++)
			if (task->remarks[c].text != NULL && !was_said(task, c))
				say(task->job->site, &task->remarks[c]);
	}
	if (run->failure != NULL)
		report_error(cache_folder(run->cache), "cannot be written: %s",
		    run->failure);
}

/* ---- First round: reading --------------------------------------------------------- */

static bool has_sidecar(const struct run *run, const struct coding_job *job)
{
	for (unsigned c = 1; c < CODING_COUNT; c++)
		if (is_wanted(run, c) && job->sidecars[c] != SIZE_MAX)
			return true;
	return false;
}

static bool look(struct task *task)
{
	const struct coding_job *job = task->job;
	struct source source;
	struct probe *probe;
	size_t len;
	bool ok;

	if (!source_open(&source, job->site, job->file))
		return false;
	probe = xmalloc(sizeof *probe + PROBE_CHUNK_LEN);
	probe_start(probe, source.file->len);
	do {
		uint8_t *chunk = (uint8_t *)(probe + 1);

		ok = source_read(&source, chunk, PROBE_CHUNK_LEN, &len);
		if (ok && len > 0)
			probe_add(probe, chunk, len);
	} while (ok && len > 0);
	ok = ok && source_finish(&source, task->digest);
	if (ok && task->may_be_worth)
		task->may_be_worth = probe_is_worth(probe);
	free(probe);
	source_close(&source);
	return ok;
}

static void look_piece(void *context, size_t i)
{
	struct run *run = context;
	struct task *task = &run->tasks[i];
	const struct coding_job *job = task->job;
	const uint64_t len = job->site->files[job->file].len;

	task->may_be_worth = coding_limit(len) > 0 &&
	    !coding_type_is_compressed(job->type);
	if ((task->may_be_worth || has_sidecar(run, job)) && !look(task))
		coding_bad_source(task, 0, job->file);
	progress_add(&run->progress, 1, len);
}

/* ---- Second round: coding; a piece of it: coding_piece.c ----------------------------- */

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *pa = a, *pb = b;

	if (pa->cost != pb->cost)
		return (pa->cost < pb->cost) - (pa->cost > pb->cost);
	if (pa->task != pb->task)
		return (pa->task > pb->task) - (pa->task < pb->task);
	return (pa->coding > pb->coding) - (pa->coding < pb->coding);
}

/* About how long a piece takes, in no unit. */
static uint64_t cost_of(const struct task *task, unsigned coding)
{
	static const uint64_t full[] = {
		[ROMFS_GZIP] = 2, [ROMFS_BROTLI] = 80, [ROMFS_ZSTD] = 25,
	};
	static const uint64_t large[] = {
		[ROMFS_GZIP] = 1, [ROMFS_BROTLI] = 5, [ROMFS_ZSTD] = 2,
	};
	const uint64_t len = task->job->site->files[task->job->file].len;

	return len * (len > ENCODE_LARGE_LEN ? large : full)[coding];
}

static void plan_pieces(struct run *run)
{
	run->pieces = xmalloc(run->task_count * (CODING_COUNT - 1) * sizeof *run->pieces);
	for (size_t i = 0; i < run->task_count; i++) {
		struct task *task = &run->tasks[i];

		for (unsigned c = 1; c < CODING_COUNT; c++) {
			if (task->remarks[0].text != NULL || !is_wanted(run, c))
				continue;
			if (!task->may_be_worth && task->job->sidecars[c] == SIZE_MAX)
				continue;
			run->pieces[run->piece_count++] =
			    (struct piece){ task, c, cost_of(task, c) };
		}
	}
	if (run->piece_count > 0)
		qsort(run->pieces, run->piece_count, sizeof *run->pieces, compare_pieces);
}

/* ---- All --------------------------------------------------------------------------- */

static void watch(void *context)
{
	struct run *run = context;

	progress_show(&run->progress);
}

/* One round: all pieces, with a line that says how far it is. */
static void run_round(struct run *run, const char *verb, size_t count, uint64_t cost,
    void (*piece)(void *, size_t))
{
	const struct pool_work work = {
		.piece = piece, .count = count, .context = run, .watch = watch,
	};

	progress_start(&run->progress, verb, count, cost, run->options->progress);
	pool_run(&work);
	progress_end(&run->progress);
}

static void run_rounds(struct run *run)
{
	uint64_t cost = 0;

	for (size_t i = 0; i < run->task_count; i++)
		cost += run->tasks[i].job->site->files[run->tasks[i].job->file].len;
	run_round(run, "reading", run->task_count, cost, look_piece);
	plan_pieces(run);
	cost = 0;
	for (size_t i = 0; i < run->piece_count; i++)
		cost += run->pieces[i].cost;
	run_round(run, "compressing", run->piece_count, cost, coding_make_piece);
}

void codings_make(struct coding_job *jobs, size_t count,
    const struct coding_options *options)
{
	struct run run = {
		.options = options, .task_count = count, .mutex = PTHREAD_MUTEX_INITIALIZER,
	};

	ASSERT(open_cache == NULL);
	for (size_t i = 0; i < count; i++)
		memset(jobs[i].coded, 0, sizeof jobs[i].coded);
	if (count == 0 || options->codings >> 1 == 0)
		return;
	run.cache = open_cache = cache_open(options->cache);
	if (run.cache == NULL)
		return;
	run.tasks = xmalloc(count * sizeof *run.tasks);
	for (size_t i = 0; i < count; i++)
		run.tasks[i] = (struct task){ .job = &jobs[i] };
	run_rounds(&run);
	say_all(&run);
	for (size_t i = 0; i < count; i++)
		for (unsigned c = 0; c < CODING_COUNT; c++)
			free(run.tasks[i].remarks[c].text);
	free(run.tasks);
	free(run.pieces);
	free(run.failure);
}

void codings_end(struct coding_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned c = 0; c < CODING_COUNT; c++)
			free(jobs[i].coded[c].path);
		memset(jobs[i].coded, 0, sizeof jobs[i].coded);
	}
	if (open_cache != NULL)
		cache_close(open_cache);
	open_cache = NULL;
}

/*
 * A run of codings_make() as its files share it, and one piece of its second round: one
 * file in one coding.  Nobody else includes this.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "config/base.h"
#include "romfs/mkromfs/coding.h"
#include "romfs/mkromfs/coding_cache.h"
#include "romfs/mkromfs/coding_progress.h"

/* What is to be said about a file of the site. */
struct remark {
	size_t file;
	bool is_error;
	char *text;              /* NULL: nothing */
};

struct task {
	struct coding_job *job;
	uint8_t digest[SHA256_LEN];
	bool may_be_worth;       /* by type, length and probe */
	struct remark remarks[CODING_COUNT];    /* [0]: of the first round */
};

struct piece {
	struct task *task;
	unsigned coding;
	uint64_t cost;
};

struct run {
	const struct coding_options *options;
	struct cache *cache;
	struct task *tasks;      /* one for each job */
	size_t task_count;
	struct piece *pieces;
	size_t piece_count;
	struct progress progress;
	pthread_mutex_t mutex;
	char *failure;           /* of the cache: ends everything; under the mutex */
	atomic_bool failed;
};

/* Write down what is to be said about `file`; it replaces an earlier remark. */
void coding_remark(struct task *task, unsigned coding, size_t file, bool is_error,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A file of the site could not be read: errno says why. */
void coding_bad_source(struct task *task, unsigned coding, size_t file);

/* The cache could not be written: errno says why.  Nothing else will go well. */
void coding_bad_cache(struct run *run);

/* Piece i, from any thread: fills the job's coded[], or writes down why not. */
void coding_make_piece(void *context, size_t i);

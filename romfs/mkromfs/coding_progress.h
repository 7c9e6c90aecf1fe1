/* How far a long piece of work is: one line on a terminal, and nothing anywhere else. */
#pragma once

#include <stdatomic.h>

#include "config/base.h"

struct progress {
	const char *verb;
	size_t total_count;
	uint64_t total_cost;
	atomic_size_t count;
	atomic_uint_fast64_t cost;
	bool shown;              /* whether it may be */
	unsigned calls;          /* of progress_show() */
	int line_len;            /* of what stands there now */
};

void progress_start(struct progress *progress, const char *verb, size_t count,
    uint64_t cost, bool wanted);

/* So much more is done; from any thread. */
void progress_add(struct progress *progress, size_t count, uint64_t cost);

/* Called ten times a second; begins to show something with the tenth. */
void progress_show(struct progress *progress);

/* Erase the line. */
void progress_end(struct progress *progress);

/* Contract: coding_progress.h. */
#include "romfs/mkromfs/coding_progress.h"

#include <stdio.h>
#include <unistd.h>

#define CALLS_BEFORE 10

void progress_start(struct progress *progress, const char *verb, size_t count,
    uint64_t cost, bool wanted)
{
	progress->verb = verb;
	progress->total_count = count;
	progress->total_cost = cost;
	progress->count = 0;
	progress->cost = 0;
	progress->shown = wanted && isatty(STDERR_FILENO);
	progress->calls = 0;
	progress->line_len = 0;
}

void progress_add(struct progress *progress, size_t count, uint64_t cost)
{
	progress->count += count;
	progress->cost += cost;
}

static unsigned percent(const struct progress *progress)
{
	/* Files of several EiB are none. */
	return progress->total_cost == 0 ? 0 :
	    (unsigned)((double)progress->cost * 100 / (double)progress->total_cost);
}

void progress_show(struct progress *progress)
{
	const int before = progress->line_len;
	char line[80];

	if (!progress->shown || ++progress->calls < CALLS_BEFORE)
		return;
	progress->line_len = snprintf(line, sizeof line, "mkromfs: %s: %zu of %zu, %u %%",
	    progress->verb, (size_t)progress->count, progress->total_count,
	    percent(progress));
	fprintf(stderr, "\r%-*s", before, line);
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->line_len == 0)
		return;
	fprintf(stderr, "\r%*s\r", progress->line_len, "");
	fflush(stderr);
	progress->line_len = 0;
}

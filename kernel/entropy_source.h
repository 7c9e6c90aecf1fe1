/*
 * Where entropy comes from: the hardware under entropy.c (and, in tests, not).
 */
#pragma once

#include "config/base.h"

/* What is asked of each source at the start, and what its test looks at. */
#define ENTROPY_SAMPLE_LEN 64

struct entropy_source {
	const char *name;
	bool counts;         /* enough to start with */
	/*
	 * Read ENTROPY_SAMPLE_LEN bytes.
	 * Returns false if the machine has no such source, or it gives none.
	 */
	bool (*read)(uint8_t *out);
	/*
	 * One word, at any later time; NULL if the source is for the start
	 * only.  Called only after read() gave a sample that passed.
	 * Returns false if there is none now.
	 */
	bool (*word)(uint64_t *out);
};

/* The best of those with word() comes last. */
extern const struct entropy_source entropy_source_list[];
extern const size_t entropy_source_count;

/* The TSC. */
uint64_t entropy_ticks(void);

/* Samples (sample.h) with one thing wrong: what the tests of check*.c have in common. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/base.h"
#include "romfs/romfs.h"
#include "tests/romfs/sample.h"

#define KEY(text) { (const uint8_t *)(text), sizeof(text) - 1 }

/* Each case begins with a sample of its own that has these paths. */
static inline int check_set_up(void **state, const struct phash_key *keys, uint32_t count)
{
	struct sample *s = malloc(sizeof *s);

	if (s == NULL)
		return -1;
	sample_make(s, keys, count);
	*state = s;
	return 0;
}

static inline int check_tear_down(void **state)
{
	sample_free(*state);
	free(*state);
	return 0;
}

static inline enum romfs_status open_sample(const struct sample *s)
{
	struct romfs fs;

	return romfs_open(&fs, s->image, s->len);
}

/* Refused with the value, accepted again without it. */
#define ASSERT_REFUSED(field, value, status) \
	do { \
		const __typeof__(field) good_ = (field); \
		(field) = (__typeof__(field))(value); \
		assert_int_equal(open_sample(s), (status)); \
		(field) = good_; \
		assert_int_equal(open_sample(s), ROMFS_OK); \
	} while (0)

#define ASSERT_ACCEPTED(field, value) ASSERT_REFUSED(field, value, ROMFS_OK)

#define TABLE ROMFS_BAD_TABLE
#define ENTRY ROMFS_BAD_ENTRY
#define RULE ROMFS_BAD_RULE
#define OFFSET ROMFS_BAD_OFFSET

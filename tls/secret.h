/*
 * What secrets need: an end that the compiler may not leave out, and a
 * comparison whose time says nothing.
 */
#pragma once

#include <string.h>

#include "config/base.h"
#include "config/wipe.h"

/* All ones if a[0, len) and b[0, len) are the same, else zero. */
static inline uint64_t ct_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint64_t different = 0;

	for (size_t i = 0; i < len; i++)
		different |= (uint64_t)(a[i] ^ b[i]);
	/* different - 1 borrows into the upper half only from zero. */
	return 0 - (((different - 1) >> 32) & 1);
}

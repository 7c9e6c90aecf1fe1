/*
 * The end of a secret: zeroes that the compiler may not leave out.
 */
#pragma once

#include <string.h>

#include "config/base.h"

static inline void wipe(void *p, size_t len)
{
	memset(p, 0, len);
	__asm__ volatile("" : : "r"(p) : "memory");
}

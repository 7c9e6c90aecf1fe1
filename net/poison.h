/*
 * Free memory that must not be touched: under AddressSanitizer a touch is
 * reported, elsewhere these are nothing.
 */
#pragma once

#include "config/base.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_WORKS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_WORKS 1
#endif

#ifdef POISON_WORKS

void __asan_poison_memory_region(const volatile void *at, size_t len);
void __asan_unpoison_memory_region(const volatile void *at, size_t len);

static inline void poison(const void *at, size_t len)
{
	__asan_poison_memory_region(at, len);
}

static inline void unpoison(const void *at, size_t len)
{
	__asan_unpoison_memory_region(at, len);
}

#else

static inline void poison(const void *at, size_t len)
{
	(void)at;
	(void)len;
}

static inline void unpoison(const void *at, size_t len)
{
	(void)at;
	(void)len;
}

#endif

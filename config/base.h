/*
 * The few words every folder speaks: status marking, assertions, and loads and
 * stores of fields with a fixed byte order.  Never holds state, never does I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))

/*
 * End the program because *we* are wrong.  Never returns.  Each body has its own:
 * the kernel prints a report and reboots, the server asks the kernel for one,
 * host programs abort().
 */
NORETURN void panic_at(const char *file, int line, const char *what);

#define panic(what) panic_at(__FILE__, __LINE__, (what))

/* States what we guarantee; stays in release builds; no side effects in x. */
#define ASSERT(x) \
	do { \
		if (__builtin_expect(!(x), 0)) \
			panic_at(__FILE__, __LINE__, #x); \
	} while (0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Unaligned loads and stores; p points at as many readable (writable) bytes. */
static inline uint16_t load_le16(const void *p)
{
	uint16_t v;
	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load_le32(const void *p)
{
	uint32_t v;
	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load_le64(const void *p)
{
	uint64_t v;
	__builtin_memcpy(&v, p, sizeof v);
	return v;
}

static inline void store_le16(void *p, uint16_t v)
{
	__builtin_memcpy(p, &v, sizeof v);
}

static inline void store_le32(void *p, uint32_t v)
{
	__builtin_memcpy(p, &v, sizeof v);
}

static inline void store_le64(void *p, uint64_t v)
{
	__builtin_memcpy(p, &v, sizeof v);
}

static inline uint16_t load_be16(const void *p)
{
	return __builtin_bswap16(load_le16(p));
}

static inline uint32_t load_be32(const void *p)
{
	return __builtin_bswap32(load_le32(p));
}

static inline void store_be64(void *p, uint64_t v)
{
	store_le64(p, __builtin_bswap64(v));
}

static inline void store_be16(void *p, uint16_t v)
{
	store_le16(p, __builtin_bswap16(v));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "the loads above take the machine's order for little endian");

/*
 * memcpy and its family, for code without a C library.
 *
 * General registers only (the kernel keeps no vector state), any alignment.  Up
 * to 16 bytes are moved as two overlapping words; beyond that 32 bytes a round,
 * with the last 32 overlapping what was done, so that there is no tail loop;
 * from REP_LEN on the CPU's string instruction, whose start-up cost has paid
 * off by then.
 *
 * A compiler that recognises a copy loop replaces it by a call of memcpy: here
 * that would be endless.  stay_loop() in each loop keeps it one, at no cost.
 */
#include "config/libc/string.h"

#include <stdint.h>

/* Words at any address, whatever type the memory has. */
typedef uint64_t word8 __attribute__((may_alias, aligned(1)));
typedef uint32_t word4 __attribute__((may_alias, aligned(1)));
typedef uint16_t word2 __attribute__((may_alias, aligned(1)));

#define REP_LEN 1024

#define stay_loop() __asm__ volatile("" : : : "memory")

/*
 * 0..16 bytes; all are read before the first is written, so overlap is
 * harmless.
 */
static inline void move_small(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len >= 8) {
		const uint64_t first = *(const word8 *)from;
		const uint64_t last = *(const word8 *)(from + len - 8);

		*(word8 *)to = first;
		*(word8 *)(to + len - 8) = last;
	} else if (len >= 4) {
		const uint32_t first = *(const word4 *)from;
		const uint32_t last = *(const word4 *)(from + len - 4);

		*(word4 *)to = first;
		*(word4 *)(to + len - 4) = last;
	} else if (len >= 2) {
		const uint16_t first = *(const word2 *)from;
		const uint16_t last = *(const word2 *)(from + len - 2);

		*(word2 *)to = first;
		*(word2 *)(to + len - 2) = last;
	} else if (len == 1) {
		*to = *from;
	}
}

static inline void move_32(uint8_t *to, const uint8_t *from)
{
	const uint64_t a = ((const word8 *)from)[0];
	const uint64_t b = ((const word8 *)from)[1];
	const uint64_t c = ((const word8 *)from)[2];
	const uint64_t d = ((const word8 *)from)[3];

	((word8 *)to)[0] = a;
	((word8 *)to)[1] = b;
	((word8 *)to)[2] = c;
	((word8 *)to)[3] = d;
}

/*
 * 17 bytes or more, from the front; right when `to` is not inside [from, from +
 * len).
 */
static inline void move_up(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len < 32) {
		const uint64_t a = *(const word8 *)from;
		const uint64_t b = *(const word8 *)(from + 8);
		const uint64_t c = *(const word8 *)(from + len - 16);
		const uint64_t d = *(const word8 *)(from + len - 8);

		*(word8 *)to = a;
		*(word8 *)(to + 8) = b;
		*(word8 *)(to + len - 16) = c;
		*(word8 *)(to + len - 8) = d;
		return;
	}
	if (len >= REP_LEN) {
		const size_t words = len / 8;
		const size_t rest = len % 8;

		/* Leaves both pointers behind what it moved. */
		size_t count = words;
		__asm__ volatile("rep movsq"
		    : "+D"(to), "+S"(from), "+c"(count) : : "memory");
		move_small(to, from, rest);
		return;
	}
	for (; len > 32; len -= 32, to += 32, from += 32) {
		stay_loop();
		move_32(to, from);
	}
	move_32(to - (32 - len), from - (32 - len));
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	if (len <= 16)
		move_small(to, from, len);
	else
		move_up(to, from, len);
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (len <= 16) {
		move_small(t, f, len);
		return to;
	}
	/*
	 * Apart by at least len in either direction: copying cannot hurt
	 * itself.
	 */
	if ((uintptr_t)t - (uintptr_t)f >= len &&
	    (uintptr_t)f - (uintptr_t)t >= len) {
		move_up(t, f, len);
		return to;
	}
	if ((uintptr_t)t < (uintptr_t)f) {
		for (; len >= 8; len -= 8, t += 8, f += 8) {
			stay_loop();
			*(word8 *)t = *(const word8 *)f;
		}
		for (; len > 0; len--) {
			stay_loop();
			*t++ = *f++;
		}
		return to;
	}
	for (; len >= 8; len -= 8) {
		stay_loop();
		*(word8 *)(t + len - 8) = *(const word8 *)(f + len - 8);
	}
	while (len > 0) {
		stay_loop();
		len--;
		t[len] = f[len];
	}
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	uint8_t *t = to;
	const uint64_t word = 0x0101010101010101u * (uint8_t)byte;

	if (len < 8) {
		for (; len > 0; len--) {
			stay_loop();
			*t++ = (uint8_t)byte;
		}
		return to;
	}
	*(word8 *)(t + len - 8) = word;
	if (len >= REP_LEN) {
		size_t count = len / 8;
		__asm__ volatile("rep stosq"
		    : "+D"(t), "+c"(count) : "a"(word) : "memory");
		return to;
	}
	for (; len > 8; len -= 8, t += 8) {
		stay_loop();
		*(word8 *)t = word;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; len >= 8; len -= 8, x += 8, y += 8) {
		if (*(const word8 *)x != *(const word8 *)y)
			break;
	}
	for (; len > 0; len--, x++, y++) {
		if (*x != *y)
			return *x < *y ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	const char *end = text;

	while (*end != '\0') {
		stay_loop();
		end++;
	}
	return (size_t)(end - text);
}

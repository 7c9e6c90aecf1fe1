/*
 * The Internet checksum; see checksum.h.  Pure.
 *
 * 2^16 - 1 divides 2^64 - 1: words of 64 bits may be added with the carry
 * brought around, and the result folded down to 16 bits.
 */
#include "net/checksum.h"

static inline uint64_t add_around(uint64_t sum, uint64_t word)
{
	uint64_t result;

	return result = sum + word, result + (result < sum);
}

uint16_t net_sum_bytes(const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t sum = 0;

	for (; len >= 32; len -= 32, at += 32) {
		sum = add_around(sum, load_le64(at));
		sum = add_around(sum, load_le64(at + 8));
		sum = add_around(sum, load_le64(at + 16));
		sum = add_around(sum, load_le64(at + 24));
	}
	for (; len >= 8; len -= 8, at += 8)
		sum = add_around(sum, load_le64(at));
	if (len >= 4) {
		sum = add_around(sum, load_le32(at));
		len -= 4;
		at += 4;
	}
	if (len >= 2) {
		sum = add_around(sum, load_le16(at));
		len -= 2;
		at += 2;
	}
	if (len == 1)
		sum = add_around(sum, *at);
	return sum_fold(sum);
}

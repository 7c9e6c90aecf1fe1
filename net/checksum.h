/*
 * The Internet checksum (RFC 1071): the ones' complement sum of 16-bit words.
 */
#pragma once

#include "config/base.h"

/*
 * Sum len bytes, as words in memory order, not inverted; an odd last byte
 * counts as followed by zero.  Byte order does not matter to the sum (RFC 1071,
 * section 2(B)).
 */
uint16_t net_sum_bytes(const void *data, size_t len);

/* Fold a sum of 16-bit words, up to 2^48 of them, into 16 bits. */
static inline uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffu) + (sum >> 16);
	sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)sum;
}

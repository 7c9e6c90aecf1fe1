/*
 * The random generator: ChaCha20 with fast key erasure.  Every call makes one
 * key stream from the key; its first 32 bytes replace the key, the rest is the
 * answer.  Who reads our memory later learns nothing about earlier answers.
 *
 * The stream's nonce is fresh noise (CPU generator and TSC): two copies of one
 * VM snapshot part ways at their first call on a CPU with RDRAND.  Without it
 * they differ by the TSC only, which a host can make repeat: do not run copies
 * of one snapshot on such a CPU.
 *
 * Source: D. J. Bernstein, "Fast-key-erasure random-number generators" (2017);
 * ChaCha20 as in RFC 8439, section 2.4.
 */
#pragma once

#include "config/base.h"

#define RANDOM_KEY_LEN 32

/* Start, or start over, from a key of full entropy: for entropy_init(). */
void random_seed(const uint8_t key[RANDOM_KEY_LEN]);

/* Fill buf.  Asserts that random_seed() was called; len up to 2^20. */
void random_fill(void *buf, size_t len);

/* Has it been seeded? */
bool random_ready(void);

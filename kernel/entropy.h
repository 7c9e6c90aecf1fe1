/*
 * Entropy: bytes of several sources, each tested, all hashed into the
 * generator's first key (random.h); later, fresh bytes of the CPU.
 *
 * RDSEED, RDRAND and virtio-rng count; a start with none of them is refused.
 * Timing jitter and the loader's seed are mixed in and count nothing: a
 * hypervisor can make them repeat.
 *
 * The tests find a source that is stuck or nearly so, not one that is
 * predictable on purpose: who runs the machine can always know its secrets.
 */
#pragma once

#include "config/base.h"

/*
 * Collect, test, and seed the generator.  After vrng is up, if there is one.
 * A source that fails its test is said on the console and counts nothing.
 *
 * seed,len  what boot left (handoff.seed); mixed in, wiped by the caller
 * Returns   NULL, or a sentence for the operator: no acceptable source
 */
MUST_USE const char *entropy_init(const uint8_t *seed, size_t len);

/* The sources that count, for the banner: "rdseed rdrand virtio-rng". */
const char *entropy_sources(void);

#define ENTROPY_FRESH_LEN 32
#define ENTROPY_NONCE_LEN 12

/*
 * Fresh bytes from the CPU's generator, if it passed its test at the start.
 * Returns false, with nothing written, when there are none now.
 */
MUST_USE bool entropy_refresh(uint8_t out[ENTROPY_FRESH_LEN]);

/* Noise that is not secret but new: RDRAND, where it passed, and the TSC. */
void entropy_nonce(uint8_t out[ENTROPY_NONCE_LEN]);

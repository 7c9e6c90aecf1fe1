/*
 * Entropy at boot: bytes of several sources, each tested, all hashed into the
 * generator's first key (random.h).
 *
 * RDSEED, RDRAND and virtio-rng count; a start with none of them is refused.
 * Timing jitter and the loader's seed are mixed in and count nothing: a
 * hypervisor can make them repeat.
 */
#pragma once

#include "config/base.h"

/*
 * Collect, test, and seed the generator.  After vrng is up, if there is one.
 *
 * seed,len  what boot left (handoff.seed); mixed in, wiped by the caller
 * Returns   NULL, or a sentence for the operator: no acceptable source, or a
 *           source that is stuck (one that repeats itself is a broken machine:
 *           refused even when another source works)
 */
MUST_USE const char *entropy_init(const uint8_t *seed, size_t len);

/* The sources that passed, for the banner: "rdseed rdrand virtio-rng". */
const char *entropy_sources(void);

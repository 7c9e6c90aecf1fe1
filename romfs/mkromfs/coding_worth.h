/*
 * Whether a file is worth coding at all.  Pure but for the memory zstd takes: the same
 * bytes get the same answer on every machine.
 */
#pragma once

#include "config/base.h"

/* What a coding has to save: a twentieth of the file, and this many bytes. */
#define CODING_SAVED_PART 20
#define CODING_SAVED_LEN 64

/*
 * The most bytes that a coding of a file of `len` bytes may have to be kept; 0: whatever
 * it has is too much.
 */
uint64_t coding_limit(uint64_t len);

/* A media type whose files are compressed already, so that nobody need try again. */
bool coding_type_is_compressed(const char *type);

/* ---- The probe: a little of the content, put through a fast compressor ------- */

#define PROBE_CHUNK_LEN (64 * 1024)
#define PROBE_CHUNKS 16

struct probe {
	uint64_t chunk_count;    /* of the whole content */
	uint64_t next;           /* index of the next chunk */
	size_t len;
	uint8_t sample[PROBE_CHUNKS * PROBE_CHUNK_LEN];
};

void probe_start(struct probe *probe, uint64_t content_len);

/* The next PROBE_CHUNK_LEN bytes of the content; the last may be fewer. */
void probe_add(struct probe *probe, const uint8_t *chunk, size_t len);

/*
 * After all of it: true unless the sample shrinks by less than one byte in 64.  Content of
 * up to a MiB is the sample; of more it is sixteen pieces spread evenly.  A file in which
 * incompressible parts repeat far from each other is taken for incompressible.
 */
MUST_USE bool probe_is_worth(const struct probe *probe);

/*
 * The bundle as a file: from checked chains to bytes, and from bytes back for
 * people.  The layout is config/bundle.h.
 */
#pragma once

#include "config/bundle.h"
#include "tls/mkinstance/chain.h"

/* What goes into a bundle; everything has been checked. */
struct instance {
	uint32_t flags;
	struct chain *chains;
	size_t chain_count;
	struct names hosts;
	char settings[BUNDLE_SETTINGS_CAP];
};

/*
 * The bytes of the bundle; *len is set.  Keys that several chains share are stored
 * once (chain.key_index is set).  Ends with bundle_free(), which wipes.
 */
uint8_t *bundle_make(struct instance *in, size_t *len);
void bundle_free(uint8_t *bytes, size_t len);

/*
 * Is this a bundle?  Checks every number that the functions below use.
 * Returns NULL, or what is wrong, as the end of a sentence.
 */
MUST_USE const char *bundle_problem(const uint8_t *bytes, size_t len);

/* The parts of bytes that bundle_problem() has let pass; alive as long as they. */
const struct bundle_header *bundle_header(const uint8_t *bytes);
const struct bundle_public *bundle_public(const uint8_t *bytes);
const uint8_t *bundle_span(const uint8_t *bytes, struct bundle_span span);

/*
 * Print what is in such bytes, one thing a line and nothing of a key.
 *
 * now    Unix seconds, for the days that are left
 */
void bundle_show(FILE *out, const uint8_t *bytes, size_t len, int64_t now);

/*
 * The outer shape of the instance bundle (config/bundle.h): checked once and as
 * a whole at start-up, before anybody uses a number of it.  Pure.  What the
 * public part holds is not looked at here: ring 3 reads it, and checks it
 * there.
 *
 * What is refused is refused for good: whoever gave a bundle wants HTTPS, and a
 * machine that silently served without would be worse than one that does not
 * start.
 */
#pragma once

#include "config/base.h"
#include "config/bundle.h"

/*
 * Check the header, the digest, the settings' characters and every key record.
 *
 * bundle  aligned to 8 bytes; any contents
 * len     of the whole bundle, bytes
 * Returns NULL, or a sentence for the operator, in which nothing of a key appears
 * Cost    one SHA-256 over the bundle, one multiplication for each RSA key
 */
MUST_USE const char *bundle_check(const uint8_t *bundle, uint64_t len);

/*
 * Put the bundle's settings and a blank before the words of a command line, so
 * that the command line has the last word.
 *
 * bundle       passed bundle_check()
 * cmdline,cap  NUL-terminated; written only on success
 * Returns NULL, or a sentence: both together do not fit into cap - 1 bytes
 */
MUST_USE const char *bundle_put_settings(const uint8_t *bundle, char *cmdline,
    size_t cap);

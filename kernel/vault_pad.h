/*
 * What RSA signs: a digest, encoded into a number as long as the modulus.
 * Pure; nothing in here is secret.
 */
#pragma once

#include "config/base.h"

#include <bearssl_hash.h>

/*
 * EMSA-PKCS1-v1_5.
 *
 * hash, digest  SHA-256, SHA-384 or SHA-512, and its output
 * out, len      the whole of it is written; at least digest + 30 bytes
 * Source        RFC 8017, section 9.2
 */
void vault_pad_pkcs1(const br_hash_class *hash, const uint8_t *digest,
    uint8_t *out, size_t len);

/*
 * EMSA-PSS with a salt as long as the digest, MGF1 with the same hash, for a
 * modulus of 8 * len bits.
 *
 * salt      fresh random bytes
 * out, len  the whole of it is written; at least 2 * digest + 2 bytes
 * Source    RFC 8017, section 9.1.1
 */
void vault_pad_pss(const br_hash_class *hash, const uint8_t *digest,
    const uint8_t *salt, uint8_t *out, size_t len);

/*
 * Instance bundles for tests, made in memory: keys by OpenSSL, the form by
 * hand, so that kernel/bundle.c is held against the format and not against our
 * own tool.
 */
#pragma once

#include <openssl/evp.h>

#include "config/base.h"
#include "config/bundle.h"

/* A fresh key, and its record.  The caller frees the key. */
EVP_PKEY *make_key(struct bundle_key *record, enum bundle_key_kind kind,
    uint32_t bits);

/*
 * A record as long and as odd as an RSA key's, of numbers that are no primes:
 * takes no time, and has the form of a key.
 */
void make_rsa_shape(struct bundle_key *record, uint32_t bits);

/* A private scalar that is given in hexadecimal, with its record. */
void make_ec_record(struct bundle_key *record, enum bundle_key_kind kind,
    const char *hex);

/*
 * A whole bundle in out, which is zero and has room; public_len whole pages, of
 * which only the header's flags are set.  Returns its length.
 */
size_t make_bundle(uint8_t *out, const struct bundle_key *keys,
    uint32_t key_count, uint32_t public_len, const char *settings);

/* Make the digest right again after a change. */
void make_digest(uint8_t *bundle, size_t len);

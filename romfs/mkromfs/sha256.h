/*
 * SHA-256 of content, for entity tags, digests and the cache.  The one place that knows
 * whose implementation is used: libcrypto's, which uses the CPU's own instructions; a
 * rebuild reads every byte of a site for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A hash by itself, without contexts to allocate, is what OpenSSL 3 calls old. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#define SHA256_LEN 32

struct sha256 {
	SHA256_CTX context;
};

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
void sha256_end(const struct sha256 *sha, uint8_t digest[SHA256_LEN]);

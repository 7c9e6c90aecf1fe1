/*
 * SHA-256 of content, for entity tags.  The one place that knows whose
 * implementation is used: BearSSL's, which is fetched for the server anyway.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <bearssl_hash.h>

#define SHA256_LEN 32

struct sha256 {
	br_sha256_context context;
};

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
void sha256_end(const struct sha256 *sha, uint8_t digest[SHA256_LEN]);

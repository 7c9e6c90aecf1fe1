/* Contract: sha256.h. */
#include "romfs/mkromfs/sha256.h"

#include "config/base.h"

/* They fail only where a provider does not offer SHA-256, which this form never asks for. */
static void must(int ok)
{
	ASSERT(ok == 1);
}

void sha256_start(struct sha256 *sha)
{
	must(SHA256_Init(&sha->context));
}

void sha256_add(struct sha256 *sha, const void *data, size_t len)
{
	must(SHA256_Update(&sha->context, data, len));
}

void sha256_end(const struct sha256 *sha, uint8_t digest[SHA256_LEN])
{
	SHA256_CTX context = sha->context;

	must(SHA256_Final(digest, &context));
}

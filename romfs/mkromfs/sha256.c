/* Contract: sha256.h. */
#include "romfs/mkromfs/sha256.h"

void sha256_start(struct sha256 *sha)
{
	br_sha256_init(&sha->context);
}

void sha256_add(struct sha256 *sha, const void *data, size_t len)
{
	br_sha256_update(&sha->context, data, len);
}

void sha256_end(const struct sha256 *sha, uint8_t digest[SHA256_LEN])
{
	br_sha256_out(&sha->context, digest);
}

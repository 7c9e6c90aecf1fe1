/*
 * Encodings of a digest for RSA; the manual is vault_pad.h.
 */
#include "kernel/vault_pad.h"

#include <string.h>

#include <inner.h>        /* BearSSL's own: br_mgf1_xor() */

#define PREFIX_LEN 19
#define DIGEST_MAX 64

/* DER of a DigestInfo up to the digest itself: RFC 8017, section 9.2, note 1. */
struct prefix {
	int hash_id;
	uint8_t der[PREFIX_LEN];
};

static const struct prefix prefixes[] = {
	{ br_sha256_ID, {
		0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 } },
	{ br_sha384_ID, {
		0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30 } },
	{ br_sha512_ID, {
		0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40 } },
};

static const uint8_t *prefix_of(const br_hash_class *hash)
{
	const int id = hash->desc >> BR_HASHDESC_ID_OFF & BR_HASHDESC_ID_MASK;

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (prefixes[i].hash_id == id)
			return prefixes[i].der;
	panic("a hash without a DigestInfo");
}

void vault_pad_pkcs1(const br_hash_class *hash, const uint8_t *digest,
    uint8_t *out, size_t len)
{
	const size_t digest_len = br_digest_size(hash);
	const size_t info_len = PREFIX_LEN + digest_len;

	/* 00 01 FF ... FF 00 DigestInfo, with eight FF at least. */
	ASSERT(len >= info_len + 11);
	memset(out, 0xff, len);
	out[0] = 0x00;
	out[1] = 0x01;
	out[len - info_len - 1] = 0x00;
	memcpy(out + len - info_len, prefix_of(hash), PREFIX_LEN);
	memcpy(out + len - digest_len, digest, digest_len);
}

void vault_pad_pss(const br_hash_class *hash, const uint8_t *digest,
    const uint8_t *salt, uint8_t *out, size_t len)
{
	static const uint8_t zero[8];
	const size_t digest_len = br_digest_size(hash);
	const size_t db_len = len - digest_len - 1;
	uint8_t *const h = out + db_len;
	br_hash_compat_context context;

	/* H = Hash(eight zeros, digest, salt). */
	ASSERT(digest_len <= DIGEST_MAX && len >= 2 * digest_len + 2);
	hash->init(&context.vtable);
	hash->update(&context.vtable, zero, sizeof zero);
	hash->update(&context.vtable, digest, digest_len);
	hash->update(&context.vtable, salt, digest_len);
	hash->out(&context.vtable, h);

	/* DB = 00 ... 00 01 salt, masked; then H, then BC. */
	memset(out, 0, db_len);
	out[db_len - digest_len - 1] = 0x01;
	memcpy(h - digest_len, salt, digest_len);
	br_mgf1_xor(out, db_len, hash, h, digest_len);
	/* The number has one bit less than the modulus. */
	out[0] &= 0x7f;
	out[len - 1] = 0xbc;
}

/*
 * The key vault; the manual is vault.h.
 *
 * Constant time: the arithmetic on private numbers, which is BearSSL's (i31 and
 * i62 integers, the m31 and i31 curves): no branch, index or loop count in
 * there depends on them, and multiplications of x86-64 take the same time for
 * all operands.  Not constant, and no secret: the kind and length of a key, the
 * algorithm, how often an RFC 6979 nonce had to be drawn again (once in 2^32
 * for P-256; it says nothing about the one taken), whether a signature failed.
 *
 * Temporaries live on the stack only, here and in BearSSL.  All of it goes
 * through on_stack(), and vault_sign() then clears the stack as deep as that
 * can have reached; tests/kernel/test_vault.c looks whether it does.
 *
 * A wrong signature can betray the key.  With RSA and the CRT any single wrong
 * one does, to whoever receives it (Boneh, DeMillo, Lipton 1997), so each is
 * verified before it leaves: 6 to 10 percent of the work.  With ECDSA it takes
 * a right and a wrong one for the same digest.  TLS never has the same digest
 * twice; a server that was taken over could ask for it and wait for a bit to
 * flip.  Verifying would cost more than signing, in every full handshake, so it
 * is left out: who can flip bits in ring 0 has the page tables to begin with.
 */
#include "kernel/vault.h"

#include <string.h>

#include <bearssl_ec.h>
#include <bearssl_hash.h>
#include <bearssl_rsa.h>

#include "config/wipe.h"
#include "kernel/map.h"
#include "kernel/random.h"
#include "kernel/vault_pad.h"

enum scheme { ECDSA, RSA_PKCS1, RSA_PSS };

struct algorithm {
	enum scheme scheme;
	const br_hash_class *hash;
};

static const struct algorithm algorithms[] = {
	[GATE_SIGN_ECDSA_SHA256] = { ECDSA, &br_sha256_vtable },
	[GATE_SIGN_ECDSA_SHA384] = { ECDSA, &br_sha384_vtable },
	[GATE_SIGN_ECDSA_SHA512] = { ECDSA, &br_sha512_vtable },
	[GATE_SIGN_RSA_PKCS1_SHA256] = { RSA_PKCS1, &br_sha256_vtable },
	[GATE_SIGN_RSA_PKCS1_SHA384] = { RSA_PKCS1, &br_sha384_vtable },
	[GATE_SIGN_RSA_PKCS1_SHA512] = { RSA_PKCS1, &br_sha512_vtable },
	[GATE_SIGN_RSA_PSS_SHA256] = { RSA_PSS, &br_sha256_vtable },
	[GATE_SIGN_RSA_PSS_SHA384] = { RSA_PSS, &br_sha384_vtable },
	[GATE_SIGN_RSA_PSS_SHA512] = { RSA_PSS, &br_sha512_vtable },
};

/* Which code computes on which curve: here and nowhere else. */
struct curve {
	const br_ec_impl *code;
	int id;
};

static const struct curve curves[] = {
	[BUNDLE_KEY_P256] = { &br_ec_p256_m31, BR_EC_secp256r1 },
	[BUNDLE_KEY_P384] = { &br_ec_prime_i31, BR_EC_secp384r1 },
};

SEALED static const struct bundle_key *keys;
SEALED static uint32_t key_count;

static bool busy;

void vault_open(const struct bundle_key *records, uint32_t count)
{
	ASSERT(count <= LIMIT_KEYS);
	keys = records;
	key_count = count;
}

void vault_describe(struct gate_info *info)
{
	info->key_count = key_count;
	for (uint32_t i = 0; i < key_count; i++) {
		info->key_kind[i] = (uint16_t)keys[i].kind;
		info->key_bits[i] = (uint16_t)keys[i].bits;
	}
}

bool vault_busy(void)
{
	return busy;
}

/* BearSSL takes keys by pointers to non-const bytes, and only reads them. */
static unsigned char *tail(const uint8_t *field, size_t field_len, size_t len)
{
	return (unsigned char *)field + field_len - len;
}

/* ---- ECDSA ------------------------------------------------------------------- */

static enum gate_status sign_ecdsa(const struct bundle_key *key,
    const br_hash_class *hash, struct gate_sign *sign)
{
	const struct curve *curve = &curves[key->kind];
	const size_t len = key->bits / 8;
	const br_ec_private_key sk = {
		.curve = curve->id,
		.x = tail(key->x, sizeof key->x, len),
		.xlen = len,
	};

	sign->signature_len = (uint32_t)br_ecdsa_i31_sign_raw(curve->code, hash,
	    sign->digest, &sk, sign->signature);
	return sign->signature_len == 2 * len ? GATE_OK : GATE_FAILED;
}

/* ---- RSA ----------------------------------------------------------------------- */

static void encode(const struct algorithm *algorithm, const struct gate_sign *sign,
    uint8_t *out, size_t len)
{
	uint8_t salt[GATE_DIGEST_MAX];

	if (algorithm->scheme == RSA_PKCS1) {
		vault_pad_pkcs1(algorithm->hash, sign->digest, out, len);
		return;
	}
	random_fill(salt, sign->digest_len);
	vault_pad_pss(algorithm->hash, sign->digest, salt, out, len);
}

/* Is `signature` to the power of the public exponent what was to be signed? */
static bool verifies(const struct bundle_key *key, const uint8_t *signature,
    const uint8_t *encoded, size_t len)
{
	uint8_t exponent[4];
	uint8_t number[GATE_SIGNATURE_MAX];
	const br_rsa_public_key pk = {
		.n = tail(key->rsa.n, sizeof key->rsa.n, len),
		.nlen = len,
		.e = exponent,
		.elen = sizeof exponent,
	};

	store_le32(exponent, __builtin_bswap32(key->public_exponent));
	memcpy(number, signature, len);
	return br_rsa_i62_public(number, len, &pk) == 1 &&
	    memcmp(number, encoded, len) == 0;
}

static enum gate_status sign_rsa(const struct bundle_key *key,
    const struct algorithm *algorithm, struct gate_sign *sign)
{
	const size_t len = key->bits / 8, half = len / 2;
	uint8_t encoded[GATE_SIGNATURE_MAX];
	const br_rsa_private_key sk = {
		.n_bitlen = key->bits,
		.p = tail(key->rsa.p, sizeof key->rsa.p, half), .plen = half,
		.q = tail(key->rsa.q, sizeof key->rsa.q, half), .qlen = half,
		.dp = tail(key->rsa.dp, sizeof key->rsa.dp, half), .dplen = half,
		.dq = tail(key->rsa.dq, sizeof key->rsa.dq, half), .dqlen = half,
		.iq = tail(key->rsa.iq, sizeof key->rsa.iq, half), .iqlen = half,
	};

	encode(algorithm, sign, encoded, len);
	memcpy(sign->signature, encoded, len);
	sign->signature_len = (uint32_t)len;
	return br_rsa_i62_private(sign->signature, &sk) == 1 &&
	    verifies(key, sign->signature, encoded, len) ? GATE_OK : GATE_FAILED;
}

/* ---- Both ------------------------------------------------------------------------ */

/* Everything that touches a key, in frames below the caller's. */
__attribute__((noinline))
static enum gate_status on_stack(struct gate_sign *sign)
{
	const struct algorithm *algorithm = &algorithms[sign->algorithm];
	const struct bundle_key *key = &keys[sign->key];

	return algorithm->scheme == ECDSA ?
	    sign_ecdsa(key, algorithm->hash, sign) : sign_rsa(key, algorithm, sign);
}

/* Called where on_stack() was: its frame lies over all that was left there. */
__attribute__((noinline))
static void wipe_stack(void)
{
	uint8_t left[VAULT_STACK_LEN];

	wipe(left, sizeof left);
}

enum gate_status vault_sign(struct gate_sign *sign)
{
	ASSERT(sign->key < key_count);
	ASSERT(sign->algorithm > 0 && sign->algorithm < ARRAY_LEN(algorithms));
	busy = true;
	const enum gate_status status = on_stack(sign);

	wipe_stack();
	/* A wrong signature is as secret as the key. */
	if (status != GATE_OK) {
		sign->signature_len = 0;
		wipe(sign->signature, sizeof sign->signature);
	}
	busy = false;
	return status;
}

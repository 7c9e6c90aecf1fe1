/*
 * Bundles for tests; see make_bundle.h.
 */
#include "tests/kernel/make_bundle.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

static void put_number(const EVP_PKEY *key, const char *name, uint8_t *field,
    int field_len)
{
	BIGNUM *number = NULL;

	ASSERT(EVP_PKEY_get_bn_param(key, name, &number) == 1);
	ASSERT(BN_bn2binpad(number, field, field_len) == field_len);
	BN_clear_free(number);
}

EVP_PKEY *make_key(struct bundle_key *record, enum bundle_key_kind kind,
    uint32_t bits)
{
	EVP_PKEY *key;

	memset(record, 0, sizeof *record);
	record->kind = kind;
	record->bits = bits;
	if (kind != BUNDLE_KEY_RSA) {
		key = EVP_EC_gen(kind == BUNDLE_KEY_P256 ? "P-256" : "P-384");
		ASSERT(key != NULL);
		put_number(key, OSSL_PKEY_PARAM_PRIV_KEY, record->x, 48);
		return key;
	}
	key = EVP_RSA_gen(bits);
	ASSERT(key != NULL);
	record->public_exponent = 65537;
	put_number(key, OSSL_PKEY_PARAM_RSA_FACTOR1, record->rsa.p, 256);
	put_number(key, OSSL_PKEY_PARAM_RSA_FACTOR2, record->rsa.q, 256);
	put_number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1, record->rsa.dp, 256);
	put_number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2, record->rsa.dq, 256);
	put_number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, record->rsa.iq, 256);
	put_number(key, OSSL_PKEY_PARAM_RSA_N, record->rsa.n, 512);
	return key;
}

void make_rsa_shape(struct bundle_key *record, uint32_t bits)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();

	memset(record, 0, sizeof *record);
	record->kind = BUNDLE_KEY_RSA;
	record->bits = bits;
	record->public_exponent = 65537;
	/* The two highest bits are set, so that the product is long enough. */
	ASSERT(BN_rand(p, (int)bits / 2, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) == 1);
	ASSERT(BN_rand(q, (int)bits / 2, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) == 1);
	ASSERT(BN_mul(n, p, q, context) == 1);
	ASSERT(BN_bn2binpad(p, record->rsa.p, 256) == 256);
	ASSERT(BN_bn2binpad(q, record->rsa.q, 256) == 256);
	ASSERT(BN_bn2binpad(n, record->rsa.n, 512) == 512);
	record->rsa.dp[255] = record->rsa.dq[255] = record->rsa.iq[255] = 1;
	BN_free(p);
	BN_free(q);
	BN_free(n);
	BN_CTX_free(context);
}

void make_ec_record(struct bundle_key *record, enum bundle_key_kind kind,
    const char *hex)
{
	BIGNUM *number = NULL;

	memset(record, 0, sizeof *record);
	record->kind = kind;
	record->bits = kind == BUNDLE_KEY_P256 ? 256 : 384;
	ASSERT(BN_hex2bn(&number, hex) > 0);
	ASSERT(BN_bn2binpad(number, record->x, sizeof record->x) > 0);
	BN_free(number);
}

size_t make_bundle(uint8_t *out, const struct bundle_key *keys,
    uint32_t key_count, uint32_t public_len, const char *settings)
{
	struct bundle_header *header = (void *)out;
	const size_t keys_len = key_count * sizeof *keys;

	memcpy(header->magic, BUNDLE_MAGIC, sizeof header->magic);
	header->version = BUNDLE_VERSION;
	header->public_off = BUNDLE_PAGE;
	header->public_len = public_len;
	header->secret_off = BUNDLE_PAGE + public_len;
	header->secret_len = (uint32_t)(keys_len + BUNDLE_PAGE - 1) &
	    ~(BUNDLE_PAGE - 1);
	header->key_count = key_count;
	memcpy(header->settings, settings, strlen(settings));
	if (keys_len > 0)
		memcpy(out + header->secret_off, keys, keys_len);

	const size_t len = header->secret_off + header->secret_len;

	make_digest(out, len);
	return len;
}

void make_digest(uint8_t *bundle, size_t len)
{
	struct bundle_header *header = (void *)bundle;

	memset(header->sha256, 0, sizeof header->sha256);
	SHA256(bundle, len, header->sha256);
}

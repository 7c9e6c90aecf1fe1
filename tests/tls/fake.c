/* Contract: fake.h. */
#include "tests/tls/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "kernel/gate.h"
#include "net/net.h"
#include "tls/engine.h"
#include "tls/tls_int.h"

struct tls_bundle fake_bundle;
bool fake_refuses_unknown;
uint64_t fake_now_ms;
unsigned fake_signatures;
bool fake_sign_fails;

static EVP_PKEY *keys[FAKE_KEYS];

static EVP_PKEY *make_key(enum fake_key which)
{
	switch (which) {
	case FAKE_P256:
		return EVP_EC_gen("P-256");
	case FAKE_P384:
		return EVP_EC_gen("P-384");
	case FAKE_RSA:
		return EVP_RSA_gen(2048);
	default:
		return EVP_RSA_gen(4096);
	}
}

static EVP_PKEY *key_of(enum fake_key which)
{
	if (keys[which] == NULL)
		keys[which] = make_key(which);
	assert_non_null(keys[which]);
	return keys[which];
}

bool fake_has_key(const X509 *cert, enum fake_key key)
{
	return cert != NULL && EVP_PKEY_eq(X509_get0_pubkey(cert), key_of(key)) == 1;
}

/* ---- The bundle ---------------------------------------------------------- */

static uint8_t *make_certificate(EVP_PKEY *key, size_t *len)
{
	X509 *const cert = X509_new();
	uint8_t *der = NULL;

	assert_non_null(cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	*len = (size_t)i2d_X509(cert, &der);
	X509_free(cert);
	return der;
}

size_t fake_add_chain(enum fake_key key, const char *names, size_t names_len)
{
	static uint8_t *made[FAKE_KEYS];
	static size_t made_len[FAKE_KEYS];
	struct tls_chain *const chain =
	    &fake_bundle.chains[fake_bundle.chain_count];

	assert_true(fake_bundle.chain_count < LIMIT_CHAINS);
	if (made[key] == NULL)
		made[key] = make_certificate(key_of(key), &made_len[key]);
	*chain = (struct tls_chain){
		.key = key,
		.kind = key == FAKE_P256 ? BUNDLE_KEY_P256 :
		    key == FAKE_P384 ? BUNDLE_KEY_P384 : BUNDLE_KEY_RSA,
		.key_bits = (uint32_t)EVP_PKEY_get_bits(key_of(key)),
		.cert_count = 1,
		.certs[0] = { made[key], made_len[key] },
		.names = names,
		.names_len = names_len,
	};
	fake_bundle.chain_count++;
	tls_engine_start();
	return fake_bundle.chain_count - 1;
}

void fake_lengthen_chain(size_t chain, size_t len)
{
	static uint8_t bytes[LIMIT_CHAIN_LEN];
	struct tls_chain *const c = &fake_bundle.chains[chain];

	assert_true(len <= sizeof bytes);
	c->certs[c->cert_count++] = (struct tls_certificate){ bytes, len };
}

const struct tls_bundle *tls_bundle(void)
{
	return &fake_bundle;
}

bool tls_refuses_unknown(void)
{
	return fake_refuses_unknown;
}

uint64_t net_now_ms(void)
{
	return fake_now_ms;
}

void fake_start(void)
{
	memset(&fake_bundle, 0, sizeof fake_bundle);
	fake_refuses_unknown = false;
	fake_now_ms = 3600 * 1000;
	fake_signatures = 0;
	fake_sign_fails = false;
	tls_engine_start();
}

/* ---- The gate ------------------------------------------------------------ */

enum gate_status gate_random(void *buf, size_t len)
{
	assert_true(len >= 1 && len <= GATE_RANDOM_MAX);
	assert_int_equal(RAND_bytes(buf, (int)len), 1);
	return GATE_OK;
}

static size_t sign_digest(EVP_PKEY *key, const EVP_MD *hash,
    const uint8_t *digest, size_t len, uint8_t *out)
{
	EVP_PKEY_CTX *const ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t out_len = GATE_SIGNATURE_MAX;

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx,
		    RSA_PKCS1_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, hash), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, out, &out_len, digest, len), 1);
	EVP_PKEY_CTX_free(ctx);
	return out_len;
}

/* From DER to what the gate gives: r and s, each as long as the order. */
static size_t make_raw(uint8_t *sig, size_t len, int order_len)
{
	const uint8_t *at = sig;
	ECDSA_SIG *const der = d2i_ECDSA_SIG(NULL, &at, (long)len);

	assert_non_null(der);
	BN_bn2binpad(ECDSA_SIG_get0_r(der), sig, order_len);
	BN_bn2binpad(ECDSA_SIG_get0_s(der), sig + order_len, order_len);
	ECDSA_SIG_free(der);
	return 2 * (size_t)order_len;
}

enum gate_status gate_sign(struct gate_sign *sign)
{
	const uint32_t first = sign->key <= FAKE_P384 ?
	    GATE_SIGN_ECDSA_SHA256 : GATE_SIGN_RSA_PKCS1_SHA256;
	const EVP_MD *const hashes[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };

	assert_true(sign->key < FAKE_KEYS);
	assert_true(sign->algorithm >= first && sign->algorithm < first + 3);
	const EVP_MD *const hash = hashes[sign->algorithm - first];

	assert_int_equal(sign->digest_len, EVP_MD_get_size(hash));
	if (fake_sign_fails)
		return GATE_FAILED;
	fake_signatures++;
	sign->signature_len = (uint32_t)sign_digest(key_of(sign->key), hash,
	    sign->digest, sign->digest_len, sign->signature);
	if (sign->key <= FAKE_P384)
		sign->signature_len = (uint32_t)make_raw(sign->signature,
		    sign->signature_len, sign->key == FAKE_P256 ? 32 : 48);
	return GATE_OK;
}

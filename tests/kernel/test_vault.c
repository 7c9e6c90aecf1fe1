/* links: kernel/vault.c kernel/vault_pad.c kernel/gate_check.c
 *   tests/kernel/make_bundle.c tests/host_panic.c @bearssl_kernel -lcrypto
 */
/*
 * The vault against OpenSSL: whatever it signs verifies there, for every kind
 * of key and every algorithm; what has one right answer is that answer; a
 * signature that went wrong does not leave; and nothing stays behind on the
 * stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <ucontext.h>

#include "kernel/gate_check.h"
#include "kernel/random.h"
#include "kernel/vault.h"
#include "kernel/vault_pad.h"
#include "tests/kernel/make_bundle.h"

enum { P256, P384, RSA_2048, RSA_3072, RSA_4096, KEYS };

static const struct {
	enum bundle_key_kind kind;
	uint32_t bits;
} wanted[KEYS] = {
	{ BUNDLE_KEY_P256, 256 }, { BUNDLE_KEY_P384, 384 },
	{ BUNDLE_KEY_RSA, 2048 }, { BUNDLE_KEY_RSA, 3072 }, { BUNDLE_KEY_RSA, 4096 },
};

static struct bundle_key records[KEYS];
static EVP_PKEY *pkeys[KEYS];
static struct gate_info info;
static unsigned salts;

/* The kernel's generator; here OpenSSL's. */
void random_fill(void *buf, size_t len)
{
	salts++;
	ASSERT(RAND_bytes(buf, (int)len) == 1);
}

static int make_keys(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		pkeys[i] = make_key(&records[i], wanted[i].kind, wanted[i].bits);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		EVP_PKEY_free(pkeys[i]);
	return 0;
}

static int open_vault(void **state)
{
	(void)state;
	memset(&info, 0, sizeof info);
	vault_open(records, KEYS);
	vault_describe(&info);
	return 0;
}

/* ---- Algorithms ------------------------------------------------------------------ */

static bool is_rsa(uint32_t algorithm)
{
	return algorithm >= GATE_SIGN_RSA_PKCS1_SHA256;
}

static bool is_pss(uint32_t algorithm)
{
	return algorithm >= GATE_SIGN_RSA_PSS_SHA256;
}

static const EVP_MD *hash_of(uint32_t algorithm)
{
	const EVP_MD *const hashes[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };

	return hashes[(algorithm - 1) % 3];
}

static struct gate_sign request(uint32_t key, uint32_t algorithm)
{
	struct gate_sign sign = {
		.key = key,
		.algorithm = algorithm,
		.digest_len = (uint32_t)EVP_MD_get_size(hash_of(algorithm)),
	};

	ASSERT(RAND_bytes(sign.digest, sizeof sign.digest) == 1);
	return sign;
}

/* What OpenSSL takes: r and s as DER, everything else as it is. */
static size_t to_openssl(const struct gate_sign *sign, unsigned char *out)
{
	const int half = (int)sign->signature_len / 2;
	unsigned char *end = out;
	ECDSA_SIG *sig;

	if (is_rsa(sign->algorithm)) {
		memcpy(out, sign->signature, sign->signature_len);
		return sign->signature_len;
	}
	sig = ECDSA_SIG_new();
	ASSERT(ECDSA_SIG_set0(sig, BN_bin2bn(sign->signature, half, NULL),
	    BN_bin2bn(sign->signature + half, half, NULL)) == 1);
	ASSERT(i2d_ECDSA_SIG(sig, &end) > 0);
	ECDSA_SIG_free(sig);
	return (size_t)(end - out);
}

static bool openssl_verifies(EVP_PKEY *pkey, const struct gate_sign *sign)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	unsigned char signature[GATE_SIGNATURE_MAX + 16];
	const size_t len = to_openssl(sign, signature);
	int result;

	ASSERT(EVP_PKEY_verify_init(context) == 1);
	ASSERT(EVP_PKEY_CTX_set_signature_md(context, hash_of(sign->algorithm)) == 1);
	if (is_rsa(sign->algorithm))
		ASSERT(EVP_PKEY_CTX_set_rsa_padding(context, is_pss(sign->algorithm) ?
		    RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1);
	if (is_pss(sign->algorithm))
		ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(context,
		    RSA_PSS_SALTLEN_DIGEST) == 1);
	result = EVP_PKEY_verify(context, signature, len, sign->digest,
	    sign->digest_len);
	EVP_PKEY_CTX_free(context);
	return result == 1;
}

static void sign_and_verify(uint32_t key, uint32_t algorithm)
{
	struct gate_sign sign = request(key, algorithm);
	const struct gate_sign asked = sign;

	assert_int_equal(gate_check_sign(&sign, &info), GATE_OK);
	assert_int_equal(vault_sign(&sign), GATE_OK);
	assert_int_equal(sign.signature_len, is_rsa(algorithm) ?
	    wanted[key].bits / 8 : wanted[key].bits / 4);
	assert_memory_equal(sign.digest, asked.digest, sizeof sign.digest);
	assert_true(openssl_verifies(pkeys[key], &sign));
	sign.digest[7] ^= 1;
	assert_false(openssl_verifies(pkeys[key], &sign));
}

static void every_signature_verifies_with_openssl(void **state)
{
	static const unsigned rounds[KEYS] = { 40, 10, 10, 3, 2 };

	(void)state;
	for (uint32_t key = 0; key < KEYS; key++)
		for (uint32_t a = 1; a <= GATE_SIGN_RSA_PSS_SHA512; a++)
			for (unsigned i = 0; i < rounds[key] && is_rsa(a) ==
			    (wanted[key].kind == BUNDLE_KEY_RSA); i++)
				sign_and_verify(key, a);
}

/* Digests that are reduced by the curve's order, or are nothing. */
static void digests_at_the_edge_verify_too(void **state)
{
	static const int fills[] = { 0x00, 0xff };

	(void)state;
	for (uint32_t key = P256; key <= P384; key++)
		for (uint32_t a = 1; a <= GATE_SIGN_ECDSA_SHA512; a++)
			for (unsigned i = 0; i < ARRAY_LEN(fills); i++) {
				struct gate_sign sign = request(key, a);

				memset(sign.digest, fills[i], sizeof sign.digest);
				assert_int_equal(vault_sign(&sign), GATE_OK);
				assert_true(openssl_verifies(pkeys[key], &sign));
			}
}

/* ---- Answers that are known -------------------------------------------------------- */

static void from_hex(uint8_t *out, const char *hex)
{
	long len;
	unsigned char *bytes = OPENSSL_hexstr2buf(hex, &len);

	memcpy(out, bytes, (size_t)len);
	OPENSSL_free(bytes);
}

/* RFC 6979, appendices A.2.5 and A.2.6: message "sample". */
static void ecdsa_gives_the_signatures_of_rfc_6979(void **state)
{
	static const char p256[] =
	    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
	static const char p384[] =
	    "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
	    "96D5724E4C70A825F872C9EA60D2EDF5";
	static const struct {
		uint32_t key, algorithm;
		const char *signature;
	} cases[] = {
		{ 0, GATE_SIGN_ECDSA_SHA256,
		  "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
		  "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8" },
		{ 0, GATE_SIGN_ECDSA_SHA384,
		  "0EAFEA039B20E9B42309FB1D89E213057CBF973DC0CFC8F129EDDDC800EF7719"
		  "4861F0491E6998B9455193E34E7B0D284DDD7149A74B95B9261F13ABDE940954" },
		{ 0, GATE_SIGN_ECDSA_SHA512,
		  "8496A60B5E9B47C825488827E0495B0E3FA109EC4568FD3F8D1097678EB97F00"
		  "2362AB1ADBE2B8ADF9CB9EDAB740EA6049C028114F2460F96554F61FAE3302FE" },
		{ 1, GATE_SIGN_ECDSA_SHA384,
		  "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
		  "81A648152E44ACF96E36DD1E80FABE46"
		  "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
		  "A329C145786E679E7B82C71A38628AC8" },
	};
	struct bundle_key known[2];

	(void)state;
	make_ec_record(&known[0], BUNDLE_KEY_P256, p256);
	make_ec_record(&known[1], BUNDLE_KEY_P384, p384);
	vault_open(known, 2);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct gate_sign sign = request(cases[i].key, cases[i].algorithm);
		uint8_t expected[96];

		EVP_Digest("sample", 6, sign.digest, NULL,
		    hash_of(cases[i].algorithm), NULL);
		from_hex(expected, cases[i].signature);
		assert_int_equal(vault_sign(&sign), GATE_OK);
		assert_int_equal(2 * sign.signature_len, strlen(cases[i].signature));
		assert_memory_equal(sign.signature, expected, sign.signature_len);
	}
}

/* PKCS#1 v1.5 has one signature for a digest: OpenSSL's. */
static void pkcs1_gives_the_signatures_of_openssl(void **state)
{
	(void)state;
	for (uint32_t a = GATE_SIGN_RSA_PKCS1_SHA256;
	    a <= GATE_SIGN_RSA_PKCS1_SHA512; a++) {
		struct gate_sign sign = request(RSA_2048, a);
		EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkeys[RSA_2048], NULL);
		unsigned char expected[256];
		size_t len = sizeof expected;

		assert_int_equal(EVP_PKEY_sign_init(context), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context,
		    RSA_PKCS1_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_signature_md(context, hash_of(a)), 1);
		assert_int_equal(EVP_PKEY_sign(context, expected, &len, sign.digest,
		    sign.digest_len), 1);
		EVP_PKEY_CTX_free(context);
		assert_int_equal(vault_sign(&sign), GATE_OK);
		assert_memory_equal(sign.signature, expected, len);
	}
}

static void pss_takes_a_fresh_salt_each_time_and_nothing_else_does(void **state)
{
	struct gate_sign first = request(RSA_2048, GATE_SIGN_RSA_PSS_SHA256);
	struct gate_sign second = first;

	(void)state;
	salts = 0;
	assert_int_equal(vault_sign(&first), GATE_OK);
	assert_int_equal(vault_sign(&second), GATE_OK);
	assert_int_equal(salts, 2);
	assert_memory_not_equal(first.signature, second.signature, 256);
	sign_and_verify(P256, GATE_SIGN_ECDSA_SHA256);
	sign_and_verify(RSA_2048, GATE_SIGN_RSA_PKCS1_SHA256);
	assert_int_equal(salts, 2);
}

/* ---- Refused ----------------------------------------------------------------------- */

static void each_algorithm_takes_its_kind_of_key_and_length_of_digest(void **state)
{
	(void)state;
	for (uint32_t key = 0; key < KEYS; key++) {
		for (uint32_t a = 1; a <= GATE_SIGN_RSA_PSS_SHA512; a++) {
			struct gate_sign sign = request(key, a);
			const uint32_t right = sign.digest_len;
			const bool fits = is_rsa(a) ==
			    (wanted[key].kind == BUNDLE_KEY_RSA);

			for (uint32_t len = 0; len <= 80; len++) {
				sign.digest_len = len;
				assert_int_equal(gate_check_sign(&sign, &info),
				    fits && len == right ? GATE_OK : GATE_BAD_VALUE);
			}
			sign.digest_len = right + (1u << 16);
			assert_int_equal(gate_check_sign(&sign, &info), GATE_BAD_VALUE);
		}
	}
}

static void keys_and_algorithms_that_are_not_there_are_refused(void **state)
{
	static const uint32_t none[] = { 0, GATE_SIGN_RSA_PSS_SHA512 + 1, 255, 256 + 1,
	    0x10001, 0xffffffff };
	struct gate_sign sign = request(P256, GATE_SIGN_ECDSA_SHA256);

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(none); i++) {
		sign.algorithm = none[i];
		assert_int_equal(gate_check_sign(&sign, &info), GATE_BAD_VALUE);
	}
	sign.algorithm = GATE_SIGN_ECDSA_SHA256;
	for (unsigned i = 0; i < 32; i++) {
		sign.key = KEYS + (1u << i) - 1;
		assert_int_equal(gate_check_sign(&sign, &info), GATE_BAD_VALUE);
	}
	info.key_count = 0;
	sign.key = 0;
	assert_int_equal(gate_check_sign(&sign, &info), GATE_BAD_VALUE);
}

static void the_server_learns_kinds_and_lengths(void **state)
{
	(void)state;
	assert_int_equal(info.key_count, KEYS);
	for (unsigned i = 0; i < KEYS; i++) {
		assert_int_equal(info.key_kind[i], wanted[i].kind);
		assert_int_equal(info.key_bits[i], wanted[i].bits);
	}
}

/* ---- Wrong signatures -------------------------------------------------------------- */

static void a_wrong_rsa_signature_never_leaves(void **state)
{
	static const uint8_t zero[GATE_SIGNATURE_MAX];
	struct bundle_key broken = records[RSA_2048];
	uint8_t *const places[] = {
		broken.rsa.p + 200, broken.rsa.q + 200, broken.rsa.dp + 200,
		broken.rsa.dq + 200, broken.rsa.iq + 200, broken.rsa.n + 400,
		(uint8_t *)&broken.public_exponent + 2,
	};

	(void)state;
	vault_open(&broken, 1);
	for (unsigned i = 0; i <= ARRAY_LEN(places); i++) {
		struct gate_sign sign = request(0, i % 2 == 0 ?
		    GATE_SIGN_RSA_PKCS1_SHA256 : GATE_SIGN_RSA_PSS_SHA384);

		if (i == ARRAY_LEN(places)) {
			assert_int_equal(vault_sign(&sign), GATE_OK);
			break;
		}
		*places[i] ^= 0x10;
		assert_int_equal(vault_sign(&sign), GATE_FAILED);
		assert_memory_equal(sign.signature, zero, sizeof zero);
		assert_int_equal(sign.signature_len, 0);
		*places[i] ^= 0x10;
	}
}

static void an_ec_key_of_zero_fails(void **state)
{
	struct bundle_key broken;
	struct gate_sign sign = request(0, GATE_SIGN_ECDSA_SHA256);

	(void)state;
	make_ec_record(&broken, BUNDLE_KEY_P256, "00");
	vault_open(&broken, 1);
	assert_int_equal(vault_sign(&sign), GATE_FAILED);
}

/* ---- What is left behind ------------------------------------------------------------ */

/*
 * AddressSanitizer's frames are larger than those we speak of, so its run does
 * without these.
 */
#define STACK_LEN 65536
#define PAINT 0xa5
/* The frames above on_stack(): ours and vault_sign()'s. */
#define TOP_LEN 256

static _Alignas(4096) uint8_t stack[STACK_LEN];
static ucontext_t here, there;
static struct gate_sign on_stack_sign;
static enum gate_status on_stack_status;

static void sign_on_painted_stack(void)
{
	on_stack_status = vault_sign(&on_stack_sign);
}

static void nothing_stays_on_the_stack(uint32_t key, uint32_t algorithm)
{
	const size_t reach = TOP_LEN + VAULT_STACK_LEN;

	memset(stack, PAINT, sizeof stack);
	on_stack_sign = request(key, algorithm);
	assert_int_equal(getcontext(&there), 0);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	there.uc_link = &here;
	makecontext(&there, sign_on_painted_stack, 0);
	assert_int_equal(swapcontext(&here, &there), 0);
	assert_int_equal(on_stack_status, GATE_OK);
	for (size_t i = 0; i < sizeof stack - reach; i++)
		if (stack[i] != PAINT)
			fail_msg("key %u: %zu bytes deep", key, sizeof stack - i);
	for (size_t i = sizeof stack - reach; i < sizeof stack - TOP_LEN; i++)
		if (stack[i] != 0 && stack[i] != PAINT)
			fail_msg("key %u: a byte is left at depth %zu", key,
			    sizeof stack - i);
}

static void signing_leaves_nothing_on_the_stack(void **state)
{
	(void)state;
	for (uint32_t key = P256; key <= P384; key++)
		nothing_stays_on_the_stack(key, GATE_SIGN_ECDSA_SHA512);
	for (uint32_t key = RSA_2048; key <= RSA_4096; key++) {
		nothing_stays_on_the_stack(key, GATE_SIGN_RSA_PKCS1_SHA256);
		nothing_stays_on_the_stack(key, GATE_SIGN_RSA_PSS_SHA512);
	}
	assert_false(vault_busy());
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, open_vault)
#ifdef __SANITIZE_ADDRESS__
	(void)signing_leaves_nothing_on_the_stack;
#endif
	const struct CMUnitTest tests[] = {
		CASE(every_signature_verifies_with_openssl),
		CASE(digests_at_the_edge_verify_too),
		CASE(ecdsa_gives_the_signatures_of_rfc_6979),
		CASE(pkcs1_gives_the_signatures_of_openssl),
		CASE(pss_takes_a_fresh_salt_each_time_and_nothing_else_does),
		CASE(each_algorithm_takes_its_kind_of_key_and_length_of_digest),
		CASE(keys_and_algorithms_that_are_not_there_are_refused),
		CASE(the_server_learns_kinds_and_lengths),
		CASE(a_wrong_rsa_signature_never_leaves),
		CASE(an_ec_key_of_zero_fails),
#ifndef __SANITIZE_ADDRESS__
		CASE(signing_leaves_nothing_on_the_stack),
#endif
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

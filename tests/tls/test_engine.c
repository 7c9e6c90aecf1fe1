/* links: tests/tls/fake.c tests/tls/rig.c tests/host_panic.c
 *        tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 *        tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto */
/*
 * Handshakes with OpenSSL: suites, keys, curves, names, protocols, resumption.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tls/fake.h"
#include "tests/tls/rig.h"

static int start(void **state)
{
	(void)state;
	fake_start();
	return 0;
}

/* A handshake that ends as it should; then a few bytes each way. */
static void exchange_data(struct rig *rig)
{
	uint8_t room[TLS_HEAD_ROOM + 5 + TLS_TAIL_ROOM];
	uint8_t bytes[256];
	size_t len = 5;

	memcpy(room + TLS_HEAD_ROOM, "salve", 5);
	const uint8_t *const record = tls_seal(rig->keys, TLS_DATA,
	    room + TLS_HEAD_ROOM, &len);

	assert_int_equal(len, 5 + tls_overhead(rig->keys));
	assert_int_equal(BIO_write(SSL_get_rbio(rig->ssl), record, (int)len), len);
	assert_int_equal(SSL_read(rig->ssl, bytes, sizeof bytes), 5);
	assert_memory_equal(bytes, "salve", 5);

	assert_int_equal(SSL_write(rig->ssl, "vale", 4), 4);
	uint8_t *const payload = bytes + TLS_OPEN_HEAD_ROOM;

	len = (size_t)BIO_read(SSL_get_wbio(rig->ssl), payload - TLS_HEADER_LEN,
	    100);
	assert_int_equal(payload[-(int)TLS_HEADER_LEN], TLS_DATA);
	len -= TLS_HEADER_LEN;
	const uint8_t *const plain = tls_open(rig->keys, TLS_DATA, payload, &len);

	assert_non_null(plain);
	assert_int_equal(len, 4);
	assert_memory_equal(plain, "vale", 4);
}

static int curve_of(SSL *ssl)
{
	EVP_PKEY *key = NULL;
	char name[32] = "";
	size_t len;

	assert_int_equal(SSL_get_peer_tmp_key(ssl, &key), 1);
	if (EVP_PKEY_get_id(key) == EVP_PKEY_X25519)
		strcpy(name, "X25519");
	else
		EVP_PKEY_get_group_name(key, name, sizeof name, &len);
	EVP_PKEY_free(key);
	return strcmp(name, "X25519") == 0 ? 29 :
	    strcmp(name, "prime256v1") == 0 ? 23 :
	    strcmp(name, "secp384r1") == 0 ? 24 : 0;
}

static void every_suite_key_and_curve_works(void **state)
{
	static const struct {
		enum fake_key key;
		const char *kind;
	} keys[] = {
		{ FAKE_P256, "ECDSA" }, { FAKE_P384, "ECDSA" },
		{ FAKE_RSA, "RSA" }, { FAKE_RSA_4096, "RSA" },
	};
	static const char *const ciphers[] = {
		"AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305",
	};
	static const struct {
		const char *list;
		int curve;
	} groups[] = {
		{ "X25519:P-256:P-384", 29 }, { "P-384:P-256", 23 }, { "P-384", 24 },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		fake_start();
		FAKE_ADD(keys[k].key, "a.example");
		for (size_t c = 0; c < ARRAY_LEN(ciphers); c++) {
			for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
				char suite[64];
				struct rig rig;

				/*
				 * A P-256 certificate is only for who lists
				 * P-256.
				 */
				if (keys[k].key == FAKE_P256 && groups[g].curve == 24)
					continue;
				snprintf(suite, sizeof suite, "ECDHE-%s-%s",
				    keys[k].kind, ciphers[c]);
				fake_signatures = 0;
				rig_connect(&rig, &(struct client){
					.suites = suite, .groups = groups[g].list });
				assert_string_equal(SSL_get_cipher(rig.ssl), suite);
				assert_int_equal(curve_of(rig.ssl), groups[g].curve);
				assert_true(fake_has_key(
				    SSL_get0_peer_certificate(rig.ssl), keys[k].key));
				assert_int_equal(fake_signatures, 1);
				assert_false(rig.was_resumed);
				exchange_data(&rig);
				rig_end(&rig);
			}
		}
	}
}

static void a_client_of_today_gets_what_it_likes(void **state)
{
	struct rig rig;

	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	FAKE_ADD(FAKE_RSA, "a.example");
	rig_connect(&rig, &(struct client){
		.version_max = TLS1_3_VERSION, .name = "a.example" });
	assert_int_equal(SSL_version(rig.ssl), TLS1_2_VERSION);
	/* OpenSSL puts AES-256 first; our order counts. */
	assert_string_equal(SSL_get_cipher(rig.ssl), "ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_int_equal(SSL_get_secure_renegotiation_support(rig.ssl), 1);
	exchange_data(&rig);
	rig_end(&rig);
}

static void chacha20_first_is_what_a_client_without_aes_says(void **state)
{
	struct rig rig;

	(void)state;
	FAKE_ADD(FAKE_RSA, "a.example");
	rig_connect(&rig, &(struct client){ .suites =
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
		"ECDHE-RSA-AES128-GCM-SHA256" });
	assert_string_equal(SSL_get_cipher(rig.ssl), "ECDHE-RSA-CHACHA20-POLY1305");
	rig_end(&rig);
	rig_connect(&rig, &(struct client){ .suites =
		"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:"
		"ECDHE-RSA-AES128-GCM-SHA256" });
	assert_string_equal(SSL_get_cipher(rig.ssl), "ECDHE-RSA-AES128-GCM-SHA256");
	rig_end(&rig);
}

/* Which key does a client with this name, and these suites, get? */
static void expect_key(const struct client *client, enum fake_key key)
{
	struct rig rig;

	rig_connect(&rig, client);
	assert_true(fake_has_key(SSL_get0_peer_certificate(rig.ssl), key));
	rig_end(&rig);
}

static void a_name_chooses_the_certificate(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_RSA, "a.example");
	FAKE_ADD(FAKE_P256, "b.example");
	FAKE_ADD(FAKE_P384, "*.b.example");
	expect_key(&(struct client){ .name = "a.example" }, FAKE_RSA);
	expect_key(&(struct client){ .name = "B.Example" }, FAKE_P256);
	expect_key(&(struct client){ .name = "b.example." }, FAKE_P256);
	expect_key(&(struct client){ .name = "www.b.example" }, FAKE_P384);
	expect_key(&(struct client){ .name = "c.example" }, FAKE_RSA);
	expect_key(&(struct client){ .name = NULL }, FAKE_RSA);
}

static void an_old_client_gets_the_rsa_certificate(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_P384, "a.example");
	FAKE_ADD(FAKE_RSA, "a.example");
	expect_key(&(struct client){ .name = "a.example" }, FAKE_P384);
	expect_key(&(struct client){ .name = "a.example",
		.suites = "ECDHE-RSA-AES128-GCM-SHA256" }, FAKE_RSA);
	expect_key(&(struct client){ .name = "a.example",
		.groups = "X25519:P-256" }, FAKE_RSA);
	expect_key(&(struct client){ .name = "a.example",
		.signatures = "RSA+SHA512:RSA+SHA256" }, FAKE_RSA);
}

static void every_hash_signs(void **state)
{
	static const struct {
		const char *list;
		enum fake_key key;
		int nid;
	} cases[] = {
		{ "ECDSA+SHA512:ECDSA+SHA384:ECDSA+SHA256", FAKE_P256, NID_sha256 },
		{ "ECDSA+SHA512:ECDSA+SHA384", FAKE_P256, NID_sha384 },
		{ "ECDSA+SHA512", FAKE_P256, NID_sha512 },
		{ "RSA+SHA1:RSA+SHA512:RSA+SHA384:RSA+SHA256", FAKE_RSA, NID_sha256 },
		{ "RSA+SHA1:RSA+SHA512:RSA+SHA384", FAKE_RSA, NID_sha384 },
		{ "RSA+SHA1:RSA+SHA512", FAKE_RSA, NID_sha512 },
	};

	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	FAKE_ADD(FAKE_RSA, "a.example");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig rig;
		int nid = 0;

		rig_connect(&rig, &(struct client){ .signatures = cases[i].list });
		assert_true(fake_has_key(SSL_get0_peer_certificate(rig.ssl),
		    cases[i].key));
		assert_int_equal(SSL_get_peer_signature_nid(rig.ssl, &nid), 1);
		assert_int_equal(nid, cases[i].nid);
		rig_end(&rig);
	}
}

static void the_longest_chain_is_sent(void **state)
{
	struct rig rig;

	(void)state;
	const size_t chain = FAKE_ADD(FAKE_RSA_4096, "a.example");

	fake_lengthen_chain(chain, LIMIT_CHAIN_LEN -
	    fake_bundle.chains[chain].certs[0].len);
	tls_engine_start();
	rig_start(&rig, &(struct client){ .suites = "ECDHE-RSA-AES128-GCM-SHA256" });
	uint8_t bytes[4096];
	const size_t len = rig_client_says(&rig, bytes, sizeof bytes);

	assert_int_equal(rig_take_all(&rig, bytes, len), TLS_MORE);
	assert_true(rig.out_len > LIMIT_CHAIN_LEN + 512);
	/* One record, and it fits. */
	assert_int_equal(TLS_HEADER_LEN + load_be16(rig.out + 3), rig.out_len);
	rig_end(&rig);
}

/* ---- ALPN ---------------------------------------------------------------- */

static void http_1_1_is_agreed_on(void **state)
{
	const uint8_t *protocol;
	unsigned len;
	struct rig rig;

	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	rig_connect(&rig, &(struct client){
		.protocols = "\x02h2\x08http/1.1\x08http/1.0" });
	SSL_get0_alpn_selected(rig.ssl, &protocol, &len);
	assert_int_equal(len, 8);
	assert_memory_equal(protocol, "http/1.1", 8);
	rig_end(&rig);
	rig_connect(&rig, &(struct client){ .protocols = NULL });
	SSL_get0_alpn_selected(rig.ssl, &protocol, &len);
	assert_int_equal(len, 0);
	rig_end(&rig);
}

static void expect_refusal(const struct client *client, int alert)
{
	struct rig rig;

	rig_start(&rig, client);
	assert_int_equal(rig_run(&rig), TLS_FAILED);
	assert_int_equal(rig_clear_alert(&rig), alert);
	assert_int_equal(rig.out_len, 7);
	assert_int_equal(rig.alert_seen, alert);
	rig_end(&rig);
}

static void unknown_protocols_alone_are_refused(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	expect_refusal(&(struct client){ .protocols = "\x02h2" },
	    TLS_NO_APPLICATION_PROTOCOL);
	expect_refusal(&(struct client){ .protocols = "\x07http/1.\x09http/1.1x" },
	    TLS_NO_APPLICATION_PROTOCOL);
	assert_int_equal(fake_signatures, 0);
}

/* ---- Refusals ------------------------------------------------------------ */

static void an_unknown_name_is_refused_if_so_told(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	fake_refuses_unknown = true;
	expect_refusal(&(struct client){ .name = "b.example" },
	    TLS_UNRECOGNIZED_NAME);
	expect_key(&(struct client){ .name = "a.example" }, FAKE_P256);
	expect_key(&(struct client){ .name = NULL }, FAKE_P256);
}

static void old_versions_are_refused(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	FAKE_ADD(FAKE_RSA, "a.example");
	expect_refusal(&(struct client){ .version_max = TLS1_VERSION,
		.suites = "ALL:@SECLEVEL=0" }, TLS_PROTOCOL_VERSION);
	expect_refusal(&(struct client){ .version_max = TLS1_1_VERSION,
		.suites = "ALL:@SECLEVEL=0" }, TLS_PROTOCOL_VERSION);
}

static void a_fallback_is_refused_only_if_undue(void **state)
{
	struct rig rig;

	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	/* RFC 7507, section 3: but 1.2 is the best that we have. */
	rig_connect(&rig, &(struct client){ .mode = SSL_MODE_SEND_FALLBACK_SCSV });
	rig_end(&rig);
}

static void nothing_in_common_is_a_handshake_failure(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	expect_refusal(&(struct client){ .suites =
		"ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:"
		"ECDHE-ECDSA-AES128-CCM" }, TLS_HANDSHAKE_FAILURE);
	expect_refusal(&(struct client){ .suites = "ECDHE-RSA-AES128-GCM-SHA256" },
	    TLS_HANDSHAKE_FAILURE);
	expect_refusal(&(struct client){ .groups = "P-521" },
	    TLS_HANDSHAKE_FAILURE);
	expect_refusal(&(struct client){ .groups = "X25519" },
	    TLS_HANDSHAKE_FAILURE);
	expect_refusal(&(struct client){ .signatures = "ECDSA+SHA1" },
	    TLS_HANDSHAKE_FAILURE);
	expect_refusal(&(struct client){ .signatures = "RSA+SHA256" },
	    TLS_HANDSHAKE_FAILURE);
	assert_int_equal(fake_signatures, 0);
}

static void a_failed_signature_is_our_error(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_P256, "a.example");
	fake_sign_fails = true;
	expect_refusal(&(struct client){ .name = "a.example" }, TLS_INTERNAL_ERROR);
}

static void pss_alone_is_a_handshake_failure(void **state)
{
	(void)state;
	FAKE_ADD(FAKE_RSA, "a.example");
	expect_refusal(&(struct client){ .signatures = "RSA-PSS+SHA256" },
	    TLS_HANDSHAKE_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_suite_key_and_curve_works, start),
		cmocka_unit_test_setup(a_client_of_today_gets_what_it_likes, start),
		cmocka_unit_test_setup(chacha20_first_is_what_a_client_without_aes_says,
		    start),
		cmocka_unit_test_setup(a_name_chooses_the_certificate, start),
		cmocka_unit_test_setup(an_old_client_gets_the_rsa_certificate, start),
		cmocka_unit_test_setup(every_hash_signs, start),
		cmocka_unit_test_setup(the_longest_chain_is_sent, start),
		cmocka_unit_test_setup(http_1_1_is_agreed_on, start),
		cmocka_unit_test_setup(unknown_protocols_alone_are_refused, start),
		cmocka_unit_test_setup(an_unknown_name_is_refused_if_so_told, start),
		cmocka_unit_test_setup(old_versions_are_refused, start),
		cmocka_unit_test_setup(a_fallback_is_refused_only_if_undue, start),
		cmocka_unit_test_setup(nothing_in_common_is_a_handshake_failure, start),
		cmocka_unit_test_setup(a_failed_signature_is_our_error, start),
		cmocka_unit_test_setup(pss_alone_is_a_handshake_failure, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

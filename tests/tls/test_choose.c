/* links: tls/choose.c tests/host_panic.c */
/*
 * Which chain, suite and hash: names, wildcards, siblings, keys, orders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/choose.h"

static struct tls_bundle bundle;

static int start(void **state)
{
	(void)state;
	memset(&bundle, 0, sizeof bundle);
	return 0;
}

static void add(enum bundle_key_kind kind, const char *names, size_t len)
{
	bundle.chains[bundle.chain_count++] = (struct tls_chain){
		.kind = kind, .names = names, .names_len = len };
}
#define ADD(kind, names) add((kind), (names), sizeof(names))

static const uint16_t all_suites[] = {
	SUITE_ECDSA_AES_256_GCM, SUITE_ECDSA_CHACHA20, SUITE_RSA_AES_256_GCM,
	SUITE_RSA_CHACHA20, SUITE_ECDSA_AES_128_GCM, SUITE_RSA_AES_128_GCM,
};

/* A client that can everything. */
static struct choose_offer everything(const char *name)
{
	return (struct choose_offer){
		.suites = all_suites,
		.suite_count = ARRAY_LEN(all_suites),
		.rsa_hashes = 0x7c,
		.ecdsa_hashes = 0x7c,
		.curves = 1u << CURVE_P256 | 1u << CURVE_P384 | 1u << CURVE_X25519,
		.name = name,
	};
}

static struct choose_result chosen(const struct choose_offer *offer)
{
	struct choose_result result = { 0 };

	assert_int_equal(choose(&bundle, false, offer, &result), CHOOSE_OK);
	return result;
}

static size_t chain_for(const char *name)
{
	const struct choose_offer offer = everything(name);

	return chosen(&offer).chain;
}

static void names_are_brought_into_one_form(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" }, { ".", "" }, { "a.example", "a.example" },
		{ "A.EXAMPLE.", "a.example" }, { "Z..", "z." }, { "@[`{", "@[`{" },
		{ "\xc3\x84.example", "\xc3\x84.example" },
	};
	char out[NAME_CAP], longest[NAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		name_normalise(cases[i][0], out);
		assert_string_equal(out, cases[i][1]);
	}
	memset(longest, 'A', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	name_normalise(longest, out);
	assert_int_equal(strlen(out), 255);
	assert_int_equal(out[254], 'a');
}

static void exact_names_go_before_wildcards(void **state)
{
	(void)state;
	ADD(BUNDLE_KEY_P256, "main.example");
	ADD(BUNDLE_KEY_P256, "*.b.example");
	ADD(BUNDLE_KEY_P256, "x.example\0www.b.example");
	assert_int_equal(chain_for("www.b.example"), 2);
	assert_int_equal(chain_for("x.example"), 2);
	assert_int_equal(chain_for("ftp.b.example"), 1);
	assert_int_equal(chain_for("main.example"), 0);
}

/* RFC 9525, section 6.3 */
static void a_wildcard_is_one_label(void **state)
{
	(void)state;
	ADD(BUNDLE_KEY_P256, "main.example");
	ADD(BUNDLE_KEY_P256, "*.b.example");
	assert_int_equal(chain_for("a.b.example"), 1);
	assert_int_equal(chain_for("b.example"), 0);
	assert_int_equal(chain_for(".b.example"), 0);
	assert_int_equal(chain_for("a.a.b.example"), 0);
	assert_int_equal(chain_for("xb.example"), 0);
	assert_int_equal(chain_for("a.b.example.org"), 0);
	assert_int_equal(chain_for("a"), 0);
	/*
	 * Nobody may ask for the wildcard itself in place of a name; it is
	 * harmless.
	 */
	assert_int_equal(chain_for("*.b.example"), 1);
}

static void an_unknown_name_gets_the_default_or_is_refused(void **state)
{
	const struct choose_offer unknown = everything("u.example");
	const struct choose_offer nobody = everything("");
	struct choose_result result;

	(void)state;
	ADD(BUNDLE_KEY_RSA, "a.example\0b.example");
	ADD(BUNDLE_KEY_P256, "c.example");
	ADD(BUNDLE_KEY_P384, "z.example\0a.example");
	/* Chain 2 has the default's first name: it is the better default. */
	assert_int_equal(chosen(&unknown).chain, 2);
	assert_int_equal(chosen(&nobody).chain, 2);
	assert_int_equal(choose(&bundle, true, &unknown, &result),
	    CHOOSE_UNKNOWN_NAME);
	assert_int_equal(choose(&bundle, true, &nobody, &result), CHOOSE_OK);
}

static void a_default_without_names_is_alone(void **state)
{
	(void)state;
	add(BUNDLE_KEY_RSA, "", 0);
	add(BUNDLE_KEY_P256, "", 0);
	ADD(BUNDLE_KEY_P256, "a.example");
	assert_int_equal(chain_for("u.example"), 0);
	assert_int_equal(chain_for(""), 0);
	assert_int_equal(chain_for("a.example"), 2);
}

static void no_chain_at_all_is_nothing(void **state)
{
	const struct choose_offer offer = everything("");
	struct choose_result result;

	(void)state;
	assert_int_equal(choose(&bundle, false, &offer, &result), CHOOSE_NOTHING);
}

static void ecdsa_goes_before_rsa(void **state)
{
	struct choose_offer offer = everything("a.example");

	(void)state;
	ADD(BUNDLE_KEY_RSA, "a.example");
	ADD(BUNDLE_KEY_P384, "a.example");
	ADD(BUNDLE_KEY_P256, "a.example");
	assert_int_equal(chosen(&offer).chain, 1);
	/* ... as far as the client can: curve, */
	offer.curves = 1u << CURVE_P256;
	assert_int_equal(chosen(&offer).chain, 2);
	offer.curves = 1u << CURVE_X25519;
	assert_int_equal(chosen(&offer).chain, 0);
	/* hash, */
	offer = everything("a.example");
	offer.ecdsa_hashes = 1u << 2;
	assert_int_equal(chosen(&offer).chain, 0);
	/* suite. */
	offer = everything("a.example");
	offer.suites = (const uint16_t[]){ SUITE_RSA_AES_256_GCM };
	offer.suite_count = 1;
	assert_int_equal(chosen(&offer).chain, 0);
	assert_int_equal(chosen(&offer).suite, SUITE_RSA_AES_256_GCM);
}

static void an_unusable_exact_name_leaves_the_wildcard(void **state)
{
	struct choose_offer offer = everything("w.a.example");
	struct choose_result result;

	(void)state;
	ADD(BUNDLE_KEY_RSA, "main.example");
	ADD(BUNDLE_KEY_P384, "w.a.example");
	ADD(BUNDLE_KEY_RSA, "*.a.example");
	offer.curves = 1u << CURVE_P256;
	assert_int_equal(chosen(&offer).chain, 2);
	/* But not another's certificate. */
	bundle.chain_count = 2;
	assert_int_equal(choose(&bundle, false, &offer, &result), CHOOSE_NOTHING);
	assert_int_equal(choose(&bundle, true, &offer, &result), CHOOSE_NOTHING);
}

static void suites_are_in_our_order_unless_chacha20_is_first(void **state)
{
	static const struct {
		uint16_t offered[3];
		uint16_t chosen;
	} cases[] = {
		{ { SUITE_RSA_AES_256_GCM, SUITE_RSA_AES_128_GCM, SUITE_RSA_CHACHA20 },
			SUITE_RSA_AES_128_GCM },
		{ { SUITE_RSA_AES_256_GCM, SUITE_RSA_CHACHA20, SUITE_RSA_AES_128_GCM },
			SUITE_RSA_AES_128_GCM },
		{ { SUITE_RSA_CHACHA20, SUITE_RSA_AES_128_GCM, SUITE_RSA_AES_256_GCM },
			SUITE_RSA_CHACHA20 },
		{ { SUITE_RSA_AES_256_GCM, SUITE_RSA_CHACHA20, SUITE_RSA_CHACHA20 },
			SUITE_RSA_AES_256_GCM },
		/* What this key cannot use does not count. */
		{ { SUITE_ECDSA_AES_128_GCM, SUITE_RSA_CHACHA20, SUITE_RSA_AES_128_GCM },
			SUITE_RSA_CHACHA20 },
		{ { SUITE_ECDSA_CHACHA20, SUITE_RSA_AES_256_GCM, SUITE_RSA_CHACHA20 },
			SUITE_RSA_AES_256_GCM },
		{ { 0x1301, 0xc02d, SUITE_RSA_CHACHA20 }, SUITE_RSA_CHACHA20 },
	};

	(void)state;
	ADD(BUNDLE_KEY_RSA, "a.example");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct choose_offer offer = everything("a.example");

		offer.suites = cases[i].offered;
		offer.suite_count = 3;
		assert_int_equal(chosen(&offer).suite, cases[i].chosen);
	}
}

static void the_best_hash_is_never_sha_1(void **state)
{
	static const struct {
		uint32_t offered;
		uint16_t chosen;
	} cases[] = {
		{ 0xffffffff, HASH_SHA256 }, { 1u << 4, HASH_SHA256 },
		{ 1u << 2 | 1u << 5 | 1u << 6, HASH_SHA384 }, { 1u << 6, HASH_SHA512 },
		{ 0, 0 }, { 1u << 1 | 1u << 2 | 1u << 3 | 1u << 7, 0 },
	};

	(void)state;
	ADD(BUNDLE_KEY_P256, "a.example");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct choose_offer offer = everything("a.example");
		struct choose_result result;

		offer.ecdsa_hashes = cases[i].offered;
		assert_int_equal(choose(&bundle, false, &offer, &result),
		    cases[i].chosen != 0 ? CHOOSE_OK : CHOOSE_NOTHING);
		if (cases[i].chosen != 0)
			assert_int_equal(result.hash, cases[i].chosen);
	}
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_are_brought_into_one_form),
		CASE(exact_names_go_before_wildcards),
		CASE(a_wildcard_is_one_label),
		CASE(an_unknown_name_gets_the_default_or_is_refused),
		CASE(a_default_without_names_is_alone),
		CASE(no_chain_at_all_is_nothing),
		CASE(ecdsa_goes_before_rsa),
		CASE(an_unusable_exact_name_leaves_the_wildcard),
		CASE(suites_are_in_our_order_unless_chacha20_is_first),
		CASE(the_best_hash_is_never_sha_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

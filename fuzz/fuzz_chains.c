/* links: tls/bundle.c tls/choose.c tls/certificates.c net/text.c
 *        tests/host_panic.c */
/*
 * The public part of the instance bundle: any bytes.  What is accepted is
 * walked to its last byte, chosen from, and described.
 *
 * Input: one byte that says which keys there are, the public part.
 */
#include <stdlib.h>
#include <string.h>

#include "tls/certificates.h"
#include "tls/choose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* The three kinds, from another one on. */
static void make_keys(unsigned seed, uint16_t kind[3], uint16_t bits[3])
{
	static const uint16_t bits_of[] = { 256, 384, 2048 };

	for (unsigned i = 0; i < 3; i++) {
		kind[i] = (uint16_t)(BUNDLE_KEY_P256 + (seed + i) % 3);
		bits[i] = bits_of[(seed + i) % 3];
	}
}

/* Every byte is there to be read. */
static void touch(const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)((const volatile uint8_t *)bytes)[i];
}

static void walk(const struct tls_chain *chain)
{
	size_t total = 0;

	check(chain->cert_count >= 1 && chain->cert_count <= LIMIT_CHAIN_CERTS);
	for (size_t i = 0; i < chain->cert_count; i++) {
		touch(chain->certs[i].der, chain->certs[i].len);
		total += chain->certs[i].len;
	}
	check(total >= 1 && total <= LIMIT_CHAIN_LEN);
	touch(chain->issuer, chain->issuer_len);
	check(chain->names_len == 0 ||
	    chain->names[chain->names_len - 1] == '\0');
	check(chain->not_before >= 0 && chain->not_before <= chain->not_after);
}

/*
 * A client that asks for the chain's first name, and has to get such a chain.
 */
static void ask(const struct tls_bundle *bundle, const struct tls_chain *chain)
{
	static const uint16_t suites[] = {
		SUITE_ECDSA_AES_128_GCM, SUITE_RSA_CHACHA20,
	};
	char name[NAME_CAP];
	struct choose_result result;
	const struct choose_offer offer = {
		.suites = suites,
		.suite_count = ARRAY_LEN(suites),
		.rsa_hashes = 1u << HASH_SHA256,
		.ecdsa_hashes = 1u << HASH_SHA512,
		.curves = 1u << CURVE_P256 | 1u << CURVE_P384,
		.name = name,
	};

	name_normalise(chain->names_len > 0 ? chain->names : "", name);
	check(choose(bundle, true, &offer, &result) == CHOOSE_OK);
	check(result.chain < bundle->chain_count);
	if (name[0] != '\0')
		check(chain_has_name(&bundle->chains[result.chain], name) ||
		    chain_has_wildcard(&bundle->chains[result.chain], name));
}

static void describe(const struct tls_chain *chain, int64_t now)
{
	char line[CERTIFICATE_LINE_CAP];
	struct text t = text_start(line, sizeof line);

	certificate_describe(chain, 0, false, now, &t);
	check(t.len > 0 && line[t.len - 1] == '\n');
	for (size_t i = 0; i + 1 < t.len; i++)
		check(line[i] >= 0x20 && line[i] <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint16_t kind[3], bits[3];
	const struct tls_key_list keys = { kind, bits, 3 };
	struct tls_bundle bundle;

	if (len == 0)
		return 0;
	make_keys(data[0], kind, bits);
	uint8_t *const copy = malloc(len - 1 + (len == 1));

	check(copy != NULL);
	memcpy(copy, data + 1, len - 1);
	if (tls_bundle_read(copy, len - 1, &keys, &bundle) != NULL) {
		check(bundle.chain_count == 0);
		free(copy);
		return 0;
	}
	check(bundle.chain_count <= LIMIT_CHAINS);
	for (size_t i = 0; i < bundle.chain_count; i++) {
		walk(&bundle.chains[i]);
		ask(&bundle, &bundle.chains[i]);
		describe(&bundle.chains[i], 0);
		describe(&bundle.chains[i], INT64_C(1) << 31);
	}
	free(copy);
	return 0;
}

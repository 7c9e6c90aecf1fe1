/*
 * What a full handshake will use: which certificate chain, which suite, which
 * hash for the signature.  Pure.
 */
#pragma once

#include "config/base.h"
#include "tls/bundle.h"

/* Suites that we speak: RFC 5289, section 3.2; RFC 7905, section 2. */
enum tls_suite {
	SUITE_ECDSA_AES_128_GCM = 0xc02b,
	SUITE_ECDSA_AES_256_GCM = 0xc02c,
	SUITE_RSA_AES_128_GCM = 0xc02f,
	SUITE_RSA_AES_256_GCM = 0xc030,
	SUITE_RSA_CHACHA20 = 0xcca8,
	SUITE_ECDSA_CHACHA20 = 0xcca9,
};

/* RFC 5246, section 7.4.1.4.1; in the order in which we like them. */
enum tls_hash {
	HASH_SHA256 = 4,
	HASH_SHA384 = 5,
	HASH_SHA512 = 6,
};

/* RFC 8422, section 5.1.1 */
enum tls_curve {
	CURVE_P256 = 23,
	CURVE_P384 = 24,
	CURVE_X25519 = 29,
};

/* Longest name that a client can send, and a NUL. */
#define NAME_CAP 256

/*
 * Bring a name into the form in which names are compared: letters in lower
 * case, no dot at the end (RFC 6066, section 3).
 */
void name_normalise(const char *name, char out[NAME_CAP]);

/* Does the chain's certificate say this name, in so many words? */
bool chain_has_name(const struct tls_chain *chain, const char *name);

/* Or by a wildcard, which stands for one label (RFC 9525, section 6.3)? */
bool chain_has_wildcard(const struct tls_chain *chain, const char *name);

/* What both sides can, as far as the client said. */
struct choose_offer {
	const uint16_t *suites;     /* enum tls_suite, the client's order */
	size_t suite_count;
	uint32_t rsa_hashes;        /* bits 1 << enum tls_hash */
	uint32_t ecdsa_hashes;
	uint32_t curves;            /* bits 1 << enum tls_curve */
	const char *name;           /* normalised; "" if there is none */
};

struct choose_result {
	size_t chain;               /* index into the bundle */
	uint16_t suite;
	uint16_t hash;
};

enum choose_status {
	CHOOSE_OK = 0,
	CHOOSE_NOTHING,         /* this client can use no chain that fits */
	CHOOSE_UNKNOWN_NAME,    /* refuse_unknown, and no chain has the name */
};

/*
 * Choose.  Chains with the name itself go before those with a wildcard for it;
 * a name that no chain has gets the default: chain 0 and its siblings, which
 * have chain 0's first name, too.  Among equals: ECDSA before RSA, then the
 * bundle's order.
 *
 * Of the suites: AES-128-GCM, AES-256-GCM, ChaCha20, unless ChaCha20 is what
 * the client likes best (its CPU then has no AES instructions).
 */
MUST_USE enum choose_status choose(const struct tls_bundle *bundle,
    bool refuse_unknown, const struct choose_offer *offer,
    struct choose_result *out);

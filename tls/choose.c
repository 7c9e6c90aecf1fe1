/*
 * Chooses chain, suite and hash; see choose.h.
 */
#include "tls/choose.h"

#include <string.h>

void name_normalise(const char *name, char out[NAME_CAP])
{
	size_t len = 0;

	for (; name[len] != '\0' && len < NAME_CAP - 1; len++) {
		const char c = name[len];

		out[len] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	if (len > 0 && out[len - 1] == '.')
		len--;
	out[len] = '\0';
}

static bool is_same(const char *a, const char *b)
{
	const size_t len = strlen(a);

	return len == strlen(b) && memcmp(a, b, len) == 0;
}

static const char *first_name(const struct tls_chain *chain)
{
	return chain->names_len > 0 ? chain->names : NULL;
}

bool chain_has_name(const struct tls_chain *chain, const char *name)
{
	for (const char *n = first_name(chain); n != NULL;
	    n = tls_next_name(chain->names, chain->names_len, n)) {
		if (is_same(n, name))
			return true;
	}
	return false;
}

bool chain_has_wildcard(const struct tls_chain *chain, const char *name)
{
	const char *rest = name;

	while (*rest != '\0' && *rest != '.')
		rest++;
	if (rest == name || *rest == '\0')
		return false;
	for (const char *n = first_name(chain); n != NULL;
	    n = tls_next_name(chain->names, chain->names_len, n)) {
		if (n[0] == '*' && is_same(n + 1, rest))
			return true;
	}
	return false;
}

static bool is_sibling(const struct tls_bundle *bundle,
    const struct tls_chain *chain)
{
	const struct tls_chain *const main = &bundle->chains[0];

	return chain == main || (main->names_len > 0 &&
	    chain_has_name(chain, main->names));
}

/* Our order; then the one that goes first if the client puts it first. */
static const uint16_t ecdsa_suites[] = {
	SUITE_ECDSA_AES_128_GCM, SUITE_ECDSA_AES_256_GCM, SUITE_ECDSA_CHACHA20,
};
static const uint16_t rsa_suites[] = {
	SUITE_RSA_AES_128_GCM, SUITE_RSA_AES_256_GCM, SUITE_RSA_CHACHA20,
};
#define SUITES_OF_KIND ARRAY_LEN(rsa_suites)
#define CHACHA20 (SUITES_OF_KIND - 1)

/* 0 if there is none. */
static uint16_t choose_suite(const uint16_t ours[SUITES_OF_KIND],
    const struct choose_offer *offer)
{
	size_t best = SUITES_OF_KIND;
	bool is_first = true;

	for (size_t i = 0; i < offer->suite_count; i++) {
		for (size_t rank = 0; rank < SUITES_OF_KIND; rank++) {
			if (offer->suites[i] != ours[rank])
				continue;
			if (is_first && rank == CHACHA20)
				return ours[rank];
			is_first = false;
			if (rank < best)
				best = rank;
		}
	}
	return best < SUITES_OF_KIND ? ours[best] : 0;
}

/* 0 if there is none.  SHA-1 is not among them, whatever a client says. */
static uint16_t choose_hash(uint32_t hashes)
{
	for (uint16_t hash = HASH_SHA256; hash <= HASH_SHA512; hash++) {
		if ((hashes >> hash & 1) != 0)
			return hash;
	}
	return 0;
}

/*
 * Can this client do a handshake with the chain's key?  The curve of an ECDSA
 * key must be one that the client lists: RFC 8422, section 5.1.1.
 */
static bool can_use(const struct tls_chain *chain,
    const struct choose_offer *offer, struct choose_result *out)
{
	if (chain->kind == BUNDLE_KEY_RSA) {
		out->suite = choose_suite(rsa_suites, offer);
		out->hash = choose_hash(offer->rsa_hashes);
	} else {
		const unsigned curve = chain->kind == BUNDLE_KEY_P256 ?
		    CURVE_P256 : CURVE_P384;

		if ((offer->curves >> curve & 1) == 0)
			return false;
		out->suite = choose_suite(ecdsa_suites, offer);
		out->hash = choose_hash(offer->ecdsa_hashes);
	}
	return out->suite != 0 && out->hash != 0;
}

enum tier {
	TIER_NAME,
	TIER_WILDCARD,
	TIER_DEFAULT,
};

static bool is_in_tier(const struct tls_bundle *bundle, enum tier tier,
    const struct tls_chain *chain, const char *name)
{
	switch (tier) {
	case TIER_NAME:
		return chain_has_name(chain, name);
	case TIER_WILDCARD:
		return chain_has_wildcard(chain, name);
	default:
		return is_sibling(bundle, chain);
	}
}

/* The best of a tier; *is_empty becomes false if it has a chain at all. */
static bool choose_in_tier(const struct tls_bundle *bundle, enum tier tier,
    const struct choose_offer *offer, struct choose_result *out,
    bool *is_empty)
{
	bool found = false;

	for (size_t i = 0; i < bundle->chain_count; i++) {
		const struct tls_chain *const chain = &bundle->chains[i];
		struct choose_result one = { .chain = i };

		if (!is_in_tier(bundle, tier, chain, offer->name))
			continue;
		*is_empty = false;
		if (!can_use(chain, offer, &one))
			continue;
		if (!found || (chain->kind != BUNDLE_KEY_RSA &&
		    bundle->chains[out->chain].kind == BUNDLE_KEY_RSA))
			*out = one;
		found = true;
	}
	return found;
}

enum choose_status choose(const struct tls_bundle *bundle,
    bool refuse_unknown, const struct choose_offer *offer,
    struct choose_result *out)
{
	bool is_unknown = true;

	if (offer->name[0] != '\0' &&
	    (choose_in_tier(bundle, TIER_NAME, offer, out, &is_unknown) ||
	    choose_in_tier(bundle, TIER_WILDCARD, offer, out, &is_unknown)))
		return CHOOSE_OK;
	/* Another name's certificate would not help who asked for this one. */
	if (!is_unknown)
		return CHOOSE_NOTHING;
	if (offer->name[0] != '\0' && refuse_unknown)
		return CHOOSE_UNKNOWN_NAME;
	return choose_in_tier(bundle, TIER_DEFAULT, offer, out, &is_unknown) ?
	    CHOOSE_OK : CHOOSE_NOTHING;
}

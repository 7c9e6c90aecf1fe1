/*
 * What BearSSL's handshake asks us: which chain and suite, a signature, a
 * session.
 *
 * The private key is the kernel's; one gate_sign() a full handshake, none
 * otherwise.
 *
 * Resumption goes another way than BearSSL has it.  BearSSL asks for the
 * session when it has read its id, knows nothing of the client's extensions
 * then, and once it has a session it no longer looks at them.  But under
 * another name a session must not be resumed (RFC 6066, section 3), and a
 * client that offers only protocols we do not speak has to be told (RFC 7301,
 * section 3.2); BearSSL 0.6 even reads far outside its list of protocols then.
 * So it is not told of the session, reads the whole ClientHello as for a full
 * handshake, and asks choose().  If all is well with the session, choose()
 * refuses, what BearSSL wants to say to that is dropped, and it is started
 * again on the same ClientHello, now with the session (engine_bearssl.c).
 */
#include "tls/engine_int.h"

#include "kernel/gate.h"
#include "net/net.h"
#include "tls/secret.h"
#include "tls/tls_int.h"

_Static_assert(HASH_SHA256 == br_sha256_ID && HASH_SHA384 == br_sha384_ID &&
    HASH_SHA512 == br_sha512_ID, "BearSSL numbers hashes as TLS does");
_Static_assert(SUITE_ECDSA_AES_128_GCM == BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 &&
    SUITE_ECDSA_AES_256_GCM == BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 &&
    SUITE_RSA_AES_128_GCM == BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 &&
    SUITE_RSA_AES_256_GCM == BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 &&
    SUITE_RSA_CHACHA20 == BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 &&
    SUITE_ECDSA_CHACHA20 == BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    "suites are numbered the same by everyone");

/* The chains as BearSSL wants them. */
static br_x509_certificate chains[LIMIT_CHAINS][LIMIT_CHAIN_CERTS];

void tls_policy_start(void)
{
	const struct tls_bundle *const bundle = tls_bundle();

	for (size_t i = 0; i < bundle->chain_count; i++) {
		const struct tls_chain *const chain = &bundle->chains[i];

		for (size_t k = 0; k < chain->cert_count; k++) {
			/* It only reads them. */
			chains[i][k] = (br_x509_certificate){
				.data = (unsigned char *)chain->certs[k].der,
				.data_len = chain->certs[k].len,
			};
		}
	}
}

#define HANDSHAKE_OF(pointer, field) \
	((struct tls_handshake *)(void *)((unsigned char *)(pointer) - \
	    offsetof(struct tls_handshake, field)))

/* ---- Choices ------------------------------------------------------------- */

static void digest_name(const char name[NAME_CAP], uint8_t out[32])
{
	br_sha256_context sha;

	br_sha256_init(&sha);
	br_sha256_update(&sha, name, strlen(name));
	br_sha256_out(&sha, out);
}

/*
 * RFC 5246, section 7.4.1.2: the session's suite has to be among the client's.
 */
static bool session_fits(const struct tls_handshake *hs,
    const struct choose_offer *offer)
{
	if (!hs->has_found ||
	    memcmp(hs->found.name, hs->name, sizeof hs->name) != 0)
		return false;
	for (size_t i = 0; i < offer->suite_count; i++) {
		if (offer->suites[i] == hs->found.suite)
			return true;
	}
	return false;
}

static int policy_choose(const br_ssl_server_policy_class **pctx,
    const br_ssl_server_context *ctx, br_ssl_server_choices *choices)
{
	struct tls_handshake *const hs = HANDSHAKE_OF(pctx, policy);
	uint16_t suites[BR_MAX_CIPHER_SUITES];
	char name[NAME_CAP];
	const struct choose_offer offer = {
		.suites = suites,
		.suite_count = ctx->client_suites_num,
		.rsa_hashes = ctx->hashes & 0xff,
		.ecdsa_hashes = ctx->hashes >> 8 & 0xff,
		.curves = ctx->curves,
		.name = name,
	};

	for (size_t i = 0; i < offer.suite_count; i++)
		suites[i] = ctx->client_suites[i][0];
	name_normalise(br_ssl_engine_get_server_name(&ctx->eng), name);
	digest_name(name, hs->name);
	memset(choices, 0, sizeof *choices);
	if (session_fits(hs, &offer)) {
		hs->fits = true;
		return 0;
	}
	switch (choose(tls_bundle(), tls_refuses_unknown(), &offer,
	    &hs->chosen)) {
	case CHOOSE_OK:
		break;
	case CHOOSE_UNKNOWN_NAME:
		hs->alert = TLS_UNRECOGNIZED_NAME;   /* RFC 6066, section 3 */
		return 0;
	default:
		return 0;       /* handshake_failure, says BearSSL */
	}
	choices->cipher_suite = hs->chosen.suite;
	choices->algo_id = 0xff00u + hs->chosen.hash;   /* it hashes, we sign */
	choices->chain = chains[hs->chosen.chain];
	choices->chain_len = tls_bundle()->chains[hs->chosen.chain].cert_count;
	return 1;
}

/* ---- Signatures ---------------------------------------------------------- */

_Static_assert(GATE_SIGN_ECDSA_SHA384 == GATE_SIGN_ECDSA_SHA256 + 1 &&
    GATE_SIGN_ECDSA_SHA512 == GATE_SIGN_ECDSA_SHA256 + 2 &&
    GATE_SIGN_RSA_PKCS1_SHA384 == GATE_SIGN_RSA_PKCS1_SHA256 + 1 &&
    GATE_SIGN_RSA_PKCS1_SHA512 == GATE_SIGN_RSA_PKCS1_SHA256 + 2,
    "algorithms follow each other as the hashes do");

/* data: the digest, then the signature; 0 is internal_error. */
static size_t policy_sign(const br_ssl_server_policy_class **pctx,
    unsigned algorithm, unsigned char *data, size_t digest_len, size_t cap)
{
	const struct tls_handshake *const hs = HANDSHAKE_OF(pctx, policy);
	const struct tls_chain *const chain =
	    &tls_bundle()->chains[hs->chosen.chain];
	const bool is_rsa = chain->kind == BUNDLE_KEY_RSA;
	struct gate_sign sign = {
		.key = chain->key,
		.algorithm = (is_rsa ? GATE_SIGN_RSA_PKCS1_SHA256 :
		    GATE_SIGN_ECDSA_SHA256) + (algorithm & 0xff) - HASH_SHA256,
		.digest_len = (uint32_t)digest_len,
	};

	ASSERT(digest_len <= sizeof sign.digest);
	ASSERT(cap >= sizeof sign.signature);
	memcpy(sign.digest, data, digest_len);
	if (gate_sign(&sign) != GATE_OK)
		return 0;
	ASSERT(sign.signature_len <= sizeof sign.signature);
	memcpy(data, sign.signature, sign.signature_len);
	/*
	 * RFC 8422, section 5.4: ECDSA signatures are DER.  Nine bytes more at
	 * most.
	 */
	return is_rsa ? sign.signature_len :
	    br_ecdsa_raw_to_asn1(data, sign.signature_len);
}

/* Only suites with ephemeral keys are offered. */
static uint32_t policy_exchange(const br_ssl_server_policy_class **pctx,
    unsigned char *data, size_t *len)
{
	(void)pctx;
	(void)data;
	(void)len;
	panic("a key exchange that was not offered");
}

const br_ssl_server_policy_class tls_policy_class = {
	.context_size = sizeof(const br_ssl_server_policy_class *),
	.choose = policy_choose,
	.do_keyx = policy_exchange,
	.do_sign = policy_sign,
};

/* ---- Sessions ------------------------------------------------------------ */

static int cache_load(const br_ssl_session_cache_class **cctx,
    br_ssl_server_context *ctx, br_ssl_session_parameters *params)
{
	struct tls_handshake *const hs = HANDSHAKE_OF(cctx, cache);

	(void)ctx;
	if (!hs->is_resumed) {
		hs->has_found = hs->is_whole && sessions_find(
		    params->session_id, net_now_ms(), &hs->found);
		return 0;
	}
	params->version = BR_TLS12;
	params->cipher_suite = hs->found.suite;
	memcpy(params->master_secret, hs->found.master,
	    sizeof hs->found.master);
	return 1;
}

/* Too early for us: tls_handshake_finish() saves what has come to its end. */
static void cache_save(const br_ssl_session_cache_class **cctx,
    br_ssl_server_context *ctx, const br_ssl_session_parameters *params)
{
	(void)cctx;
	(void)ctx;
	(void)params;
}

const br_ssl_session_cache_class tls_cache_class = {
	.context_size = sizeof(const br_ssl_session_cache_class *),
	.save = cache_save,
	.load = cache_load,
};

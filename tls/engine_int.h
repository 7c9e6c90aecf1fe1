/*
 * What the files of the BearSSL engine share; nobody else includes this.
 */
#pragma once

#include "bearssl.h"

#include "tls/choose.h"
#include "tls/engine.h"
#include "tls/sessions.h"

/*
 * The keys of an established connection: BearSSL's record contexts, one a
 * direction.
 */
struct tls_keys {
	union {
		const br_sslrec_in_class *vtable;
		br_sslrec_gcm_context gcm;
		br_sslrec_chapol_context chapol;
	} in;
	union {
		const br_sslrec_out_class *vtable;
		br_sslrec_gcm_context gcm;
		br_sslrec_chapol_context chapol;
	} out;
	uint8_t session_id[SESSION_ID_LEN];
};

struct tls_handshake {
	br_ssl_server_context ctx;
	const br_ssl_server_policy_class *policy;   /* &policy_class */
	const br_ssl_session_cache_class *cache;    /* &cache_class */

	/*
	 * Resumption; see policy_bearssl.c.  `found` is what the table has for
	 * the id the client sent.  fits: and it may be resumed, so the engine
	 * is to read the ClientHello again.  is_resumed: it does, or did.
	 */
	struct session found;
	bool has_found;
	bool fits;
	bool is_resumed;

	bool has_begun;             /* a record was taken */
	bool is_whole;              /* which held the whole ClientHello */
	size_t received;            /* bytes of all records so far */
	uint32_t message_left;      /* bytes of the message that has begun */
	uint8_t header[4];          /* of the next one: its first header_len bytes */
	uint8_t header_len;

	struct choose_result chosen;    /* after choose() has answered OK */
	uint8_t name[32];           /* as in struct session */
	/* An error of which BearSSL does not know the alert; 0 is none. */
	enum tls_alert alert;
};

/* The implementations that suit this CPU; NULL before tls_engine_start(). */
struct tls_implementations {
	const br_block_ctr_class *aes_ctr;
	br_ghash ghash;
	br_chacha20_run chacha20;
	br_poly1305_run poly1305;
};

/*
 * gcm_bearssl.c: tls_seal() and tls_open() for AES-GCM.
 */
uint8_t *gcm_seal(br_sslrec_gcm_context *cc, uint8_t type, uint8_t *plain,
    size_t *len);
uint8_t *gcm_open(br_sslrec_gcm_context *cc, uint8_t type, uint8_t *payload,
    size_t *len);

/*
 * curves_bearssl.c: X25519, P-256 and P-384, and nothing but what a server
 * needs.
 */
extern const br_ec_impl tls_curves;

/*
 * Was a point of a client not on its curve, or of so small an order that
 * everybody knows the secret?  Says so once.  (BearSSL goes on with a random
 * secret then.)
 */
bool tls_curves_saw_bad_point(void);

/* policy_bearssl.c: our choices and signatures, and the table of sessions. */
void tls_policy_start(void);
extern const br_ssl_server_policy_class tls_policy_class;
extern const br_ssl_session_cache_class tls_cache_class;

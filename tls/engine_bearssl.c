/*
 * The engine for TLS 1.2 (RFC 5246): BearSSL 0.6, for the handshake only.
 *
 * BearSSL wants a buffer each way for every connection.  Here all share one
 * pair, as nothing is left in them between two calls: a record is taken whole,
 * everything that it gives rise to is done and taken out at once, and of a
 * handshake nothing but its BearSSL context lives on.  What BearSSL would leave
 * behind in its input buffer is an error of the client (has_leftover).
 *
 * BearSSL sends few alerts; for the rest it falls silent with an error code,
 * and alert_for() has the alert that RFC 5246, section 7.2.2 names for it.
 *
 * Not offered: max_fragment_length (RFC 6066, section 4), which a server may
 * ignore; extended_master_secret (RFC 7627), which BearSSL does not know.
 */
#include "tls/engine_int.h"

#include "kernel/gate.h"
#include "net/net.h"
#include "tls/secret.h"

static struct tls_implementations use;

#define HELLO_REQUEST 0

/* BearSSL's; empty between two calls. */
static uint8_t input[BR_SSL_BUFSIZE_INPUT];
static uint8_t output[BR_SSL_BUFSIZE_OUTPUT];

_Static_assert(TLS_FLIGHT_MAX <= 16384,
    "our longest flight is one record, and fits into the output buffer");

static const uint16_t suites[] = {
	SUITE_ECDSA_AES_128_GCM, SUITE_RSA_AES_128_GCM,
	SUITE_ECDSA_AES_256_GCM, SUITE_RSA_AES_256_GCM,
	SUITE_ECDSA_CHACHA20, SUITE_RSA_CHACHA20,
};

/* RFC 7301, section 6 */
static const char *protocols[] = { "http/1.1" };

size_t tls_handshake_len(void)
{
	return sizeof(struct tls_handshake);
}

/*
 * BearSSL asks here for what the operating system or the CPU have by way of
 * entropy: nothing, everything comes from the kernel's generator.
 */
br_prng_seeder br_prng_seeder_system(const char **name)
{
	if (name != NULL)
		*name = "none";
	return 0;
}

void tls_engine_start(void)
{
	use.aes_ctr = br_aes_x86ni_ctr_get_vtable();
	if (use.aes_ctr == NULL)
		use.aes_ctr = &br_aes_ct64_ctr_vtable;
	use.ghash = br_ghash_pclmul_get();
	if (use.ghash == 0)
		use.ghash = br_ghash_ctmul64;
	/* SSE2 and 64-bit multiplication are part of every x86-64. */
	use.chacha20 = br_chacha20_sse2_get();
	use.poly1305 = br_poly1305_ctmulq_get();
	ASSERT(use.chacha20 != 0 && use.poly1305 != 0);
	sessions_start();
	tls_policy_start();
}

/* ---- Start and end ------------------------------------------------------- */

static void set_algorithms(br_ssl_engine_context *eng)
{
	br_ssl_engine_set_suites(eng, suites, ARRAY_LEN(suites));
	/* No SHA-1: who wants signatures with it gets handshake_failure. */
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(eng, br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, br_tls12_sha384_prf);
	br_ssl_engine_set_ec(eng, &tls_curves);
	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable,
	    &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(eng, use.aes_ctr);
	br_ssl_engine_set_ghash(eng, use.ghash);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable,
	    &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(eng, use.chacha20);
	br_ssl_engine_set_poly1305(eng, use.poly1305);
}

/* To the state before the ClientHello. */
static void reset_engine(struct tls_handshake *hs)
{
	if (br_ssl_server_reset(&hs->ctx) != 1)
		panic("BearSSL did not start");
}

void tls_handshake_start(struct tls_handshake *hs)
{
	br_ssl_engine_context *const eng = &hs->ctx.eng;
	uint8_t seed[32];

	ASSERT(use.aes_ctr != NULL);
	memset(hs, 0, sizeof *hs);
	hs->policy = &tls_policy_class;
	hs->cache = &tls_cache_class;
	br_ssl_server_zero(&hs->ctx);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	set_algorithms(eng);
	br_ssl_engine_set_protocol_names(eng, protocols, ARRAY_LEN(protocols));
	/* Suites stay in the client's order: choose() has ours. */
	br_ssl_engine_set_all_flags(eng,
	    BR_OPT_NO_RENEGOTIATION | BR_OPT_FAIL_ON_ALPN_MISMATCH);
	br_ssl_server_set_policy(&hs->ctx, &hs->policy);
	br_ssl_server_set_cache(&hs->ctx, &hs->cache);
	br_ssl_engine_set_buffers_bidi(eng, input, sizeof input,
	    output, sizeof output);
	/* It would agree to any max_fragment_length below this one. */
	eng->log_max_frag_len = 0;

	if (gate_random(seed, sizeof seed) != GATE_OK)
		panic("no random bytes");
	br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
	wipe(seed, sizeof seed);
	reset_engine(hs);
}

void tls_handshake_wipe(struct tls_handshake *hs)
{
	wipe(hs, sizeof *hs);
}

bool tls_handshake_was_resumed(const struct tls_handshake *hs)
{
	return hs->is_resumed;
}

void tls_handshake_finish(struct tls_handshake *hs, struct tls_keys *keys)
{
	const br_ssl_engine_context *const eng = &hs->ctx.eng;

	/* Each record context is one member of a union on both sides. */
	_Static_assert(sizeof keys->in <= sizeof eng->in &&
	    sizeof keys->out <= sizeof eng->out, "contexts are copied whole");
	memcpy(&keys->in, &eng->in, sizeof keys->in);
	memcpy(&keys->out, &eng->out, sizeof keys->out);
	memcpy(keys->session_id, eng->session.session_id, SESSION_ID_LEN);
	if (hs->is_resumed)
		return;

	struct session session = { .suite = eng->session.cipher_suite };

	memcpy(session.master, eng->session.master_secret,
	    sizeof session.master);
	memcpy(session.name, hs->name, sizeof session.name);
	sessions_save(eng->session.session_id, &session, net_now_ms());
	wipe(&session, sizeof session);
}

/* ---- Alerts -------------------------------------------------------------- */

/*
 * The alert for an error that BearSSL recorded, or 0 if there is none to send:
 * the client sent one, or said close_notify, which was answered; or BearSSL has
 * sent one itself.
 */
static enum tls_alert alert_for(int error, size_t payload_len)
{
	switch (error) {
	case BR_ERR_OK:
		return 0;
	case BR_ERR_UNSUPPORTED_VERSION:    /* of a record: not 3.x */
	case BR_ERR_BAD_VERSION:            /* not the first record's; or SSL 2.0 */
		return TLS_PROTOCOL_VERSION;
	case BR_ERR_BAD_LENGTH:
		/*
		 * Of a record.  One too short to hold a MAC has no valid one.
		 */
		return payload_len > TLS_PLAIN_MAX ? TLS_RECORD_OVERFLOW :
		    TLS_BAD_RECORD_MAC;
	case BR_ERR_BAD_MAC:
		return TLS_BAD_RECORD_MAC;
	case BR_ERR_UNEXPECTED:             /* a message, or bytes behind one */
	case BR_ERR_UNKNOWN_TYPE:
		return TLS_UNEXPECTED_MESSAGE;
	case BR_ERR_BAD_PARAM:              /* a length that does not fit */
	case BR_ERR_BAD_HANDSHAKE:          /* HelloRequest with a body; suites twice */
	case BR_ERR_OVERSIZED_ID:
	case BR_ERR_BAD_CCS:                /* not the one byte 1 */
		return TLS_DECODE_ERROR;
	case BR_ERR_BAD_FRAGLEN:            /* RFC 6066, section 4 */
		return TLS_ILLEGAL_PARAMETER;
	case BR_ERR_BAD_SECRENEG:           /* RFC 5746, section 3.6 */
		return TLS_HANDSHAKE_FAILURE;
	case BR_ERR_BAD_FINISHED:
		return TLS_DECRYPT_ERROR;
	default:
		/*
		 * BR_ERR_INVALID_ALGORITHM: we got no signature.  All other
		 * codes belong to what we do not do (being a client,
		 * certificates of clients, static RSA), or to buffers that are
		 * too small.
		 */
		return error < BR_ERR_RECV_FATAL_ALERT ? TLS_INTERNAL_ERROR : 0;
	}
}

size_t tls_handshake_alert(struct tls_handshake *hs, enum tls_alert alert,
    uint8_t out[64])
{
	br_ssl_engine_context *const eng = &hs->ctx.eng;
	uint8_t *const plain = out + TLS_HEAD_ROOM;
	const uint8_t *record;
	size_t len = 2;

	_Static_assert(TLS_HEAD_ROOM + 2 + TLS_TAIL_ROOM <= 64,
	    "there is room for an alert");
	plain[0] = alert == TLS_CLOSE_NOTIFY ? 1 : 2;
	plain[1] = (uint8_t)alert;
	record = eng->out.vtable->encrypt(&eng->out.vtable, TLS_ALERT,
	    eng->version_out != 0 ? eng->version_out : BR_TLS12, plain, &len);
	memmove(out, record, len);
	return len;
}

/*
 * End in failure, with an alert unless that is 0.  A session does not outlive a
 * fatal alert, whoever sent it: RFC 5246, section 7.2.2.
 */
static enum tls_progress fail(struct tls_handshake *hs, enum tls_alert alert,
    uint8_t *out, size_t *out_len)
{
	if (alert != 0)
		*out_len += tls_handshake_alert(hs, alert, out + *out_len);
	if (hs->is_resumed)
		sessions_forget(hs->ctx.eng.session.session_id);
	return TLS_FAILED;
}

/* ---- Records ------------------------------------------------------------- */

/* Does this record hold the ClientHello, from its first byte to its last? */
static bool is_whole_hello(const uint8_t *record, size_t len)
{
	const uint8_t *const message = record + TLS_HEADER_LEN;

	return record[0] == TLS_HANDSHAKE && len >= TLS_HEADER_LEN + 4 &&
	    message[0] == 1 /* client_hello */ &&
	    (load_be32(message) & 0xffffff) == len - TLS_HEADER_LEN - 4;
}

/*
 * Until both sides have agreed on a version, our records say the one of the
 * client's first record, so that it can read the alert (RFC 5246, appendix
 * E.1).
 */
static void take_first_version(struct tls_handshake *hs, const uint8_t *record)
{
	const uint16_t version = load_be16(record + 1);

	hs->ctx.eng.version_out = version < BR_TLS10 ? BR_TLS10 :
	    version > BR_TLS12 ? BR_TLS12 : version;
}

/*
 * Give a record to BearSSL, which wants the header first.  It takes all, unless
 * it finds an error or the client has closed.
 */
static void feed(br_ssl_engine_context *eng, const uint8_t *record, size_t len)
{
	while (len > 0) {
		size_t room;
		uint8_t *const to = br_ssl_engine_recvrec_buf(eng, &room);
		const size_t n = len < room ? len : room;

		if (to == NULL)
			break;
		memcpy(to, record, n);
		br_ssl_engine_recvrec_ack(eng, n);
		record += n;
		len -= n;
	}
}

/* Move everything that is to be sent; sending is what makes BearSSL go on. */
static void drain(br_ssl_engine_context *eng, uint8_t *out, size_t *out_len)
{
	for (;;) {
		size_t n;
		const uint8_t *const from = br_ssl_engine_sendrec_buf(eng, &n);

		if (from == NULL)
			return;
		ASSERT(n <= TLS_FLIGHT_MAX - *out_len);
		memcpy(out + *out_len, from, n);
		*out_len += n;
		br_ssl_engine_sendrec_ack(eng, n);
	}
}

/*
 * Bytes that BearSSL has not looked at when it has nothing more to send: they
 * lie behind the client's Finished, in the same record, and nothing may.
 */
static bool has_leftover(const br_ssl_engine_context *eng)
{
	size_t room;

	return br_ssl_engine_recvrec_buf(eng, &room) == NULL;
}

/* The engine's registers say that both buffers are empty. */
static bool buffers_are_empty(const br_ssl_engine_context *eng)
{
	return eng->ixa == 0 && eng->ixb == 0 && eng->oxa == eng->oxc;
}

static void take_first(struct tls_handshake *hs,
    const uint8_t *record, size_t len)
{
	hs->has_begun = true;
	hs->is_whole = is_whole_hello(record, len);
	take_first_version(hs, record);
	feed(&hs->ctx.eng, record, len);
	if (!hs->fits)
		return;
	/* policy_bearssl.c says why this is done twice. */
	hs->is_resumed = true;
	reset_engine(hs);
	take_first_version(hs, record);
	feed(&hs->ctx.eng, record, len);
}

/*
 * BearSSL passes over a HelloRequest, which only servers send (RFC 5246, section
 * 7.4.1.1), and waits on.  So messages in the clear are counted along: does one of
 * that type begin in this record?
 */
static bool has_hello_request(struct tls_handshake *hs, const uint8_t *record,
    size_t len)
{
	size_t at = TLS_HEADER_LEN;

	if (record[0] != TLS_HANDSHAKE || hs->ctx.eng.incrypt)
		return false;
	while (at < len) {
		const size_t rest = len - at;

		if (hs->message_left > 0) {
			const size_t n =
			    hs->message_left < rest ? hs->message_left : rest;

			hs->message_left -= (uint32_t)n;
			at += n;
			continue;
		}
		if (hs->header_len == 0 && record[at] == HELLO_REQUEST)
			return true;
		hs->header[hs->header_len++] = record[at++];
		if (hs->header_len == sizeof hs->header) {
			hs->message_left = load_be32(hs->header) & 0xffffff;
			hs->header_len = 0;
		}
	}
	return false;
}

enum tls_progress tls_handshake_take(struct tls_handshake *hs,
    const uint8_t *record, size_t len, uint8_t *out, size_t *out_len)
{
	br_ssl_engine_context *const eng = &hs->ctx.eng;

	ASSERT(len > TLS_HEADER_LEN && len <= TLS_HEADER_LEN + TLS_PAYLOAD_MAX);
	ASSERT(buffers_are_empty(eng));
	*out_len = 0;
	hs->received += len;
	if (hs->received > LIMIT_HANDSHAKE_LEN)
		return fail(hs, TLS_DECODE_ERROR, out, out_len);
	if (has_hello_request(hs, record, len))
		return fail(hs, TLS_UNEXPECTED_MESSAGE, out, out_len);
	if (hs->has_begun)
		feed(eng, record, len);
	else
		take_first(hs, record, len);

	/* What we found goes before what BearSSL may have made of it. */
	if (tls_curves_saw_bad_point())
		return fail(hs, TLS_ILLEGAL_PARAMETER, out, out_len);
	if (hs->alert != 0)
		return fail(hs, hs->alert, out, out_len);
	drain(eng, out, out_len);
	if (br_ssl_engine_current_state(eng) == BR_SSL_CLOSED)
		return fail(hs, alert_for(br_ssl_engine_last_error(eng),
		    len - TLS_HEADER_LEN), out, out_len);
	if (has_leftover(eng))
		return fail(hs, TLS_UNEXPECTED_MESSAGE, out, out_len);
	ASSERT(buffers_are_empty(eng));
	return (br_ssl_engine_current_state(eng) & BR_SSL_SENDAPP) != 0 ?
	    TLS_DONE : TLS_MORE;
}

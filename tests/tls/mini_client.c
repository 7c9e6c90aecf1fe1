/*
 * BearSSL's client: tests/tls/mini_client.h.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/tls/mini_client.h"

static const uint16_t all_suites[] = {
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
};

/* Signatures are tested elsewhere. */
static uint32_t accept_signature(const br_ec_impl *impl, const void *hash,
    size_t hash_len, const br_ec_public_key *key, const void *sig, size_t sig_len)
{
	(void)impl, (void)hash, (void)hash_len, (void)key, (void)sig;
	return sig_len > 0;
}

static void set_algorithms(br_ssl_engine_context *eng)
{
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(eng, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(eng, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(eng, br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(eng, br_tls12_sha384_prf);
	br_ssl_engine_set_ec(eng, &br_ec_all_m31);
	br_ssl_engine_set_ecdsa(eng, accept_signature);
	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable,
	    &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_aes_ctr(eng, &br_aes_ct64_ctr_vtable);
	br_ssl_engine_set_ghash(eng, br_ghash_ctmul64);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable,
	    &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(eng, br_chacha20_sse2_get());
	br_ssl_engine_set_poly1305(eng, br_poly1305_ctmulq_get());
}

void mini_start(struct mini_client *c, const struct mini_style *style)
{
	br_ssl_engine_context *const eng = &c->ctx.eng;

	memset(&c->ctx, 0, sizeof c->ctx);
	c->got_len = 0;
	br_ssl_client_zero(&c->ctx);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	if (style->suite != 0)
		br_ssl_engine_set_suites(eng, &style->suite, 1);
	else
		br_ssl_engine_set_suites(eng, all_suites,
		    ARRAY_LEN(all_suites));
	set_algorithms(eng);
	br_x509_knownkey_init_ec(&c->x509, style->server_key,
	    BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN);
	br_ssl_engine_set_x509(eng, &c->x509.vtable);
	br_ssl_engine_set_buffer(eng, c->buffer, sizeof c->buffer, 1);
	c->protocol = style->protocol;
	if (style->protocol != NULL)
		br_ssl_engine_set_protocol_names(eng, &c->protocol, 1);
	if (style->session != NULL)
		br_ssl_engine_set_session_parameters(eng, style->session);
	br_ssl_engine_inject_entropy(eng, &style->seed, sizeof style->seed);
	if (br_ssl_client_reset(&c->ctx, style->name,
	    style->session != NULL) != 1)
		abort();
}

static unsigned state_of(const struct mini_client *c)
{
	return br_ssl_engine_current_state(&c->ctx.eng);
}

bool mini_is_open(const struct mini_client *c)
{
	return (state_of(c) & (BR_SSL_CLOSED | BR_SSL_SENDAPP)) ==
	    BR_SSL_SENDAPP;
}

size_t mini_write(struct mini_client *c, const void *data, size_t len)
{
	size_t room;
	uint8_t *const to = br_ssl_engine_sendapp_buf(&c->ctx.eng, &room);

	if (to == NULL || len == 0)
		return 0;
	if (len > room)
		len = room;
	memcpy(to, data, len);
	br_ssl_engine_sendapp_ack(&c->ctx.eng, len);
	br_ssl_engine_flush(&c->ctx.eng, 0);
	return len;
}

void mini_renegotiate(struct mini_client *c)
{
	(void)br_ssl_engine_renegotiate(&c->ctx.eng);
}

void mini_close(struct mini_client *c)
{
	br_ssl_engine_close(&c->ctx.eng);
}

size_t mini_take_record(struct mini_client *c, uint8_t *out, size_t cap)
{
	size_t len;
	const uint8_t *const from =
	    br_ssl_engine_sendrec_buf(&c->ctx.eng, &len);

	if (from == NULL || len < 5)
		return 0;
	if (len > 5u + load_be16(from + 3))
		len = 5u + load_be16(from + 3);
	if (len > cap)
		return 0;
	memcpy(out, from, len);
	br_ssl_engine_sendrec_ack(&c->ctx.eng, len);
	return len;
}

size_t mini_seal(struct mini_client *c, uint8_t type,
    const uint8_t *data, size_t len, uint8_t *out)
{
	br_ssl_engine_context *const eng = &c->ctx.eng;
	const uint8_t *record;

	memcpy(out + 16, data, len);
	record = eng->out.vtable->encrypt(&eng->out.vtable, type,
	    BR_TLS12, out + 16, &len);
	memmove(out, record, len);
	return len;
}

static void take_data(struct mini_client *c)
{
	size_t len;
	const uint8_t *from;

	while ((from = br_ssl_engine_recvapp_buf(&c->ctx.eng, &len)) != NULL) {
		const size_t room = MINI_CAP - c->got_len;

		memcpy(c->got + c->got_len, from, len < room ? len : room);
		c->got_len += len < room ? len : room;
		br_ssl_engine_recvapp_ack(&c->ctx.eng, len);
	}
}

size_t mini_give(struct mini_client *c, const uint8_t *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t room;
		uint8_t *const to =
		    br_ssl_engine_recvrec_buf(&c->ctx.eng, &room);

		if (to == NULL)
			break;
		if (room > len - done)
			room = len - done;
		memcpy(to, data + done, room);
		br_ssl_engine_recvrec_ack(&c->ctx.eng, room);
		done += room;
		take_data(c);
	}
	return done;
}

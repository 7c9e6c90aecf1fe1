/*
 * Records after the handshake; see engine.h.
 *
 * BearSSL's record contexts are used as they are, without its engine: they hold
 * the keys and the sequence number, which has 64 bits and is never exhausted
 * (RFC 5246, section 6.1 asks for the end of the connection then; at a record a
 * nanosecond that is 584 years away).
 */
#include "tls/engine_int.h"

#include "tls/secret.h"

_Static_assert(sizeof(struct tls_keys) < 1024, "every connection has one");
_Static_assert(offsetof(br_sslrec_gcm_context, vtable) == 0 &&
    offsetof(br_sslrec_chapol_context, vtable) == 0,
    "whichever context it is, its functions come first");

size_t tls_keys_len(void)
{
	return sizeof(struct tls_keys);
}

/* RFC 5246, section 7.2.2: what ended in a fatal alert is not resumed. */
static void note_alert(const struct tls_keys *keys, uint8_t type,
    const uint8_t *plain, size_t len)
{
	if (type == TLS_ALERT && len >= 1 && plain[0] == 2)
		sessions_forget(keys->session_id);
}

uint8_t *tls_open(struct tls_keys *keys, uint8_t type,
    uint8_t *payload, size_t *len)
{
	uint8_t *plain = NULL;

	if (keys->in.vtable == &br_sslrec_in_gcm_vtable.inner)
		plain = gcm_open(&keys->in.gcm, type, payload, len);
	else if (keys->in.vtable->check_length(&keys->in.vtable, *len))
		plain = keys->in.vtable->decrypt(&keys->in.vtable, type,
		    BR_TLS12, payload, len);
	if (plain != NULL)
		note_alert(keys, type, plain, *len);
	return plain;
}

uint8_t *tls_seal(struct tls_keys *keys, uint8_t type,
    uint8_t *plain, size_t *len)
{
	ASSERT(*len <= TLS_PLAIN_MAX);
	note_alert(keys, type, plain, *len);
	if (keys->out.vtable == &br_sslrec_out_gcm_vtable.inner)
		return gcm_seal(&keys->out.gcm, type, plain, len);
	return keys->out.vtable->encrypt(&keys->out.vtable, type, BR_TLS12,
	    plain, len);
}

/*
 * A header and a MAC; with GCM eight bytes of nonce, too (RFC 5288, section 3).
 */
size_t tls_overhead(const struct tls_keys *keys)
{
	const bool is_gcm =
	    keys->out.vtable == &br_sslrec_out_gcm_vtable.inner;

	return TLS_HEADER_LEN + 16 + (is_gcm ? 8 : 0);
}

_Static_assert(TLS_HEADER_LEN + 8 <= TLS_HEAD_ROOM && 16 <= TLS_TAIL_ROOM,
    "what a record adds has room around the plaintext");

void tls_keys_wipe(struct tls_keys *keys)
{
	wipe(keys, sizeof *keys);
}

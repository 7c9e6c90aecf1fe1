/*
 * The engine: one version of TLS, as functions from bytes to bytes.  It never sees a
 * connection, a clock or a pool; private.c does all moving and waiting.  Which engine
 * there is, is known only behind this header: engine_bearssl.c is the one for TLS 1.2
 * (RFC 5246), and no type of BearSSL appears outside its files.
 *
 * A handshake object lives from the client's first byte until the handshake has
 * ended.  What remains is a keys object, a tenth of the size: it opens the client's
 * records and seals ours.
 */
#pragma once

#include "config/base.h"
#include "config/limits.h"

#define TLS_HEADER_LEN 5u        /* type, version, length: RFC 5246, section 6.2.1 */
#define TLS_PLAIN_MAX 16384u
#define TLS_PAYLOAD_MAX (TLS_PLAIN_MAX + 2048u)   /* RFC 5246, section 6.2.3: more is record_overflow */

/*
 * Room that tls_seal() needs before and behind the plaintext, and tls_open() around
 * the payload; more than goes over the wire, as the engine lays out there what it
 * hashes.
 */
#define TLS_HEAD_ROOM 16u
#define TLS_TAIL_ROOM 31u
#define TLS_OPEN_HEAD_ROOM 8u
#define TLS_OPEN_TAIL_ROOM 15u

/* Room for all that one record of the client can make us answer in a handshake. */
#define TLS_FLIGHT_MAX (LIMIT_CHAIN_LEN + 2048u)

_Static_assert(TLS_FLIGHT_MAX < LIMIT_RECORD_LEN &&
    TLS_HEAD_ROOM + TLS_PLAIN_MAX + TLS_TAIL_ROOM < LIMIT_RECORD_LEN,
    "a record buffer holds a flight, and the longest record");

enum tls_type {
	TLS_CHANGE_CIPHER_SPEC = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_DATA = 23,
};

/* RFC 5246, section 7.2; RFC 6066, section 9; RFC 7301, section 3.2; RFC 7507. */
enum tls_alert {
	TLS_CLOSE_NOTIFY = 0,
	TLS_UNEXPECTED_MESSAGE = 10,
	TLS_BAD_RECORD_MAC = 20,
	TLS_RECORD_OVERFLOW = 22,
	TLS_HANDSHAKE_FAILURE = 40,
	TLS_ILLEGAL_PARAMETER = 47,
	TLS_DECODE_ERROR = 50,
	TLS_DECRYPT_ERROR = 51,
	TLS_PROTOCOL_VERSION = 70,
	TLS_INTERNAL_ERROR = 80,
	TLS_INAPPROPRIATE_FALLBACK = 86,
	TLS_NO_RENEGOTIATION = 100,
	TLS_UNRECOGNIZED_NAME = 112,
	TLS_NO_APPLICATION_PROTOCOL = 120,
};

struct tls_handshake;
struct tls_keys;

/* Bytes of the objects; they are aligned to 16. */
size_t tls_handshake_len(void);
size_t tls_keys_len(void);

/* Choose implementations for this CPU; called once. */
void tls_engine_start(void);

/* ---- Handshake ------------------------------------------------------------ */

void tls_handshake_start(struct tls_handshake *hs);

enum tls_progress {
	TLS_MORE = 0,    /* the client is next */
	TLS_DONE,        /* the handshake has ended: tls_handshake_finish() is next */
	TLS_FAILED,      /* send what is in out, then close */
};

/*
 * Take one whole record of the client.
 *
 * record, len   header and payload, type 20..22, len - TLS_HEADER_LEN in 1..TLS_PAYLOAD_MAX
 * out, out_len  whole records to send, TLS_FLIGHT_MAX bytes at most; *out_len may be 0.
 *               After TLS_FAILED they end with the fatal alert that is owed, if any
 *               (none if the client sent one).
 */
MUST_USE enum tls_progress tls_handshake_take(struct tls_handshake *hs,
    const uint8_t *record, size_t len, uint8_t *out, size_t *out_len);

/*
 * The record that tells the client of an error we found (private.c's own: a header
 * that is not TLS, too many bytes, a deadline).  Protected if our side already is.
 * Returns its length, 64 bytes at most.
 */
size_t tls_handshake_alert(struct tls_handshake *hs, enum tls_alert alert,
    uint8_t out[64]);

/* After TLS_DONE: hand over the keys. */
void tls_handshake_finish(struct tls_handshake *hs, struct tls_keys *keys);

/* After TLS_DONE: was it resumed, without a signature? */
bool tls_handshake_was_resumed(const struct tls_handshake *hs);

/* Forget everything secret in it; every start ends in a wipe. */
void tls_handshake_wipe(struct tls_handshake *hs);

/* ---- Records --------------------------------------------------------------- */

/*
 * Open a record in place.
 *
 * payload, len  what follows the header, with TLS_OPEN_HEAD_ROOM writable bytes before
 *               it and TLS_OPEN_TAIL_ROOM behind; *len becomes the length of the plaintext,
 *               0..TLS_PLAIN_MAX
 * Returns       where the plaintext begins, within payload, or NULL: the record is not
 *               from the client (bad_record_mac), the connection must end
 */
MUST_USE uint8_t *tls_open(struct tls_keys *keys, uint8_t type,
    uint8_t *payload, size_t *len);

/*
 * Seal a record in place.
 *
 * plain, len   the plaintext, 0..TLS_PLAIN_MAX bytes, with TLS_HEAD_ROOM writable bytes
 *              before it and TLS_TAIL_ROOM behind; *len becomes the record's length
 * Returns      where the record begins, at most TLS_HEAD_ROOM before plain
 */
uint8_t *tls_seal(struct tls_keys *keys, uint8_t type,
    uint8_t *plain, size_t *len);

/* How much longer a record is than its plaintext, for sizing records to segments. */
size_t tls_overhead(const struct tls_keys *keys);

void tls_keys_wipe(struct tls_keys *keys);

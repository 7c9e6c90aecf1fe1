/*
 * A TLS 1.2 client in memory, small and deterministic: BearSSL's, with random bytes
 * that a test seeds.  It believes every certificate and every signature.  Its records
 * can be taken one by one, and made into what no client would send.
 */
#pragma once

#include "bearssl.h"

#include "config/base.h"

#define MINI_CAP 131072

struct mini_client {
	br_ssl_client_context ctx;
	br_x509_knownkey_context x509;
	uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
	uint8_t got[MINI_CAP];       /* data of the server, the first so many bytes */
	size_t got_len;
	const char *protocol;
};

/* How it is to be. */
struct mini_style {
	uint64_t seed;
	const br_ec_public_key *server_key;
	uint16_t suite;              /* 0: all that the server has */
	const char *name;
	const char *protocol;        /* ALPN; NULL for none */
	const br_ssl_session_parameters *session;   /* to resume; NULL */
};

void mini_start(struct mini_client *c, const struct mini_style *style);

/* Both have said Finished, and none has ended. */
bool mini_is_open(const struct mini_client *c);

/* Queue data; returns how many bytes, from the front, were taken. */
size_t mini_write(struct mini_client *c, const void *data, size_t len);

/* Ask for a new handshake; say close_notify. */
void mini_renegotiate(struct mini_client *c);
void mini_close(struct mini_client *c);

/* The next record that it wants to send; 0 if there is none. */
size_t mini_take_record(struct mini_client *c, uint8_t *out, size_t cap);

/*
 * Build a record of its own out of any bytes, sealed with the client's keys; only for
 * an open client, len 0..16384.  out has room for len + 64 bytes.
 */
size_t mini_seal(struct mini_client *c, uint8_t type,
    const uint8_t *data, size_t len, uint8_t *out);

/* The server's bytes; returns how many it wanted, fewer after its end. */
size_t mini_give(struct mini_client *c, const uint8_t *data, size_t len);

/*
 * A client that somebody else wrote (OpenSSL's libssl) and the engine, in one
 * process, with nothing between them but bytes that a test can change.
 */
#pragma once

#include <openssl/ssl.h>

#include "tls/engine.h"

struct rig {
	SSL *ssl;
	struct tls_handshake *hs;
	struct tls_keys *keys;      /* complete when progress is TLS_DONE */
	enum tls_progress progress;
	bool was_resumed;

	/* What the engine said last, and all records it took. */
	uint8_t out[TLS_FLIGHT_MAX];
	size_t out_len;
	size_t records;

	int client_error;           /* of the last SSL_do_handshake(): SSL_ERROR_* */
	int alert_seen;             /* fatal alert that the client received, or -1 */
};

/* How a client is to be; NULL and 0 are OpenSSL's own choice. */
struct client {
	const char *suites;
	const char *groups;
	const char *signatures;
	const char *name;           /* SNI */
	const char *protocols;      /* ALPN, as on the wire: "\x08http/1.1" */
	int version_max;            /* TLS1_2_VERSION if 0 */
	SSL_SESSION *session;       /* to resume */
	uint64_t options;
	uint32_t mode;
};

void rig_start(struct rig *rig, const struct client *client);
void rig_end(struct rig *rig);

/*
 * Bytes that the client wants to send now, after it has looked at what it got.
 * Returns how many.
 */
size_t rig_client_says(struct rig *rig, uint8_t *bytes, size_t cap);

/* Give the engine one record (copied to a place of exactly its size). */
enum tls_progress rig_take(struct rig *rig, const uint8_t *record, size_t len);

/*
 * Give it whole records, until they are used up or it says something else than
 * MORE.
 */
enum tls_progress rig_take_all(struct rig *rig, const uint8_t *bytes, size_t len);

/* Give the client what the engine said. */
void rig_deliver(struct rig *rig);

/* Run a handshake to its end. */
enum tls_progress rig_run(struct rig *rig);

/* Start, run, and check that it succeeded on both sides. */
void rig_connect(struct rig *rig, const struct client *client);

/*
 * The fatal alert at the end of what the engine said, in clear; -1 if there is
 * none.
 */
int rig_clear_alert(const struct rig *rig);

/*
 * The world of the engine, for its tests: keys and certificates made by
 * libcrypto, a bundle of them, a gate that signs with them, a clock that stands
 * still.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/bundle.h"

enum fake_key {
	FAKE_P256,
	FAKE_P384,
	FAKE_RSA,           /* 2048 bits */
	FAKE_RSA_4096,
	FAKE_KEYS,
};

/* What the engine sees; tests fill them as they like. */
extern struct tls_bundle fake_bundle;
extern bool fake_refuses_unknown;
extern uint64_t fake_now_ms;

/* What it did. */
extern unsigned fake_signatures;    /* gate_sign() calls that succeeded */
extern bool fake_sign_fails;

/*
 * Add a chain with a self-signed certificate for a key.
 * names    a literal: "a.example\0b.example\0", without the last NUL
 */
size_t fake_add_chain(enum fake_key key, const char *names, size_t names_len);
#define FAKE_ADD(key, names) fake_add_chain((key), (names), sizeof(names))

/*
 * Put a second certificate of so many bytes behind a chain's first (any bytes).
 */
void fake_lengthen_chain(size_t chain, size_t len);

/* The key of a chain is this one? */
bool fake_has_key(const X509 *cert, enum fake_key key);

/* An empty bundle, no sessions, time 1 hour; the engine is started. */
void fake_start(void);

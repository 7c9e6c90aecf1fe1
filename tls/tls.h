/*
 * TLS as the rest of the server sees it: certificates come from the instance bundle,
 * private streams go through tls/stream.h.
 */
#pragma once

#include "config/base.h"
#include "kernel/gate.h"
#include "net/net.h"
#include "net/text.h"

/* Since the server's start. */
struct tls_counters {
	uint64_t full;        /* handshakes with a signature that were completed */
	uint64_t resumed;     /* and those without */
	uint64_t failed;      /* begun and not completed, for whatever reason */
};

/*
 * Read the public part of the bundle; called once, before net_start().
 *
 * needs    receives what the pools must have; all zero when there are no certificates
 * Returns  NULL, or a sentence for the operator: the bundle is damaged (nothing
 *          private can be served then)
 */
MUST_USE const char *tls_read_bundle(const struct gate_info *info,
    struct net_needs *needs);

/* True when there is at least one certificate: private streams can be listened for. */
bool tls_has_certificate(void);

/* True when the certificates are real: a bundle that is not BUNDLE_DEVELOPMENT. */
bool tls_is_real(void);

/* HOST= of the bundle: names in lower case, each followed by a NUL; *len may be 0. */
const char *tls_hosts(size_t *len);

/*
 * Start the engine, after net_start() and before stream_listen_private().
 *
 * refuse_unknown   end a handshake for a name that no certificate has with the alert
 *                  unrecognized_name, instead of showing the default certificate
 */
void tls_start(bool refuse_unknown);

/*
 * Print one console line for each certificate: names, issuer, key, days left.  Once a
 * day those with less than LIMIT_CERT_DAYS days, or expired, are printed again as
 * warnings; call tls_check_expiry() in every turn of the loop for that.
 */
void tls_print_certificates(void);
void tls_check_expiry(void);

const struct tls_counters *tls_counters(void);

/*
 * Read when a certificate expires; false if there is no chain `index`.
 *
 * name       its first DNS name, or ""
 * not_after  Unix seconds
 */
MUST_USE bool tls_read_chain(size_t index, const char **name,
    int64_t *not_after);

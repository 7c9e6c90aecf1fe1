/*
 * A certificate chain and its key: whether they belong together, and whether the
 * chain is what a server has to send (RFC 5246, section 7.4.2: the end-entity's
 * certificate first, each one certified by the next).
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/mkinstance/names.h"

struct chain {
	const char *cert_path;
	const char *key_path;
	STACK_OF(X509) *certs;     /* NULL when the file could not be read */
	EVP_PKEY *key;             /* NULL likewise */
	struct names names;        /* of the end entity */
	size_t key_index;          /* which of the bundle's keys it is */
};

/* Read both files; errors are reported.  Ends with chain_free(), which wipes. */
void chain_read(struct chain *c, const char *cert_path, const char *key_path);
void chain_free(struct chain *c);

/*
 * Check chain `which` of `count`, and report.  The others are looked at for what may
 * have been meant.  The root's certificate is taken out of the chain: whoever trusts
 * it has it.  Afterwards names is filled.
 *
 * now    Unix seconds
 */
void chain_check(struct chain *chains, size_t count, size_t which, int64_t now);

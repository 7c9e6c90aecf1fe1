/*
 * DNS names: lists of them, their syntax, and which of them a certificate's
 * names cover.
 */
#pragma once

#include <openssl/x509.h>

#include "config/base.h"

/* Names in lower case, each followed by a NUL; none twice. */
struct names {
	char *text;
	size_t len;
};

void names_add(struct names *n, const char *name);
void names_free(struct names *n);

/* The name after `at`, or the first if at is NULL; NULL behind the last. */
const char *names_next(const struct names *n, const char *at);

/*
 * Does one of the names cover this host?  "*.example.org" covers exactly one label
 * in front of example.org (RFC 9525, section 6.3).
 *
 * host    a name without wildcard, in any case
 */
MUST_USE bool names_cover(const struct names *n, const char *host);

/* NULL, or what is wrong with a host name, as the end of a sentence. */
MUST_USE const char *host_problem(const char *host);

/*
 * The DNS names of a certificate that a client can match, in its order.
 *
 * path        for warnings about names that no client matches
 * has_others  receives whether there are IP addresses
 */
struct names cert_names(const char *path, X509 *cert, bool *has_others);

/* The same without a word, for showing which certificate is meant. */
struct names cert_names_quietly(X509 *cert);

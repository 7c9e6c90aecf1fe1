/*
 * Certificates as the operator sees them.  Pure.
 */
#pragma once

#include "net/text.h"
#include "tls/bundle.h"

/* Longest line, with all that is around it. */
#define CERTIFICATE_LINE_CAP 1024

/*
 * Append a line: names, issuer, key, and how long it is valid.
 *
 * index           of the chain in the bundle
 * is_development  as in struct tls_bundle
 * now             Unix seconds, 0 if nobody knows
 */
void certificate_describe(const struct tls_chain *chain, size_t index,
    bool is_development, int64_t now, struct text *out);

/*
 * Is it not valid now, or not for LIMIT_CERT_DAYS more days?  If nobody knows,
 * no.
 */
bool certificate_is_worrying(const struct tls_chain *chain, int64_t now);

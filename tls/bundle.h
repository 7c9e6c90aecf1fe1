/*
 * The public part of the instance bundle, read: certificate chains as the
 * engine and the console want them.  Layout: config/bundle.h.  Pure.
 */
#pragma once

#include "config/base.h"
#include "config/bundle.h"
#include "config/limits.h"

struct tls_certificate {
	const uint8_t *der;
	size_t len;
};

/* One chain; whatever it points to lies in the bundle. */
struct tls_chain {
	uint32_t key;                /* for gate_sign() */
	enum bundle_key_kind kind;
	uint32_t key_bits;
	size_t cert_count;           /* 1..LIMIT_CHAIN_CERTS */
	struct tls_certificate certs[LIMIT_CHAIN_CERTS];
	const char *names;           /* as in struct bundle_chain */
	size_t names_len;
	const char *issuer;          /* no NUL behind it */
	size_t issuer_len;
	bool self_signed;
	int64_t not_before;          /* Unix seconds, 0..TLS_TIME_MAX */
	int64_t not_after;
};

/* The last second of the year 9999, the last that a certificate can name. */
#define TLS_TIME_MAX INT64_C(253402300799)

struct tls_bundle {
	size_t chain_count;          /* 0..LIMIT_CHAINS; 0 is the default */
	struct tls_chain chains[LIMIT_CHAINS];
	bool is_development;
	const char *hosts;           /* each followed by a NUL */
	size_t hosts_len;
};

/* The keys that the kernel has, as in struct gate_info. */
struct tls_key_list {
	const uint16_t *kind;
	const uint16_t *bits;
	size_t count;
};

/*
 * Read the public part.
 *
 * at, len   its bytes, any; they have to stay as they are as long as *out is
 *           used
 * out       written in any case; without chains unless NULL is returned
 * Returns   NULL, or a sentence for the operator that says what is wrong
 */
MUST_USE const char *tls_bundle_read(const uint8_t *at, size_t len,
    const struct tls_key_list *keys, struct tls_bundle *out);

/* The name behind `name` in such a list of names, or NULL after the last. */
static inline const char *tls_next_name(const char *names, size_t len,
    const char *name)
{
	name += __builtin_strlen(name) + 1;
	return name < names + len ? name : NULL;
}

/*
 * The instance bundle: what one machine has that the image must not: certificate
 * chains, private keys, settings.  `make instance` writes it (tls/mkinstance/), the
 * boot loader passes it as the one boot module, the kernel checks its outer shape
 * and keeps the keys, ring 3 reads the public part.
 *
 * All numbers are little-endian; all parts lie on 4096-byte pages, so that each can
 * be mapped for exactly those who may see it:
 *
 *   page 0          struct bundle_header; ring 0 only
 *   public part     struct bundle_public, then bytes it points to; read-only in ring 3
 *   secret part     struct bundle_key [key_count]; ring 0 only
 *
 * Parts follow each other in this order without gaps; what a part does not fill of
 * its last page is zero.  The file ends with the secret part.
 *
 * A bundle is trusted for secrecy, not for shape: whoever reads it checks every
 * number before use.
 */
#pragma once

#include "config/base.h"

#define BUNDLE_PAGE 4096u
#define BUNDLE_MAGIC "STELEBDL"      /* 8 bytes, no NUL */
#define BUNDLE_VERSION 1u

/* bundle_header.flags */
#define BUNDLE_DEVELOPMENT (1u << 0) /* self-signed for localhost: no HSTS, no redirect by default */

/* Words as on the command line, one blank between them, NUL-terminated. */
#define BUNDLE_SETTINGS_CAP 1024

struct bundle_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t flags;
	uint32_t public_off;   /* BUNDLE_PAGE */
	uint32_t public_len;   /* whole pages, at least one */
	uint32_t secret_off;   /* public_off + public_len */
	uint32_t secret_len;   /* whole pages; 0 if and only if key_count is 0 */
	uint32_t key_count;    /* 0..LIMIT_KEYS */
	uint32_t zero;
	uint8_t sha256[32];    /* of the whole file, with zeroes in place of these bytes */
	char settings[BUNDLE_SETTINGS_CAP];
	uint8_t rest[BUNDLE_PAGE - 72 - BUNDLE_SETTINGS_CAP];   /* zero */
};

/* ---- Public part --------------------------------------------------------- */

/* Bytes in the public part: [off, off + len) from its first byte; after the struct. */
struct bundle_span {
	uint32_t off;
	uint32_t len;
};

enum bundle_key_kind {
	BUNDLE_KEY_P256 = 1,
	BUNDLE_KEY_P384 = 2,
	BUNDLE_KEY_RSA = 3,
};

/*
 * A certificate chain and the key that belongs to it.  Everything but the
 * certificates themselves was read out of them on the build host, so that nothing
 * in the image parses X.509.
 */
struct bundle_chain {
	uint32_t key;            /* index into the keys */
	uint32_t key_kind;       /* enum bundle_key_kind */
	uint32_t key_bits;       /* 256, 384, or the length of the RSA modulus */
	uint32_t cert_count;     /* 1..LIMIT_CHAIN_CERTS, the end-entity's first */
	/*
	 * cert_count times: a 32-bit length, then so many bytes of DER.  No padding.
	 * All certificates together are at most LIMIT_CHAIN_LEN bytes.
	 */
	struct bundle_span certs;
	/*
	 * DNS names of the end-entity certificate, lower case, each followed by a NUL;
	 * "*.example.org" stands for one label (RFC 9525, section 6.3).  May be empty.
	 */
	struct bundle_span names;
	struct bundle_span issuer;   /* for the console: visible ASCII, "Let's Encrypt R11" */
	uint32_t self_signed;        /* 0 or 1 */
	uint32_t zero;
	int64_t not_before;          /* Unix seconds */
	int64_t not_after;
};

/* The first bytes of the public part.  Chain 0 is the default one. */
struct bundle_public {
	uint32_t chain_count;    /* 0..LIMIT_CHAINS */
	uint32_t flags;          /* the header's */
	struct bundle_span hosts;    /* HOST=: names this machine serves, lower case, each followed by a NUL; may be empty */
	struct bundle_chain chains[];
};

/* ---- Secret part --------------------------------------------------------- */

/* Big-endian numbers, each at the end of its field (leading bytes are zero). */
struct bundle_key {
	uint32_t kind;           /* enum bundle_key_kind */
	uint32_t bits;           /* 256, 384; RSA: 2048..4096, a multiple of 16 */
	uint32_t public_exponent;    /* RSA: odd, at least 3; else 0 */
	uint32_t zero;
	union {
		uint8_t x[48];   /* EC: the private scalar, 1..order-1 */
		struct {         /* RSA, two primes of bits / 2 each; iq = q^-1 mod p */
			uint8_t p[256], q[256], dp[256], dq[256], iq[256];
			uint8_t n[512];
		} rsa;
		uint8_t bytes[2032];
	};
};

_Static_assert(sizeof(struct bundle_header) == BUNDLE_PAGE, "the header is one page");
_Static_assert(sizeof(struct bundle_chain) == 64, "no hidden padding in a chain");
_Static_assert(sizeof(struct bundle_public) == 16, "no hidden padding before the chains");
_Static_assert(sizeof(struct bundle_key) == 2048, "a page holds two keys");

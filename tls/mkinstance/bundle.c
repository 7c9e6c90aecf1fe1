/* Making a bundle; the contract is bundle.h. */
#include "tls/mkinstance/bundle.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "config/limits.h"
#include "tls/mkinstance/cert.h"
#include "tls/mkinstance/key.h"
#include "tls/mkinstance/report.h"

_Static_assert(LIMIT_KEYS >= LIMIT_CHAINS, "each chain may have a key of its own");

static size_t whole_pages(size_t len)
{
	return (len + BUNDLE_PAGE - 1) / BUNDLE_PAGE * BUNDLE_PAGE;
}

/* ---- Keys --------------------------------------------------------------- */

/* Number the keys of the chains; chains with the same key share one. */
static size_t number_keys(struct instance *in)
{
	size_t count = 0;

	for (size_t i = 0; i < in->chain_count; i++) {
		struct chain *const c = &in->chains[i];
		size_t same = 0;

		while (same < i && EVP_PKEY_eq(in->chains[same].key, c->key) != 1)
			same++;
		c->key_index = same < i ? in->chains[same].key_index : count++;
	}
	return count;
}

static void put_keys(const struct instance *in, struct bundle_key *out)
{
	for (size_t i = 0; i < in->chain_count; i++)
		key_record(in->chains[i].key, &out[in->chains[i].key_index]);
}

/* ---- Public part -------------------------------------------------------- */

/* The public part while it grows. */
struct part {
	FILE *out;
	char *bytes;
	size_t len;
};

static struct bundle_span put(struct part *p, const void *data, size_t len)
{
	const long off = ftell(p->out);

	if (off < 0 || (len > 0 && fwrite(data, 1, len, p->out) != len))
		die("out of memory");
	return (struct bundle_span){ (uint32_t)off, (uint32_t)len };
}

static struct bundle_span put_certs(struct part *p, const struct chain *c)
{
	struct bundle_span all = { (uint32_t)ftell(p->out), 0 };

	for (int i = 0; i < sk_X509_num(c->certs); i++) {
		uint8_t *der = NULL;
		const int len = i2d_X509(sk_X509_value(c->certs, i), &der);
		uint8_t prefix[4];

		ASSERT(len > 0);
		store_le32(prefix, (uint32_t)len);
		all.len += put(p, prefix, sizeof prefix).len;
		all.len += put(p, der, (size_t)len).len;
		OPENSSL_free(der);
	}
	return all;
}

static struct bundle_chain put_chain(struct part *p, const struct chain *c)
{
	X509 *const cert = sk_X509_value(c->certs, 0);
	char *issuer = cert_issuer(cert);
	struct bundle_chain out = {
		.key = (uint32_t)c->key_index,
		.key_kind = key_kind(c->key),
		.key_bits = key_bits(c->key),
		.cert_count = (uint32_t)sk_X509_num(c->certs),
		.certs = put_certs(p, c),
		.names = put(p, c->names.text, c->names.len),
		.issuer = put(p, issuer, strlen(issuer)),
		.self_signed = X509_self_signed(cert, 1) == 1,
	};

	ASSERT(cert_validity(cert, &out.not_before, &out.not_after));
	free(issuer);
	return out;
}

/* Without the padding to whole pages. */
static struct part make_public(const struct instance *in)
{
	struct bundle_public head = {
		.chain_count = (uint32_t)in->chain_count, .flags = in->flags,
	};
	struct bundle_chain chains[LIMIT_CHAINS] = { 0 };
	const size_t chains_len = in->chain_count * sizeof chains[0];
	struct part p = { 0 };

	p.out = text_stream(&p.bytes, &p.len);
	put(&p, &head, sizeof head);
	put(&p, chains, chains_len);
	for (size_t i = 0; i < in->chain_count; i++)
		chains[i] = put_chain(&p, &in->chains[i]);
	head.hosts = put(&p, in->hosts.text, in->hosts.len);
	if (fclose(p.out) != 0)
		die("out of memory");
	memcpy(p.bytes, &head, sizeof head);
	memcpy(p.bytes + sizeof head, chains, chains_len);
	return p;
}

/* ---- All of it ---------------------------------------------------------- */

uint8_t *bundle_make(struct instance *in, size_t *len)
{
	const size_t key_count = number_keys(in);
	const struct part p = make_public(in);
	struct bundle_header header = {
		.version = BUNDLE_VERSION,
		.flags = in->flags,
		.public_off = BUNDLE_PAGE,
		.public_len = (uint32_t)whole_pages(p.len),
		.secret_off = (uint32_t)(BUNDLE_PAGE + whole_pages(p.len)),
		.secret_len =
		    (uint32_t)whole_pages(key_count * sizeof(struct bundle_key)),
		.key_count = (uint32_t)key_count,
	};
	uint8_t *bytes;

	*len = header.secret_off + header.secret_len;
	bytes = xmalloc(*len);
	memset(bytes, 0, *len);
	memcpy(bytes + header.public_off, p.bytes, p.len);
	put_keys(in, (struct bundle_key *)(bytes + header.secret_off));
	free(p.bytes);

	memcpy(header.magic, BUNDLE_MAGIC, sizeof header.magic);
	memcpy(header.settings, in->settings, sizeof header.settings);
	memcpy(bytes, &header, sizeof header);
	SHA256(bytes, *len, header.sha256);
	memcpy(bytes, &header, sizeof header);
	return bytes;
}

void bundle_free(uint8_t *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
	free(bytes);
}

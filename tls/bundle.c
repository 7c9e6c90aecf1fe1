/*
 * Reads the public part of the instance bundle; see bundle.h.
 *
 * A bundle is trusted for secrecy, not for shape: every number is checked
 * before it is used, and a bundle with anything wrong in it is refused as a
 * whole.  Fields are copied out before they are looked at, so the bytes need no
 * alignment.
 */
#include "tls/bundle.h"

#include <string.h>

/* The span being read, and what is left of it. */
struct reader {
	const uint8_t *at;
	size_t len;
};

/*
 * Spans may lie anywhere behind the structs, and may overlap: they are only
 * read.
 */
static bool open_span(const uint8_t *at, size_t len, size_t structs_len,
    struct bundle_span span, struct reader *out)
{
	if (span.off < structs_len || span.off > len ||
	    span.len > len - span.off)
		return false;
	*out = (struct reader){ at + span.off, span.len };
	return true;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/*
 * A DNS name in lower case: labels of 1 to 63 letters, digits, inner hyphens,
 * and `extra`; 253 characters in all (RFC 1035, section 2.3.1; RFC 1123,
 * section 2.1).
 */
static bool is_name(const char *name, size_t len, char extra)
{
	size_t label_len = 0;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = name[i];
		const bool at_end = i + 1 == len || name[i + 1] == '.';

		if (c == '.') {
			if (label_len == 0)
				return false;
			label_len = 0;
			continue;
		}
		if (!is_alphanumeric(c) && c != extra &&
		    (c != '-' || label_len == 0 || at_end))
			return false;
		if (++label_len > 63)
			return false;
	}
	return label_len > 0;
}

static bool is_host_name(const char *name, size_t len)
{
	return is_name(name, len, '\0');
}

/*
 * Also with "*" for its first label; and with underscores, which no host has,
 * but some certificates, and browsers look them up.
 */
static bool is_certificate_name(const char *name, size_t len)
{
	if (len > 2 && name[0] == '*' && name[1] == '.')
		return is_name(name + 2, len - 2, '_');
	return is_name(name, len, '_');
}

/* Names, each followed by a NUL; none at all is fine. */
static bool names_are_good(const struct reader *span,
    bool (*is_good)(const char *name, size_t len))
{
	size_t start = 0;

	for (size_t i = 0; i < span->len; i++) {
		if (span->at[i] != '\0')
			continue;
		if (!is_good((const char *)span->at + start, i - start))
			return false;
		start = i + 1;
	}
	return start == span->len;
}

/* It goes to the console: no byte of it may be taken for anything but text. */
static bool is_visible(const struct reader *span)
{
	for (size_t i = 0; i < span->len; i++) {
		if (span->at[i] < 0x20 || span->at[i] > 0x7e)
			return false;
	}
	return true;
}

static bool read_certificates(struct reader span, size_t count,
    struct tls_chain *chain)
{
	size_t total = 0;

	if (count == 0 || count > LIMIT_CHAIN_CERTS)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (span.len < 4)
			return false;
		const size_t len = load_le32(span.at);

		if (len == 0 || len > span.len - 4)
			return false;
		chain->certs[i] = (struct tls_certificate){ span.at + 4, len };
		span.at += 4 + len;
		span.len -= 4 + len;
		total += len;
	}
	chain->cert_count = count;
	return span.len == 0 && total <= LIMIT_CHAIN_LEN;
}

static bool key_fits(const struct bundle_chain *in,
    const struct tls_key_list *keys)
{
	if (in->key >= keys->count || in->key_kind != keys->kind[in->key] ||
	    in->key_bits != keys->bits[in->key])
		return false;
	switch (in->key_kind) {
	case BUNDLE_KEY_P256:
		return in->key_bits == 256;
	case BUNDLE_KEY_P384:
		return in->key_bits == 384;
	case BUNDLE_KEY_RSA:
		return in->key_bits >= 2048 && in->key_bits <= 4096;
	default:
		return false;
	}
}

static const char *read_chain(const uint8_t *at, size_t len, size_t structs_len,
    const struct bundle_chain *in, const struct tls_key_list *keys,
    struct tls_chain *out)
{
	struct reader certs, names, issuer;

	if (!open_span(at, len, structs_len, in->certs, &certs) ||
	    !open_span(at, len, structs_len, in->names, &names) ||
	    !open_span(at, len, structs_len, in->issuer, &issuer))
		return "a part of a chain lies outside the bundle";
	if (!key_fits(in, keys))
		return "a chain is for a key that is not there";
	if (!read_certificates(certs, in->cert_count, out))
		return "a chain has a wrong length";
	if (!names_are_good(&names, is_certificate_name))
		return "a chain has a name that is none";
	if (!is_visible(&issuer))
		return "the name of an issuer is not text";
	if (in->self_signed > 1 || in->zero != 0 || in->not_before < 0 ||
	    in->not_before > in->not_after || in->not_after > TLS_TIME_MAX)
		return "a field of a chain is out of its range";
	out->key = in->key;
	out->kind = (enum bundle_key_kind)in->key_kind;
	out->key_bits = in->key_bits;
	out->names = (const char *)names.at;
	out->names_len = names.len;
	out->issuer = (const char *)issuer.at;
	out->issuer_len = issuer.len;
	out->self_signed = in->self_signed == 1;
	out->not_before = in->not_before;
	out->not_after = in->not_after;
	return NULL;
}

const char *tls_bundle_read(const uint8_t *at, size_t len,
    const struct tls_key_list *keys, struct tls_bundle *out)
{
	struct bundle_public head;
	struct reader hosts;

	memset(out, 0, sizeof *out);
	if (len < sizeof head)
		return "it is too short";
	memcpy(&head, at, sizeof head);
	if (head.chain_count > LIMIT_CHAINS || (len - sizeof head) /
	    sizeof(struct bundle_chain) < head.chain_count)
		return "it has more chains than can be";
	if ((head.flags & ~BUNDLE_DEVELOPMENT) != 0)
		return "it has a flag that nobody knows";

	const size_t structs_len = sizeof head +
	    head.chain_count * sizeof(struct bundle_chain);

	if (!open_span(at, len, structs_len, head.hosts, &hosts) ||
	    !names_are_good(&hosts, is_host_name))
		return "HOST is no list of names";
	for (size_t i = 0; i < head.chain_count; i++) {
		struct bundle_chain chain;

		memcpy(&chain, at + sizeof head + i * sizeof chain,
		    sizeof chain);
		const char *const error = read_chain(at, len, structs_len,
		    &chain, keys, &out->chains[i]);

		if (error != NULL)
			return error;
	}
	out->chain_count = head.chain_count;
	out->is_development = (head.flags & BUNDLE_DEVELOPMENT) != 0;
	out->hosts = (const char *)hosts.at;
	out->hosts_len = hosts.len;
	return NULL;
}

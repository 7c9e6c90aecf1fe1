/* A bundle read back, for people; the contract is bundle.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "config/limits.h"
#include "tls/mkinstance/bundle.h"
#include "tls/mkinstance/cert.h"
#include "tls/mkinstance/report.h"

#define DAY_S 86400

const struct bundle_header *bundle_header(const uint8_t *bytes)
{
	return (const struct bundle_header *)bytes;
}

const struct bundle_public *bundle_public(const uint8_t *bytes)
{
	return (const struct bundle_public *)
	    (bytes + bundle_header(bytes)->public_off);
}

const uint8_t *bundle_span(const uint8_t *bytes, struct bundle_span span)
{
	return bytes + bundle_header(bytes)->public_off + span.off;
}

/* ---- Is it one? --------------------------------------------------------- */

/* The digest that the file should have. */
static void compute_digest(const struct bundle_header *h, size_t len,
    uint8_t digest[32])
{
	uint8_t *const copy = xmalloc(len);

	memcpy(copy, h, len);
	memset(copy + offsetof(struct bundle_header, sha256), 0, sizeof h->sha256);
	SHA256(copy, len, digest);
	bundle_free(copy, len);
}

static const char *header_problem(const struct bundle_header *h, size_t len)
{
	const uint64_t public_end = (uint64_t)h->public_off + h->public_len;
	const uint64_t keys_len = h->key_count * (uint64_t)sizeof(struct bundle_key);
	uint8_t digest[32];

	if (memcmp(h->magic, BUNDLE_MAGIC, sizeof h->magic) != 0)
		return "is no instance bundle";
	if (h->version != BUNDLE_VERSION)
		return "is a bundle of another version";
	if (h->public_off != BUNDLE_PAGE || h->public_len < BUNDLE_PAGE ||
	    h->public_len % BUNDLE_PAGE != 0 || h->secret_off != public_end ||
	    h->secret_len % BUNDLE_PAGE != 0 ||
	    public_end + h->secret_len != len ||
	    h->key_count > LIMIT_KEYS || keys_len > h->secret_len ||
	    h->settings[sizeof h->settings - 1] != '\0')
		return "is cut off or damaged";
	compute_digest(h, len, digest);
	if (memcmp(digest, h->sha256, sizeof digest) != 0)
		return "is damaged: its digest differs";
	return NULL;
}

static bool span_fits(const struct bundle_header *h, struct bundle_span s)
{
	return s.off <= h->public_len && s.len <= h->public_len - s.off;
}

/* Names have to end before their span does. */
static bool names_fit(const uint8_t *bytes, struct bundle_span s)
{
	return span_fits(bundle_header(bytes), s) &&
	    (s.len == 0 || bundle_span(bytes, s)[s.len - 1] == '\0');
}

/* Each a length, then so many bytes: as many as they say, up to the end. */
static bool certs_fit(const uint8_t *at, uint32_t len, uint32_t count)
{
	for (; count > 0; count--) {
		uint32_t cert_len;

		if (len < 4)
			return false;
		cert_len = load_le32(at);
		if (cert_len == 0 || cert_len > len - 4)
			return false;
		at += 4 + cert_len;
		len -= 4 + cert_len;
	}
	return len == 0;
}

static bool chain_fits(const uint8_t *bytes, const struct bundle_chain *c)
{
	const struct bundle_header *h = bundle_header(bytes);

	return c->key < h->key_count && span_fits(h, c->certs) &&
	    c->cert_count >= 1 && certs_fit(bundle_span(bytes, c->certs),
	        c->certs.len, c->cert_count) &&
	    names_fit(bytes, c->names) && span_fits(h, c->issuer);
}

const char *bundle_problem(const uint8_t *bytes, size_t len)
{
	const struct bundle_public *p;
	const char *problem;
	bool fits;

	if (len < 2 * BUNDLE_PAGE)
		return "is no instance bundle: it is too short";
	problem = header_problem(bundle_header(bytes), len);
	if (problem != NULL)
		return problem;
	p = bundle_public(bytes);
	fits = p->chain_count <= LIMIT_CHAINS && names_fit(bytes, p->hosts);
	for (uint32_t i = 0; fits && i < p->chain_count; i++)
		fits = chain_fits(bytes, &p->chains[i]);
	return fits ? NULL : "is damaged: a part of it lies outside";
}

/* ---- What is in it ------------------------------------------------------ */

/* Text out of a file that anybody may have made. */
static void print_visible(FILE *out, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fputc(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?', out);
}

static void print_names(FILE *out, const uint8_t *bytes, struct bundle_span s)
{
	const char *at = (const char *)bundle_span(bytes, s);
	const char *const end = at + s.len;

	if (at == end)
		fputs(" -", out);
	while (at < end) {
		const size_t len = strlen(at);

		fputc(' ', out);
		print_visible(out, (const uint8_t *)at, len);
		at += len + 1;
	}
	fputc('\n', out);
}

static const char *day(int64_t when, char out[DATE_TEXT_CAP])
{
	date_text(when, out);
	out[strcspn(out, " ")] = '\0';
	return out;
}

static void print_validity(FILE *out, const struct bundle_chain *c, int64_t now)
{
	const long long left = (c->not_after - now) / DAY_S;
	char from[DATE_TEXT_CAP], to[DATE_TEXT_CAP];

	fprintf(out, "  valid   %s to %s, ", day(c->not_before, from),
	    day(c->not_after, to));
	if (c->not_after < now)
		fputs("expired\n", out);
	else if (c->not_before > now)
		fputs("not yet valid\n", out);
	else
		fprintf(out, "%lld day%s left\n", left, left == 1 ? "" : "s");
}

static void print_chain(FILE *out, const uint8_t *bytes, uint32_t number,
    int64_t now)
{
	const struct bundle_chain *c = &bundle_public(bytes)->chains[number];
	const bool is_ec = c->key_kind != BUNDLE_KEY_RSA;

	fprintf(out, "chain %u", number);
	print_names(out, bytes, c->names);
	fputs("  issuer  ", out);
	if (c->self_signed)
		fputs("itself", out);
	else
		print_visible(out, bundle_span(bytes, c->issuer), c->issuer.len);
	fprintf(out, "\n  key     %u, %s%u\n", c->key, is_ec ? "ECDSA P-" : "RSA ",
	    c->key_bits);
	print_validity(out, c, now);
	fprintf(out, "  sent    %u certificate%s, %u bytes\n", c->cert_count,
	    c->cert_count == 1 ? "" : "s", c->certs.len - 4 * c->cert_count);
}

void bundle_show(FILE *out, const uint8_t *bytes, size_t len, int64_t now)
{
	const struct bundle_header *h = bundle_header(bytes);
	const struct bundle_public *p = bundle_public(bytes);

	fprintf(out, "bundle   %zu bytes%s\n", len,
	    h->flags & BUNDLE_DEVELOPMENT ? ", for development" : "");
	fputs("hosts   ", out);
	print_names(out, bytes, p->hosts);
	fputs("settings ", out);
	print_visible(out, (const uint8_t *)h->settings, strlen(h->settings));
	fprintf(out, "%s\n", h->settings[0] == '\0' ? "-" : "");
	if (p->chain_count == 0)
		fputs("chains   none: HTTP only\n", out);
	for (uint32_t i = 0; i < p->chain_count; i++)
		print_chain(out, bytes, i, now);
}

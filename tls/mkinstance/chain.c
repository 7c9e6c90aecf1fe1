/* Contract: chain.h. */
#include "tls/mkinstance/chain.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "config/limits.h"
#include "tls/mkinstance/cert.h"
#include "tls/mkinstance/key.h"
#include "tls/mkinstance/report.h"

void chain_read(struct chain *c, const char *cert_path, const char *key_path)
{
	*c = (struct chain){ .cert_path = cert_path, .key_path = key_path };
	c->certs = certs_read(cert_path);
	c->key = key_read(key_path);
}

void chain_free(struct chain *c)
{
	certs_free(c->certs);
	EVP_PKEY_free(c->key);
	names_free(&c->names);
}

static X509 *cert_at(const struct chain *c, int i)
{
	return sk_X509_value(c->certs, i);
}

/* ---- Certificate and key ------------------------------------------------ */

static bool has_key(X509 *cert, const EVP_PKEY *key)
{
	const EVP_PKEY *public_key = X509_get0_pubkey(cert);
	const bool yes = public_key != NULL && key != NULL &&
	    EVP_PKEY_eq(public_key, key) == 1;

	ERR_clear_error();
	return yes;
}

/* Which certificate of the chain is the key's; -1: none. */
static int find_by_key(const struct chain *c, const EVP_PKEY *key)
{
	for (int i = 0; i < sk_X509_num(c->certs); i++)
		if (has_key(cert_at(c, i), key))
			return i;
	return -1;
}

static void report_mismatch(const struct chain *chains, size_t count,
    const struct chain *c)
{
	for (size_t i = 0; i < count; i++) {
		if (find_by_key(c, chains[i].key) == 0) {
			report_error(c->cert_path, "does not belong to the key in %s, "
			    "but to the one in %s: give both lists in one order",
			    c->key_path, chains[i].key_path);
			return;
		}
	}
	report_error(c->cert_path, "does not belong to the key in %s", c->key_path);
}

/* ---- Order -------------------------------------------------------------- */

/* Is it among the first `len` of a list? */
static bool is_in(X509 *const *list, int len, X509 *cert)
{
	for (int i = 0; i < len; i++)
		if (list[i] == cert)
			return true;
	return false;
}

/*
 * Put the certificates of a file into the order in which each certifies the one
 * before, beginning with `first`.  Returns how many could be placed.
 */
static int sort(const struct chain *c, int first, X509 **sorted)
{
	int len = 0;
	X509 *next = cert_at(c, first);

	while (next != NULL) {
		X509 *const last = next;

		sorted[len++] = last;
		next = NULL;
		for (int i = 0; i < sk_X509_num(c->certs) && next == NULL; i++) {
			X509 *const other = cert_at(c, i);

			if (!is_in(sorted, len, other) && X509_cmp(other, last) != 0 &&
			    cert_issued_by(last, other))
				next = other;
		}
	}
	return len;
}

static void report_order(const struct chain *c, X509 *const *sorted, int len)
{
	char *text;
	size_t text_len;
	FILE *out = text_stream(&text, &text_len);

	for (int i = 0; i < len; i++) {
		char *subject = cert_subject(sorted[i]);

		fprintf(out, "%s\"%s\"", i == 0 ? "" : ", ", subject);
		free(subject);
	}
	fclose(out);
	report_error(c->cert_path, "its certificates are out of order; "
	    "right is: %s", text);
	free(text);
}

/* Why a certificate has no place in the chain. */
static void report_stranger(const struct chain *c, X509 *stranger,
    X509 *const *sorted, int len)
{
	char *subject = cert_subject(stranger);
	char *last = cert_subject(sorted[len - 1]);
	bool twice = false;

	for (int i = 0; i < len; i++)
		twice |= X509_cmp(sorted[i], stranger) == 0;
	if (twice)
		report_error(c->cert_path, "holds \"%s\" twice", subject);
	else if (X509_NAME_cmp(X509_get_issuer_name(sorted[len - 1]),
	    X509_get_subject_name(stranger)) == 0)
		report_error(c->cert_path, "\"%s\" in it has the name of the issuer of "
		    "\"%s\", but another key: get the one that issued it",
		    subject, last);
	else
		report_error(c->cert_path, "holds \"%s\", which is no part of the "
		    "chain that begins with the certificate of the key", subject);
	free(subject);
	free(last);
}

/* True when every certificate has its place, in the order of the file. */
static bool check_order(const struct chain *c, int first)
{
	const int count = sk_X509_num(c->certs);
	X509 **sorted = xmalloc((size_t)count * sizeof *sorted);
	const int len = sort(c, first, sorted);
	bool in_order = true;

	for (int i = 0; i < count; i++)
		if (!is_in(sorted, len, cert_at(c, i)))
			report_stranger(c, cert_at(c, i), sorted, len);
	for (int i = 0; i < len; i++)
		in_order &= sorted[i] == cert_at(c, i);
	if (len == count && !in_order)
		report_order(c, sorted, len);
	free(sorted);
	return len == count && in_order;
}

/* ---- The other end ------------------------------------------------------ */

/* Does this machine have the issuer among its roots? */
static bool issuer_is_root(X509 *cert)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *issuer = NULL;
	bool found;

	if (store == NULL || ctx == NULL)
		die("out of memory");
	found = X509_STORE_set_default_paths(store) == 1 &&
	    X509_STORE_CTX_init(ctx, store, cert, NULL) == 1 &&
	    X509_STORE_CTX_get1_issuer(&issuer, ctx, cert) == 1 &&
	    cert_issued_by(cert, issuer);
	X509_free(issuer);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return found;
}

static void check_end(struct chain *c)
{
	const int count = sk_X509_num(c->certs);
	X509 *const last = cert_at(c, count - 1);
	char *subject = cert_subject(last);
	char *issuer = cert_issuer(last);

	if (X509_self_signed(last, 1) == 1) {
		if (count > 1) {
			report_warning(c->cert_path, "the root \"%s\" is left out: "
			    "clients that trust it have it", subject);
			X509_free(sk_X509_pop(c->certs));
		}
	} else if (!issuer_is_root(last)) {
		report_warning(c->cert_path, "the chain ends with \"%s\", issued by "
		    "\"%s\", which this machine does not know as a root: clients "
		    "refuse it if they do not either%s", subject, issuer,
		    count == 1 ? "; an ACME client's fullchain.pem has the whole "
		    "chain" : "");
	}
	free(subject);
	free(issuer);
}

static void check_limits(const struct chain *c)
{
	const int count = sk_X509_num(c->certs);
	size_t len = 0;

	for (int i = 0; i < count; i++)
		len += (size_t)i2d_X509(cert_at(c, i), NULL);
	if (count > LIMIT_CHAIN_CERTS)
		report_error(c->cert_path, "a chain of %d certificates; "
		    "%d are the most", count, LIMIT_CHAIN_CERTS);
	else if (len > LIMIT_CHAIN_LEN)
		report_error(c->cert_path, "its certificates have %zu bytes together; "
		    "%d are the most", len, LIMIT_CHAIN_LEN);
}

static void check_names(struct chain *c)
{
	bool has_address;

	c->names = cert_names(c->cert_path, cert_at(c, 0), &has_address);
	if (c->names.len > 0)
		return;
	if (has_address)
		report_warning(c->cert_path, "names addresses only: "
		    "it is for clients that come without a host name");
	else
		report_error(c->cert_path, "names no host (no subjectAltName), "
		    "and browsers do not look at the common name");
}

/* Without a key that fits: the one that is no authority's, or the first. */
static int guess_first(const struct chain *c)
{
	for (int i = 0; i < sk_X509_num(c->certs); i++)
		if (X509_check_ca(cert_at(c, i)) == 0)
			return i;
	return 0;
}

static void check_each(struct chain *c, int64_t now)
{
	for (int i = 0; i < sk_X509_num(c->certs); i++) {
		X509 *const cert = cert_at(c, i);

		cert_check(c->cert_path, cert, now);
		if (i > 0 && X509_check_ca(cert) == 0) {
			char *subject = cert_subject(cert);

			report_error(c->cert_path, "\"%s\" may not issue "
			    "certificates (no CA:TRUE)", subject);
			free(subject);
		}
	}
	cert_check_server(c->cert_path, cert_at(c, 0), now);
	check_names(c);
}

void chain_check(struct chain *chains, size_t count, size_t which, int64_t now)
{
	struct chain *const c = &chains[which];
	int first;

	if (c->certs == NULL)
		return;
	/* A trust store instead of a chain: one line, not hundreds. */
	if (sk_X509_num(c->certs) > LIMIT_CHAIN_CERTS + 1) {
		check_limits(c);
		return;
	}
	first = find_by_key(c, c->key);
	if (first < 0) {
		if (c->key != NULL)
			report_mismatch(chains, count, c);
		first = guess_first(c);
	}
	if (!check_order(c, first))
		return;
	check_end(c);
	check_limits(c);
	check_each(c, now);
}

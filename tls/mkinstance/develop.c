/* Contract: develop.h. */
#include "tls/mkinstance/develop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tls/mkinstance/bundle.h"
#include "tls/mkinstance/cert.h"
#include "tls/mkinstance/file.h"
#include "tls/mkinstance/output.h"
#include "tls/mkinstance/report.h"

#define HOUR_S 3600
#define DAY_S 86400
#define LIFE_S (365 * DAY_S)     /* browsers refuse more than 398 days */
#define RENEW_S (7 * DAY_S)

/* ---- Making one --------------------------------------------------------- */

static const struct {
	int nid;
	const char *value;
} extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "serverAuth" },
	{ NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1" },
	{ NID_subject_key_identifier, "hash" },
};

static bool add_extensions(X509 *cert)
{
	X509V3_CTX ctx;
	bool good = true;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(extensions) && good; i++) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx,
		    extensions[i].nid, extensions[i].value);

		good = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
		X509_EXTENSION_free(extension);
	}
	return good;
}

/* RFC 5280, section 4.1.2.2: positive; ours has 127 random bits. */
static bool set_serial(X509 *cert)
{
	uint8_t bytes[16];
	BIGNUM *number;
	bool good;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
	number = BN_bin2bn(bytes, sizeof bytes, NULL);
	good = number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return good;
}

static bool fill(X509 *cert, EVP_PKEY *key, int64_t now)
{
	static const char name[] = "stele development certificate";
	X509_NAME *const subject = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	    ASN1_TIME_set(X509_getm_notBefore(cert), now - HOUR_S) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), now + LIFE_S) != NULL &&
	    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
	        (const uint8_t *)name, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, subject) == 1 &&
	    X509_set_pubkey(cert, key) == 1 && add_extensions(cert) &&
	    X509_sign(cert, key, EVP_sha256()) != 0;
}

static void generate(struct chain *c, int64_t now)
{
	X509 *cert = X509_new();

	*c = (struct chain){ .certs = sk_X509_new_null() };
	c->key = EVP_EC_gen("P-256");
	if (cert == NULL || c->certs == NULL || c->key == NULL ||
	    !fill(cert, c->key, now) || !sk_X509_push(c->certs, cert))
		die("OpenSSL cannot make a key and a certificate");
	c->names = cert_names_quietly(cert);
}

/* ---- Files -------------------------------------------------------------- */

/* build/development.bin -> build/development.crt; freed by the caller. */
static char *certificate_path(const char *path)
{
	const size_t len = strlen(path);
	const bool has_suffix = len > 4 && strcmp(path + len - 4, ".bin") == 0;
	char *out = xmalloc(len + sizeof ".crt");

	memcpy(out, path, len);
	strcpy(out + (has_suffix ? len - 4 : len), ".crt");
	return out;
}

/* The first certificate of a checked bundle, in PEM. */
static bool write_certificate(const uint8_t *bytes, const char *path)
{
	const struct bundle_chain *chain = &bundle_public(bytes)->chains[0];
	const uint8_t *der = bundle_span(bytes, chain->certs);
	const uint32_t len = load_le32(der);
	BIO *out = BIO_new(BIO_s_mem());
	char *text;
	long text_len;
	bool good;

	if (out == NULL || PEM_write_bio(out, PEM_STRING_X509, "",
	    (der += 4), (long)len) == 0)
		die("out of memory");
	text_len = BIO_get_mem_data(out, &text);
	good = output_write(path, text, (size_t)text_len, 0644);
	BIO_free(out);
	return good;
}

static void make(const char *path, const char *trust, int64_t now, bool quiet)
{
	struct chain chain;
	struct instance in = {
		.flags = BUNDLE_DEVELOPMENT, .chains = &chain, .chain_count = 1,
	};
	uint8_t *bytes;
	size_t len;

	generate(&chain, now);
	bytes = bundle_make(&in, &len);
	ASSERT(bundle_problem(bytes, len) == NULL);
	if (write_certificate(bytes, trust) &&
	    output_write(path, bytes, len, 0600) && !quiet)
		printf("made a key and a self-signed certificate for localhost, "
		    "valid for a year: %s, %s\n", path, trust);
	bundle_free(bytes, len);
	chain_free(&chain);
}

/* ---- Keeping one -------------------------------------------------------- */

enum present { ABSENT, OLD, GOOD, STRANGE };

static enum present look(const char *path, const char *trust, int64_t now)
{
	enum present what = STRANGE;
	const struct bundle_public *p;
	struct file f;

	if (access(path, F_OK) != 0)
		return ABSENT;
	if (!file_read(path, &f))
		return STRANGE;
	if (bundle_problem(f.bytes, f.len) != NULL) {
		/* Of an earlier version, or damaged; but one that was made here. */
		if (f.len >= sizeof(struct bundle_header) &&
		    memcmp(bundle_header(f.bytes)->magic, BUNDLE_MAGIC,
		        sizeof bundle_header(f.bytes)->magic) == 0 &&
		    (bundle_header(f.bytes)->flags & BUNDLE_DEVELOPMENT) != 0)
			what = OLD;
		else
			report_error(path, "exists and is no development bundle");
	} else if (!(bundle_header(f.bytes)->flags & BUNDLE_DEVELOPMENT) ||
	    bundle_public(f.bytes)->chain_count != 1) {
		report_error(path, "is a bundle, and not one for development");
	} else {
		p = bundle_public(f.bytes);
		what = p->chains[0].not_after - now < RENEW_S ||
		    p->chains[0].not_before > now ? OLD : GOOD;
		if (what == GOOD && !write_certificate(f.bytes, trust))
			what = STRANGE;
	}
	file_free(&f);
	return what;
}

void develop(const char *path, int64_t now, bool quiet)
{
	char *trust = certificate_path(path);

	switch (look(path, trust, now)) {
	case ABSENT:
	case OLD:
		make(path, trust, now, quiet);
		break;
	case GOOD:
	case STRANGE:
		break;
	}
	free(trust);
}

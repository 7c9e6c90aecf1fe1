/* What is wrong with a certificate; the contract is cert.h. */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "config/limits.h"
#include "tls/mkinstance/cert.h"
#include "tls/mkinstance/report.h"

#define DAY_S 86400
#define RSA_BITS_MIN 2048
#define STATUS_REQUEST 5     /* RFC 6066, section 8 */

bool cert_issued_by(X509 *cert, X509 *issuer)
{
	bool yes = X509_NAME_cmp(X509_get_issuer_name(cert),
	    X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(cert, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return yes;
}

static void check_dates(const char *path, X509 *cert, const char *subject,
    int64_t now)
{
	char date[DATE_TEXT_CAP];
	int64_t from, to;

	if (!cert_validity(cert, &from, &to)) {
		report_error(path, "the validity of \"%s\" cannot be read", subject);
		return;
	}
	if (to < from)
		report_error(path, "the validity of \"%s\" ends before it begins",
		    subject);
	else if (to < now)
		report_error(path, "\"%s\" expired on %s", subject,
		    date_text(to, date));
	else if (from > now)
		report_warning(path, "\"%s\" is not valid before %s", subject,
		    date_text(from, date));
}

/*
 * RFC 9155: neither MD5 nor SHA-1 in signatures.  Browsers have refused
 * certificates with them since 2017.
 */
static void check_signature(const char *path, X509 *cert, const char *subject)
{
	int digest, bits;

	if (!X509_get_signature_info(cert, &digest, NULL, &bits, NULL))
		return;
	if (digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1)
		report_error(path, "\"%s\" is signed with %s, which clients refuse",
		    subject, digest == NID_sha1 ? "SHA-1" : "MD5");
}

void cert_check(const char *path, X509 *cert, int64_t now)
{
	char *subject = cert_subject(cert);
	EVP_PKEY *key = X509_get0_pubkey(cert);

	check_dates(path, cert, subject, now);
	check_signature(path, cert, subject);
	if (key == NULL)
		report_error(path, "the public key of \"%s\" cannot be read", subject);
	else if (EVP_PKEY_is_a(key, "RSA") &&
	    EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
		report_error(path, "the RSA key of \"%s\" has %d bits; "
		    "clients refuse less than %d", subject,
		    EVP_PKEY_get_bits(key), RSA_BITS_MIN);
	free(subject);
}

/* RFC 5280, sections 4.2.1.3 and 4.2.1.12; what is absent allows everything. */
static void check_usage(const char *path, X509 *cert)
{
	const uint32_t extended = X509_get_extended_key_usage(cert);

	if (!(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE))
		report_error(path, "its keyUsage lacks digitalSignature: "
		    "it may not sign handshakes");
	if (!(extended & (XKU_SSL_SERVER | XKU_ANYEKU)))
		report_error(path, "its extendedKeyUsage lacks serverAuth: "
		    "it is not for servers");
}

/*
 * A self-signed certificate that may sign others is what many instructions make;
 * most clients can be told to trust it.
 */
static void check_not_ca(const char *path, X509 *cert)
{
	if (!(X509_get_extension_flags(cert) & EXFLAG_CA))
		return;
	if (X509_self_signed(cert, 0) == 1)
		report_warning(path, "is an authority's certificate (CA:TRUE), "
		    "which Firefox refuses from a server; openssl req takes "
		    "-addext basicConstraints=critical,CA:FALSE");
	else
		report_error(path, "is an authority's certificate (CA:TRUE), "
		    "not a server's");
}

/* RFC 7633: "must staple". */
static void check_features(const char *path, X509 *cert)
{
	TLS_FEATURE *features = X509_get_ext_d2i(cert, NID_tlsfeature, NULL, NULL);

	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) ==
		    STATUS_REQUEST)
			report_warning(path, "demands a stapled OCSP answer, which "
			    "is not offered here: some clients will refuse it; "
			    "ask for one without");
	sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
}

void cert_check_server(const char *path, X509 *cert, int64_t now)
{
	int64_t from, to;

	check_usage(path, cert);
	check_not_ca(path, cert);
	check_features(path, cert);
	if (cert_validity(cert, &from, &to) && to >= now &&
	    to - now < (int64_t)LIMIT_CERT_DAYS * DAY_S)
		report_warning(path, "expires in %lld day%s",
		    (long long)((to - now) / DAY_S),
		    (to - now) / DAY_S == 1 ? "" : "s");
}

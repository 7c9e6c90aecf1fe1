/* Reading and describing certificates; the contract is cert.h. */
#include "tls/mkinstance/cert.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/mkinstance/file.h"
#include "tls/mkinstance/names.h"
#include "tls/mkinstance/report.h"

#define TEXT_LEN_MAX 100

/* OpenSSL's own words for what failed last. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text == NULL ? "unknown reason" : text;
}

/* DER in, or NULL; what is not exactly one certificate in DER is none. */
static X509 *parse_der(const uint8_t *der, long len)
{
	const uint8_t *end = der;
	X509 *cert = d2i_X509(NULL, &end, len);
	uint8_t *again = NULL;
	int again_len;

	if (cert == NULL)
		return NULL;
	/* The bundle gets what OpenSSL writes, so that has to be what was read. */
	again_len = i2d_X509(cert, &again);
	if (end != der + len || again_len != len ||
	    memcmp(again, der, (size_t)len) != 0) {
		X509_free(cert);
		cert = NULL;
	}
	OPENSSL_free(again);
	return cert;
}

static bool is_certificate(const char *label)
{
	return strcmp(label, PEM_STRING_X509) == 0 ||
	    strcmp(label, PEM_STRING_X509_OLD) == 0;
}

/*
 * The next certificate of a file, or NULL behind the last or after an error.
 * number counts PEM blocks.
 */
static X509 *next_certificate(const struct file *f, BIO *in, size_t *number)
{
	X509 *cert = NULL;
	bool is_ours = false;

	while (!is_ours) {
		char *label = NULL, *header = NULL;
		uint8_t *data = NULL;
		long len = 0;

		ERR_clear_error();
		if (!PEM_read_bio(in, &label, &header, &data, &len)) {
			if (ERR_GET_REASON(ERR_peek_last_error()) !=
			    PEM_R_NO_START_LINE)
				report_error(f->path, "its PEM block %zu is damaged "
				    "(%s)", *number + 1, reason());
			return NULL;
		}
		++*number;
		is_ours = is_certificate(label);
		if (is_ours)
			cert = parse_der(data, len);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
	}
	if (cert == NULL)
		report_error(f->path, "its PEM block %zu is no certificate (%s)",
		    *number, reason());
	return cert;
}

static void read_blocks(const struct file *f, STACK_OF(X509) *certs)
{
	BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
	size_t number = 0;
	X509 *cert;

	if (in == NULL)
		die("out of memory");
	while ((cert = next_certificate(f, in, &number)) != NULL)
		if (!sk_X509_push(certs, cert))
			die("out of memory");
	BIO_free(in);
}

STACK_OF(X509) *certs_read(const char *path)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	const size_t errors = report_count();
	struct file f;

	if (certs == NULL)
		die("out of memory");
	if (file_read(path, &f)) {
		const struct pem_census census = pem_count(&f);

		if (census.certificates == 0)
			report_no_certificate(&f, &census);
		else
			read_blocks(&f, certs);
		/* A line that only begins as a certificate's does. */
		if (report_count() == errors && sk_X509_num(certs) == 0)
			report_error(path, "holds no certificate");
		file_free(&f);
	}
	if (report_count() == errors && sk_X509_num(certs) > 0)
		return certs;
	certs_free(certs);
	return NULL;
}

void certs_free(STACK_OF(X509) *certs)
{
	sk_X509_pop_free(certs, X509_free);
}

/* ---- For people --------------------------------------------------------- */

/* Visible ASCII of UTF-8; a character that is not becomes one '?'. */
static char *visible(const uint8_t *text, size_t len)
{
	char *out = xmalloc(TEXT_LEN_MAX + 1);
	size_t used = 0;

	for (size_t i = 0; i < len && used < TEXT_LEN_MAX; i++) {
		if ((text[i] & 0xc0) == 0x80)
			continue;
		out[used++] = text[i] >= 0x20 && text[i] < 0x7f ? (char)text[i] : '?';
	}
	out[used] = '\0';
	return out;
}

/* The last attribute of a kind in a name (the most specific one), or NULL. */
static char *attribute(const X509_NAME *name, int nid)
{
	uint8_t *utf8 = NULL;
	char *text;
	int at = -1, last = -1, len;

	while ((at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0)
		last = at;
	if (last < 0)
		return NULL;
	len = ASN1_STRING_to_UTF8(&utf8,
	    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
	if (len <= 0)
		return NULL;
	text = visible(utf8, (size_t)len);
	OPENSSL_free(utf8);
	return text;
}

char *cert_subject(X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	char *text = attribute(name, NID_commonName);

	if (text == NULL)
		text = attribute(name, NID_organizationName);
	if (text == NULL) {
		struct names names = cert_names_quietly(cert);
		const char *first = names_next(&names, NULL);

		text = first != NULL ? visible((const uint8_t *)first, strlen(first)) :
		    xstrdup("(no name)");
		names_free(&names);
	}
	return text;
}

char *cert_issuer(X509 *cert)
{
	const X509_NAME *name = X509_get_issuer_name(cert);
	char *organisation = attribute(name, NID_organizationName);
	char *common = attribute(name, NID_commonName);
	char text[2 * TEXT_LEN_MAX + 2] = "(no name)";

	if (organisation != NULL && common != NULL &&
	    strncmp(common, organisation, strlen(organisation)) != 0)
		snprintf(text, sizeof text, "%s %s", organisation, common);
	else if (common != NULL)
		snprintf(text, sizeof text, "%s", common);
	else if (organisation != NULL)
		snprintf(text, sizeof text, "%s", organisation);
	free(organisation);
	free(common);
	text[TEXT_LEN_MAX] = '\0';
	return xstrdup(text);
}

/* Names that people use for what OpenSSL calls otherwise. */
static const char *curve_text(const char *group)
{
	if (strcmp(group, "prime256v1") == 0)
		return "P-256";
	if (strcmp(group, "secp384r1") == 0)
		return "P-384";
	if (strcmp(group, "secp521r1") == 0)
		return "P-521";
	return group;
}

char *key_text(const EVP_PKEY *key)
{
	const char *type = EVP_PKEY_get0_type_name(key);
	char text[100], group[64];
	size_t len;

	if (EVP_PKEY_is_a(key, "EC"))
		snprintf(text, sizeof text, "ECDSA %s",
		    EVP_PKEY_get_group_name(key, group, sizeof group, &len) ?
		    curve_text(group) : "on a curve without a name");
	else if (EVP_PKEY_is_a(key, "ED25519"))
		snprintf(text, sizeof text, "Ed25519");
	else if (EVP_PKEY_is_a(key, "ED448"))
		snprintf(text, sizeof text, "Ed448");
	else
		snprintf(text, sizeof text, "%s %d", type == NULL ? "?" : type,
		    EVP_PKEY_get_bits(key));
	return xstrdup(text);
}

static bool unix_time(const ASN1_TIME *time, int64_t *out)
{
	struct tm parts;

	if (!ASN1_TIME_to_tm(time, &parts))
		return false;
	*out = timegm(&parts);
	if (*out < 0)
		*out = 0;
	return true;
}

bool cert_validity(X509 *cert, int64_t *not_before, int64_t *not_after)
{
	return unix_time(X509_get0_notBefore(cert), not_before) &&
	    unix_time(X509_get0_notAfter(cert), not_after);
}

const char *date_text(int64_t when, char out[DATE_TEXT_CAP])
{
	const time_t seconds = (time_t)when;
	struct tm parts;

	if (gmtime_r(&seconds, &parts) == NULL ||
	    strftime(out, DATE_TEXT_CAP, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
		snprintf(out, DATE_TEXT_CAP, "second %lld", (long long)when);
	return out;
}

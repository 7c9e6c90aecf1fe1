/* Contract: file.h. */
#include "tls/mkinstance/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "tls/mkinstance/report.h"

/* Returns the bytes read, FILE_LEN_MAX + 1 if there are more, or -1. */
static ssize_t read_all(int fd, uint8_t *bytes)
{
	size_t len = 0;

	while (len <= FILE_LEN_MAX) {
		const ssize_t done = read(fd, bytes + len, FILE_LEN_MAX + 1 - len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		if (done == 0)
			break;
		len += (size_t)done;
	}
	return (ssize_t)len;
}

bool file_read(const char *path, struct file *out)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	ssize_t len;

	if (fd < 0) {
		report_error(path, "%s", strerror(errno));
		return false;
	}
	*out = (struct file){ .path = path, .bytes = xmalloc(FILE_LEN_MAX + 2) };
	len = read_all(fd, out->bytes);
	if (len < 0)
		report_error(path, "%s", strerror(errno));
	else if (len == 0)
		report_error(path, "is empty");
	else if (len > (ssize_t)FILE_LEN_MAX)
		report_error(path, "is longer than any certificate or key");
	out->len = len < 0 ? 0 : (size_t)len;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		out->mode = info.st_mode;
	close(fd);
	if (len > 0 && len <= (ssize_t)FILE_LEN_MAX) {
		out->bytes[len] = '\0';
		return true;
	}
	file_free(out);
	return false;
}

void file_free(struct file *f)
{
	OPENSSL_cleanse(f->bytes, FILE_LEN_MAX + 2);
	free(f->bytes);
	f->bytes = NULL;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	const size_t end_len = strlen(end);

	return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

static void count_label(struct pem_census *c, const char *label, size_t len)
{
	if (ends_with(label, len, "TRUSTED CERTIFICATE")) {
		c->trusted++;
	} else if (ends_with(label, len, "CERTIFICATE REQUEST")) {
		c->requests++;
	} else if (ends_with(label, len, "CERTIFICATE")) {
		c->certificates++;
	} else if (ends_with(label, len, "OPENSSH PRIVATE KEY")) {
		c->openssh++;
	} else if (ends_with(label, len, "PRIVATE KEY")) {
		c->private_keys++;
	} else if (ends_with(label, len, "PUBLIC KEY")) {
		c->public_keys++;
	} else if (ends_with(label, len, "PKCS7")) {
		c->pkcs7++;
	} else if (!ends_with(label, len, "PARAMETERS")) {
		c->others++;
	}
}

struct pem_census pem_count(const struct file *f)
{
	static const char begin[] = "-----BEGIN ";
	struct pem_census c = { 0 };
	size_t off = 0;

	while (off < f->len) {
		const char *const line = (const char *)f->bytes + off;
		const char *const end = memchr(line, '\n', f->len - off);
		const size_t len = end == NULL ? f->len - off : (size_t)(end - line);

		if (len > sizeof begin && memcmp(line, begin, sizeof begin - 1) == 0) {
			const char *const label = line + sizeof begin - 1;
			const char *const dash = memchr(label, '-',
			    len - (sizeof begin - 1));

			if (dash != NULL)
				count_label(&c, label, (size_t)(dash - label));
		}
		off += len + 1;
	}
	return c;
}

static bool is_pem(const struct pem_census *c)
{
	return c->certificates + c->private_keys + c->public_keys + c->requests +
	    c->pkcs7 + c->trusted + c->openssh + c->others > 0;
}

/* The command that turns a file without PEM blocks into one, or NULL. */
static const char *der_to_pem(const struct file *f)
{
	const uint8_t *p = f->bytes;
	X509 *const cert = d2i_X509(NULL, &p, (long)f->len);
	PKCS12 *const p12 = (p = f->bytes, d2i_PKCS12(NULL, &p, (long)f->len));
	PKCS7 *const p7 = (p = f->bytes, d2i_PKCS7(NULL, &p, (long)f->len));
	EVP_PKEY *const key =
	    (p = f->bytes, d2i_AutoPrivateKey(NULL, &p, (long)f->len));
	X509_SIG *const sealed = (p = f->bytes, d2i_X509_SIG(NULL, &p, (long)f->len));
	const char *command = NULL;

	if (cert != NULL)
		command = "a certificate in DER form; convert it: "
		    "openssl x509 -inform DER -in OLD -out NEW";
	else if (p12 != NULL)
		command = "PKCS #12; convert it: openssl pkcs12 -in OLD -nokeys "
		    "-out fullchain.pem; openssl pkcs12 -in OLD -nocerts -noenc "
		    "-out key.pem";
	else if (p7 != NULL)
		command = "PKCS #7 in DER form; convert it: openssl pkcs7 "
		    "-inform DER -in OLD -print_certs -out NEW";
	else if (key != NULL || sealed != NULL)
		command = "a private key in DER form; convert it: "
		    "openssl pkey -inform DER -in OLD -out NEW";
	X509_free(cert);
	PKCS12_free(p12);
	PKCS7_free(p7);
	EVP_PKEY_free(key);
	X509_SIG_free(sealed);
	return command;
}

static void report_not_pem(const struct file *f)
{
	const char *command = der_to_pem(f);

	if (command != NULL)
		report_error(f->path, "is %s", command);
	else
		report_error(f->path, "is not PEM: no line begins with -----BEGIN");
}

void report_no_certificate(const struct file *f, const struct pem_census *c)
{
	if (!is_pem(c))
		report_not_pem(f);
	else if (c->private_keys > 0)
		report_error(f->path, "holds a private key and no certificate: "
		    "are CERT and KEY swapped?");
	else if (c->requests > 0)
		report_error(f->path, "is a certificate request; a certificate is "
		    "what the authority answers to it");
	else if (c->trusted > 0)
		report_error(f->path, "is in OpenSSL's own form; convert it: "
		    "openssl x509 -in OLD -out NEW");
	else if (c->pkcs7 > 0)
		report_error(f->path, "is PKCS #7; convert it: "
		    "openssl pkcs7 -in OLD -print_certs -out NEW");
	else
		report_error(f->path, "holds no certificate");
}

void report_no_key(const struct file *f, const struct pem_census *c)
{
	if (!is_pem(c))
		report_not_pem(f);
	else if (c->certificates > 0)
		report_error(f->path, "holds a certificate and no private key: "
		    "are CERT and KEY swapped?");
	else if (c->public_keys > 0)
		report_error(f->path, "holds a public key only; "
		    "the private key is needed");
	else if (c->openssh > 0)
		report_error(f->path, "is in OpenSSH's own form; convert it: "
		    "ssh-keygen -p -m PEM -f FILE");
	else
		report_error(f->path, "holds no private key");
}

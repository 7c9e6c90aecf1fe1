/* Contract: key.h. */
#include "tls/mkinstance/key.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/mkinstance/cert.h"
#include "tls/mkinstance/file.h"
#include "tls/mkinstance/report.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define RSA_BITS_STEP 16

#define SUPPORTED "ECDSA P-256, ECDSA P-384, and RSA of 2048 to 4096 bits"

/* ---- Reading ------------------------------------------------------------ */

/* What the pass phrase's question needs to know, and tells. */
struct question {
	const char *path;
	bool asked;
	bool no_terminal;
};

static bool have_terminal(void)
{
	const int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* OpenSSL's callback: returns the length, or -1. */
static int ask(char *out, int cap, int for_writing, void *data)
{
	struct question *const q = data;
	char prompt[256];

	(void)for_writing;
	q->asked = true;
	q->no_terminal = !have_terminal();
	if (q->no_terminal)
		return -1;
	snprintf(prompt, sizeof prompt, "pass phrase of %s: ", q->path);
	for (char *c = prompt; *c != '\0'; c++)
		if ((uint8_t)*c < 0x20 || *c == 0x7f)
			*c = '?';
	if (EVP_read_pw_string_min(out, 0, cap, prompt, 0) != 0)
		return -1;
	return (int)strlen(out);
}

/* The one private key among whatever blocks there are. */
static EVP_PKEY *decode(const struct file *f)
{
	BIO *in = BIO_new_mem_buf(f->bytes, (int)f->len);
	struct question q = { .path = f->path };
	EVP_PKEY *key;
	const char *reason;

	if (in == NULL)
		die("out of memory");
	ERR_clear_error();
	key = PEM_read_bio_PrivateKey(in, NULL, ask, &q);
	BIO_free(in);
	if (key != NULL)
		return key;

	reason = ERR_reason_error_string(ERR_peek_error());
	if (q.no_terminal)
		report_error(f->path, "is encrypted, and there is no terminal to ask "
		    "for the pass phrase; decrypt it first: "
		    "openssl pkey -in OLD -out NEW");
	else if (q.asked)
		report_error(f->path, "cannot be decrypted: "
		    "the pass phrase is wrong, or the file damaged");
	else
		report_error(f->path, "the private key in it is damaged (%s)",
		    reason == NULL ? "unknown reason" : reason);
	return NULL;
}

/* ---- What is supported -------------------------------------------------- */

static bool is_group(const EVP_PKEY *key, const char *name)
{
	char group[64];
	size_t len;

	return EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof group, &len) &&
	    strcmp(group, name) == 0;
}

/* NULL when the key has no such number. */
static BIGNUM *number(const EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;

	return EVP_PKEY_get_bn_param(key, name, &n) ? n : NULL;
}

static int number_bits(const EVP_PKEY *key, const char *name)
{
	BIGNUM *n = number(key, name);
	const int bits = n == NULL ? 0 : BN_num_bits(n);

	BN_clear_free(n);
	return bits;
}

/* NULL, or why the vault cannot use this RSA key. */
static const char *rsa_problem(const EVP_PKEY *key)
{
	const int bits = EVP_PKEY_get_bits(key);
	const int p = number_bits(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
	const int q = number_bits(key, OSSL_PKEY_PARAM_RSA_FACTOR2);

	if (bits < RSA_BITS_MIN)
		return "too short: clients refuse less than 2048 bits";
	if (bits > RSA_BITS_MAX)
		return "too long: 4096 bits are the most that is supported";
	if (bits % RSA_BITS_STEP != 0)
		return "of a length that is no multiple of 16 bits, "
		    "which is not supported";
	if (number_bits(key, OSSL_PKEY_PARAM_RSA_FACTOR3) > 0)
		return "made of more than two primes, which is not supported";
	if (p == 0 || q == 0)
		return "without its primes, which are needed";
	if (p != q || 2 * p != bits)
		return "made of primes of different length, which is not supported";
	if (number_bits(key, OSSL_PKEY_PARAM_RSA_E) > 32)
		return "one with a public exponent of more than 32 bits, "
		    "which is not supported";
	return NULL;
}

static bool check_supported(const char *path, const EVP_PKEY *key)
{
	const char *problem;
	char *text;

	if (is_group(key, "prime256v1") || is_group(key, "secp384r1"))
		return true;
	text = key_text(key);
	if (EVP_PKEY_is_a(key, "RSA")) {
		problem = rsa_problem(key);
		if (problem != NULL)
			report_error(path, "is an %s key, %s", text, problem);
	} else {
		problem = "unsupported";
		report_error(path, "is a key of type %s; supported are " SUPPORTED,
		    text);
	}
	free(text);
	return problem == NULL;
}

/* Do its parts belong together?  A wrong one would give the key away. */
static bool check_consistent(const char *path, EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	const bool good = ctx != NULL && EVP_PKEY_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	if (!good)
		report_error(path, "the private key in it is damaged: "
		    "its parts do not belong together");
	return good;
}

EVP_PKEY *key_read(const char *path)
{
	struct pem_census census;
	EVP_PKEY *key = NULL;
	struct file f;

	if (!file_read(path, &f))
		return NULL;
	census = pem_count(&f);
	if (census.private_keys == 0)
		report_no_key(&f, &census);
	else if (census.private_keys > 1)
		report_error(path, "holds %zu private keys; one is needed",
		    census.private_keys);
	else
		key = decode(&f);
	if (key != NULL && (f.mode & 004) != 0)
		report_warning(path, "everybody on this machine can read this "
		    "private key; chmod 600 is usual");
	file_free(&f);

	if (key != NULL &&
	    (!check_supported(path, key) || !check_consistent(path, key))) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* ---- The record --------------------------------------------------------- */

enum bundle_key_kind key_kind(const EVP_PKEY *key)
{
	if (is_group(key, "prime256v1"))
		return BUNDLE_KEY_P256;
	return is_group(key, "secp384r1") ? BUNDLE_KEY_P384 : BUNDLE_KEY_RSA;
}

uint32_t key_bits(const EVP_PKEY *key)
{
	return (uint32_t)EVP_PKEY_get_bits(key);
}

/* A number of the key, big-endian, at the end of its field. */
static void put_number(const EVP_PKEY *key, const char *name, uint8_t *out,
    size_t cap)
{
	BIGNUM *n = number(key, name);

	ASSERT(n != NULL && BN_bn2binpad(n, out, (int)cap) == (int)cap);
	BN_clear_free(n);
}

void key_record(const EVP_PKEY *key, struct bundle_key *out)
{
	BIGNUM *e;

	memset(out, 0, sizeof *out);
	out->kind = key_kind(key);
	out->bits = key_bits(key);
	if (out->kind != BUNDLE_KEY_RSA) {
		put_number(key, OSSL_PKEY_PARAM_PRIV_KEY, out->x, sizeof out->x);
		return;
	}
	e = number(key, OSSL_PKEY_PARAM_RSA_E);
	ASSERT(e != NULL);
	out->public_exponent = (uint32_t)BN_get_word(e);
	BN_free(e);
	put_number(key, OSSL_PKEY_PARAM_RSA_FACTOR1, out->rsa.p, sizeof out->rsa.p);
	put_number(key, OSSL_PKEY_PARAM_RSA_FACTOR2, out->rsa.q, sizeof out->rsa.q);
	put_number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1, out->rsa.dp,
	    sizeof out->rsa.dp);
	put_number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2, out->rsa.dq,
	    sizeof out->rsa.dq);
	put_number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, out->rsa.iq,
	    sizeof out->rsa.iq);
	put_number(key, OSSL_PKEY_PARAM_RSA_N, out->rsa.n, sizeof out->rsa.n);
}

/*
 * Files as they come in, and what is in them in the large: PEM blocks, or one of
 * the forms that people have instead.  Whatever is read may hold a key, so it is
 * wiped when it is let go.
 */
#pragma once

#include <sys/types.h>

#include "config/base.h"

/* No certificate or key file is longer; a whole trust store is. */
#define FILE_LEN_MAX (1u << 20)

struct file {
	const char *path;
	uint8_t *bytes;        /* len bytes and a NUL */
	size_t len;
	mode_t mode;           /* 0 for what is no regular file, as a pipe */
};

/*
 * Read a whole file.  Errors (missing, unreadable, a folder, empty, too long) are
 * reported.  On true the caller ends with file_free(), which wipes.
 */
MUST_USE bool file_read(const char *path, struct file *out);
void file_free(struct file *f);

/* What the PEM blocks of a file are, counted by their labels; nothing is decoded. */
struct pem_census {
	size_t certificates;
	size_t private_keys;
	size_t public_keys;
	size_t requests;
	size_t pkcs7;
	size_t trusted;            /* OpenSSL's own form of certificates */
	size_t openssh;            /* keys in OpenSSH's own form */
	size_t others;
};

struct pem_census pem_count(const struct file *f);

/*
 * Report why a file that has no certificate (or no private key) has none, and what
 * a person can do: it is another kind of PEM, or DER, or nothing we know.
 */
void report_no_certificate(const struct file *f, const struct pem_census *c);
void report_no_key(const struct file *f, const struct pem_census *c);

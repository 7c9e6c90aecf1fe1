/*
 * One certificate: reading it, saying it to a person, and what is wrong with it
 * whatever chain it is in.
 */
#pragma once

#include <openssl/x509.h>

#include "config/base.h"

/*
 * Read the certificates of a PEM file, in its order; other blocks are passed over.
 * Errors are reported, and NULL is returned; else at least one certificate, to be
 * freed with certs_free().
 */
MUST_USE STACK_OF(X509) *certs_read(const char *path);
void certs_free(STACK_OF(X509) *certs);

/*
 * A name for people, in visible ASCII (other characters become '?'), at most 100
 * characters, to be freed by the caller.
 *
 * cert_subject    common name, else organisation, else the first DNS name
 * cert_issuer     organisation and common name: "Let's Encrypt R11"
 */
char *cert_subject(X509 *cert);
char *cert_issuer(X509 *cert);

/* "ECDSA P-256", "RSA 2048", "Ed25519"; to be freed by the caller. */
char *key_text(const EVP_PKEY *key);

/* Unix seconds, 0 for what is before 1970; false for what is no date. */
MUST_USE bool cert_validity(X509 *cert, int64_t *not_before, int64_t *not_after);

/* "2026-03-01 12:00:00 UTC" */
#define DATE_TEXT_CAP 32
const char *date_text(int64_t when, char out[DATE_TEXT_CAP]);

/* True when the one was made with the other's key. */
MUST_USE bool cert_issued_by(X509 *cert, X509 *issuer);

/*
 * Report what is wrong with a certificate that will be sent.
 *
 * now    Unix seconds
 */
void cert_check(const char *path, X509 *cert, int64_t now);

/*
 * Report what is wrong with an end-entity certificate as a server's.
 */
void cert_check_server(const char *path, X509 *cert, int64_t now);

/*
 * Private keys: reading a file, and the fixed layout that the vault in ring 0 takes
 * (config/bundle.h).  What is secret stays in OpenSSL's objects, which wipe
 * themselves, and in the record, which its owner wipes.
 */
#pragma once

#include <openssl/evp.h>

#include "config/bundle.h"

/*
 * Read the private key of a PEM file.  Asks on the terminal for the pass phrase of
 * an encrypted one.  Errors are reported - also for keys that no bundle takes - and
 * NULL is returned; else the caller ends with EVP_PKEY_free().
 */
MUST_USE EVP_PKEY *key_read(const char *path);

/* The kind and length of a key that key_read() or keys_generate() gave. */
enum bundle_key_kind key_kind(const EVP_PKEY *key);
uint32_t key_bits(const EVP_PKEY *key);

/* Fill the record of a key that key_read() has let pass. */
void key_record(const EVP_PKEY *key, struct bundle_key *out);

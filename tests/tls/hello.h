/*
 * ClientHello messages put together by hand, right ones and wrong ones.
 */
#pragma once

#include "config/base.h"

struct hello {
	uint16_t record_version;    /* 0x0301 if 0 */
	uint16_t version;           /* 0x0303 if 0 */
	uint8_t session_id_len;     /* so many bytes of it follow, whatever 32 says to that */
	const char *suites;         /* on the wire, without length; an ordinary list if NULL */
	size_t suites_len;
	const char *compression;    /* with length; "\1\0" if NULL */
	size_t compression_len;
	bool no_signatures;         /* else SHA-256 with ECDSA and RSA */
	bool no_curves;             /* else X25519, P-256, P-384 */
	const char *extensions;     /* further ones, on the wire */
	size_t extensions_len;
	const char *behind;         /* bytes of the message behind the extensions */
	size_t behind_len;
};

/* A literal and its length, as the two fields want it. */
#define HELLO_BYTES(name, literal) .name = (literal), .name##_len = sizeof(literal) - 1

/* Write the message as one record.  Returns its length, 4096 at most. */
size_t hello_make(const struct hello *hello, uint8_t *record);

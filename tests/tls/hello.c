/* Contract: hello.h. */
#include "tests/tls/hello.h"

#include <string.h>

/* ECDSA and RSA with AES-128-GCM, and the empty renegotiation_info. */
static const char ordinary_suites[] = "\xc0\x2b\xc0\x2f\x00\xff";
static const char signatures[] = "\x00\x0d\x00\x06\x00\x04\x04\x03\x04\x01";
static const char curves[] = "\x00\x0a\x00\x08\x00\x06\x00\x1d\x00\x17\x00\x18";

static uint8_t *add(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *add_be16(uint8_t *at, size_t value)
{
	store_be16(at, (uint16_t)value);
	return at + 2;
}

static uint8_t *add_extensions(uint8_t *at, const struct hello *hello)
{
	uint8_t *const length = at;

	at += 2;
	if (!hello->no_signatures)
		at = add(at, signatures, sizeof signatures - 1);
	if (!hello->no_curves)
		at = add(at, curves, sizeof curves - 1);
	if (hello->extensions != NULL)
		at = add(at, hello->extensions, hello->extensions_len);
	add_be16(length, (size_t)(at - length) - 2);
	return at;
}

size_t hello_make(const struct hello *hello, uint8_t *record)
{
	uint8_t *const message = record + 5;
	uint8_t *at = message + 4;

	at = add_be16(at, hello->version != 0 ? hello->version : 0x0303);
	memset(at, 0x5a, 32);
	at += 32;
	*at++ = hello->session_id_len;
	memset(at, 0xa5, hello->session_id_len);
	at += hello->session_id_len;
	if (hello->suites != NULL) {
		at = add_be16(at, hello->suites_len);
		at = add(at, hello->suites, hello->suites_len);
	} else {
		at = add_be16(at, sizeof ordinary_suites - 1);
		at = add(at, ordinary_suites, sizeof ordinary_suites - 1);
	}
	if (hello->compression != NULL)
		at = add(at, hello->compression, hello->compression_len);
	else
		at = add(at, "\x01\x00", 2);
	at = add_extensions(at, hello);
	if (hello->behind != NULL)
		at = add(at, hello->behind, hello->behind_len);

	message[0] = 1;
	message[1] = 0;
	store_be16(message + 2, (uint16_t)(at - message - 4));
	record[0] = 22;
	store_be16(record + 1, hello->record_version != 0 ?
	    hello->record_version : 0x0301);
	store_be16(record + 3, (uint16_t)(at - message));
	return (size_t)(at - record);
}

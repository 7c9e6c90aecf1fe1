/* links: kernel/bundle.c tests/host_panic.c @bearssl_hash */
/*
 * The kernel's check of an instance bundle that can be anything.
 *
 * A bundle that is accepted keeps what the kernel then relies on without
 * looking again: the parts cover it without gaps or overlap, each key record is
 * one that the vault can use, the settings fit before a command line.
 *
 * Input: a bundle.  Its digest is put right first, or nothing would get behind
 * it; and half of the mutations put the header right, too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bearssl_hash.h>

#include "config/limits.h"
#include "kernel/bundle.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t cap);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t cap, unsigned seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Longer inputs say nothing that shorter ones do not. */
#define LEN_MAX (24 * BUNDLE_PAGE)

/* Whole pages, and a header that says where the parts are: one page is public. */
static size_t repair(uint8_t *data, size_t len, size_t cap, unsigned seed)
{
	struct bundle_header header;
	const size_t pages = (len + BUNDLE_PAGE - 1) / BUNDLE_PAGE * BUNDLE_PAGE;

	if (pages > cap || pages < 2 * BUNDLE_PAGE)
		return len;
	memset(data + len, 0, pages - len);
	memcpy(&header, data, sizeof header);
	memcpy(header.magic, BUNDLE_MAGIC, sizeof header.magic);
	header.version = BUNDLE_VERSION;
	header.public_off = header.public_len = BUNDLE_PAGE;
	header.secret_off = 2 * BUNDLE_PAGE;
	header.secret_len = (uint32_t)pages - 2 * BUNDLE_PAGE;
	header.key_count = header.secret_len / (uint32_t)sizeof(struct bundle_key);
	if (header.key_count > 0)
		header.key_count -= seed / 2 % 2;
	memcpy(data, &header, sizeof header);
	return pages;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t cap, unsigned seed)
{
	len = LLVMFuzzerMutate(data, len, cap);
	return seed % 2 == 0 ? repair(data, len, cap, seed) : len;
}

static void put_digest(uint8_t *bytes, size_t len)
{
	struct bundle_header *header = (void *)bytes;
	br_sha256_context hash;

	if (len < BUNDLE_PAGE)
		return;
	memset(header->sha256, 0, sizeof header->sha256);
	br_sha256_init(&hash);
	br_sha256_update(&hash, bytes, len);
	br_sha256_out(&hash, header->sha256);
}

static void check_keys(const uint8_t *bytes)
{
	const struct bundle_header *header = (const void *)bytes;
	const struct bundle_key *keys = (const void *)(bytes + header->secret_off);

	for (uint32_t i = 0; i < header->key_count; i++) {
		const struct bundle_key *key = &keys[i];

		ASSERT(key->kind >= BUNDLE_KEY_P256 && key->kind <= BUNDLE_KEY_RSA);
		if (key->kind != BUNDLE_KEY_RSA) {
			ASSERT(key->bits == (key->kind == BUNDLE_KEY_P256 ? 256 : 384));
			continue;
		}
		ASSERT(key->bits >= 2048 && key->bits <= 4096 && key->bits % 16 == 0);
		ASSERT(key->rsa.n[sizeof key->rsa.n - key->bits / 8] >= 0x80);
		ASSERT(key->rsa.p[255] & key->rsa.q[255] & 1);
	}
}

static void check_settings(const uint8_t *bytes)
{
	const struct bundle_header *header = (const void *)bytes;
	const size_t len = strnlen(header->settings, BUNDLE_SETTINGS_CAP);
	char cmdline[BUNDLE_SETTINGS_CAP + 3] = "ab";

	ASSERT(len < BUNDLE_SETTINGS_CAP);
	ASSERT(bundle_put_settings(bytes, cmdline, sizeof cmdline) == NULL);
	ASSERT(memcmp(cmdline, header->settings, len) == 0);
	ASSERT(strcmp(cmdline + len, len == 0 ? "ab" : " ab") == 0);
}

static void check_parts(const uint8_t *bytes, size_t len)
{
	const struct bundle_header *header = (const void *)bytes;

	ASSERT(header->public_off == BUNDLE_PAGE && header->public_len > 0);
	ASSERT(header->public_off + header->public_len == header->secret_off);
	ASSERT(header->secret_off + header->secret_len == len);
	ASSERT(header->key_count * sizeof(struct bundle_key) <= header->secret_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *bytes;

	if (len > LEN_MAX)
		return 0;
	/* Of its own, so that a byte read behind its end is seen. */
	bytes = malloc(len);
	ASSERT(bytes != NULL);
	memcpy(bytes, data, len);
	put_digest(bytes, len);
	if (bundle_check(bytes, len) == NULL) {
		check_parts(bytes, len);
		check_keys(bytes);
		check_settings(bytes);
	}
	free(bytes);
	return 0;
}

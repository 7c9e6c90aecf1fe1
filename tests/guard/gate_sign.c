/*
 * Signatures through the gate: what is asked for wrongly is refused with the
 * right status, and a refused call changes nothing.  Right ones are RFC 6979's,
 * and OpenSSL's for RSA.  A machine whose bundle is no good does not start.
 *
 * case refused instance=keys: signatures refused as they should
 * case without: no bundle, no signature
 * case p256 instance=keys: signature efd48b2aacb6a8fd[0-9a-f]{96}4dc4ab2f843acda8\n
 * case p384 instance=keys: signature 94edbb92a5ecb8aa[0-9a-f]{162}82c71a38628ac8\n
 * case rsa instance=keys: signature 17d6e9c8136b4a6c[0-9a-f]{478}a833ac36018485a6e6\n
 * case pss instance=keys: signature [0-9a-f]{512}\n
 * case places instance=keys: signatures in odd places
 * case bundle instance=keys: the bundle is where it should be
 * case settings instance=poweroff on-crash=none: SERVER CRASH[\s\S]*stele: on-crash=poweroff\n
 * case huge instance=huge: a long bundle
 * case damaged instance=damaged: cannot start: the instance bundle is damaged: its digest
 * case no_bundle instance=one_byte: cannot start: the instance bundle is cut off
 */
#include "config/bundle.h"
#include "config/limits.h"
#include "tests/guard/guard.h"

#define PAGE 4096ULL

enum { KEY_P256, KEY_P384, KEY_RSA, KEYS };

static struct gate_sign block;

/* SHA-256 and SHA-384 of "sample", as in RFC 6979. */
static const uint8_t sample_256[32] = {
	0xaf, 0x2b, 0xdb, 0xe1, 0xaa, 0x9b, 0x6e, 0xc1, 0xe2, 0xad, 0xe1, 0xd6,
	0x94, 0xf4, 0x1f, 0xc7, 0x1a, 0x83, 0x1d, 0x02, 0x68, 0xe9, 0x89, 0x15,
	0x62, 0x11, 0x3d, 0x8a, 0x62, 0xad, 0xd1, 0xbf,
};
static const uint8_t sample_384[48] = {
	0x9a, 0x90, 0x83, 0x50, 0x5b, 0xc9, 0x22, 0x76, 0xae, 0xc4, 0xbe, 0x31,
	0x26, 0x96, 0xef, 0x7b, 0xf3, 0xbf, 0x60, 0x3f, 0x4b, 0xbd, 0x38, 0x11,
	0x96, 0xa0, 0x29, 0xf3, 0x40, 0x58, 0x53, 0x12, 0x31, 0x3b, 0xca, 0x4a,
	0x9b, 0x5b, 0x89, 0x0e, 0xfe, 0xe4, 0x2c, 0x77, 0xb1, 0xee, 0x25, 0xfe,
};

/* A block whose every byte that is not asked about is 0x5a. */
static void ask(uint32_t key, uint32_t algorithm, uint32_t digest_len)
{
	memset(&block, 0x5a, sizeof block);
	block.key = key;
	block.algorithm = algorithm;
	block.digest_len = digest_len;
	memcpy(block.digest, digest_len == 48 ? sample_384 : sample_256,
	    digest_len == 48 ? 48 : 32);
}

static void expect(struct gate_sign *at, enum gate_status want, const char *what)
{
	if (gate_sign(at) != want)
		survived(what);
}

static void refused(uint32_t key, uint32_t algorithm, uint32_t digest_len,
    const char *what)
{
	struct gate_sign before;

	ask(key, algorithm, digest_len);
	before = block;
	expect(&block, GATE_BAD_VALUE, what);
	if (memcmp(&before, &block, sizeof block) != 0)
		survived("a refused signature that wrote");
}

static void try_values(uint32_t key_count)
{
	static const uint32_t lengths[] = { 0, 1, 20, 31, 33, 48, 63, 64, 65, 512,
	    0xffffffff, 32 + (1u << 16) };

	for (unsigned i = 0; i < 32; i++)
		refused(key_count + (1u << i) - 1, GATE_SIGN_ECDSA_SHA256, 32, "key");
	refused(0xffffffff, GATE_SIGN_ECDSA_SHA256, 32, "key -1");
	for (uint32_t a = 0; a < 300; a++)
		if (a == 0 || a > GATE_SIGN_RSA_PSS_SHA512)
			for (uint32_t key = 0; key < KEYS; key++)
				refused(key, a, 32, "algorithm");
	refused(0, 0x10001, 32, "algorithm");
	refused(0, 0xffffffff, 32, "algorithm -1");
	for (uint32_t a = GATE_SIGN_RSA_PKCS1_SHA256; a <= GATE_SIGN_RSA_PSS_SHA512; a++) {
		refused(KEY_P256, a, 32 + (a - 1) % 3 * 16, "RSA with a P-256 key");
		refused(KEY_P384, a, 32 + (a - 1) % 3 * 16, "RSA with a P-384 key");
	}
	for (uint32_t a = 1; a <= GATE_SIGN_ECDSA_SHA512; a++)
		refused(KEY_RSA, a, 16 + a * 16, "ECDSA with an RSA key");
	for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
		refused(KEY_P256, GATE_SIGN_ECDSA_SHA256, lengths[i], "digest length");
		refused(KEY_RSA, GATE_SIGN_RSA_PSS_SHA256, lengths[i], "digest length");
	}
	refused(KEY_P384, GATE_SIGN_ECDSA_SHA384, 32, "digest too short");
	refused(KEY_P384, GATE_SIGN_ECDSA_SHA512, 48, "digest too short");
}

/* Blocks that are not all in memory that can be written. */
static void try_addresses(const struct gate_info *info)
{
	uint8_t *const end = info->pool + info->pool_len;
	struct gate_sign *const nowhere[] = {
		NULL, (void *)8, (void *)~0ULL, (void *)(0ULL - sizeof block),
		(void *)(1ULL << 47), (void *)0xffff800000000000,
		(void *)info->rom, (void *)(info->rom + info->rom_len - sizeof block),
		(void *)info, (void *)info->bundle,
		(void *)(info->bundle + info->bundle_len - sizeof block),
		(void *)(info->bundle + info->bundle_len), (void *)server_main,
		(void *)sample_384, (void *)(end - sizeof block + 1), (void *)end,
		(void *)(info->pool - 1), (void *)(info->keep + GATE_KEEP_LEN - 8),
	};

	for (unsigned i = 0; i < ARRAY_LEN(nowhere); i++)
		expect(nowhere[i], GATE_BAD_RANGE, "a block elsewhere");
}

static void try_refused(const struct gate_info *info)
{
	if (info->key_count != KEYS)
		survived("without keys");
	try_values(info->key_count);
	try_addresses(info);
	ask(KEY_P256, GATE_SIGN_ECDSA_SHA256, 32);
	expect(&block, GATE_OK, "a right one");
	say("signatures refused as they should\n");
}

static void try_without(const struct gate_info *info)
{
	if (info->key_count != 0 || info->bundle != NULL || info->bundle_len != 0)
		survived("a bundle from nowhere");
	try_values(0);
	expect(NULL, GATE_BAD_RANGE, "a block elsewhere");
	say("no bundle, no signature\n");
}

static void say_hex(const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * GATE_SIGNATURE_MAX + 1];

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\n';
	say("signature ");
	ASSERT(gate_log(text, 2 * len + 1) == GATE_OK);
}

/* What is signed is said; nothing else of the block changes. */
static void sign(uint32_t key, uint32_t algorithm, uint32_t digest_len,
    uint32_t signature_len)
{
	struct gate_sign before;

	ask(key, algorithm, digest_len);
	before = block;
	expect(&block, GATE_OK, "a signature");
	if (block.signature_len != signature_len)
		survived("a signature of another length");
	for (size_t i = signature_len; i < sizeof block.signature; i++)
		if (block.signature[i] != 0x5a)
			survived("a signature that wrote behind its end");
	before.signature_len = block.signature_len;
	if (memcmp(&before, &block, offsetof(struct gate_sign, signature)) != 0)
		survived("a signature that changed what was asked");
	say_hex(block.signature, signature_len);
}

/* Any alignment, over a page's edge, at the very end, in memory the NIC writes to. */
static void try_places(const struct gate_info *info)
{
	uint8_t *const at[] = {
		info->pool + 1, info->pool + PAGE - 100,
		info->pool + info->pool_len - sizeof block, info->rx_base + 3,
		info->keep, info->keep + GATE_KEEP_LEN - sizeof block,
	};

	ask(KEY_P256, GATE_SIGN_ECDSA_SHA256, 32);
	const struct gate_sign asked = block;

	expect(&block, GATE_OK, "a signature");
	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		memcpy(at[i], &asked, sizeof asked);
		expect((void *)at[i], GATE_OK, "a signature in an odd place");
		if (memcmp(at[i], &block, sizeof block) != 0)
			survived("another signature in another place");
	}
	say("signatures in odd places\n");
}

/* Readable by the server and by gate_log(); the NIC may not have it. */
static void try_bundle(const struct gate_info *info)
{
	static const char first[] = "from-the=bundle ";
	static struct gate_net net;

	if (memcmp(info->cmdline, first, strlen(first)) != 0)
		survived("without the bundle's settings in front");
	if (info->bundle_len != PAGE || info->key_kind[KEY_P256] != BUNDLE_KEY_P256 ||
	    info->key_bits[KEY_P384] != 384 || info->key_bits[KEY_RSA] != 2048)
		survived("without what the bundle says");
	for (size_t i = 0; i < info->bundle_len; i++)
		if (info->bundle[i] != 0)
			survived("another public part");
	if (gate_log(info->bundle, 1) != GATE_OK ||
	    gate_random((void *)info->bundle, 1) != GATE_BAD_RANGE)
		survived("other rights to the bundle");
	net.tx_count = net.slice_count = net.tx[0].slice_count = 1;
	net.slices[0] = (struct gate_slice){ .addr = info->bundle, .len = 64 };
	if (gate_net(&net) != GATE_BAD_RANGE)
		survived("a frame out of the bundle");
	say("the bundle is where it should be\n");
}

void server_main(const struct gate_info *info)
{
	if (case_is(info, "refused"))
		try_refused(info);
	if (case_is(info, "without"))
		try_without(info);
	if (case_is(info, "p256"))
		sign(KEY_P256, GATE_SIGN_ECDSA_SHA256, 32, 64);
	if (case_is(info, "p384"))
		sign(KEY_P384, GATE_SIGN_ECDSA_SHA384, 48, 96);
	if (case_is(info, "rsa"))
		sign(KEY_RSA, GATE_SIGN_RSA_PKCS1_SHA256, 32, 256);
	if (case_is(info, "pss"))
		sign(KEY_RSA, GATE_SIGN_RSA_PSS_SHA384, 48, 256);
	if (case_is(info, "places"))
		try_places(info);
	if (case_is(info, "bundle"))
		try_bundle(info);
	if (case_is(info, "settings"))
		panic("on purpose");
	if (case_is(info, "huge") && info->bundle_len == LIMIT_BUNDLE_LEN - PAGE)
		say("a long bundle\n");
	end();
}

/*
 * Checks of the instance bundle; the manual is bundle.h, the format
 * config/bundle.h.
 *
 * Constant time: everything that reads a private number runs over all of its
 * bytes, without a branch or an index that depends on them, up to the verdict.
 * Whether a bundle is refused, and for which reason, is no secret.
 */
#include "kernel/bundle.h"

#include <string.h>

#include <bearssl_hash.h>

#include "config/limits.h"
#include "config/wipe.h"

#define SHA256_LEN 32
#define LIMBS_MAX (sizeof(((struct bundle_key *)0)->rsa.n) / sizeof(uint64_t))

_Static_assert(LIMIT_BUNDLE_LEN % BUNDLE_PAGE == 0, "a bundle is whole pages");
_Static_assert(LIMIT_BUNDLE_LEN <= UINT32_MAX, "offsets in a bundle do not wrap");
_Static_assert(LIMIT_KEYS * sizeof(struct bundle_key) < LIMIT_BUNDLE_LEN,
    "all keys fit into a bundle");

/* ---- Numbers: big-endian, in constant time --------------------------------- */

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

static bool less_than(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint32_t borrow = 0;

	for (size_t i = len; i-- > 0;)
		borrow = ((uint32_t)a[i] - b[i] - borrow) >> 31;
	return borrow == 1;
}

/* Odd, and exactly `bits` (a multiple of 8) long, at the end of its field. */
static bool odd_of_length(const uint8_t *field, size_t field_len, uint32_t bits)
{
	const size_t first = field_len - bits / 8;

	return all_zero(field, first) && field[first] >> 7 == 1 &&
	    (field[field_len - 1] & 1) == 1;
}

/* Words of a field, the lowest first. */
static void to_limbs(uint64_t *limbs, const uint8_t *field, size_t field_len)
{
	for (size_t i = 0; i < field_len / 8; i++)
		limbs[i] = __builtin_bswap64(load_le64(field + field_len - 8 * (i + 1)));
}

/* n == p * q?  By hand: once per key and start, and no secret stays behind. */
static bool is_product(const struct bundle_key *key)
{
	uint64_t p[LIMBS_MAX / 2], q[LIMBS_MAX / 2], n[LIMBS_MAX];
	uint64_t product[LIMBS_MAX] = { 0 };
	uint64_t differs = 0;

	to_limbs(p, key->rsa.p, sizeof key->rsa.p);
	to_limbs(q, key->rsa.q, sizeof key->rsa.q);
	to_limbs(n, key->rsa.n, sizeof key->rsa.n);
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		uint64_t carry = 0;

		for (size_t j = 0; j < ARRAY_LEN(q); j++) {
			const unsigned __int128 sum = (unsigned __int128)p[i] * q[j] +
			    product[i + j] + carry;

			product[i + j] = (uint64_t)sum;
			carry = (uint64_t)(sum >> 64);
		}
		product[i + ARRAY_LEN(q)] = carry;
	}
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		differs |= n[i] ^ product[i];
	wipe(p, sizeof p);
	wipe(q, sizeof q);
	return differs == 0;
}

/* ---- Keys -------------------------------------------------------------------- */

/* Orders of the curves: NIST SP 800-186, sections 3.2.1.3 and 3.2.1.4. */
static const uint8_t p256_order[48] = {
	[16] = 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
	0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
static const uint8_t p384_order[48] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
	0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a,
	0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

/* Nothing but zeros from `used` to the record's end. */
static bool rest_zero(const struct bundle_key *key, size_t used)
{
	return all_zero(key->bytes + used, sizeof key->bytes - used);
}

static const char *check_ec(const struct bundle_key *key, uint32_t bits,
    const uint8_t *order)
{
	if (key->bits != bits || key->public_exponent != 0 ||
	    !rest_zero(key, sizeof key->x))
		return "an EC key of the instance bundle has a wrong record";
	if (all_zero(key->x, sizeof key->x) ||
	    !less_than(key->x, order, sizeof key->x))
		return "an EC key of the instance bundle is no number of its curve";
	return NULL;
}

/* 1..below - 1; both fields are of 256 bytes. */
static bool inside(const uint8_t *number, const uint8_t *below)
{
	return !all_zero(number, 256) && less_than(number, below, 256);
}

/*
 * RFC 8017, section 3.2.  Not checked: that the primes are prime and that the
 * exponents belong together.  A key that is wrong in these signs wrongly, which
 * vault_sign() sees.
 */
static const char *check_rsa(const struct bundle_key *key)
{
	const uint32_t half = key->bits / 2;

	if (key->bits < 2048 || key->bits > 4096 || key->bits % 16 != 0)
		return "an RSA key of the instance bundle is not of 2048 to 4096 bits";
	if (key->public_exponent < 3 || key->public_exponent % 2 == 0 ||
	    !rest_zero(key, sizeof key->rsa))
		return "an RSA key of the instance bundle has a wrong record";
	if (!odd_of_length(key->rsa.p, sizeof key->rsa.p, half) ||
	    !odd_of_length(key->rsa.q, sizeof key->rsa.q, half) ||
	    !odd_of_length(key->rsa.n, sizeof key->rsa.n, key->bits))
		return "an RSA key of the instance bundle has primes or a modulus "
		    "of another length";
	if (!is_product(key))
		return "an RSA key of the instance bundle has primes that do not "
		    "belong to its modulus";
	/* Odd: each is an inverse of the public exponent modulo an even number. */
	if (!inside(key->rsa.dp, key->rsa.p) || !inside(key->rsa.dq, key->rsa.q) ||
	    !inside(key->rsa.iq, key->rsa.p) ||
	    (key->rsa.dp[255] & key->rsa.dq[255] & 1) == 0)
		return "an RSA key of the instance bundle has exponents or a "
		    "coefficient out of range";
	return NULL;
}

static const char *check_key(const struct bundle_key *key)
{
	if (key->zero != 0)
		return "a key of the instance bundle has a wrong record";
	switch (key->kind) {
	case BUNDLE_KEY_P256:
		return check_ec(key, 256, p256_order);
	case BUNDLE_KEY_P384:
		return check_ec(key, 384, p384_order);
	case BUNDLE_KEY_RSA:
		return check_rsa(key);
	default:
		return "a key of the instance bundle is of a kind that this image "
		    "does not know";
	}
}

static const char *check_secret_part(const uint8_t *bundle,
    const struct bundle_header *header)
{
	const struct bundle_key *keys = (const void *)(bundle + header->secret_off);
	const uint32_t used = header->key_count * (uint32_t)sizeof *keys;

	for (uint32_t i = 0; i < header->key_count; i++) {
		const char *why = check_key(&keys[i]);

		if (why != NULL)
			return why;
	}
	if (!all_zero((const uint8_t *)keys + used, header->secret_len - used))
		return "the instance bundle has bytes behind its last key";
	return NULL;
}

/* ---- Header ------------------------------------------------------------------ */

/* Words of visible ASCII with one blank between them, and zeros up to the end. */
static bool settings_fine(const char *settings)
{
	size_t len = 0;

	while (len < BUNDLE_SETTINGS_CAP && settings[len] != '\0') {
		const char c = settings[len];
		const bool blank_fits = len > 0 && settings[len - 1] != ' ';

		if (c < ' ' || c > '~' || (c == ' ' && !blank_fits))
			return false;
		len++;
	}
	if (len == BUNDLE_SETTINGS_CAP || (len > 0 && settings[len - 1] == ' '))
		return false;
	return all_zero((const uint8_t *)settings + len, BUNDLE_SETTINGS_CAP - len);
}

/* The parts' places and lengths; nothing here can wrap (64 bits). */
static bool parts_fine(const struct bundle_header *header, uint64_t len)
{
	const uint64_t keys_len = header->key_count * sizeof(struct bundle_key);
	const uint64_t secret_len =
	    (keys_len + BUNDLE_PAGE - 1) / BUNDLE_PAGE * BUNDLE_PAGE;

	return header->key_count <= LIMIT_KEYS &&
	    header->public_off == BUNDLE_PAGE &&
	    header->public_len != 0 && header->public_len % BUNDLE_PAGE == 0 &&
	    header->secret_off == (uint64_t)BUNDLE_PAGE + header->public_len &&
	    header->secret_len == secret_len &&
	    (uint64_t)header->secret_off + header->secret_len == len;
}

static const char *check_header(const struct bundle_header *header, uint64_t len)
{
	if (memcmp(header->magic, BUNDLE_MAGIC, sizeof header->magic) != 0)
		return "the boot module is not an instance bundle: make one with "
		    "'make instance'";
	if (header->version != BUNDLE_VERSION)
		return "the instance bundle is of another version than this image: "
		    "make it again";
	if ((header->flags & ~BUNDLE_DEVELOPMENT) != 0 || header->zero != 0 ||
	    !all_zero(header->rest, sizeof header->rest))
		return "the instance bundle is damaged: unknown fields in its header";
	if (!parts_fine(header, len))
		return "the instance bundle is damaged: its parts are not where they "
		    "belong";
	if (!settings_fine(header->settings))
		return "the instance bundle is damaged: its settings are not words of "
		    "plain text";
	return NULL;
}

static bool digest_fits(const uint8_t *bundle, const struct bundle_header *header,
    uint64_t len)
{
	static const uint8_t zeroes[SHA256_LEN];
	const size_t before = offsetof(struct bundle_header, sha256);
	const size_t after = before + SHA256_LEN;
	br_sha256_context hash;
	uint8_t digest[SHA256_LEN];

	br_sha256_init(&hash);
	br_sha256_update(&hash, bundle, before);
	br_sha256_update(&hash, zeroes, sizeof zeroes);
	br_sha256_update(&hash, bundle + after, len - after);
	br_sha256_out(&hash, digest);
	wipe(&hash, sizeof hash);
	return memcmp(digest, header->sha256, sizeof digest) == 0;
}

const char *bundle_check(const uint8_t *bundle, uint64_t len)
{
	const struct bundle_header *header = (const void *)bundle;
	const char *why;

	if (len > LIMIT_BUNDLE_LEN)
		return "the instance bundle is too long";
	if (len < 2 * BUNDLE_PAGE || len % BUNDLE_PAGE != 0)
		return "the instance bundle is cut off, or is none";
	why = check_header(header, len);
	if (why != NULL)
		return why;
	if (!digest_fits(bundle, header, len))
		return "the instance bundle is damaged: its digest is another";
	return check_secret_part(bundle, header);
}

const char *bundle_put_settings(const uint8_t *bundle, char *cmdline, size_t cap)
{
	const struct bundle_header *header = (const void *)bundle;
	const size_t len = strlen(header->settings);
	const size_t room = len == 0 ? 0 : len + 1;
	const size_t cmdline_len = strlen(cmdline);

	if (cmdline_len + room >= cap)
		return "the instance bundle's settings and the command line together "
		    "are too long";
	memmove(cmdline + room, cmdline, cmdline_len + 1);
	if (room == 0)
		return NULL;
	memcpy(cmdline, header->settings, len);
	cmdline[len] = ' ';
	return NULL;
}

/* links: kernel/bundle.c tests/kernel/make_bundle.c tests/host_panic.c
 *   @bearssl_hash -lcrypto
 */
/*
 * The outer shape of the instance bundle: a sound one with every kind of key
 * passes, and each rule of config/bundle.h has the change that breaks it and
 * nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/limits.h"
#include "kernel/bundle.h"
#include "tests/kernel/make_bundle.h"

#define P256_ORDER_LESS_1 \
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define P256_ORDER \
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define P384_ORDER_LESS_1 \
	"ffffffffffffffffffffffffffffffffffffffffffffffff" \
	"c7634d81f4372ddf581a0db248b0a77aecec196accc52972"
#define P384_ORDER \
	"ffffffffffffffffffffffffffffffffffffffffffffffff" \
	"c7634d81f4372ddf581a0db248b0a77aecec196accc52973"

static _Alignas(BUNDLE_PAGE) uint8_t bytes[LIMIT_BUNDLE_LEN + BUNDLE_PAGE];
static struct bundle_header *const header = (void *)bytes;
static size_t len;

/* Three keys: the last page of the secret part is half full. */
enum { KEY_P256, KEY_P384, KEY_RSA, KEYS };

static struct bundle_key *key(unsigned i)
{
	return (struct bundle_key *)(bytes + header->secret_off) + i;
}

static int sound_bundle(void **state)
{
	struct bundle_key keys[KEYS];

	(void)state;
	memset(bytes, 0, sizeof bytes);
	make_ec_record(&keys[KEY_P256], BUNDLE_KEY_P256, P256_ORDER_LESS_1);
	make_ec_record(&keys[KEY_P384], BUNDLE_KEY_P384, "01");
	make_rsa_shape(&keys[KEY_RSA], 3072);
	len = make_bundle(bytes, keys, KEYS, 2 * BUNDLE_PAGE, "ip=dhcp on-crash=reboot");
	return 0;
}

/* The bundle as it is now is refused with a sentence that has `part` in it. */
static void refused(const char *part)
{
	make_digest(bytes, len);
	const char *why = bundle_check(bytes, len);

	if (why == NULL)
		fail_msg("accepted; expected \"%s\"", part);
	if (strstr(why, part) == NULL)
		fail_msg("\"%s\"; expected \"%s\"", why, part);
}

static void accepted(void)
{
	make_digest(bytes, len);
	assert_null(bundle_check(bytes, len));
}

/* ---- Sound ones ---------------------------------------------------------------- */

static void a_sound_bundle_is_accepted(void **state)
{
	(void)state;
	accepted();
	header->flags = BUNDLE_DEVELOPMENT;
	accepted();
}

static void a_bundle_without_keys_is_accepted(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof bytes);
	len = make_bundle(bytes, NULL, 0, BUNDLE_PAGE, "");
	assert_int_equal(len, 2 * BUNDLE_PAGE);
	assert_null(bundle_check(bytes, len));
}

static void as_many_keys_as_the_limit_and_no_more(void **state)
{
	struct bundle_key keys[LIMIT_KEYS + 1];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
		make_ec_record(&keys[i], BUNDLE_KEY_P256, "1234");
	memset(bytes, 0, sizeof bytes);
	len = make_bundle(bytes, keys, LIMIT_KEYS, BUNDLE_PAGE, "");
	accepted();
	memset(bytes, 0, sizeof bytes);
	len = make_bundle(bytes, keys, LIMIT_KEYS + 1, BUNDLE_PAGE, "");
	refused("parts are not where they belong");
}

static void as_long_as_the_limit_and_no_longer(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof bytes);
	len = make_bundle(bytes, NULL, 0, LIMIT_BUNDLE_LEN - BUNDLE_PAGE, "");
	assert_int_equal(len, LIMIT_BUNDLE_LEN);
	accepted();
	memset(bytes, 0, sizeof bytes);
	len = make_bundle(bytes, NULL, 0, LIMIT_BUNDLE_LEN, "");
	refused("too long");
}

/* ---- Lengths and header ---------------------------------------------------------- */

static void another_length_is_refused(void **state)
{
	const size_t sound = len;

	(void)state;
	for (len = 0; len < 2 * BUNDLE_PAGE; len += 511)
		refused("cut off");
	len = sound - 1;
	refused("cut off");
	len = sound + 1;
	refused("cut off");
	len = sound - BUNDLE_PAGE;
	refused("parts are not where they belong");
	len = sound + BUNDLE_PAGE;
	refused("parts are not where they belong");
}

static void something_else_is_refused(void **state)
{
	(void)state;
	header->magic[7] ^= 1;
	refused("is not an instance bundle");
	memset(bytes, 0, len);
	refused("is not an instance bundle");
}

static void another_version_is_refused(void **state)
{
	(void)state;
	header->version = BUNDLE_VERSION + 1;
	refused("another version");
	header->version = 0;
	refused("another version");
}

static void header_bytes_that_have_no_meaning_are_refused(void **state)
{
	(void)state;
	header->flags = BUNDLE_DEVELOPMENT << 1;
	refused("unknown fields");
	header->flags = 0;
	header->zero = 1;
	refused("unknown fields");
	header->zero = 0;
	header->rest[0] = 1;
	refused("unknown fields");
	header->rest[0] = 0;
	header->rest[sizeof header->rest - 1] = 0x80;
	refused("unknown fields");
}

static void parts_elsewhere_are_refused(void **state)
{
	uint32_t *const fields[] = {
		&header->public_off, &header->public_len, &header->secret_off,
		&header->secret_len,
	};
	static const uint32_t wrong[] = { 0, 1, 8, 0x1001, 0x80000000, 0xfffff000,
	    0xffffffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		const uint32_t right = *fields[i];

		for (unsigned j = 0; j < ARRAY_LEN(wrong); j++) {
			*fields[i] = wrong[j];
			refused("parts are not where they belong");
		}
		*fields[i] = right + BUNDLE_PAGE;
		refused("parts are not where they belong");
		*fields[i] = right - BUNDLE_PAGE;
		refused("parts are not where they belong");
		*fields[i] = right;
	}
	/* Two wrongs that would make a right: sums that wrap in 32 bits. */
	header->public_len = 0xfffff000;
	header->secret_off = 0;
	refused("parts are not where they belong");
}

static void another_number_of_keys_than_pages_for_them_is_refused(void **state)
{
	(void)state;
	header->key_count = 0;
	refused("parts are not where they belong");
	header->key_count = KEYS + 2;
	refused("parts are not where they belong");
	header->key_count = 0x80000003;
	refused("parts are not where they belong");
	/* A page that no key needs. */
	memset(bytes, 0, sizeof bytes);
	len = make_bundle(bytes, NULL, 0, BUNDLE_PAGE, "") + BUNDLE_PAGE;
	header->secret_len = BUNDLE_PAGE;
	refused("parts are not where they belong");
}

static void a_public_part_of_no_page_is_refused(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof bytes);
	make_ec_record((void *)(bytes + BUNDLE_PAGE), BUNDLE_KEY_P256, "1");
	memcpy(header->magic, BUNDLE_MAGIC, 8);
	header->version = BUNDLE_VERSION;
	header->public_off = header->secret_off = header->secret_len = BUNDLE_PAGE;
	header->key_count = 1;
	len = 2 * BUNDLE_PAGE;
	refused("parts are not where they belong");
}

static void every_changed_bit_is_seen(void **state)
{
	(void)state;
	for (size_t at = 0; at < len; at += at < BUNDLE_PAGE ? 1 : 97) {
		bytes[at] ^= (uint8_t)(1 << at % 8);
		const char *why = bundle_check(bytes, len);

		assert_non_null(why);
		if (at >= BUNDLE_PAGE)
			assert_non_null(strstr(why, "digest"));
		bytes[at] ^= (uint8_t)(1 << at % 8);
	}
	/* Settings that are settings still, but not those that were given. */
	len = make_bundle(bytes, NULL, 0, BUNDLE_PAGE, "log=on");
	header->settings[0] = 'L';
	assert_non_null(strstr(bundle_check(bytes, len), "digest"));
	header->settings[0] = 'l';
	assert_null(bundle_check(bytes, len));
	header->sha256[31] ^= 1;
	assert_non_null(strstr(bundle_check(bytes, len), "digest"));
}

/* ---- Settings -------------------------------------------------------------------- */

static void settings_are(const char *text, size_t text_len)
{
	memset(header->settings, 0, sizeof header->settings);
	memcpy(header->settings, text, text_len);
}

static void settings_of_anything_but_words_are_refused(void **state)
{
	static const char *const wrong[] = {
		" a", "a ", " ", "a  b", "a\tb", "a\nb", "a\x7f" "b", "a\x80", "\xff",
		"\x1b[2J",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		settings_are(wrong[i], strlen(wrong[i]));
		refused("settings are not words");
	}
	settings_are("a\0b", 3);
	refused("settings are not words");
	settings_are("!~ b", 4);
	accepted();
	settings_are("", 0);
	accepted();
}

static void settings_end_inside_their_field(void **state)
{
	(void)state;
	memset(header->settings, 'a', BUNDLE_SETTINGS_CAP - 1);
	accepted();
	header->settings[BUNDLE_SETTINGS_CAP - 1] = 'a';
	refused("settings are not words");
	header->settings[BUNDLE_SETTINGS_CAP - 2] = '\0';
	refused("settings are not words");
}

static void settings_come_before_the_command_line(void **state)
{
	char cmdline[64] = "on-crash=poweroff";

	(void)state;
	assert_null(bundle_put_settings(bytes, cmdline, sizeof cmdline));
	assert_string_equal(cmdline, "ip=dhcp on-crash=reboot on-crash=poweroff");
	settings_are("", 0);
	strcpy(cmdline, "x");
	assert_null(bundle_put_settings(bytes, cmdline, sizeof cmdline));
	assert_string_equal(cmdline, "x");
}

static void settings_and_command_line_fit_or_nothing_is_written(void **state)
{
	char cmdline[16] = "0123456789";

	(void)state;
	settings_are("abcd", 4);      /* 4 + a blank + 10 = 15 */
	assert_null(bundle_put_settings(bytes, cmdline, sizeof cmdline));
	assert_string_equal(cmdline, "abcd 0123456789");
	strcpy(cmdline, "0123456789");
	settings_are("abcde", 5);
	assert_non_null(strstr(bundle_put_settings(bytes, cmdline, sizeof cmdline),
	    "too long"));
	assert_string_equal(cmdline, "0123456789");
}

/* ---- Keys ------------------------------------------------------------------------ */

static void kinds_that_nobody_knows_are_refused(void **state)
{
	(void)state;
	key(KEY_P384)->kind = 0;
	refused("kind");
	key(KEY_P384)->kind = BUNDLE_KEY_RSA + 1;
	refused("kind");
	key(KEY_P384)->kind = BUNDLE_KEY_P384 | 1u << 16;
	refused("kind");
}

static void record_fields_without_meaning_are_zero(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		key(i)->zero = 1;
		refused("a wrong record");
		key(i)->zero = 0;
		key(i)->bytes[sizeof key(i)->bytes - 1] = 1;
		refused("a wrong record");
		key(i)->bytes[sizeof key(i)->bytes - 1] = 0;
	}
	key(KEY_P256)->bytes[sizeof key(0)->x] = 1;
	refused("a wrong record");
	key(KEY_P256)->bytes[sizeof key(0)->x] = 0;
	key(KEY_RSA)->bytes[sizeof key(0)->rsa] = 1;
	refused("a wrong record");
}

static void bytes_behind_the_last_key_are_refused(void **state)
{
	(void)state;
	bytes[len - 1] = 1;
	refused("bytes behind its last key");
	bytes[len - 1] = 0;
	key(KEYS)->kind = 1;
	refused("bytes behind its last key");
}

static void ec_records_have_their_bits_and_no_exponent(void **state)
{
	(void)state;
	key(KEY_P256)->bits = 384;
	refused("an EC key");
	key(KEY_P256)->bits = 256;
	key(KEY_P384)->bits = 256;
	refused("an EC key");
	key(KEY_P384)->bits = 384;
	key(KEY_P384)->public_exponent = 3;
	refused("an EC key");
}

static void ec_scalars_are_from_one_to_order_less_one(void **state)
{
	static const struct {
		enum bundle_key_kind kind;
		const char *scalar;
		bool fine;
	} cases[] = {
		{ BUNDLE_KEY_P256, "00", false },
		{ BUNDLE_KEY_P256, "01", true },
		{ BUNDLE_KEY_P256, P256_ORDER_LESS_1, true },
		{ BUNDLE_KEY_P256, P256_ORDER, false },
		{ BUNDLE_KEY_P256, "01" P256_ORDER_LESS_1, false },
		{ BUNDLE_KEY_P384, "00", false },
		{ BUNDLE_KEY_P384, "01", true },
		{ BUNDLE_KEY_P384, P384_ORDER_LESS_1, true },
		{ BUNDLE_KEY_P384, P384_ORDER, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		make_ec_record(key(0), cases[i].kind, cases[i].scalar);
		if (cases[i].fine)
			accepted();
		else
			refused("no number of its curve");
	}
	memset(key(0)->x, 0xff, sizeof key(0)->x);
	refused("no number of its curve");
}

static void rsa_has_2048_to_4096_bits(void **state)
{
	static const uint32_t fine[] = { 2048, 2064, 3072, 4080, 4096 };
	static const uint32_t wrong[] = { 0, 16, 1024, 2032, 2049, 2056, 4088, 4112,
	    8192, 0x80000800 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(fine); i++) {
		make_rsa_shape(key(KEY_RSA), fine[i]);
		accepted();
	}
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		key(KEY_RSA)->bits = wrong[i];
		refused("2048 to 4096 bits");
	}
}

static void rsa_public_exponents_are_odd_and_not_one(void **state)
{
	(void)state;
	key(KEY_RSA)->public_exponent = 3;
	accepted();
	key(KEY_RSA)->public_exponent = 0xffffffff;
	accepted();
	for (uint32_t e = 0; e < 3; e++) {
		key(KEY_RSA)->public_exponent = e;
		refused("a wrong record");
	}
	key(KEY_RSA)->public_exponent = 65536;
	refused("a wrong record");
}

static void rsa_numbers_have_the_length_they_should(void **state)
{
	struct bundle_key *const rsa = key(KEY_RSA);
	uint8_t *const first[] = { rsa->rsa.p + 64, rsa->rsa.q + 64, rsa->rsa.n + 128 };
	uint8_t *const last[] = { rsa->rsa.p + 255, rsa->rsa.q + 255, rsa->rsa.n + 511 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(first); i++) {
		*first[i] ^= 0x80;
		refused("of another length");
		*first[i] ^= 0x80;
		first[i][-1] = 1;
		refused("of another length");
		first[i][-1] = 0;
		*last[i] ^= 1;
		refused("of another length");
		*last[i] ^= 1;
	}
	accepted();
}

static void rsa_primes_are_those_of_the_modulus(void **state)
{
	struct bundle_key *const rsa = key(KEY_RSA);
	uint8_t *const places[] = {
		rsa->rsa.p + 254, rsa->rsa.p + 150, rsa->rsa.q + 254, rsa->rsa.q + 65,
		rsa->rsa.n + 510, rsa->rsa.n + 300, rsa->rsa.n + 129,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
		*places[i] ^= 4;
		refused("do not belong to its modulus");
		*places[i] ^= 4;
	}
	accepted();
}

static void rsa_exponents_and_coefficient_lie_below_their_prime(void **state)
{
	struct bundle_key *const rsa = key(KEY_RSA);
	uint8_t *const fields[] = { rsa->rsa.dp, rsa->rsa.dq, rsa->rsa.iq };
	const uint8_t *const bounds[] = { rsa->rsa.p, rsa->rsa.q, rsa->rsa.p };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		uint8_t *const field = fields[i];

		memset(field, 0, 256);
		refused("out of range");
		memcpy(field, bounds[i], 256);
		refused("out of range");
		field[255]--;
		if (field == rsa->rsa.iq)
			accepted();
		else
			refused("out of range");      /* even */
		field[255]--;
		accepted();
		field[0] = 1;
		refused("out of range");
		field[0] = 0;
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, sound_bundle)
	const struct CMUnitTest tests[] = {
		CASE(a_sound_bundle_is_accepted),
		CASE(a_bundle_without_keys_is_accepted),
		CASE(as_many_keys_as_the_limit_and_no_more),
		CASE(as_long_as_the_limit_and_no_longer),
		CASE(another_length_is_refused),
		CASE(something_else_is_refused),
		CASE(another_version_is_refused),
		CASE(header_bytes_that_have_no_meaning_are_refused),
		CASE(parts_elsewhere_are_refused),
		CASE(another_number_of_keys_than_pages_for_them_is_refused),
		CASE(a_public_part_of_no_page_is_refused),
		CASE(every_changed_bit_is_seen),
		CASE(settings_of_anything_but_words_are_refused),
		CASE(settings_end_inside_their_field),
		CASE(settings_come_before_the_command_line),
		CASE(settings_and_command_line_fit_or_nothing_is_written),
		CASE(kinds_that_nobody_knows_are_refused),
		CASE(record_fields_without_meaning_are_zero),
		CASE(bytes_behind_the_last_key_are_refused),
		CASE(ec_records_have_their_bits_and_no_exponent),
		CASE(ec_scalars_are_from_one_to_order_less_one),
		CASE(rsa_has_2048_to_4096_bits),
		CASE(rsa_public_exponents_are_odd_and_not_one),
		CASE(rsa_numbers_have_the_length_they_should),
		CASE(rsa_primes_are_those_of_the_modulus),
		CASE(rsa_exponents_and_coefficient_lie_below_their_prime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

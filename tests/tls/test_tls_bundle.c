/* links: tls/bundle.c tests/host_panic.c */
/*
 * The reader of the bundle's public part: every refusal, and the edge of each
 * limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/bundle.h"

static const uint16_t key_kind[] = { BUNDLE_KEY_P256, BUNDLE_KEY_RSA, BUNDLE_KEY_P384, 9 };
static const uint16_t key_bits[] = { 256, 2048, 384, 256 };
static const struct tls_key_list keys = { key_kind, key_bits, ARRAY_LEN(key_kind) };

/* A bundle under construction; `used` is where the next bytes go. */
static struct {
	struct bundle_public head;
	struct bundle_chain chains[LIMIT_CHAINS + 1];
	uint8_t bytes[65536];
} b;
static size_t used;
static struct tls_bundle out;

static struct bundle_span add(const void *bytes, size_t len)
{
	const struct bundle_span span = { (uint32_t)used, (uint32_t)len };

	assert_true(used + len <= sizeof b);
	memcpy((uint8_t *)&b + used, bytes, len);
	used += len;
	return span;
}
#define ADD(literal) add((literal), sizeof(literal) - 1)

/* One chain of two certificates, names, an issuer: nothing wrong with it. */
static int start(void **state)
{
	(void)state;
	memset(&b, 0, sizeof b);
	used = offsetof(__typeof__(b), bytes);
	b.head.chain_count = 1;
	b.head.hosts = ADD("a.example\0www.a.example\0");
	b.chains[0] = (struct bundle_chain){
		.key = 1, .key_kind = BUNDLE_KEY_RSA, .key_bits = 2048,
		.cert_count = 2,
		.certs = ADD("\x03\0\0\0abc\x01\0\0\0d"),
		.names = ADD("a.example\0*.a.example\0"),
		.issuer = ADD("Let's Encrypt R11"),
		.not_before = 1000, .not_after = 2000,
	};
	return 0;
}

/* The reader gets a copy of exactly so many bytes, at an odd address. */
static const char *read_len(size_t len)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(len + 1);
	assert_non_null(copy);
	memcpy(copy + 1, &b, len);
	return tls_bundle_read(copy + 1, len, &keys, &out);
}

static void expect_good(void)
{
	const char *const error = read_len(used);

	if (error != NULL)
		fail_msg("%s", error);
}

/* Refused, with this in the sentence, and without a chain. */
static void expect_error(const char *words)
{
	const char *const error = read_len(used);

	assert_non_null(error);
	if (strstr(error, words) == NULL)
		fail_msg("\"%s\" does not speak of \"%s\"", error, words);
	assert_int_equal(out.chain_count, 0);
}

static void what_is_in_it_comes_out(void **state)
{
	(void)state;
	expect_good();
	assert_int_equal(out.chain_count, 1);
	assert_false(out.is_development);
	assert_int_equal(out.hosts_len, 24);
	assert_string_equal(out.hosts, "a.example");
	const struct tls_chain *const c = &out.chains[0];

	assert_int_equal(c->key, 1);
	assert_int_equal(c->kind, BUNDLE_KEY_RSA);
	assert_int_equal(c->key_bits, 2048);
	assert_int_equal(c->cert_count, 2);
	assert_int_equal(c->certs[0].len, 3);
	assert_memory_equal(c->certs[0].der, "abc", 3);
	assert_int_equal(c->certs[1].len, 1);
	assert_memory_equal(c->certs[1].der, "d", 1);
	assert_string_equal(c->names, "a.example");
	const char *const second = tls_next_name(c->names, c->names_len, c->names);

	assert_string_equal(second, "*.a.example");
	assert_null(tls_next_name(c->names, c->names_len, second));
	assert_int_equal(c->issuer_len, 17);
	assert_memory_equal(c->issuer, "Let's Encrypt R11", 17);
	assert_false(c->self_signed);
	assert_int_equal(c->not_before, 1000);
	assert_int_equal(c->not_after, 2000);
}

static void much_of_it_may_be_missing(void **state)
{
	(void)state;
	b.head.flags = BUNDLE_DEVELOPMENT;
	b.head.hosts.len = 0;
	b.chains[0].names.len = 0;
	b.chains[0].issuer.len = 0;
	b.chains[0].self_signed = 1;
	expect_good();
	assert_true(out.is_development);
	assert_true(out.chains[0].self_signed);
	assert_int_equal(out.chains[0].names_len, 0);
	b.head.chain_count = 0;
	expect_good();
	assert_int_equal(out.chain_count, 0);
}

static void every_cut_is_noticed(void **state)
{
	const size_t len = used;

	(void)state;
	expect_good();
	for (used = 0; used < len; used++) {
		assert_non_null(read_len(used));
		assert_int_equal(out.chain_count, 0);
	}
}

static void counts_have_limits(void **state)
{
	(void)state;
	for (size_t i = 1; i <= LIMIT_CHAINS; i++)
		b.chains[i] = b.chains[0];
	b.head.chain_count = LIMIT_CHAINS;
	expect_good();
	assert_int_equal(out.chain_count, LIMIT_CHAINS);
	b.head.chain_count = LIMIT_CHAINS + 1;
	expect_error("more chains");
	b.head.chain_count = UINT32_MAX;
	expect_error("more chains");
}

static void spans_lie_behind_the_structs_and_inside(void **state)
{
	struct bundle_span *const spans[] = {
		&b.chains[0].certs, &b.chains[0].names, &b.chains[0].issuer,
		&b.head.hosts,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		const char *const words = i == 3 ? "HOST" : "outside";

		start(NULL);
		spans[i]->off = sizeof(struct bundle_public) +
		    sizeof(struct bundle_chain) - 1;
		expect_error(words);
		start(NULL);
		spans[i]->off = (uint32_t)used + 1;
		spans[i]->len = 0;
		expect_error(words);
		start(NULL);
		spans[i]->len = (uint32_t)used - spans[i]->off + 1;
		expect_error(words);
		start(NULL);
		spans[i]->len = UINT32_MAX - spans[i]->off + 1;
		expect_error(words);
	}
	/* To the last byte is fine. */
	start(NULL);
	b.chains[0].issuer = (struct bundle_span){ (uint32_t)used, 0 };
	expect_good();
}

static void chains_belong_to_keys_that_are_there(void **state)
{
	static const struct {
		uint32_t key, kind, bits;
		bool is_good;
	} cases[] = {
		{ 0, BUNDLE_KEY_P256, 256, true },
		{ 2, BUNDLE_KEY_P384, 384, true },
		{ 0, BUNDLE_KEY_RSA, 2048, false },
		{ 1, BUNDLE_KEY_RSA, 2064, false },
		{ 0, BUNDLE_KEY_P256, 384, false },
		{ 3, 9, 256, false },
		{ 4, BUNDLE_KEY_P256, 256, false },
		{ UINT32_MAX, BUNDLE_KEY_P256, 256, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		b.chains[0].key = cases[i].key;
		b.chains[0].key_kind = cases[i].kind;
		b.chains[0].key_bits = cases[i].bits;
		if (cases[i].is_good)
			expect_good();
		else
			expect_error("key");
	}
}

static void set_certs(const void *bytes, size_t len, uint32_t count)
{
	b.chains[0].certs = add(bytes, len);
	b.chains[0].cert_count = count;
}
#define SET_CERTS(literal, count) set_certs((literal), sizeof(literal) - 1, (count))

static void certificates_fill_their_span(void **state)
{
	(void)state;
	b.chains[0].cert_count = 1;
	expect_error("length");
	b.chains[0].cert_count = 3;
	expect_error("length");
	b.chains[0].cert_count = 0;
	expect_error("length");
	SET_CERTS("\x01\0\0\0", 1);
	expect_error("length");
	SET_CERTS("\0\0\0\0", 1);
	expect_error("length");
	SET_CERTS("\x01\0\0", 1);
	expect_error("length");
	SET_CERTS("\xff\xff\xff\xff" "a", 1);
	expect_error("length");
	SET_CERTS("\x08\0\0\0abc", 2);
	expect_error("length");
	SET_CERTS("", 0);
	expect_error("length");
}

static void chains_have_limits(void **state)
{
	static uint8_t many[5 * (LIMIT_CHAIN_CERTS + 1)];
	static uint8_t large[4 + LIMIT_CHAIN_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof many; i += 5)
		many[i] = 1;
	set_certs(many, sizeof many - 5, LIMIT_CHAIN_CERTS);
	expect_good();
	set_certs(many, sizeof many, LIMIT_CHAIN_CERTS + 1);
	expect_error("length");
	store_le32(large, LIMIT_CHAIN_LEN);
	set_certs(large, sizeof large - 1, 1);
	expect_good();
	store_le32(large, LIMIT_CHAIN_LEN + 1);
	set_certs(large, sizeof large, 1);
	expect_error("length");
}

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "abc"

static void names_are_names(void **state)
{
	static const struct {
		const char *name;
		bool for_certificate, for_host;
	} cases[] = {
		{ "a", true, true }, { "a.b", true, true }, { "xn--a-b.example", true, true },
		{ "1.2.3.4", true, true }, { "*.a", true, false }, { "a_b.c", true, false },
		{ "_a.b", true, false }, { L63 ".a", true, true },
		{ L63 "." L63 "." L63 "." L60 "a", true, true },
		{ L63 "." L63 "." L63 "." L60 "ab", false, false },
		{ L63 "x.a", false, false }, { "", false, false }, { ".", false, false },
		{ "a.", false, false }, { ".a", false, false }, { "a..b", false, false },
		{ "-a", false, false }, { "a-", false, false }, { "a.-b", false, false },
		{ "a-.b", false, false }, { "A", false, false }, { "a b", false, false },
		{ "*", false, false }, { "*.", false, false }, { "*a.b", false, false },
		{ "a.*.b", false, false }, { "*.*.b", false, false }, { "*.-", false, false },
		{ "\xc3\xa4", false, false }, { "a\x1b[2J", false, false }, { "a/b", false, false },
		{ "a:1", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		start(NULL);
		b.chains[0].names = add(cases[i].name, strlen(cases[i].name) + 1);
		if (cases[i].for_certificate)
			expect_good();
		else
			expect_error("name");
		start(NULL);
		b.head.hosts = add(cases[i].name, strlen(cases[i].name) + 1);
		if (cases[i].for_host)
			expect_good();
		else
			expect_error("HOST");
	}
	start(NULL);
	b.chains[0].names = ADD("a.example\0b.example");
	expect_error("name");
	start(NULL);
	b.chains[0].names = ADD("a.example\0\0");
	expect_error("name");
}

static void an_issuer_is_text(void **state)
{
	static const char *const bad[] = { "a\n", "\x1b[31m", "a\x7f", "\x80", "\t" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		start(NULL);
		b.chains[0].issuer = add(bad[i], strlen(bad[i]));
		expect_error("issuer");
	}
	start(NULL);
	b.chains[0].issuer = ADD(" a~");
	expect_good();
}

static void numbers_stay_in_their_ranges(void **state)
{
	(void)state;
	b.head.flags = 2;
	expect_error("flag");
	start(NULL);
	b.chains[0].self_signed = 2;
	expect_error("range");
	start(NULL);
	b.chains[0].zero = 1;
	expect_error("range");
	start(NULL);
	b.chains[0].not_before = -1;
	expect_error("range");
	start(NULL);
	b.chains[0].not_before = 2001;
	expect_error("range");
	b.chains[0].not_before = 2000;
	expect_good();
	b.chains[0].not_after = TLS_TIME_MAX;
	expect_good();
	b.chains[0].not_after = TLS_TIME_MAX + 1;
	expect_error("range");
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_in_it_comes_out),
		CASE(much_of_it_may_be_missing),
		CASE(every_cut_is_noticed),
		CASE(counts_have_limits),
		CASE(spans_lie_behind_the_structs_and_inside),
		CASE(chains_belong_to_keys_that_are_there),
		CASE(certificates_fill_their_span),
		CASE(chains_have_limits),
		CASE(names_are_names),
		CASE(an_issuer_is_text),
		CASE(numbers_stay_in_their_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/tls/fake.c tests/tls/rig.c tests/tls/hello.c tests/host_panic.c
 *        tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 *        tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto */
/*
 * What a ClientHello can have wrong, and the alert for it, byte for byte; and
 * what can come in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tls/fake.h"
#include "tests/tls/hello.h"
#include "tests/tls/rig.h"

static struct rig rig;
static uint8_t record[TLS_HEADER_LEN + TLS_PAYLOAD_MAX];

static int start(void **state)
{
	(void)state;
	fake_start();
	FAKE_ADD(FAKE_P256, "a.example");
	FAKE_ADD(FAKE_RSA, "a.example");
	rig_start(&rig, &(struct client){ 0 });
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_end(&rig);
	return 0;
}

static void again(void)
{
	end(NULL);
	start(NULL);
}

/* The whole answer to these bytes is this alert. */
static void expect_alert(const void *bytes, size_t len, int alert)
{
	assert_int_equal(rig_take(&rig, bytes, len), TLS_FAILED);
	assert_int_equal(rig_clear_alert(&rig), alert);
	assert_int_equal(rig.out_len, 7);
	again();
}

static void expect_hello_alert(const struct hello *hello, int alert)
{
	expect_alert(record, hello_make(hello, record), alert);
}

/* A flight of one record, which begins with a ServerHello. */
static void expect_flight(const struct hello *hello)
{
	assert_int_equal(rig_take(&rig, record, hello_make(hello, record)),
	    TLS_MORE);
	assert_memory_equal(rig.out, "\x16\x03\x03", 3);
	assert_int_equal(rig.out_len, TLS_HEADER_LEN + load_be16(rig.out + 3));
	assert_int_equal(rig.out[5], 2);
	again();
}

/* ---- The ClientHello ----------------------------------------------------- */

static void a_hello_by_hand_is_answered(void **state)
{
	(void)state;
	expect_flight(&(struct hello){ 0 });
	expect_flight(&(struct hello){ .session_id_len = 32 });
	expect_flight(&(struct hello){ .session_id_len = 1 });
	expect_flight(&(struct hello){ .version = 0x0304 });
	expect_flight(&(struct hello){ .version = 0x7fff });
	expect_flight(&(struct hello){ .record_version = 0x0300 });
	expect_flight(&(struct hello){ .record_version = 0x03ff });
	/* TLS_FALLBACK_SCSV with the best version that we have. */
	expect_flight(&(struct hello){ HELLO_BYTES(suites, "\xc0\x2b\x56\x00") });
	expect_flight(&(struct hello){ HELLO_BYTES(compression, "\x02\x01\x00") });
	expect_flight(&(struct hello){ HELLO_BYTES(suites, "\xc0\x2b\xc0\x2b\xc0\x2c"
	    "\xc0\x2f\xc0\x30\xcc\xa8\xcc\xa9\xcc\xa9") });
}

static void lengths_that_do_not_fit_are_decode_errors(void **state)
{
	(void)state;
	expect_hello_alert(&(struct hello){ .session_id_len = 33 },
	    TLS_DECODE_ERROR);
	expect_hello_alert(&(struct hello){ HELLO_BYTES(suites, "\xc0\x2b\xc0") },
	    TLS_DECODE_ERROR);
	expect_hello_alert(&(struct hello){ HELLO_BYTES(behind, "\0") },
	    TLS_DECODE_ERROR);
	/*
	 * server_name: list longer than the extension; name longer than the
	 * list
	 */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x00\x00\x05\x00\x04\x00\x00\x01") }, TLS_DECODE_ERROR);
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x00\x00\x06\x00\x04\x00\x00\x02" "a") }, TLS_DECODE_ERROR);
	/* ALPN: a name longer than the list */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x10\x00\x05\x00\x03\x08ht") }, TLS_DECODE_ERROR);
	/* An extension nobody knows that is longer than all of them. */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x12\x34\x00\x01") }, TLS_DECODE_ERROR);
	/* More suites than there are, always the same. */
	static char many[2 * 100];

	for (size_t i = 0; i < sizeof many; i += 2)
		memcpy(many + i, "\xc0\x2b", 2);
	expect_hello_alert(&(struct hello){ .suites = many,
	    .suites_len = sizeof many }, TLS_DECODE_ERROR);
}

static void every_cut_is_noticed(void **state)
{
	const size_t len = hello_make(&(struct hello){ .session_id_len = 32 },
	    record);

	(void)state;
	/*
	 * A message that says its true length, but ends too early for its
	 * insides.
	 */
	for (size_t cut = TLS_HEADER_LEN + 4; cut < len; cut++) {
		uint8_t bytes[4096];

		memcpy(bytes, record, cut);
		store_be16(bytes + 3, (uint16_t)(cut - TLS_HEADER_LEN));
		store_be16(bytes + 7, (uint16_t)(cut - TLS_HEADER_LEN - 4));
		/* Before the extensions it may end: they are optional. */
		if (cut == TLS_HEADER_LEN + 4 + 2 + 32 + 33 + 8 + 2)
			expect_alert(bytes, cut, TLS_HANDSHAKE_FAILURE);
		else
			expect_alert(bytes, cut, TLS_DECODE_ERROR);
	}
}

static void versions_below_1_2_are_refused_in_their_own_words(void **state)
{
	static const struct {
		uint16_t record, version, answer;
	} cases[] = {
		{ 0x0301, 0x0301, 0x0301 },
		{ 0x0301, 0x0302, 0x0301 },
		{ 0x0302, 0x0302, 0x0302 },
		{ 0x0300, 0x0300, 0x0301 },
		{ 0x0301, 0x0002, 0x0301 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const size_t len = hello_make(&(struct hello){
			.record_version = cases[i].record,
			.version = cases[i].version }, record);

		assert_int_equal(rig_take(&rig, record, len), TLS_FAILED);
		assert_int_equal(rig_clear_alert(&rig), TLS_PROTOCOL_VERSION);
		assert_int_equal(load_be16(rig.out + 1), cases[i].answer);
		again();
	}
	/*
	 * RFC 7507, section 3: inappropriate_fallback, unless it is
	 * protocol_version.  With one version only, it always is.
	 */
	expect_hello_alert(&(struct hello){ .version = 0x0302,
		HELLO_BYTES(suites, "\xc0\x2b\x56\x00") }, TLS_PROTOCOL_VERSION);
}

static void what_we_do_not_have_is_a_handshake_failure(void **state)
{
	(void)state;
	/* RFC 5246, section 7.4.1.4.1: then it means SHA-1. */
	expect_hello_alert(&(struct hello){ .no_signatures = true },
	    TLS_HANDSHAKE_FAILURE);
	/* Only deflate. */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(compression, "\x01\x01") },
	    TLS_HANDSHAKE_FAILURE);
	expect_hello_alert(&(struct hello){ HELLO_BYTES(suites, "") },
	    TLS_HANDSHAKE_FAILURE);
	expect_hello_alert(&(struct hello){ HELLO_BYTES(suites, "\x00\x9c\xc0\x23") },
	    TLS_HANDSHAKE_FAILURE);
	/* RFC 8422, section 4: without the extension any curve will do. */
	expect_flight(&(struct hello){ .no_curves = true });
}

static void extensions_with_wrong_values_are_told_apart(void **state)
{
	(void)state;
	/*
	 * RFC 6066, section 4; a right value is one that we need not agree to.
	 */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x01\x00\x01\x05") }, TLS_ILLEGAL_PARAMETER);
	expect_flight(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x01\x00\x01\x01") });
	/* RFC 5746, section 3.6: not empty in a first handshake. */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\xff\x01\x00\x02\x01\x01") }, TLS_HANDSHAKE_FAILURE);
	expect_flight(&(struct hello){ HELLO_BYTES(extensions,
	    "\xff\x01\x00\x01\x00") });
	/* RFC 7301, section 3.2 */
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x10\x00\x05\x00\x03\x02h2") }, TLS_NO_APPLICATION_PROTOCOL);
	expect_hello_alert(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x10\x00\x02\x00\x00") }, TLS_NO_APPLICATION_PROTOCOL);
}

static void max_fragment_length_is_not_agreed_to(void **state)
{
	const size_t len = hello_make(&(struct hello){ HELLO_BYTES(extensions,
	    "\x00\x01\x00\x01\x01") }, record);

	(void)state;
	assert_int_equal(rig_take(&rig, record, len), TLS_MORE);
	/*
	 * ServerHello: 2 + 32 + 33 + 2 + 1 bytes, and renegotiation_info alone.
	 */
	assert_memory_equal(rig.out + TLS_HEADER_LEN,
	    "\x02\x00\x00\x4d\x03\x03", 6);
	assert_memory_equal(rig.out + TLS_HEADER_LEN + 4 + 70,
	    "\x00\x05\xff\x01\x00\x01\x00", 7);
}

/* ---- Other things first -------------------------------------------------- */

#define EXPECT_ALERT(literal, alert) \
	expect_alert((literal), sizeof(literal) - 1, (alert))

static void other_messages_are_unexpected(void **state)
{
	(void)state;
	EXPECT_ALERT("\x16\x03\x01\x00\x05\x10\x00\x00\x01\x00",
	    TLS_UNEXPECTED_MESSAGE);                /* ClientKeyExchange */
	EXPECT_ALERT("\x14\x03\x01\x00\x01\x01", TLS_UNEXPECTED_MESSAGE);
	/* HelloRequest is only for clients. */
	EXPECT_ALERT("\x16\x03\x01\x00\x04\x00\x00\x00\x00",
	    TLS_UNEXPECTED_MESSAGE);
	EXPECT_ALERT("\x16\x03\x01\x00\x01\x00", TLS_UNEXPECTED_MESSAGE);
}

static void a_hello_request_behind_a_hello_is_unexpected(void **state)
{
	size_t len = hello_make(&(struct hello){ 0 }, record);

	(void)state;
	/* In a record of its own, after the hello came in two pieces. */
	store_be16(record + 3, 3);
	assert_int_equal(rig_take(&rig, record, TLS_HEADER_LEN + 3), TLS_MORE);
	memmove(record + TLS_HEADER_LEN, record + TLS_HEADER_LEN + 3,
	    len - TLS_HEADER_LEN - 3);
	len -= 3;
	store_be16(record + 3, (uint16_t)(len - TLS_HEADER_LEN));
	assert_int_equal(rig_take(&rig, record, len), TLS_MORE);
	EXPECT_ALERT("\x16\x03\x03\x00\x04\x00\x00\x00\x00",
	    TLS_UNEXPECTED_MESSAGE);
}

static void bytes_behind_a_hello_are_unexpected(void **state)
{
	size_t len = hello_make(&(struct hello){ 0 }, record);

	(void)state;
	record[len++] = 16;
	store_be16(record + 3, (uint16_t)(len - TLS_HEADER_LEN));
	expect_alert(record, len, TLS_UNEXPECTED_MESSAGE);
}

static void record_headers_are_checked(void **state)
{
	size_t len = hello_make(&(struct hello){ 0 }, record);

	(void)state;
	record[1] = 2;
	expect_alert(record, len, TLS_PROTOCOL_VERSION);

	/* Two records that do not agree on a version. */
	len = hello_make(&(struct hello){ 0 }, record);
	store_be16(record + 3, 4);
	assert_int_equal(rig_take(&rig, record, TLS_HEADER_LEN + 4), TLS_MORE);
	EXPECT_ALERT("\x16\x03\x02\x00\x01\x03", TLS_PROTOCOL_VERSION);

	/* One byte more than a record in clear may have. */
	memset(record, 0, sizeof record);
	memcpy(record, "\x16\x03\x01\x40\x01\x01\x00\xff\xff", 9);
	memcpy(record + 9 + 34, "\x00\xff\x00", 3);
	expect_alert(record, TLS_HEADER_LEN + 16385, TLS_RECORD_OVERFLOW);
	record[9] = 3;          /* and a client_version that is one */
	store_be16(record + 3, 16384);
	assert_int_equal(rig_take(&rig, record, TLS_HEADER_LEN + 16384), TLS_MORE);
}

static void an_endless_hello_is_a_decode_error(void **state)
{
	const size_t len = TLS_HEADER_LEN + 4096;
	size_t total = 0;

	(void)state;
	memset(record, 0, sizeof record);
	memcpy(record, "\x16\x03\x03\x10\x00\x01\xff\xff\xff", 9);
	/*
	 * Suites, and extensions, up to 65535 bytes each: zeroes are fine for
	 * both.
	 */
	memcpy(record + 9 + 34, "\x00\xff\xfe", 3);
	while (total + len <= LIMIT_HANDSHAKE_LEN) {
		assert_int_equal(rig_take(&rig, record, len), TLS_MORE);
		assert_int_equal(rig.out_len, 0);
		total += len;
		memset(record + TLS_HEADER_LEN, 0, 4096);
	}
	expect_alert(record, len, TLS_DECODE_ERROR);
}

static void alerts_of_a_client_end_in_silence(void **state)
{
	(void)state;
	assert_int_equal(rig_take(&rig, (const uint8_t *)"\x15\x03\x01\x00\x02\x02\x28",
	    7), TLS_FAILED);
	assert_int_equal(rig.out_len, 0);
	again();
	/* A warning is none of our business; in two records neither. */
	assert_int_equal(rig_take(&rig, (const uint8_t *)"\x15\x03\x01\x00\x02\x01\x5a",
	    7), TLS_MORE);
	assert_int_equal(rig_take(&rig, (const uint8_t *)"\x15\x03\x01\x00\x01\x01",
	    6), TLS_MORE);
	assert_int_equal(rig_take(&rig, (const uint8_t *)"\x15\x03\x01\x00\x01\x5a",
	    6), TLS_MORE);
	assert_int_equal(rig.out_len, 0);
	/* RFC 5246, section 7.2.1: close_notify is answered in kind. */
	assert_int_equal(rig_take(&rig, (const uint8_t *)"\x15\x03\x01\x00\x02\x01\x00",
	    7), TLS_FAILED);
	assert_int_equal(rig.out_len, 7);
	assert_memory_equal(rig.out, "\x15\x03\x01\x00\x02\x01\x00", 7);
}

static void alerts_can_be_asked_for(void **state)
{
	uint8_t out[64];

	(void)state;
	assert_int_equal(tls_handshake_alert(rig.hs, TLS_RECORD_OVERFLOW, out), 7);
	assert_memory_equal(out, "\x15\x03\x03\x00\x02\x02\x16", 7);
	assert_int_equal(tls_handshake_alert(rig.hs, TLS_CLOSE_NOTIFY, out), 7);
	assert_memory_equal(out, "\x15\x03\x03\x00\x02\x01\x00", 7);
}

/*
 * Any byte of a hello, changed to anything: an alert or a flight, and no more.
 */
static void changed_hellos_are_answered(void **state)
{
	static const char all[] =
	    "\x00\x00\x00\x0e\x00\x0c\x00\x00\x09" "a.example"
	    "\x00\x10\x00\x0b\x00\x09\x08http/1.1"
	    "\xff\x01\x00\x01\x00" "\x00\x01\x00\x01\x02";
	const size_t len = hello_make(&(struct hello){ .session_id_len = 32,
		.extensions = all, .extensions_len = sizeof all - 1 }, record);

	(void)state;
	for (size_t i = TLS_HEADER_LEN; i < len; i++) {
		for (unsigned change = 1; change < 256; change *= 4) {
			record[i] ^= (uint8_t)change;
			if (rig_take(&rig, record, len) == TLS_FAILED)
				assert_true(rig_clear_alert(&rig) >= 0);
			record[i] ^= (uint8_t)change;
			tls_handshake_start(rig.hs);
		}
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_hello_by_hand_is_answered),
		CASE(lengths_that_do_not_fit_are_decode_errors),
		CASE(every_cut_is_noticed),
		CASE(versions_below_1_2_are_refused_in_their_own_words),
		CASE(what_we_do_not_have_is_a_handshake_failure),
		CASE(extensions_with_wrong_values_are_told_apart),
		CASE(max_fragment_length_is_not_agreed_to),
		CASE(other_messages_are_unexpected),
		CASE(a_hello_request_behind_a_hello_is_unexpected),
		CASE(bytes_behind_a_hello_are_unexpected),
		CASE(record_headers_are_checked),
		CASE(an_endless_hello_is_a_decode_error),
		CASE(alerts_of_a_client_end_in_silence),
		CASE(alerts_can_be_asked_for),
		CASE(changed_hellos_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/tls/fake.c tests/tls/rig.c tests/host_panic.c
 *        tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 *        tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto */
/*
 * The rest of a handshake, with OpenSSL's messages changed on their way: what
 * follows the ClientHello, how it is cut into records, and what may not stand
 * in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tls/fake.h"
#include "tests/tls/rig.h"
#include "tls/engine_int.h"

#define GCM "ECDHE-ECDSA-AES128-GCM-SHA256"

static struct rig rig;

/* The client's second flight: ClientKeyExchange, ChangeCipherSpec, Finished. */
static uint8_t flight[4096];
static size_t flight_len, ccs_off, finished_off;

static int start(void **state)
{
	(void)state;
	fake_start();
	FAKE_ADD(FAKE_P256, "a.example");
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_end(&rig);
	return 0;
}

static void reach_second_flight(const struct client *client)
{
	uint8_t hello[4096];

	rig_start(&rig, client);
	const size_t len = rig_client_says(&rig, hello, sizeof hello);

	assert_int_equal(rig_take_all(&rig, hello, len), TLS_MORE);
	rig_deliver(&rig);
	flight_len = rig_client_says(&rig, flight, sizeof flight);
	ccs_off = TLS_HEADER_LEN + load_be16(flight + 3);
	finished_off = ccs_off + TLS_HEADER_LEN + 1;
	assert_int_equal(flight[0], TLS_HANDSHAKE);
	assert_int_equal(flight[ccs_off], TLS_CHANGE_CIPHER_SPEC);
	assert_int_equal(flight[finished_off], TLS_HANDSHAKE);
}

static void second_flight(const char *groups)
{
	reach_second_flight(&(struct client){ .suites = GCM, .groups = groups });
}

static void take_until(size_t off)
{
	assert_int_equal(rig_take_all(&rig, flight, off), TLS_MORE);
	assert_int_equal(rig.out_len, 0);
}

static void expect_alert(const void *bytes, size_t len, int alert)
{
	assert_int_equal(rig_take(&rig, bytes, len), TLS_FAILED);
	assert_int_equal(rig.out_len, 7);
	assert_int_equal(rig_clear_alert(&rig), alert);
	rig_end(&rig);
}

/* ---- ClientKeyExchange --------------------------------------------------- */

static void points_off_their_curve_are_illegal(void **state)
{
	(void)state;
	second_flight("P-256");
	flight[ccs_off - 1] ^= 1;
	expect_alert(flight, ccs_off, TLS_ILLEGAL_PARAMETER);

	second_flight("P-384:P-256");
	flight[TLS_HEADER_LEN + 4 + 1] = 2;         /* compressed */
	expect_alert(flight, ccs_off, TLS_ILLEGAL_PARAMETER);

	/* RFC 8422, section 5.11: a point that makes the secret zero. */
	second_flight("X25519:P-256");
	memset(flight + ccs_off - 32, 0, 32);
	expect_alert(flight, ccs_off, TLS_ILLEGAL_PARAMETER);

	/* The next client's is not blamed for it. */
	second_flight("X25519:P-256");
	assert_int_equal(rig_take_all(&rig, flight, flight_len), TLS_DONE);
	rig_end(&rig);
}

static void points_of_another_length_are_illegal(void **state)
{
	(void)state;
	second_flight("X25519:P-256");
	flight[ccs_off] = 0;
	flight[TLS_HEADER_LEN + 4]++;
	flight[TLS_HEADER_LEN + 3]++;
	store_be16(flight + 3, load_be16(flight + 3) + 1);
	expect_alert(flight, ccs_off + 1, TLS_ILLEGAL_PARAMETER);
}

static void a_key_exchange_that_does_not_fit_is_a_decode_error(void **state)
{
	(void)state;
	second_flight("P-256");
	flight[TLS_HEADER_LEN + 4]++;
	expect_alert(flight, ccs_off, TLS_DECODE_ERROR);
}

static void messages_out_of_order_are_unexpected(void **state)
{
	(void)state;
	second_flight("P-256");
	expect_alert(flight + ccs_off, finished_off - ccs_off,
	    TLS_UNEXPECTED_MESSAGE);
	/*
	 * Another message in the same record, where ChangeCipherSpec has to be.
	 */
	second_flight("P-256");
	flight[ccs_off] = 20;
	store_be16(flight + 3, load_be16(flight + 3) + 1);
	expect_alert(flight, ccs_off + 1, TLS_UNEXPECTED_MESSAGE);
	/* Finished without ChangeCipherSpec. */
	second_flight("P-256");
	take_until(ccs_off);
	expect_alert(flight + finished_off, flight_len - finished_off,
	    TLS_UNEXPECTED_MESSAGE);
}

/* ---- ChangeCipherSpec ---------------------------------------------------- */

static void a_bad_change_cipher_spec_is_a_decode_error(void **state)
{
	(void)state;
	second_flight("P-256");
	take_until(ccs_off);
	expect_alert("\x14\x03\x03\x00\x01\x02", 6, TLS_DECODE_ERROR);
	second_flight("P-256");
	take_until(ccs_off);
	expect_alert("\x14\x03\x03\x00\x02\x01\x01", 7, TLS_DECODE_ERROR);
}

/* ---- Finished ------------------------------------------------------------ */

static void a_changed_finished_is_a_bad_mac(void **state)
{
	static const char *const suites[] = {
		GCM, "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		for (size_t off = TLS_HEADER_LEN; off <= TLS_HEADER_LEN + 12; off += 12) {
			reach_second_flight(&(struct client){ .suites = suites[i] });
			take_until(finished_off);
			flight[finished_off + off] ^= 0x80;
			expect_alert(flight + finished_off, flight_len - finished_off,
			    TLS_BAD_RECORD_MAC);
		}
	}
}

static void records_too_short_for_a_mac_have_none(void **state)
{
	(void)state;
	second_flight("P-256");
	take_until(finished_off);
	expect_alert("\x16\x03\x03\x00\x17" "xxxxxxxxxxxxxxxxxxxxxxx",
	    TLS_HEADER_LEN + 23, TLS_BAD_RECORD_MAC);
}

static void records_too_long_for_any_plaintext_overflow(void **state)
{
	static uint8_t record[TLS_HEADER_LEN + TLS_PAYLOAD_MAX] = { 22, 3, 3 };

	(void)state;
	for (size_t over = 25; over <= 2048; over += 2023) {
		second_flight("P-256");
		take_until(finished_off);
		store_be16(record + 3, (uint16_t)(TLS_PLAIN_MAX + over));
		expect_alert(record, TLS_HEADER_LEN + TLS_PLAIN_MAX + over,
		    TLS_RECORD_OVERFLOW);
	}
	/* One that could be right is looked at. */
	second_flight("P-256");
	take_until(finished_off);
	store_be16(record + 3, TLS_PLAIN_MAX + 24);
	expect_alert(record, TLS_HEADER_LEN + TLS_PLAIN_MAX + 24,
	    TLS_BAD_RECORD_MAC);
}

/*
 * Take the client's first protected record apart, and put others in its place,
 * with its keys, as only it could.
 */
struct forger {
	br_sslrec_gcm_context in, out;
};

static struct forger forger_of(const br_sslrec_gcm_context *in)
{
	struct forger f = { .in = *in, .out = *in };

	f.out.vtable.out = &br_sslrec_out_gcm_vtable;
	return f;
}

/* Open the record at the offset; returns the length of its plaintext. */
static size_t forger_open(struct forger *f, size_t off, uint8_t *plain)
{
	uint8_t bytes[256];
	size_t len = load_be16(flight + off + 3);
	const uint8_t *at;

	assert_true(len <= sizeof bytes);
	memcpy(bytes, flight + off + TLS_HEADER_LEN, len);
	at = f->in.vtable.in->inner.decrypt((void *)&f->in.vtable.in,
	    flight[off], 0x0303, bytes, &len);
	assert_non_null(at);
	memcpy(plain, at, len);
	return len;
}

/* Seal a record.  Returns its length. */
static size_t forger_seal(struct forger *f, int type, const void *plain,
    size_t len, uint8_t *record)
{
	const uint8_t *from;

	memcpy(record + 13, plain, len);
	from = f->out.vtable.out->inner.encrypt((void *)&f->out.vtable.out,
	    type, 0x0303, record + 13, &len);
	assert_true(from == record);
	return len;
}

static struct forger forge(uint8_t *finished)
{
	second_flight("P-256");
	take_until(finished_off);
	struct forger f = forger_of(&rig.hs->ctx.eng.in.gcm);

	assert_int_equal(forger_open(&f, finished_off, finished), 16);
	return f;
}

static void a_wrong_finished_is_a_decrypt_error(void **state)
{
	uint8_t finished[16], record[256];

	(void)state;
	for (size_t i = 4; i < 16; i++) {
		struct forger f = forge(finished);

		finished[i] ^= 1;
		expect_alert(record, forger_seal(&f, TLS_HANDSHAKE, finished, 16,
		    record), TLS_DECRYPT_ERROR);
	}
}

static void a_finished_of_another_shape_is_refused(void **state)
{
	uint8_t finished[17], record[256];
	struct forger f = forge(finished);

	(void)state;
	finished[0] = 16;
	expect_alert(record, forger_seal(&f, TLS_HANDSHAKE, finished, 16, record),
	    TLS_UNEXPECTED_MESSAGE);
	f = forge(finished);
	finished[3] = 13;
	finished[16] = 0;
	expect_alert(record, forger_seal(&f, TLS_HANDSHAKE, finished, 17, record),
	    TLS_DECODE_ERROR);
	f = forge(finished);
	finished[3] = 11;
	expect_alert(record, forger_seal(&f, TLS_HANDSHAKE, finished, 15, record),
	    TLS_DECODE_ERROR);
}

/*
 * What lies behind it in its record is refused once it was answered: protected.
 */
static void bytes_behind_a_finished_are_unexpected(void **state)
{
	uint8_t finished[17], record[256];
	struct forger f = forge(finished);

	(void)state;
	finished[16] = 1;
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_HANDSHAKE,
	    finished, 17, record)), TLS_FAILED);
	/* ChangeCipherSpec, Finished, an alert. */
	assert_int_equal(rig.out_len, 6 + 5 + 8 + 16 + 16 + 5 + 8 + 2 + 16);
	rig_deliver(&rig);
	assert_int_equal(SSL_do_handshake(rig.ssl), 1);
	SSL_read(rig.ssl, record, 1);
	assert_int_equal(rig.alert_seen, TLS_UNEXPECTED_MESSAGE);
	rig_end(&rig);
}

static void a_finished_may_come_in_parts(void **state)
{
	uint8_t finished[16], record[256];
	struct forger f = forge(finished);

	(void)state;
	/* Empty records are nothing; a warning between them neither. */
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_HANDSHAKE, "", 0,
	    record)), TLS_MORE);
	for (size_t i = 0; i < 15; i++)
		assert_int_equal(rig_take(&rig, record, forger_seal(&f,
		    TLS_HANDSHAKE, finished + i, 1, record)), TLS_MORE);
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_ALERT,
	    "\x01\x5a", 2, record)), TLS_MORE);
	assert_int_equal(rig.out_len, 0);
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_HANDSHAKE,
	    finished + 15, 1, record)), TLS_DONE);
	rig_deliver(&rig);
	assert_int_equal(SSL_do_handshake(rig.ssl), 1);
	rig_end(&rig);
}

static void a_close_before_the_end_is_answered(void **state)
{
	uint8_t finished[16], record[256];
	struct forger f = forge(finished);

	(void)state;
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_ALERT,
	    "\x01\x00", 2, record)), TLS_FAILED);
	assert_int_equal(rig.out_len, 7);
	assert_memory_equal(rig.out, "\x15\x03\x03\x00\x02\x01\x00", 7);
	rig_end(&rig);
	f = forge(finished);
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_ALERT,
	    "\x02\x14", 2, record)), TLS_FAILED);
	assert_int_equal(rig.out_len, 0);
	rig_end(&rig);
}

/* The same in a resumed handshake, where our side is protected already. */
static void a_wrong_finished_of_a_resumed_session_too(void **state)
{
	struct client client = { .suites = GCM };
	uint8_t hello[4096], plain[256], record[256];

	(void)state;
	rig_connect(&rig, &client);
	client.session = SSL_get1_session(rig.ssl);
	rig_end(&rig);
	rig_start(&rig, &client);
	rig_take_all(&rig, hello, rig_client_says(&rig, hello, sizeof hello));
	assert_true(tls_handshake_was_resumed(rig.hs));
	rig_deliver(&rig);
	flight_len = rig_client_says(&rig, flight, sizeof flight);
	take_until(6);                              /* ChangeCipherSpec */
	struct forger f = forger_of(&rig.hs->ctx.eng.in.gcm);

	assert_int_equal(forger_open(&f, 6, plain), 16);
	plain[4] ^= 1;
	assert_int_equal(rig_take(&rig, record, forger_seal(&f, TLS_HANDSHAKE, plain,
	    16, record)), TLS_FAILED);
	rig_deliver(&rig);
	SSL_read(rig.ssl, record, 1);
	assert_int_equal(rig.alert_seen, TLS_DECRYPT_ERROR);
	rig_end(&rig);
	SSL_SESSION_free(client.session);
}

/* ---- Records ------------------------------------------------------------- */

/* Take records one byte of payload at a time, as long as they are in clear. */
static void take_in_bytes(const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		const size_t payload_len = load_be16(bytes + 3);

		for (size_t i = 0; i < payload_len; i++) {
			uint8_t one[TLS_HEADER_LEN + 1];

			memcpy(one, bytes, TLS_HEADER_LEN);
			store_be16(one + 3, 1);
			one[TLS_HEADER_LEN] = bytes[TLS_HEADER_LEN + i];
			assert_int_equal(rig_take(&rig, one, sizeof one), TLS_MORE);
			if (i + 1 < payload_len)
				assert_int_equal(rig.out_len, 0);
		}
		bytes += TLS_HEADER_LEN + payload_len;
		len -= TLS_HEADER_LEN + payload_len;
	}
}

static void records_of_one_byte_work(void **state)
{
	uint8_t hello[4096];

	(void)state;
	rig_start(&rig, &(struct client){ .suites = GCM, .name = "a.example" });
	const size_t len = rig_client_says(&rig, hello, sizeof hello);

	take_in_bytes(hello, len);
	rig_deliver(&rig);
	flight_len = rig_client_says(&rig, flight, sizeof flight);
	finished_off = TLS_HEADER_LEN + load_be16(flight + 3) + 6;
	take_in_bytes(flight, finished_off);
	assert_int_equal(rig_take_all(&rig, flight + finished_off,
	    flight_len - finished_off), TLS_DONE);
	rig_deliver(&rig);
	assert_int_equal(SSL_do_handshake(rig.ssl), 1);
}

static void a_later_record_has_to_say_1_2(void **state)
{
	(void)state;
	second_flight("P-256");
	flight[2] = 1;
	expect_alert(flight, ccs_off, TLS_PROTOCOL_VERSION);
}

static void handshakes_do_not_disturb_each_other(void **state)
{
	static struct rig many[8];
	uint8_t bytes[4096];
	size_t done = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		rig_start(&many[i], &(struct client){ .name = "a.example" });
	while (done < ARRAY_LEN(many)) {
		for (size_t i = 0; i < ARRAY_LEN(many); i++) {
			if (many[i].progress == TLS_DONE)
				continue;
			const size_t len = rig_client_says(&many[i], bytes,
			    sizeof bytes);

			rig_take_all(&many[i], bytes, len);
			rig_deliver(&many[i]);
			done += many[i].progress == TLS_DONE;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		assert_int_equal(SSL_do_handshake(many[i].ssl), 1);
		rig_end(&many[i]);
	}
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(points_off_their_curve_are_illegal),
		CASE(points_of_another_length_are_illegal),
		CASE(a_key_exchange_that_does_not_fit_is_a_decode_error),
		CASE(messages_out_of_order_are_unexpected),
		CASE(a_bad_change_cipher_spec_is_a_decode_error),
		CASE(a_changed_finished_is_a_bad_mac),
		CASE(records_too_short_for_a_mac_have_none),
		CASE(records_too_long_for_any_plaintext_overflow),
		CASE(a_wrong_finished_is_a_decrypt_error),
		CASE(a_finished_of_another_shape_is_refused),
		CASE(bytes_behind_a_finished_are_unexpected),
		CASE(a_finished_may_come_in_parts),
		CASE(a_close_before_the_end_is_answered),
		CASE(a_wrong_finished_of_a_resumed_session_too),
		cmocka_unit_test_setup_teardown(records_of_one_byte_work, start, end),
		CASE(a_later_record_has_to_say_1_2),
		CASE(handshakes_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: tests/tls/fake.c tests/tls/rig.c tests/host_panic.c
 *        tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 *        tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto */
/*
 * Records after the handshake, both ways, with OpenSSL at the other end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tls/fake.h"
#include "tests/tls/rig.h"
#include "tls/engine_int.h"

static const struct {
	const char *name;
	size_t overhead;
} suites[] = {
	{ "ECDHE-ECDSA-AES128-GCM-SHA256", 29 },
	{ "ECDHE-ECDSA-AES256-GCM-SHA384", 29 },
	{ "ECDHE-ECDSA-CHACHA20-POLY1305", 21 },
};

static const size_t lengths[] = { 0, 1, 15, 16, 17, 1400, 16383, 16384 };

static struct rig rig;

static void connect_with(size_t suite)
{
	fake_start();
	FAKE_ADD(FAKE_P256, "a.example");
	rig_connect(&rig, &(struct client){ .suites = suites[suite].name });
}

static void fill(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + len);
}

/*
 * Seal in a place of exactly the size that is asked for; give it to the client.
 */
static void send_record(uint8_t type, const void *plain, size_t len)
{
	uint8_t *const room = malloc(TLS_HEAD_ROOM + len + TLS_TAIL_ROOM);
	size_t record_len = len;

	assert_non_null(room);
	memcpy(room + TLS_HEAD_ROOM, plain, len);
	const uint8_t *const record = tls_seal(rig.keys, type,
	    room + TLS_HEAD_ROOM, &record_len);

	assert_true(record >= room && record <= room + TLS_HEAD_ROOM);
	assert_int_equal(record_len, len + tls_overhead(rig.keys));
	assert_int_equal(BIO_write(SSL_get_rbio(rig.ssl), record,
	    (int)record_len), record_len);
	free(room);
}

static void what_we_seal_the_client_reads(void **state)
{
	static uint8_t plain[TLS_PLAIN_MAX], got[TLS_PLAIN_MAX + 1];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		connect_with(s);
		assert_int_equal(tls_overhead(rig.keys), suites[s].overhead);
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			fill(plain, lengths[i]);
			send_record(TLS_DATA, plain, lengths[i]);
			const int n = SSL_read(rig.ssl, got, sizeof got);

			if (lengths[i] == 0) {
				assert_int_equal(SSL_get_error(rig.ssl, n),
				    SSL_ERROR_WANT_READ);
				continue;
			}
			assert_int_equal(n, lengths[i]);
			assert_memory_equal(got, plain, lengths[i]);
		}
		/* The end: RFC 5246, section 7.2.1. */
		send_record(TLS_ALERT, "\x01\x00", 2);
		assert_int_equal(SSL_read(rig.ssl, got, sizeof got), 0);
		assert_int_equal(SSL_get_shutdown(rig.ssl), SSL_RECEIVED_SHUTDOWN);
		rig_end(&rig);
	}
}

/* The client's next record, in a place with exactly the room that is asked for. */
static uint8_t *next_record(size_t *len)
{
	uint8_t header[TLS_HEADER_LEN];
	BIO *const wire = SSL_get_wbio(rig.ssl);

	assert_int_equal(BIO_read(wire, header, sizeof header), sizeof header);
	assert_int_equal(load_be16(header + 1), 0x0303);
	*len = load_be16(header + 3);
	uint8_t *const room =
	    malloc(TLS_OPEN_HEAD_ROOM + *len + TLS_OPEN_TAIL_ROOM);

	assert_non_null(room);
	assert_int_equal(BIO_read(wire, room + TLS_OPEN_HEAD_ROOM, (int)*len), *len);
	return room + TLS_OPEN_HEAD_ROOM;
}

static void free_record(uint8_t *payload)
{
	free(payload - TLS_OPEN_HEAD_ROOM);
}

static void what_the_client_writes_we_open(void **state)
{
	static uint8_t plain[TLS_PLAIN_MAX];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		connect_with(s);
		for (size_t i = 1; i < ARRAY_LEN(lengths); i++) {
			size_t len;

			fill(plain, lengths[i]);
			assert_int_equal(SSL_write(rig.ssl, plain, (int)lengths[i]),
			    lengths[i]);
			uint8_t *const payload = next_record(&len);
			const uint8_t *const at = tls_open(rig.keys, TLS_DATA,
			    payload, &len);

			assert_non_null(at);
			assert_int_equal(len, lengths[i]);
			assert_memory_equal(at, plain, len);
			free_record(payload);
		}
		assert_int_equal(SSL_shutdown(rig.ssl), 0);
		size_t len;
		uint8_t *const payload = next_record(&len);
		const uint8_t *const at = tls_open(rig.keys, TLS_ALERT, payload, &len);

		assert_non_null(at);
		assert_int_equal(len, 2);
		assert_memory_equal(at, "\x01\x00", 2);
		free_record(payload);
		rig_end(&rig);
	}
}

static void what_is_not_the_clients_does_not_open(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		for (size_t i = 0; i < 5 + 24; i++) {
			size_t len;

			connect_with(s);
			assert_int_equal(SSL_write(rig.ssl, "salve", 5), 5);
			uint8_t *const payload = next_record(&len);

			payload[i % len] ^= (uint8_t)(1 << i % 8);
			assert_null(tls_open(rig.keys, TLS_DATA, payload, &len));
			free_record(payload);
			rig_end(&rig);
		}
	}
}

static void another_type_or_order_does_not_open(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		size_t len;

		connect_with(s);
		assert_int_equal(SSL_write(rig.ssl, "salve", 5), 5);
		uint8_t *payload = next_record(&len);

		assert_null(tls_open(rig.keys, TLS_HANDSHAKE, payload, &len));
		free_record(payload);
		rig_end(&rig);

		connect_with(s);
		assert_int_equal(SSL_write(rig.ssl, "salve", 5), 5);
		free_record(next_record(&len));
		assert_int_equal(SSL_write(rig.ssl, "salve", 5), 5);
		payload = next_record(&len);
		assert_null(tls_open(rig.keys, TLS_DATA, payload, &len));
		free_record(payload);
		rig_end(&rig);
	}
}

static void impossible_lengths_do_not_open(void **state)
{
	static uint8_t room[TLS_OPEN_HEAD_ROOM + TLS_PAYLOAD_MAX +
	    TLS_OPEN_TAIL_ROOM];
	uint8_t *const payload = room + TLS_OPEN_HEAD_ROOM;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		const size_t more = suites[s].overhead - TLS_HEADER_LEN;
		const size_t tries[] = { 0, 1, more - 1, TLS_PLAIN_MAX + more + 1,
			TLS_PAYLOAD_MAX };

		connect_with(s);
		for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
			size_t len = tries[i];

			assert_null(tls_open(rig.keys, TLS_DATA, payload, &len));
		}
		rig_end(&rig);
	}
}

/* OpenSSL writes none; so we do it for the client, with its keys. */
static void an_empty_record_opens(void **state)
{
	uint8_t room[TLS_HEAD_ROOM + TLS_TAIL_ROOM];
	struct tls_keys client;
	size_t len = 0;

	(void)state;
	connect_with(0);
	client = *rig.keys;
	client.out.gcm = client.in.gcm;
	client.out.gcm.vtable.out = &br_sslrec_out_gcm_vtable;
	uint8_t *const record =
	    tls_seal(&client, TLS_DATA, room + TLS_HEAD_ROOM, &len);

	assert_int_equal(len, tls_overhead(&client));
	len -= TLS_HEADER_LEN;
	assert_non_null(tls_open(rig.keys, TLS_DATA, record + TLS_HEADER_LEN, &len));
	assert_int_equal(len, 0);
	rig_end(&rig);
}

/* ---- RFC 5246, section 7.2.2: what a fatal alert ended is not resumed ---- */

static bool session_is_known(void)
{
	unsigned len;
	const uint8_t *const id = SSL_SESSION_get_id(SSL_get_session(rig.ssl), &len);
	struct session found;

	return sessions_find(id, fake_now_ms, &found);
}

static void our_fatal_alert_ends_the_session(void **state)
{
	(void)state;
	connect_with(0);
	assert_true(session_is_known());
	send_record(TLS_DATA, "\x02\x14", 2);
	send_record(TLS_ALERT, "\x01\x64", 2);
	send_record(TLS_ALERT, "\x01\x00", 2);
	assert_true(session_is_known());
	send_record(TLS_ALERT, "\x02\x14", 2);
	assert_false(session_is_known());
	rig_end(&rig);
}

static void the_clients_close_notify_does_not(void **state)
{
	size_t len;

	(void)state;
	connect_with(0);
	SSL_shutdown(rig.ssl);
	uint8_t *payload = next_record(&len);

	assert_non_null(tls_open(rig.keys, TLS_ALERT, payload, &len));
	free_record(payload);
	assert_true(session_is_known());
	rig_end(&rig);
}

static void the_clients_fatal_alert_does(void **state)
{
	uint8_t byte;
	size_t len;

	(void)state;
	connect_with(0);
	/* A record that makes no sense to it. */
	assert_int_equal(BIO_write(SSL_get_rbio(rig.ssl),
	    "\x17\x03\x03\x00\x01x", 6), 6);
	assert_int_equal(SSL_read(rig.ssl, &byte, 1), -1);
	uint8_t *payload = next_record(&len);
	const uint8_t *const at = tls_open(rig.keys, TLS_ALERT, payload, &len);

	assert_non_null(at);
	assert_int_equal(at[0], 2);
	free_record(payload);
	assert_false(session_is_known());
	rig_end(&rig);
}

static void keys_are_wiped(void **state)
{
	(void)state;
	connect_with(0);
	tls_keys_wipe(rig.keys);
	for (size_t i = 0; i < tls_keys_len(); i++)
		assert_int_equal(((const uint8_t *)rig.keys)[i], 0);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_seal_the_client_reads),
		cmocka_unit_test(what_the_client_writes_we_open),
		cmocka_unit_test(what_is_not_the_clients_does_not_open),
		cmocka_unit_test(another_type_or_order_does_not_open),
		cmocka_unit_test(impossible_lengths_do_not_open),
		cmocka_unit_test(an_empty_record_opens),
		cmocka_unit_test(our_fatal_alert_ends_the_session),
		cmocka_unit_test(the_clients_close_notify_does_not),
		cmocka_unit_test(the_clients_fatal_alert_does),
		cmocka_unit_test(keys_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

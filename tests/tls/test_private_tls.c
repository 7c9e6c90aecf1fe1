/* links: tests/tls/fake.c tests/tls/fake_net.c tests/tls/line_app.c
 * tests/host_panic.c tls/private.c tls/incoming.c tls/outgoing.c tls/stream.c
 * tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 * tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto */
/*
 * Private streams with the real engine, and a client that somebody else wrote
 * (OpenSSL): whatever pieces TCP cuts, both sides get what the other sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/tls/fake.h"
#include "tests/tls/fake_net.h"
#include "tests/tls/line_app.h"
#include "tls/engine.h"
#include "tls/private.h"

struct peer {
	struct net_conn *conn;
	SSL *ssl;
	size_t read;              /* of conn->out */
	size_t piece;             /* bytes of the client in one segment */
	size_t room;              /* what TCP takes between two acknowledgements */
	uint8_t *got;
	size_t got_len;
	int got_alert;            /* the last one, level * 256 + description */
};

static SSL_CTX *ctx;

static void note_alert(const SSL *ssl, int where, int value)
{
	struct peer *const p = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
		p->got_alert = value;
}

static void peer_open(struct peer *p, const char *suite, size_t piece,
    size_t room)
{
	memset(p, 0, sizeof *p);
	p->got_alert = -1;
	p->piece = piece;
	p->room = room;
	p->conn = fake_open();
	fake_acknowledge(p->conn, room);
	p->got = malloc(FAKE_OUT_CAP);
	p->ssl = SSL_new(ctx);
	assert_true(p->ssl != NULL && p->got != NULL);
	if (suite != NULL)
		assert_int_equal(SSL_set_cipher_list(p->ssl, suite), 1);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(p->ssl);
	SSL_set_app_data(p->ssl, p);
	SSL_set_info_callback(p->ssl, note_alert);
}

static void peer_close(struct peer *p)
{
	fake_free(p->conn);
	SSL_free(p->ssl);
	free(p->got);
	assert_true(fake_is_idle());
}

/* What the client wants to send, cut into pieces, while the window lets it. */
static bool carry_up(struct peer *p)
{
	uint8_t bytes[4096];
	bool moved = false;

	for (;;) {
		size_t n = p->piece < sizeof bytes ? p->piece : sizeof bytes;

		if (n > fake_window(p->conn))
			n = fake_window(p->conn);
		if (n == 0)
			return moved;
		const int len = BIO_read(SSL_get_wbio(p->ssl), bytes, (int)n);
		if (len <= 0)
			return moved;
		fake_receive(p->conn, bytes, (size_t)len);
		moved = true;
	}
}

static bool carry_down(struct peer *p)
{
	const size_t len = p->conn->out_len - p->read;
	const bool moved = len > 0 || (p->conn->wants_room &&
	    !p->conn->dead && !p->conn->closing);

	if (len > 0)
		assert_int_equal(BIO_write(SSL_get_rbio(p->ssl),
		    p->conn->out + p->read, (int)len), len);
	p->read += len;
	fake_acknowledge(p->conn, p->room);
	return moved;
}

/* Carry bytes and let the client read, until nothing moves any more. */
static void run(struct peer *p)
{
	for (bool moved = true; moved;) {
		size_t n;

		moved = carry_up(p);
		while (SSL_read_ex(p->ssl, p->got + p->got_len,
		    FAKE_OUT_CAP - p->got_len, &n) == 1)
			p->got_len += n;
		ERR_clear_error();
		moved |= carry_up(p) | carry_down(p);
	}
}

static void ask(struct peer *p, const char *requests)
{
	assert_int_equal(SSL_write(p->ssl, requests, (int)strlen(requests)),
	    strlen(requests));
	run(p);
}

static void expect(const struct peer *p, const char *requests)
{
	static uint8_t wanted[FAKE_OUT_CAP];
	const size_t len = line_answer(requests, wanted);

	assert_int_equal(p->got_len, len);
	assert_memory_equal(p->got, wanted, len);
}

static int setup(void **state)
{
	(void)state;
	memset(&line, 0, sizeof line);
	memset(&private_counters, 0, sizeof private_counters);
	fake_start();
	FAKE_ADD(FAKE_P256, "a.example");
	FAKE_ADD(FAKE_RSA, "a.example");
	fake_net_start(private_session_len(), tls_handshake_len());
	if (ctx == NULL) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
		SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
	}
	return stream_listen_private(443, &line_app) ? 0 : 1;
}

#define sentence(name) cmocka_unit_test_setup(name, setup)

static const char *const suites[] = {
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
	"ECDHE-ECDSA-CHACHA20-POLY1305",
};

/* ---- The cases ------------------------------------------------------------- */

static void each_suite_carries_answers_of_any_size(void **state)
{
	static const char *requests = "0\n1\n1000\n16384\n1000000\n7\n";
	struct peer p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		peer_open(&p, suites[i], SIZE_MAX, SIZE_MAX / 2);
		run(&p);
		assert_int_equal(SSL_is_init_finished(p.ssl), 1);
		ask(&p, requests);
		expect(&p, requests);
		assert_int_equal(SSL_shutdown(p.ssl), 0);
		run(&p);
		assert_int_equal(SSL_get_shutdown(p.ssl),
		    SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		assert_true(p.conn->closing);
		peer_close(&p);
	}
	assert_int_equal(private_counters.full, ARRAY_LEN(suites));
	assert_int_equal(line.closed, ARRAY_LEN(suites));
}

static void any_pieces_and_any_room_will_do(void **state)
{
	static const char *requests = "3\n20000\n0\n2000\nc60000\n";
	static const size_t pieces[] = { 1, 3, 100, 1460, 4096 };
	static const size_t rooms[] = { 64, 536, 1460, 4000, 20000 };
	struct peer p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces) * ARRAY_LEN(rooms); i++) {
		peer_open(&p, suites[i % ARRAY_LEN(suites)],
		    pieces[i % ARRAY_LEN(pieces)], rooms[i / ARRAY_LEN(pieces)]);
		run(&p);
		ask(&p, requests);
		expect(&p, requests);
		/* It said close_notify by itself. */
		assert_int_equal(SSL_get_shutdown(p.ssl), SSL_RECEIVED_SHUTDOWN);
		peer_close(&p);
	}
}

static void full_records_of_the_client_are_taken(void **state)
{
	static char text[3 * 16384 + 1];
	struct peer p;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof text; i += 2)
		memcpy(text + i, "0\n", 3);
	for (size_t room = 100; room < 100000; room *= 30) {
		peer_open(&p, NULL, 1460, room);
		run(&p);
		ask(&p, text);
		expect(&p, text);
		peer_close(&p);
	}
}

static void records_are_whole_segments_in_each_suite(void **state)
{
	struct peer p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		peer_open(&p, suites[i], SIZE_MAX, SIZE_MAX / 2);
		run(&p);
		size_t at = p.conn->out_len;
		ask(&p, "200000\n");
		for (size_t n = 0; n < 8; n++) {
			const size_t len = 5 + load_be16(p.conn->out + at + 3);

			assert_int_equal(len % 1460, 0);
			at += len;
		}
		peer_close(&p);
	}
}

static void a_session_is_resumed_with_its_request_behind_finished(
    void **state)
{
	struct peer p;
	SSL_SESSION *session;

	(void)state;
	peer_open(&p, NULL, SIZE_MAX, SIZE_MAX / 2);
	run(&p);
	ask(&p, "5\n");
	session = SSL_get1_session(p.ssl);
	SSL_shutdown(p.ssl);
	run(&p);
	peer_close(&p);

	peer_open(&p, NULL, SIZE_MAX, SIZE_MAX / 2);
	SSL_set_session(p.ssl, session);
	run(&p);
	assert_int_equal(SSL_session_reused(p.ssl), 1);
	ask(&p, "6\n");
	expect(&p, "6\n");
	assert_int_equal(private_counters.resumed, 1);
	assert_int_equal(private_counters.full, 1);
	peer_close(&p);
	SSL_SESSION_free(session);
}

static void renegotiation_is_refused_by_a_warning(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, NULL, SIZE_MAX, SIZE_MAX / 2);
	run(&p);
	assert_int_equal(SSL_renegotiate(p.ssl), 1);
	(void)SSL_do_handshake(p.ssl);
	(void)carry_up(&p);
	assert_false(p.conn->closing);
	(void)carry_down(&p);
	(void)SSL_do_handshake(p.ssl);
	assert_int_equal(p.got_alert, 256 + TLS_NO_RENEGOTIATION);
	peer_close(&p);
}

static void an_old_version_gets_its_alert(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, NULL, 1, 1000);
	SSL_set_security_level(p.ssl, 0);
	SSL_set_min_proto_version(p.ssl, TLS1_VERSION);
	SSL_set_max_proto_version(p.ssl, TLS1_1_VERSION);
	run(&p);
	assert_int_equal(p.got_alert, 512 + TLS_PROTOCOL_VERSION);
	assert_true(p.conn->closing);
	assert_int_equal(private_counters.failed, 1);
	peer_close(&p);
}

/* Each bit of what the client sends, once turned over. */
static void a_changed_record_ends_in_bad_record_mac(void **state)
{
	uint8_t record[200];
	struct peer p;
	int len;

	(void)state;
	for (size_t at = TLS_HEADER_LEN; at < TLS_HEADER_LEN + 26; at++) {
		peer_open(&p, suites[0], SIZE_MAX, SIZE_MAX / 2);
		run(&p);
		assert_int_equal(SSL_write(p.ssl, "5\n", 2), 2);
		len = BIO_read(SSL_get_wbio(p.ssl), record, sizeof record);
		assert_int_equal(len, TLS_HEADER_LEN + 26);
		record[at] ^= (uint8_t)(1 << at % 8);
		fake_receive(p.conn, record, (size_t)len);
		run(&p);
		assert_int_equal(p.got_alert, 512 + TLS_BAD_RECORD_MAC);
		assert_int_equal(p.got_len, 0);
		assert_true(p.conn->closing);
		peer_close(&p);
	}
}

static void what_is_cut_off_is_not_an_end(void **state)
{
	struct peer p;

	(void)state;
	peer_open(&p, NULL, SIZE_MAX, 5000);
	run(&p);
	assert_int_equal(SSL_write(p.ssl, "100000\n", 7), 7);
	(void)carry_up(&p);
	fake_expire(p.conn);
	assert_true(p.conn->was_reset);
	run(&p);
	assert_true(p.got_len > 1000 && p.got_len < 100000);
	assert_int_equal(SSL_get_shutdown(p.ssl), 0);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(each_suite_carries_answers_of_any_size),
		sentence(any_pieces_and_any_room_will_do),
		sentence(full_records_of_the_client_are_taken),
		sentence(records_are_whole_segments_in_each_suite),
		sentence(a_session_is_resumed_with_its_request_behind_finished),
		sentence(renegotiation_is_refused_by_a_warning),
		sentence(an_old_version_gets_its_alert),
		sentence(a_changed_record_ends_in_bad_record_mac),
		sentence(what_is_cut_off_is_not_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

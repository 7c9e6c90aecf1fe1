/* links: tests/tls/fake.c tests/tls/rig.c tests/host_panic.c
 *        tls/engine_bearssl.c tls/keys_bearssl.c tls/gcm_bearssl.c tls/policy_bearssl.c
 *        tls/curves_bearssl.c tls/choose.c tls/sessions.c @bearssl_tls -lssl -lcrypto */
/*
 * Resumption, with OpenSSL as the client: when it happens, and when it must
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tls/fake.h"
#include "tests/tls/rig.h"
#include "tls/sessions.h"

#define SUITE "ECDHE-ECDSA-AES128-GCM-SHA256"
#define OTHER_SUITE "ECDHE-ECDSA-AES256-GCM-SHA384"

static const struct client plain = { .name = "a.example" };

static int start(void **state)
{
	(void)state;
	fake_start();
	FAKE_ADD(FAKE_P256, "a.example");
	FAKE_ADD(FAKE_P384, "b.example");
	return 0;
}

/* What a client has after a full handshake. */
static SSL_SESSION *make_session(const struct client *client)
{
	struct rig rig;
	SSL_SESSION *session;

	rig_connect(&rig, client);
	assert_false(rig.was_resumed);
	session = SSL_get1_session(rig.ssl);
	rig_end(&rig);
	return session;
}

/* Connect with it; afterwards it is freed.  Returns whether it was resumed. */
static bool resumes(struct client client, SSL_SESSION *session)
{
	const unsigned before = fake_signatures;
	struct rig rig;

	client.session = session;
	rig_connect(&rig, &client);
	const bool was_resumed = rig.was_resumed;

	assert_int_equal(SSL_session_reused(rig.ssl), was_resumed);
	assert_int_equal(fake_signatures - before, was_resumed ? 0 : 1);
	rig_end(&rig);
	SSL_SESSION_free(session);
	return was_resumed;
}

static void a_session_is_resumed_without_a_signature(void **state)
{
	static const char *const suites[] = {
		SUITE, OTHER_SUITE, "ECDHE-ECDSA-CHACHA20-POLY1305",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		const struct client client = {
			.name = "a.example", .suites = suites[i] };

		assert_true(resumes(client, make_session(&client)));
	}
}

static void it_can_be_resumed_again(void **state)
{
	SSL_SESSION *const session = make_session(&plain);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		SSL_SESSION_up_ref(session);
		assert_true(resumes(plain, session));
	}
	SSL_SESSION_free(session);
}

static void under_another_name_it_is_not(void **state)
{
	const struct client other = { .name = "b.example" };
	const struct client nobody = { .name = NULL };
	struct client with_session = other;
	struct rig rig;

	(void)state;
	with_session.session = make_session(&plain);
	rig_connect(&rig, &with_session);
	assert_false(rig.was_resumed);
	assert_true(fake_has_key(SSL_get0_peer_certificate(rig.ssl), FAKE_P384));
	rig_end(&rig);
	SSL_SESSION_free(with_session.session);

	assert_false(resumes(nobody, make_session(&plain)));
	assert_false(resumes(plain, make_session(&nobody)));
	assert_true(resumes(nobody, make_session(&nobody)));
}

static void the_same_name_may_look_different(void **state)
{
	(void)state;
	assert_true(resumes((struct client){ .name = "A.Example." },
	    make_session(&plain)));
}

static void it_ends_after_its_time(void **state)
{
	(void)state;
	SSL_SESSION *session = make_session(&plain);

	fake_now_ms += LIMIT_SESSION_MS;
	assert_true(resumes(plain, session));
	/* And is not prolonged by being used. */
	session = make_session(&plain);
	SSL_SESSION_up_ref(session);
	fake_now_ms += LIMIT_SESSION_MS;
	assert_true(resumes(plain, session));
	fake_now_ms += 1;
	assert_false(resumes(plain, session));
}

static void a_restart_forgets_all(void **state)
{
	(void)state;
	SSL_SESSION *const session = make_session(&plain);

	tls_engine_start();
	assert_false(resumes(plain, session));
}

static void its_suite_has_to_be_offered(void **state)
{
	const struct client one = { .name = "a.example", .suites = SUITE };
	uint8_t bytes[4096];
	struct rig rig;

	(void)state;
	struct client both = { .name = "a.example", .suites = SUITE ":" OTHER_SUITE };

	/*
	 * OpenSSL would not offer a session of which it lacks the suite: take
	 * it out.
	 */
	both.session = make_session(&one);
	rig_start(&rig, &both);
	const size_t len = rig_client_says(&rig, bytes, sizeof bytes);
	uint8_t *at = memmem(bytes, len, "\xc0\x2b\xc0\x2c", 4);

	assert_non_null(at);
	at[1] = 0x09;
	assert_int_equal(rig_take_all(&rig, bytes, len), TLS_MORE);
	assert_false(tls_handshake_was_resumed(rig.hs));
	assert_int_equal(fake_signatures, 2);
	rig_end(&rig);
	SSL_SESSION_free(both.session);
}

static void protocols_are_looked_at_again(void **state)
{
	const struct client known = {
		.name = "a.example", .protocols = "\x08http/1.1" };
	struct client unknown = { .name = "a.example", .protocols = "\x02h2" };
	const uint8_t *protocol;
	unsigned len;
	struct rig rig;

	(void)state;
	struct client again = known;

	again.session = make_session(&known);
	rig_connect(&rig, &again);
	assert_true(rig.was_resumed);
	SSL_get0_alpn_selected(rig.ssl, &protocol, &len);
	assert_int_equal(len, 8);
	rig_end(&rig);

	/* RFC 7301, section 3.1: what the session had does not count. */
	unknown.session = again.session;
	rig_start(&rig, &unknown);
	assert_int_equal(rig_run(&rig), TLS_FAILED);
	assert_int_equal(rig_clear_alert(&rig), TLS_NO_APPLICATION_PROTOCOL);
	rig_end(&rig);
	SSL_SESSION_free(again.session);
}

/* The ClientHello in two records: a full handshake, whatever the session. */
static void a_divided_hello_is_not_resumed(void **state)
{
	struct client client = plain;
	uint8_t bytes[4096], half[4096];
	struct rig rig;

	(void)state;
	client.session = make_session(&plain);
	rig_start(&rig, &client);
	const size_t len = rig_client_says(&rig, bytes, sizeof bytes);

	memcpy(half, bytes, TLS_HEADER_LEN + 100);
	store_be16(half + 3, 100);
	assert_int_equal(rig_take(&rig, half, TLS_HEADER_LEN + 100), TLS_MORE);
	assert_int_equal(rig.out_len, 0);
	memcpy(half + TLS_HEADER_LEN, bytes + TLS_HEADER_LEN + 100,
	    len - TLS_HEADER_LEN - 100);
	store_be16(half + 3, (uint16_t)(len - TLS_HEADER_LEN - 100));
	assert_int_equal(rig_take(&rig, half, len - 100), TLS_MORE);
	rig_deliver(&rig);
	assert_int_equal(rig_run(&rig), TLS_DONE);
	assert_false(rig.was_resumed);
	assert_int_equal(SSL_is_init_finished(rig.ssl), 1);
	rig_end(&rig);
	SSL_SESSION_free(client.session);
}

/* ---- Failures ------------------------------------------------------------ */

static bool is_known(const SSL_SESSION *session)
{
	unsigned len;
	const uint8_t *const id = SSL_SESSION_get_id(session, &len);
	struct session found;

	assert_int_equal(len, SESSION_ID_LEN);
	return sessions_find(id, fake_now_ms, &found);
}

/*
 * Change a ClientHello on its way so that nothing but the Finished messages
 * shows it: a suite that we do not have anyway.
 */
static void change_hello(uint8_t *bytes, size_t len)
{
	uint8_t *const at = memmem(bytes, len, "\xc0\x0a", 2);

	assert_non_null(at);
	at[1] = 0x09;
}

static void a_failed_handshake_leaves_no_session(void **state)
{
	const struct client client = { .name = "a.example",
		.suites = SUITE ":ECDHE-ECDSA-AES256-SHA" };
	uint8_t bytes[4096];
	struct rig rig;

	(void)state;
	rig_start(&rig, &client);
	size_t len = rig_client_says(&rig, bytes, sizeof bytes);

	change_hello(bytes, len);
	rig_take_all(&rig, bytes, len);
	rig_deliver(&rig);
	len = rig_client_says(&rig, bytes, sizeof bytes);
	assert_int_equal(rig_take_all(&rig, bytes, len), TLS_FAILED);
	/* We have not changed to the new keys: the alert is in clear. */
	assert_int_equal(rig_clear_alert(&rig), TLS_DECRYPT_ERROR);
	assert_false(is_known(SSL_get_session(rig.ssl)));
	rig_end(&rig);
}

static void a_fatal_alert_ends_the_session(void **state)
{
	struct client client = { .name = "a.example",
		.suites = SUITE ":ECDHE-ECDSA-AES256-SHA" };
	uint8_t bytes[4096];
	struct rig rig;

	(void)state;
	client.session = make_session(&client);
	assert_true(is_known(client.session));
	rig_start(&rig, &client);
	size_t len = rig_client_says(&rig, bytes, sizeof bytes);

	/* The client sees our Finished first, and it is wrong for it. */
	change_hello(bytes, len);
	assert_int_equal(rig_take_all(&rig, bytes, len), TLS_MORE);
	assert_int_equal(tls_handshake_was_resumed(rig.hs), true);
	rig_deliver(&rig);
	len = rig_client_says(&rig, bytes, sizeof bytes);
	/* So it says decrypt_error, in clear. */
	assert_int_equal(rig_take_all(&rig, bytes, len), TLS_FAILED);
	assert_int_equal(rig.out_len, 0);
	assert_false(is_known(client.session));
	rig_end(&rig);
	SSL_SESSION_free(client.session);
}

static void a_changed_finished_gets_a_protected_alert(void **state)
{
	struct client client = plain;
	uint8_t bytes[4096];
	struct rig rig;

	(void)state;
	client.session = make_session(&plain);
	rig_start(&rig, &client);
	size_t len = rig_client_says(&rig, bytes, sizeof bytes);

	rig_take_all(&rig, bytes, len);
	rig_deliver(&rig);
	len = rig_client_says(&rig, bytes, sizeof bytes);
	bytes[len - 1] ^= 1;
	assert_int_equal(rig_take_all(&rig, bytes, len), TLS_FAILED);
	assert_int_equal(rig.out_len, 5 + 8 + 2 + 16);
	rig_deliver(&rig);
	SSL_read(rig.ssl, bytes, 1);
	assert_int_equal(rig.alert_seen, TLS_BAD_RECORD_MAC);
	assert_false(is_known(client.session));
	rig_end(&rig);
	SSL_SESSION_free(client.session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_session_is_resumed_without_a_signature, start),
		cmocka_unit_test_setup(it_can_be_resumed_again, start),
		cmocka_unit_test_setup(under_another_name_it_is_not, start),
		cmocka_unit_test_setup(the_same_name_may_look_different, start),
		cmocka_unit_test_setup(it_ends_after_its_time, start),
		cmocka_unit_test_setup(a_restart_forgets_all, start),
		cmocka_unit_test_setup(its_suite_has_to_be_offered, start),
		cmocka_unit_test_setup(protocols_are_looked_at_again, start),
		cmocka_unit_test_setup(a_divided_hello_is_not_resumed, start),
		cmocka_unit_test_setup(a_failed_handshake_leaves_no_session, start),
		cmocka_unit_test_setup(a_fatal_alert_ends_the_session, start),
		cmocka_unit_test_setup(a_changed_finished_gets_a_protected_alert, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Contract: rig.h. */
#include "tests/tls/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void note_alert(const SSL *ssl, int where, int value)
{
	struct rig *const rig = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == 2)
		rig->alert_seen = value & 0xff;
}

static void set_up(SSL *ssl, const struct client *client)
{
	const int version = client->version_max != 0 ? client->version_max :
	    TLS1_2_VERSION;

	SSL_set_security_level(ssl, 0);
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, version);
	SSL_clear_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_set_options(ssl, client->options);
	SSL_set_mode(ssl, client->mode);
	if (client->suites != NULL)
		assert_int_equal(SSL_set_cipher_list(ssl, client->suites), 1);
	if (client->groups != NULL)
		assert_int_equal(SSL_set1_groups_list(ssl, client->groups), 1);
	if (client->signatures != NULL)
		assert_int_equal(SSL_set1_sigalgs_list(ssl, client->signatures), 1);
	if (client->name != NULL)
		assert_int_equal(SSL_set_tlsext_host_name(ssl, client->name), 1);
	if (client->protocols != NULL)
		assert_int_equal(SSL_set_alpn_protos(ssl,
		    (const uint8_t *)client->protocols,
		    (unsigned)strlen(client->protocols)), 0);
	if (client->session != NULL)
		assert_int_equal(SSL_set_session(ssl, client->session), 1);
}

void rig_start(struct rig *rig, const struct client *client)
{
	static SSL_CTX *ctx;

	memset(rig, 0, sizeof *rig);
	rig->alert_seen = -1;
	if (ctx == NULL) {
		ctx = SSL_CTX_new(TLS_client_method());
		assert_non_null(ctx);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	}
	rig->ssl = SSL_new(ctx);
	assert_non_null(rig->ssl);
	SSL_set_bio(rig->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(rig->ssl);
	SSL_set_app_data(rig->ssl, rig);
	SSL_set_info_callback(rig->ssl, note_alert);
	set_up(rig->ssl, client);

	rig->hs = aligned_alloc(16, (tls_handshake_len() + 15) & ~(size_t)15);
	rig->keys = aligned_alloc(16, (tls_keys_len() + 15) & ~(size_t)15);
	assert_true(rig->hs != NULL && rig->keys != NULL);
	memset(rig->hs, 0xa5, tls_handshake_len());
	memset(rig->keys, 0xa5, tls_keys_len());
	tls_handshake_start(rig->hs);
}

void rig_end(struct rig *rig)
{
	tls_handshake_wipe(rig->hs);
	for (size_t i = 0; i < tls_handshake_len(); i++)
		assert_int_equal(((const uint8_t *)rig->hs)[i], 0);
	free(rig->hs);
	free(rig->keys);
	SSL_set_shutdown(rig->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(rig->ssl);
}

size_t rig_client_says(struct rig *rig, uint8_t *bytes, size_t cap)
{
	int len;

	const int result = SSL_do_handshake(rig->ssl);

	rig->client_error = SSL_get_error(rig->ssl, result);
	len = BIO_read(SSL_get_wbio(rig->ssl), bytes, (int)cap);
	return len > 0 ? (size_t)len : 0;
}

enum tls_progress rig_take(struct rig *rig, const uint8_t *record, size_t len)
{
	uint8_t *const copy = malloc(len);
	uint8_t *const out = malloc(TLS_FLIGHT_MAX);

	assert_true(copy != NULL && out != NULL);
	memcpy(copy, record, len);
	rig->progress = tls_handshake_take(rig->hs, copy, len, out, &rig->out_len);
	assert_true(rig->out_len <= TLS_FLIGHT_MAX);
	memcpy(rig->out, out, rig->out_len);
	rig->records++;
	free(copy);
	free(out);
	return rig->progress;
}

enum tls_progress rig_take_all(struct rig *rig, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		assert_true(len > TLS_HEADER_LEN);
		const size_t record_len = TLS_HEADER_LEN + load_be16(bytes + 3);

		assert_true(record_len <= len);
		if (rig_take(rig, bytes, record_len) != TLS_MORE)
			break;
		bytes += record_len;
		len -= record_len;
		if (len > 0)
			rig_deliver(rig);
	}
	return rig->progress;
}

void rig_deliver(struct rig *rig)
{
	if (rig->out_len > 0)
		assert_int_equal(BIO_write(SSL_get_rbio(rig->ssl), rig->out,
		    (int)rig->out_len), rig->out_len);
}

enum tls_progress rig_run(struct rig *rig)
{
	static uint8_t bytes[65536];

	for (;;) {
		const size_t len = rig_client_says(rig, bytes, sizeof bytes);

		if (len == 0 || rig->progress != TLS_MORE)
			return rig->progress;
		rig_take_all(rig, bytes, len);
		rig_deliver(rig);
		if (rig->progress != TLS_DONE)
			continue;
		rig->was_resumed = tls_handshake_was_resumed(rig->hs);
		tls_handshake_finish(rig->hs, rig->keys);
	}
}

void rig_connect(struct rig *rig, const struct client *client)
{
	rig_start(rig, client);
	assert_int_equal(rig_run(rig), TLS_DONE);
	assert_int_equal(SSL_is_init_finished(rig->ssl), 1);
	assert_int_equal(rig->client_error, SSL_ERROR_NONE);
}

int rig_clear_alert(const struct rig *rig)
{
	const uint8_t *const end = rig->out + rig->out_len;

	if (rig->out_len < 7 || end[-7] != TLS_ALERT || end[-6] != 3 ||
	    load_be16(end - 4) != 2 || end[-2] != 2)
		return -1;
	return end[-1];
}

/*
 * One private stream to test with: tests/tls/private_rig.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tls/private_rig.h"

struct fake_client client;

int setup(void **state)
{
	(void)state;
	fake_engine.flight_len = 3000;
	fake_engine.finished_len = 51;
	fake_engine.calls = 0;
	memset(&line, 0, sizeof line);
	memset(&private_counters, 0, sizeof private_counters);
	fake_net_start(private_session_len(), tls_handshake_len());
	if (!stream_listen_private(443, &line_app))
		return 1;
	client_init(&client, fake_open());
	return 0;
}

int teardown(void **state)
{
	(void)state;
	fake_free(client.conn);
	client_free(&client);
	return fake_is_idle() ? 0 : 1;
}

void say(const char *text)
{
	client_send(&client, TLS_DATA, text, strlen(text));
}

void raw(const void *data, size_t len)
{
	fake_receive(client.conn, data, len);
}

void expect_answers(const char *requests)
{
	static uint8_t wanted[FAKE_OUT_CAP];
	const size_t len = line_answer(requests, wanted);

	client_read(&client);
	assert_int_equal(client.plain_len, len);
	assert_memory_equal(client.plain, wanted, len);
}

void expect_end(uint8_t level, uint8_t alert)
{
	client_read(&client);
	assert_true(client.conn->closing);
	assert_true(client.alert_count > 0);
	assert_int_equal(client.levels[client.alert_count - 1], level);
	assert_int_equal(client.alerts[client.alert_count - 1], alert);
	assert_int_equal(client.read, client.conn->out_len);
	assert_int_equal(fake.handshakes.used, 0);
	assert_int_equal(fake.holds.used, 0);
}

size_t format_all(uint8_t *out, const char *requests)
{
	size_t len = client_format(&client, TLS_HANDSHAKE, "Hello", 5, out);

	len += client_format(&client, TLS_CHANGE_CIPHER_SPEC, "\1", 1, out + len);
	len += client_format(&client, TLS_HANDSHAKE, "F", 1, out + len);
	client.is_open = true;
	for (; *requests != '\0'; requests += 2)
		len += client_format(&client, TLS_DATA, requests, 2, out + len);
	len += client_format(&client, TLS_ALERT, "\1\0", 2, out + len);
	client.is_open = false;
	return len;
}

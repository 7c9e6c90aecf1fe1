/* links: tests/host_panic.c tests/tls/fake_net.c tests/tls/fake_engine.c
 * tests/tls/line_app.c tests/tls/private_rig.c tls/private.c tls/incoming.c
 * tls/outgoing.c tls/stream.c tls/relayed.c net/proxy.c net/range.c */
/*
 * Streams behind a load balancer: who has to begin with a PROXY header and who has none,
 * plain and private; and that nothing but a whole header lets anybody in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/tls/private_rig.h"
#include "tls/relayed.h"

#define HEADER "PROXY TCP4 203.0.113.9 192.0.2.80 4711 80\r\n"
#define LOCAL_HEADER "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
#define LOCAL_HEADER_LEN 16

static struct net_ranges proxies;
static struct net_conn *conn;
static uint64_t accepted, refused;

/* 192.0.2.1 is a proxy, 192.0.2.2 is not. */
static void open_from(uint8_t last, bool is_private)
{
	assert_true(net_read_ranges("198.51.100.0/24,192.0.2.1", 25, &proxies));
	assert_true(is_private ?
	    relayed_listen_private(443, &line_app, &proxies) :
	    relayed_listen_plain(80, &line_app, &proxies));
	fake.peer.addr[3] = last;
	fake.is_plain = !is_private;
	conn = fake_open();
	accepted = relayed_counters()->accepted;
	refused = relayed_counters()->refused;
}

static int begin(void **state)
{
	(void)state;
	fake_engine.flight_len = 3000;
	fake_engine.finished_len = 51;
	memset(&line, 0, sizeof line);
	fake_net_start(private_session_len(), tls_handshake_len());
	conn = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (conn != NULL)
		fake_free(conn);
	return fake_is_idle() && line.opened == line.closed ? 0 : 1;
}

static void receive(const char *text)
{
	fake_receive(conn, text, strlen(text));
}

static void counted(unsigned good, unsigned bad)
{
	assert_int_equal(relayed_counters()->accepted - accepted, good);
	assert_int_equal(relayed_counters()->refused - refused, bad);
}

static void answered(const char *requests)
{
	static uint8_t wanted[FAKE_OUT_CAP];
	const size_t len = line_answer(requests, wanted);

	assert_int_equal(conn->out_len, len);
	assert_memory_equal(conn->out, wanted, len);
}

static void peer_is(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t addr[4] = { a, b, c, d };

	assert_memory_equal(net_peer(conn)->addr, addr, 4);
}

static void a_header_and_a_request_in_one_segment(void **state)
{
	(void)state;
	open_from(1, false);
	assert_int_equal(line.opened, 0);
	receive(HEADER "10\n");
	assert_int_equal(line.opened, 1);
	answered("10\n");
	peer_is(203, 0, 113, 9);
	assert_int_equal(net_peer(conn)->port, 4711);
	counted(1, 0);
	receive("7\n");
	answered("10\n7\n");
}

static void a_header_in_pieces_of_any_length(void **state)
{
	static const char all[] = HEADER "10\n";

	for (size_t cut = 0; cut < sizeof all; cut++) {
		open_from(1, false);
		fake_receive(conn, all, cut);
		fake_receive(conn, all + cut, sizeof all - 1 - cut);
		answered("10\n");
		end(state);
		begin(state);
	}
	open_from(1, false);
	for (size_t i = 0; i < sizeof all - 1; i++)
		fake_receive(conn, all + i, 1);
	answered("10\n");
	peer_is(203, 0, 113, 9);
}

static void the_proxys_own_connection_keeps_its_address(void **state)
{
	(void)state;
	open_from(1, false);
	fake_receive(conn, LOCAL_HEADER, LOCAL_HEADER_LEN);
	assert_int_equal(line.opened, 1);
	receive("10\n");
	answered("10\n");
	peer_is(192, 0, 2, 1);
	counted(1, 0);
}

static void others_are_never_looked_at(void **state)
{
	(void)state;
	open_from(2, false);
	assert_int_equal(line.opened, 1);
	assert_int_equal(conn->wait, NET_WAIT_IDLE);
	receive("10\n");
	answered("10\n");
	receive(HEADER);
	/* A line like any other, that is none of the app's. */
	answered("10\n" HEADER);
	peer_is(192, 0, 2, 2);
	counted(0, 0);
}

static void what_is_no_header_is_reset_at_its_first_byte(void **state)
{
	(void)state;
	open_from(1, false);
	receive("1");
	assert_true(conn->was_reset);
	assert_int_equal(conn->out_len, 0);
	assert_int_equal(line.opened, 0);
	counted(0, 1);
}

static void a_bad_header_is_reset_with_what_follows_it(void **state)
{
	(void)state;
	open_from(1, false);
	receive("PROXY TCP4 203.0.113.9 192.0.2.80 4711 080\r\n10\n");
	assert_true(conn->was_reset);
	assert_int_equal(conn->out_len, 0);
	counted(0, 1);
}

static void a_second_header_is_the_clients(void **state)
{
	(void)state;
	open_from(1, false);
	receive(HEADER "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n");
	peer_is(203, 0, 113, 9);
	assert_true(conn->closing);
	counted(1, 0);
}

static void a_silent_proxy_is_reset_in_time(void **state)
{
	(void)state;
	open_from(1, false);
	assert_int_equal(conn->wait, NET_WAIT_REQUEST);
	const uint64_t began = conn->wait_since;
	fake.now_ms += 1000;
	receive("PROXY TCP4 ");
	/* The one deadline is not begun anew by single bytes. */
	assert_int_equal(conn->wait_since, began);
	fake_expire(conn);
	assert_true(conn->was_reset);
	assert_int_equal(line.opened, 0);
	counted(0, 1);
}

static void after_the_header_the_client_has_its_own_deadline(void **state)
{
	(void)state;
	open_from(1, false);
	receive(HEADER);
	assert_int_equal(conn->wait, NET_WAIT_IDLE);
	fake_expire(conn);
	assert_int_equal(line.expired[NET_WAIT_IDLE], 1);
	counted(1, 0);
}

static void an_end_before_the_header_closes(void **state)
{
	(void)state;
	open_from(1, false);
	fake_peer_closes(conn);
	assert_true(conn->closing);
	assert_int_equal(line.opened, 0);
	/* Just a look whether somebody listens. */
	counted(0, 0);
}

static void an_end_within_the_header_is_counted(void **state)
{
	(void)state;
	open_from(1, false);
	receive("PROXY ");
	fake_peer_closes(conn);
	assert_true(conn->closing);
	counted(0, 1);
}

static void an_app_that_refuses_resets(void **state)
{
	(void)state;
	open_from(1, false);
	line.refuse = true;
	receive(HEADER "10\n");
	assert_true(conn->was_reset);
	assert_int_equal(conn->out_len, 0);
	assert_int_equal(line.closed, 0);
	line.opened = 0;
}

/* Handshake, requests and end behind the header, cut anywhere. */
static void a_header_comes_before_tls(void **state)
{
	uint8_t all[1024];

	for (size_t cut = 0; ; cut++) {
		open_from(1, true);
		client_init(&client, conn);
		memcpy(all, HEADER, sizeof HEADER - 1);
		const size_t len = sizeof HEADER - 1 +
		    format_all(all + sizeof HEADER - 1, "5\n9\n");
		if (cut > len)
			break;
		fake_receive(conn, all, cut);
		fake_receive(conn, all + cut, len - cut);
		expect_answers("5\n9\n");
		expect_end(1, TLS_CLOSE_NOTIFY);
		peer_is(203, 0, 113, 9);
		counted(1, 0);
		client_free(&client);
		end(state);
		begin(state);
	}
	client_free(&client);
}

static void others_begin_tls_at_once(void **state)
{
	uint8_t all[1024];

	(void)state;
	open_from(2, true);
	client_init(&client, conn);
	fake_receive(conn, all, format_all(all, "5\n"));
	expect_answers("5\n");
	peer_is(192, 0, 2, 2);
	client_free(&client);
}

static void a_private_stream_without_header_is_reset_without_a_word(void **state)
{
	(void)state;
	open_from(1, true);
	fake_receive(conn, "\x16\3\1\0\1H", 6);
	assert_true(conn->was_reset);
	assert_int_equal(conn->out_len, 0);
	assert_int_equal(fake.sessions.used, 0);
	counted(0, 1);
}

#define relayed(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		relayed(a_header_and_a_request_in_one_segment),
		relayed(a_header_in_pieces_of_any_length),
		relayed(the_proxys_own_connection_keeps_its_address),
		relayed(others_are_never_looked_at),
		relayed(what_is_no_header_is_reset_at_its_first_byte),
		relayed(a_bad_header_is_reset_with_what_follows_it),
		relayed(a_second_header_is_the_clients),
		relayed(a_silent_proxy_is_reset_in_time),
		relayed(after_the_header_the_client_has_its_own_deadline),
		relayed(an_end_before_the_header_closes),
		relayed(an_end_within_the_header_is_counted),
		relayed(an_app_that_refuses_resets),
		relayed(a_header_comes_before_tls),
		relayed(others_begin_tls_at_once),
		relayed(a_private_stream_without_header_is_reset_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: @server_net tests/net/stack_help.c tests/net/client.c
 * tests/net/neighbours.c tests/net/wire.c tests/net/tiny_app.c
 * kernel/gate_check.c */
/*
 * Datagrams of our own, on the simulated wire: they arrive whole, and each that does
 * not is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/datagram.h"
#include "net/range.h"
#include "tests/net/neighbours.h"
#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

/* What arrived at UDP port 514. */
static struct {
	uint32_t count;
	uint8_t last[WIRE_FRAME_CAP];
	size_t last_len;
	uint8_t to[16], mac[6];
} got;

/* Nobody says which MAC has which address. */
static bool nobody_answers;

static void (*next_on_frame)(const uint8_t *frame, size_t len);
static struct net_counters before;

static void on_frame(const uint8_t *frame, size_t len)
{
	const bool is_ipv6 = get16(frame + 12) == 0x86dd;
	const uint8_t *const udp = frame + 14 + (is_ipv6 ? 40 : 20);
	const bool is_ip = is_ipv6 || get16(frame + 12) == 0x0800;

	if (is_ip && len > 42 && frame[14 + (is_ipv6 ? 6 : 9)] == 17 &&
	    get16(udp + 2) == 514) {
		got.count++;
		memcpy(got.mac, frame, 6);
		memcpy(got.to, frame + 14 + (is_ipv6 ? 24 : 16), is_ipv6 ? 16 : 4);
		got.last_len = get16(udp + 4) - 8;
		memcpy(got.last, udp + 8, got.last_len);
		return;
	}
	if (!nobody_answers)
		next_on_frame(frame, len);
}

static struct net_counters counted(void)
{
	struct net_counters now;

	net_read_counters(&now);
	now.datagrams -= before.datagrams;
	now.datagrams_dropped -= before.datagrams_dropped;
	return now;
}

static void send_to(const char *to)
{
	struct net_peer peer;

	assert_true(net_read_endpoint(to, strlen(to), 514, &peer));
	assert_true(net_datagram_start(&peer));
	memset(&got, 0, sizeof got);
	net_read_counters(&before);
}

static void send(const char *text)
{
	net_datagram_send(text, strlen(text));
}

static void without_an_address_of_ours_it_is_dropped(void **state)
{
	struct net_peer ours;

	(void)state;
	assert_false(net_read_address(&ours));
	send_to("10.77.0.9");
	send("too early");
	run_ms(10);
	assert_int_equal(got.count, 0);
	assert_int_equal(counted().datagrams_dropped, 1);

	neighbours.dhcp = neighbours.router = true;
	run_ms(30000);
	assert_true(net_read_address(&ours));
	assert_memory_equal(ours.addr, server_ipv4, 4);
	assert_false(ours.is_ipv6);
}

static void arrives(const char *to, const void *addr, size_t addr_len)
{
	send_to(to);
	/* The first waits for the neighbour's MAC. */
	send("first");
	run_ms(100);
	assert_int_equal(got.count, 1);
	send("second");
	run_ms(1);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.last_len, 6);
	assert_memory_equal(got.last, "second", 6);
	assert_memory_equal(got.to, addr, addr_len);
	assert_memory_equal(got.mac, our_mac, 6);
	assert_int_equal(counted().datagrams, 2);
	assert_int_equal(counted().datagrams_dropped, 0);
}

static void a_datagram_arrives(void **state)
{
	static const uint8_t on_link[4] = { 10, 77, 0, 10 };
	static const uint8_t off_link[4] = { 198, 51, 100, 7 };
	static const uint8_t ipv6[16] = { 0xfd, 0x77, [15] = 10 };
	static const uint8_t ipv6_off[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

	(void)state;
	arrives("10.77.0.10", on_link, 4);
	arrives("198.51.100.7", off_link, 4);
	arrives("fd77::a", ipv6, 16);
	arrives("2001:db8::1", ipv6_off, 16);
}

static void the_longest_datagram_arrives_whole(void **state)
{
	char text[LIMIT_SYSLOG_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 7 + i / 251);
	send_to("10.77.0.10");
	assert_int_equal(net_datagram_max(), sizeof text);
	net_datagram_send(text, sizeof text);
	run_ms(100);
	assert_int_equal(got.last_len, sizeof text);
	assert_memory_equal(got.last, text, sizeof text);
}

static void who_waits_for_a_mac_gives_way_and_is_counted(void **state)
{
	(void)state;
	nobody_answers = true;
	send_to("10.77.0.11");
	send("first");
	send("second");
	run_ms(1);
	assert_int_equal(got.count, 0);
	assert_int_equal(counted().datagrams_dropped, 1);
	nobody_answers = false;
	run_ms(3000);
	assert_int_equal(got.count, 1);
	assert_memory_equal(got.last, "second", 6);
	assert_int_equal(counted().datagrams_dropped, 1);
}

static void who_waits_in_vain_is_counted(void **state)
{
	static const char *const peers[] = { "10.77.0.12", "fd77::c" };

	(void)state;
	nobody_answers = true;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		send_to(peers[i]);
		send("lost");
		run_ms(30000);
		assert_int_equal(got.count, 0);
		assert_int_equal(counted().datagrams_dropped, 1);
		assert_int_equal(pool_level(POOL_DATAGRAM), 0);
	}
	nobody_answers = false;
}

static void more_than_can_be_under_way_are_dropped(void **state)
{
	(void)state;
	send_to("10.77.0.10");
	send("so that the MAC is known");
	run_ms(100);
	wire_nic_stuck = true;
	for (int i = 0; i < LIMIT_DATAGRAMS + 3; i++) {
		send("again");
		run_ms(1);
	}
	assert_int_equal(pool_left(POOL_DATAGRAM), 0);
	assert_int_equal(counted().datagrams_dropped, 3);
	wire_nic_stuck = false;
	run_ms(1000);
	assert_int_equal(got.count, 1 + LIMIT_DATAGRAMS);
	assert_int_equal(pool_level(POOL_DATAGRAM), 0);
	assert_int_equal(counted().datagrams_dropped, 3);
}

static void a_downloading_client_does_not_notice(void **state)
{
	struct client *c;

	(void)state;
	send_to("10.77.0.10");
	c = connect_client(0, false, answer_len(100000));
	ask(c, 100000, false);
	for (int i = 0; i < 50; i++) {
		send("beside it");
		run_ms(1);
	}
	assert_true(run_until(received_all, c, 10000));
	check_answer(c, 0, 100000);
	close_client(c);
	assert_int_equal(got.count, 50);
}

static void what_is_sent_to_us_is_ignored(void **state)
{
	uint8_t frame[WIRE_FRAME_CAP] = { 0 };
	const size_t ip = frame_start(frame, 0x0800);

	(void)state;
	send_to("10.77.0.10");
	send("x");
	run_ms(100);
	frame[ip] = 0x45;
	frame[ip + 8] = 64;
	frame[ip + 9] = 17;
	memcpy(frame + ip + 12, our_ipv4, 4);
	put16(frame + ip + 20, 514);
	for (uint32_t port = 49152; port < 65536; port += 64) {
		for (uint32_t i = port; i < port + 64; i++) {
			put16(frame + ip + 22, i);
			frame_repair(frame, 100);
			wire_deliver(frame, 100, GATE_RX_UNCHECKED);
		}
		run_ms(1);
	}
	send("y");
	run_ms(100);
	assert_int_equal(got.count, 2);
}

static int start(void **state)
{
	(void)state;
	neighbours.dhcp = neighbours.router = false;
	if (net_start(&wire_info, &wire_needs) != NULL ||
	    !net_listen(80, &tiny_app))
		return -1;
	clients_start();
	next_on_frame = wire_on_frame;
	wire_on_frame = on_frame;
	return 0;
}

#define datagram(name) \
	cmocka_unit_test_setup_teardown(name, stack_begin, stack_check_idle)

int main(void)
{
	const struct CMUnitTest tests[] = {
		datagram(without_an_address_of_ours_it_is_dropped),
		datagram(a_datagram_arrives),
		datagram(the_longest_datagram_arrives_whole),
		datagram(who_waits_for_a_mac_gives_way_and_is_counted),
		datagram(who_waits_in_vain_is_counted),
		datagram(more_than_can_be_under_way_are_dropped),
		datagram(a_downloading_client_does_not_notice),
		datagram(what_is_sent_to_us_is_ignored),
	};

	for (size_t i = 0; i < STACK_ROM_LEN; i++)
		stack_rom[i] = (uint8_t)(i * 7 + i / 251);
	wire_needs.datagrams = LIMIT_DATAGRAMS;
	wire_start(&(struct wire_options){
		.nic_features = GATE_NIC_CSUM_TX | GATE_NIC_TSO4,
		.cmdline = "ip=dhcp ip6=auto",
		.pool_len = 8u << 20,
		.rom = stack_rom,
		.rom_len = STACK_ROM_LEN,
		.seed = 5,
	});
	return cmocka_run_group_tests(tests, start, NULL);
}

/* links: @server_net tests/net/stack_help.c tests/net/client.c tests/net/neighbours.c
 * tests/net/wire.c tests/net/tiny_app.c kernel/gate_check.c */
/*
 * TIME-WAIT: who closes first keeps the pair of ports for a minute.  A server that
 * closes first collects thousands of them: they cost memory, never time; a client
 * may use its port again; and who is connected does not notice.
 *
 * Cost is seen in memory: all pages of pcbs are made inaccessible, and those that
 * are touched all the same are counted.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "config/limits.h"
#include "net/pools.h"
#include "tests/net/client.h"
#include "tests/net/stack_help.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

#include "lwip/priv/tcp_priv.h"

#define POOL_LEN (40u << 20)      /* LIMIT_CONNECTIONS, and their pcbs */
#define MANY 5000
#define LIVE 200
#define PAGE 4096u

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* ---- Clients ------------------------------------------------------------- */

static bool closed_both_sides(void *arg)
{
	const struct client *c = arg;

	return c->fin_received && c->fin_acked;
}

/* Get n bytes and have the server close first: one more is in TIME-WAIT. */
static void finish_first(struct client *c, size_t n)
{
	ask(c, n, true);
	assert_true(run_until(got_fin, c, 10000));
	check_answer(c, 0, n);
	client_close(c);
	assert_true(run_until(closed_both_sides, c, 10000));
}

static void fill_time_wait(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct client *c = connect_client(CLIENTS_CAP - 1, i % 2 == 0,
		    answer_len(1));

		finish_first(c, 1);
		client_forget(c);
	}
}

/* The same client's port again, its numbers `gap` behind the old ones. */
static struct client *open_again(struct client *c, uint32_t gap, size_t cap)
{
	const uint16_t port = c->port;
	const uint32_t iss = c->snd_nxt + gap;

	c = client_open((size_t)(c - clients), c->ipv6, cap);
	c->port = port;
	c->iss = iss;
	client_connect(c);
	return c;
}

/* The last TCP segment from the server. */
static struct {
	uint32_t seq, ack;
	uint8_t flags;
	uint32_t count;
} last;
static void (*next_on_frame)(const uint8_t *frame, size_t len);

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

static void see_frame(const uint8_t *frame, size_t len)
{
	const bool ipv6 = frame[12] == 0x86;
	const uint8_t *tcp = frame + (ipv6 ? 54 : 34);

	if (len >= (size_t)(tcp - frame) + 20 && frame[ipv6 ? 20 : 23] == 6) {
		last.seq = get32(tcp + 4);
		last.ack = get32(tcp + 8);
		last.flags = tcp[13];
		last.count++;
	}
	next_on_frame(frame, len);
}

/* ---- A port again -------------------------------------------------------- */

/*
 * The clock of RFC 6528 counts 250 KB a second; this connection was faster.  RFC 9293,
 * section 3.6.1: a SYN may open anew when our numbers begin behind the old ones.
 */
static void a_port_is_used_again_after_a_fast_download(void **state)
{
	static const uint32_t gaps[] = { 0, 1, 1000, 30000, 1u << 30 };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(gaps); i++) {
		const bool ipv6 = i % 2 == 0;
		struct client *c = connect_client(0, ipv6, answer_len(2000000));
		uint32_t end;

		finish_first(c, 2000000);
		end = c->rcv_nxt;
		c = open_again(c, gaps[i / 2], answer_len(20));
		assert_true(run_until(is_open, c, 100));
		assert_in_range(c->irs - end, 1, 1u << 30);
		finish_first(c, 20);
		client_forget(c);
	}
	assert_int_equal(tiny_counters.answered, 4 * ARRAY_LEN(gaps));
	assert_int_equal(pool_level(POOL_PCB), 2 * ARRAY_LEN(gaps));
}

static void a_port_is_used_again_and_again(void **state)
{
	struct client *c = connect_client(0, false, answer_len(100000));
	const uint64_t start = wire_now_ns();

	(void)state;
	finish_first(c, 100000);
	for (int i = 0; i < 200; i++) {
		c = open_again(c, 7, answer_len(100000));
		assert_true(run_until(is_open, c, 100));
		finish_first(c, 100000);
	}
	assert_in_range(wire_now_ns() - start, 0, 1000000000);
	assert_int_equal(pool_level(POOL_PCB), 1);
}

/* Other connections do not get the number that this one would have got. */
static void only_the_port_in_time_wait_continues_its_numbers(void **state)
{
	struct client *c = connect_client(0, false, answer_len(2000000));
	struct client *stranger = client_open(1, false, answer_len(1));
	uint32_t end;

	(void)state;
	finish_first(c, 2000000);
	end = c->rcv_nxt;
	c = open_again(c, 1, answer_len(1));
	client_connect(stranger);
	assert_true(run_until(is_open, stranger, 100));
	assert_true(run_until(is_open, c, 100));
	assert_in_range(c->irs - end, 1, 1u << 20);
	assert_not_in_range(stranger->irs - end, 0, 1u << 20);
	client_reset(c);
	client_reset(stranger);
	run_ms(1);
}

/* Late segments of the old connection change nothing in the new one. */
static void late_segments_stay_out(void **state)
{
	static const uint8_t flags[] = {
		ACK, ACK | FIN, RST, RST | ACK, SYN, SYN | ACK,
	};
	struct client *c = connect_client(0, false, answer_len(1000000));
	uint32_t old_seq, old_ack;

	(void)state;
	finish_first(c, 1000000);
	old_seq = c->snd_nxt;
	old_ack = c->rcv_nxt;
	c = open_again(c, 0, answer_len(30));
	assert_true(run_until(is_open, c, 100));
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		for (uint32_t back = 0; back < 10; back++) {
			const uint32_t seq = old_seq - back - (back > 0 ? 2 : 0);

			client_forge(c, &(struct forged){
				.flags = flags[i],
				.seq = (int32_t)(seq - c->snd_nxt),
				.ack = (int32_t)(old_ack - 100000 * back - c->rcv_nxt),
				.window = 1000,
				.data = (const uint8_t *)"9\n",
				.data_len = flags[i] == ACK && back > 0 ? 2 : 0,
			});
			run_ms(1);
			assert_int_equal(c->state, CLIENT_OPEN);
		}
	}
	assert_int_equal(tiny_counters.answered, 1);
	finish_first(c, 30);
	assert_int_equal(tiny_counters.answered, 2);
}

/*
 * A SYN that may be an old one, or is none that opens, is answered with where we
 * are, never with a reset (RFC 9293, section 3.10.7.4, TIME-WAIT).
 */
static void other_syns_hear_where_we_are(void **state)
{
	static const struct {
		uint8_t flags;
		int32_t seq;
	} syns[] = {
		{ SYN, -1 }, { SYN, -1000 }, { SYN, INT32_MIN + 2 },
		{ SYN | ACK, 0 }, { SYN | ACK, 1000 }, { SYN | FIN, 10 },
	};
	struct client *c = connect_client(0, false, answer_len(10));
	uint32_t before;

	(void)state;
	finish_first(c, 10);
	for (size_t i = 0; i < ARRAY_LEN(syns); i++) {
		before = last.count;
		client_forge(c, &(struct forged){
			.flags = syns[i].flags, .seq = syns[i].seq,
		});
		run_ms(1);
		assert_int_equal(last.count, before + 1);
		assert_int_equal(last.flags, ACK);
		assert_int_equal(last.seq, c->rcv_nxt);
		assert_int_equal(last.ack, c->snd_nxt);
	}
	before = last.count;
	client_forge(c, &(struct forged){ .flags = SYN | RST });
	client_forge(c, &(struct forged){ .flags = RST });
	run_ms(1);
	assert_int_equal(last.count, before);
	assert_int_equal(pool_level(POOL_PCB), 1);
	assert_int_equal(tiny_counters.opened, 1);
}

/* ---- A minute ------------------------------------------------------------ */

static void send_fin_again(struct client *c)
{
	client_forge(c, &(struct forged){
		.flags = FIN | ACK, .seq = -1, .window = 1000,
	});
	run_ms(1);
}

/* A FIN that comes again begins the minute anew (RFC 9293, section 3.10.7.4). */
static void time_wait_lasts_a_minute(void **state)
{
	struct client *c[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		c[i] = connect_client(i, i == 1, answer_len(1));
		finish_first(c[i], 1);
		run_ms(10000);
	}
	send_fin_again(c[0]);                           /* second 30 */
	assert_false(is_reset(c[0]));
	run_ms(29000);
	assert_int_equal(pool_level(POOL_PCB), 3);      /* 59 */
	run_ms(9000);
	assert_int_equal(pool_level(POOL_PCB), 3);      /* 68 */
	run_ms(4000);
	assert_int_equal(pool_level(POOL_PCB), 2);      /* 72 */
	run_ms(10000);
	assert_int_equal(pool_level(POOL_PCB), 1);      /* 82 */
	run_ms(7000);
	assert_int_equal(pool_level(POOL_PCB), 1);      /* 89 */
	run_ms(3000);
	assert_int_equal(pool_level(POOL_PCB), 0);      /* 92 */
}

/* Who would go next by the clock goes for a newcomer. */
static void the_oldest_gives_way(void **state)
{
	struct client *c[4];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		c[i] = connect_client(i, false, answer_len(1));
		finish_first(c[i], 1);
	}
	send_fin_again(c[0]);
	fill_time_wait(pool_left(POOL_PCB));
	assert_int_equal(pool_left(POOL_PCB), 0);
	c[3] = connect_client(3, false, answer_len(1));
	for (size_t i = 0; i < 3; i++)
		send_fin_again(c[i]);
	assert_false(is_reset(c[0]));
	assert_true(is_reset(c[1]));
	assert_false(is_reset(c[2]));
	client_reset(c[3]);
	run_ms(1);
}

/* ---- Cost ---------------------------------------------------------------- */

static struct {
	uint8_t *start;
	size_t len;
	uint32_t touched;
} volatile watched;

static void on_fault(int number, siginfo_t *info, void *context)
{
	const uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);

	(void)context;
	if (at - (uintptr_t)watched.start >= watched.len) {
		signal(number, SIG_DFL);
		return;
	}
	watched.touched++;
	(void)mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE);
}

/* Watch the pages of all pcbs of a list; returns their number. */
static uint32_t watch(const struct tcp_pcb *list)
{
	uintptr_t low = UINTPTR_MAX, high = 0;
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	for (; list != NULL; list = list->next) {
		low = (uintptr_t)list < low ? (uintptr_t)list : low;
		high = (uintptr_t)list > high ? (uintptr_t)list : high;
	}
	low = (low + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	high &= ~(uintptr_t)(PAGE - 1);
	watched.start = (uint8_t *)low;
	watched.len = high - low;
	watched.touched = 0;
	assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
	assert_int_equal(mprotect((void *)low, high - low, PROT_NONE), 0);
	return (uint32_t)((high - low) / PAGE);
}

/* How many of them were touched since then. */
static uint32_t watch_no_more(void)
{
	const uint32_t touched = watched.touched;

	assert_int_equal(mprotect(watched.start, watched.len,
	    PROT_READ | PROT_WRITE), 0);
	signal(SIGSEGV, SIG_DFL);
	return touched;
}

/* The timers look at the oldest alone. */
static void time_passes_without_looking_at_all(void **state)
{
	uint32_t pages;

	(void)state;
	fill_time_wait(MANY);
	assert_int_equal(pool_level(POOL_PCB), MANY);
	pages = watch(tcp_tw_pcbs);
	assert_in_range(pages, MANY / 20, MANY);
	run_ms(5000);
	assert_in_range(watch_no_more(), 0, 2);
	run_ms(56000);
	assert_int_equal(pool_level(POOL_PCB), 0);
}

/*
 * A newcomer takes the oldest's place: that one is found, taken from its neighbours, and
 * the newcomer's segments meet those in the same bucket of the table.
 */
static void a_newcomer_touches_few(void **state)
{
	uint32_t pages;

	(void)state;
	fill_time_wait(pool_capacity(POOL_PCB) + 100);
	assert_int_equal(pool_left(POOL_PCB), 0);
	pages = watch(tcp_tw_pcbs);
	fill_time_wait(5);
	assert_in_range(watch_no_more(), 1, pages / 10);
	assert_int_equal(pool_left(POOL_PCB), 0);
}

/*
 * Nor are all who are connected asked whether one of them can go: that would touch all
 * their pages, however close they lie.
 */
static void a_newcomer_leaves_the_others_alone(void **state)
{
	const size_t count = CLIENTS_CAP - 1;

	(void)state;
	for (size_t i = 0; i < count; i++)
		(void)connect_client(i, false, answer_len(1));
	fill_time_wait(pool_capacity(POOL_PCB));
	assert_int_equal(pool_left(POOL_PCB), 0);
	(void)watch(tcp_active_pcbs);
	fill_time_wait(1);
	assert_in_range(watch_no_more(), 0,
	    count * sizeof(struct tcp_pcb) / PAGE / 2);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(clients[i].state, CLIENT_OPEN);
		client_reset(&clients[i]);
	}
	run_ms(100);
}

/* ---- Floods -------------------------------------------------------------- */

/* Everyone of a few clients gets one more answer on the connection it has. */
static void serve_the_live(uint32_t *asked)
{
	(*asked)++;
	for (size_t i = 0; i < LIVE; i++) {
		clients[i].got_cap = *asked * answer_len(50);
		ask(&clients[i], 50, false);
	}
	for (size_t i = 0; i < LIVE; i++) {
		struct client *c = &clients[i];

		assert_true(run_until(received_all, c, 1000));
		check_answer(c, (*asked - 1) * answer_len(50), 50);
		assert_int_equal(c->state, CLIENT_OPEN);
	}
}

/*
 * Three minutes of clients that come for one answer each, 120 a second, beside others
 * that stay: everyone is served at once, and nobody who stays is ended.
 */
static void a_flood_of_short_connections_ends_nobody(void **state)
{
	const uint64_t start = wire_now_ns();
	uint32_t asked = 0;

	(void)state;
	for (size_t i = 0; i < LIVE; i++)
		(void)connect_client(i, i % 2 == 0, 10 * answer_len(50));
	for (uint32_t second = 0; second < 180; second++) {
		if (second % 30 == 0)
			serve_the_live(&asked);
		for (uint32_t i = 0; i < 120; i++) {
			fill_time_wait(1);
			if (i % 4 == 0)
				run_ms(33);
		}
		if (second > 60)
			assert_in_range(pool_left(POOL_PCB), 0, 1);
	}
	assert_in_range(wire_now_ns() - start, 175000000000, 185000000000);
	assert_int_equal(tiny_counters.closed, 180 * 120);
	serve_the_live(&asked);
	for (size_t i = 0; i < LIVE; i++)
		client_reset(&clients[i]);
	run_ms(100);
}

/* All at once, and they never close their side: of these the first give way. */
static void a_flood_of_half_closed_connections_ends_nobody_else(void **state)
{
	const uint32_t count = pool_capacity(POOL_CONN) + 1000;
	uint32_t asked = 0;

	(void)state;
	for (size_t i = 0; i < LIVE; i++)
		(void)connect_client(i, i % 2 == 0, 10 * answer_len(50));
	fill_time_wait(1500);
	for (uint32_t i = 0; i < count; i++) {
		struct client *c = connect_client(CLIENTS_CAP - 1, i % 2 == 0,
		    answer_len(1));

		ask(c, 1, true);
		assert_true(run_until(got_fin, c, 1000));
		client_forget(c);
	}
	assert_in_range(pool_left(POOL_CONN), 0, 1);
	serve_the_live(&asked);
	for (size_t i = 0; i < LIVE; i++)
		client_reset(&clients[i]);
	run_ms(100);
}

/* ---- All of them --------------------------------------------------------- */

static int start(void **state)
{
	(void)state;
	if (net_start(&wire_info, &wire_needs) != NULL ||
	    !net_listen(80, &tiny_app))
		return -1;
	clients_start();
	next_on_frame = wire_on_frame;
	wire_on_frame = see_frame;
	run_ms(3000);
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, stack_begin, stack_check_idle)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_port_is_used_again_after_a_fast_download),
		CASE(a_port_is_used_again_and_again),
		CASE(only_the_port_in_time_wait_continues_its_numbers),
		CASE(late_segments_stay_out),
		CASE(other_syns_hear_where_we_are),
		CASE(time_wait_lasts_a_minute),
		CASE(the_oldest_gives_way),
		CASE(time_passes_without_looking_at_all),
		CASE(a_newcomer_touches_few),
		CASE(a_newcomer_leaves_the_others_alone),
		CASE(a_flood_of_short_connections_ends_nobody),
		CASE(a_flood_of_half_closed_connections_ends_nobody_else),
	};

	for (size_t i = 0; i < STACK_ROM_LEN; i++)
		stack_rom[i] = (uint8_t)(i * 7 + i / 251);
	wire_start(&(struct wire_options){
		.nic_features = GATE_NIC_CSUM_TX | GATE_NIC_TSO4 | GATE_NIC_TSO6,
		.cmdline = "ip=10.77.0.2/16::10.77.0.1 ip6=fd77::2/64,fd77::1",
		.pool_len = POOL_LEN,
		.rom = stack_rom,
		.rom_len = STACK_ROM_LEN,
		.seed = 5,
	});
	return cmocka_run_group_tests(tests, start, NULL);
}

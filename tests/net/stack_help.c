/*
 * What the cases of the whole stack share; see stack_help.h.
 */
#include "tests/net/stack_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/nic.h"
#include "net/pools.h"
#include "tests/net/client.h"
#include "tests/net/tiny_app.h"
#include "tests/net/wire.h"

uint8_t stack_rom[STACK_ROM_LEN];
bool stack_uses_records;

bool received_all(void *arg)
{
	const struct client *c = arg;

	return c->rcv_nxt - (c->irs + 1) - c->fin_received >= c->got_cap;
}

bool is_open(void *arg)
{
	return ((const struct client *)arg)->state == CLIENT_OPEN;
}

bool is_reset(void *arg)
{
	return ((const struct client *)arg)->state == CLIENT_RESET;
}

bool got_fin(void *arg)
{
	return ((const struct client *)arg)->fin_received;
}

size_t answer_len(size_t n)
{
	char line[40];

	return (size_t)snprintf(line, sizeof line, "%zu bytes\n", n) + n;
}

void ask(struct client *c, size_t n, bool close)
{
	char line[40];

	client_send(c, line, (size_t)snprintf(line, sizeof line, "%zu%s\n", n,
	    close ? " close" : ""));
}

/* Everything the client received, from its byte `at` on, is the answer to n. */
void check_answer(const struct client *c, size_t at, size_t n)
{
	char line[40];
	const size_t head = (size_t)snprintf(line, sizeof line, "%zu bytes\n", n);

	assert_memory_equal(c->got + at, line, head);
	assert_memory_equal(c->got + at + head, stack_rom, n);
}

struct client *connect_client(size_t index, bool ipv6, size_t cap)
{
	struct client *c = client_open(index, ipv6, cap);

	client_connect(c);
	assert_true(run_until(is_open, c, 10000));
	return c;
}

void close_client(struct client *c)
{
	if (!c->fin_sent)
		client_close(c);
	assert_true(run_until(got_fin, c, 30000));
	run_ms(500);
	client_forget(c);
}

/* ---- Pools --------------------------------------------------------------- */

static void *hogged[4000];
static size_t hogged_count;
static enum pool_id hogged_pool;

void hog(enum pool_id id, size_t leave)
{
	hogged_pool = id;
	while (pool_left(id) > leave && hogged_count < ARRAY_LEN(hogged))
		hogged[hogged_count++] = pool_take(id);
}

void hog_no_more(void)
{
	while (hogged_count > 0)
		pool_give(hogged_pool, hogged[--hogged_count]);
}

static bool is_idle(void *arg)
{
	(void)arg;
	for (enum pool_id id = 0; id < POOL_COUNT; id++) {
		/* Multicast groups and listeners stay. */
		if (pool_level(id) != 0 && id != POOL_OTHER)
			return false;
	}
	return nic_frames_out() == 0 && nic_buffers_held() == 0;
}

static void reset_world(void)
{
	hog_no_more();
	network = (struct network){ 0 };
	wire_nic_delay = 0;
	wire_nic_stuck = false;
	wire_nic_room = GATE_TX_BATCH;
}

int stack_begin(void **state)
{
	(void)state;
	reset_world();
	tiny_refuse = tiny_abort = tiny_piecewise = tiny_insists = false;
	tiny_records = tiny_holds = stack_uses_records;
	tiny_victim = NULL;
	tiny_counters = (struct tiny_counters){ 0 };
	return 0;
}

/* TIME-WAIT is over after a minute: then nothing is left of a case. */
int stack_check_idle(void **state)
{
	(void)state;
	reset_world();
	for (size_t i = 0; i < CLIENTS_CAP; i++)
		client_forget(&clients[i]);
	if (!run_until(is_idle, NULL, 200000)) {
		char line[512];

		fprintf(stderr, "left behind: %.*sframes out %u, buffers %u\n",
		    (int)pools_format(line, sizeof line), line,
		    nic_frames_out(), nic_buffers_held());
		return -1;
	}
	return tiny_counters.opened == tiny_counters.closed ? 0 : -1;
}

void transfer(bool ipv6, size_t n, uint32_t ms)
{
	struct client *c = connect_client(0, ipv6, answer_len(n));

	ask(c, n, false);
	assert_true(run_until(received_all, c, ms));
	check_answer(c, 0, n);
	close_client(c);
}

/* links: kernel/vnet.c kernel/virtio.c kernel/vq.c tests/kernel/fake_nic.c
 * tests/host_panic.c */
/*
 * The NIC driver over a device of ours, which breaks the rules, and over the
 * restart of a server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/vnet.h"
#include "tests/kernel/fake_nic.h"

#define RX 0
#define TX 1

static int plug(void **state)
{
	(void)state;
	fake_nic_clear();
	return 0;
}

static int run(void **state)
{
	plug(state);
	assert_null(vnet_start(""));
	assert_null(vnet_set_buffers(FAKE_RX_PA, LIMIT_RX_BUFFERS,
	    LIMIT_RX_BUFFER_LEN));
	/* Of an earlier case: frames in flight, recoveries, buffers. */
	assert_null(vnet_restart());
	fake_nic.messages = 0;
	return 0;
}

/* Collect exactly one frame. */
static struct gate_rx take_one(void)
{
	struct gate_rx rx[4];
	bool more = true;

	assert_int_equal(vnet_rx(rx, 4, &more), 1);
	assert_false(more);
	return rx[0];
}

static void take_none(void)
{
	struct gate_rx rx[4];
	bool more = true;

	assert_int_equal(vnet_rx(rx, 4, &more), 0);
	assert_false(more);
}

static bool send(uint16_t cookie, uint16_t n)
{
	static const struct vnet_slice slices[GATE_FRAME_SLICES] = {
		{ .pa = 0x5000, .len = 54 }, { .pa = 0x123456000, .len = 1000 },
		[2 ... GATE_FRAME_SLICES - 1] = { .pa = 0x7000, .len = 1 },
	};
	const struct gate_tx tx = { .cookie = cookie };

	return vnet_tx(slices, n, &tx);
}

/* ---- A device that misbehaves -------------------------------------------- */

/* Is each buffer that is not the server's posted exactly once? */
static void posted_are(unsigned count)
{
	bool seen[LIMIT_RX_BUFFERS] = { false };
	uint16_t head;

	for (unsigned i = 0; i < count; i++) {
		assert_true(fake_nic_next(RX, &head));
		const uint64_t off =
		    fake_nic.queue[RX].desc[head].addr - FAKE_RX_PA;

		assert_int_equal(off % LIMIT_RX_BUFFER_LEN, 0);
		assert_in_range(off, 0, FAKE_RX_LEN - 1);
		assert_false(seen[off / LIMIT_RX_BUFFER_LEN]);
		seen[off / LIMIT_RX_BUFFER_LEN] = true;
	}
	assert_false(fake_nic_next(RX, &head));
}

static void a_broken_rule_resets_the_device(void **state)
{
	const unsigned resets = fake_nic.resets;
	uint16_t buffer, cookies[8];

	(void)state;
	fake_nic_receive(60, 0, 0);
	buffer = take_one().buffer;
	assert_true(send(41, 1));
	assert_true(send(42, 2));
	vnet_tx_commit();
	fake_nic_complete(RX, 9999, 60);
	take_none();
	assert_int_equal(fake_nic.resets, resets + 1);
	assert_int_equal(fake_nic.messages, 1);
	assert_int_equal(fake_nic.status, 15);
	assert_null(vnet_check());

	/* The server keeps its buffer; all others are posted once. */
	assert_true(vnet_can_give(&buffer, 1));
	posted_are(LIMIT_RX_BUFFERS - 1);
	/* Frames in flight are lost, and their cookies come back once. */
	assert_true(vnet_pending());
	assert_false(send(43, 1));
	assert_int_equal(vnet_tx_done(cookies, 8), 2);
	assert_int_equal(cookies[0] + cookies[1], 83);
	assert_int_equal(vnet_tx_done(cookies, 8), 0);
	assert_true(send(43, 1));
}

static void a_frame_completed_twice_resets_the_device(void **state)
{
	const unsigned resets = fake_nic.resets;
	uint16_t head, cookies[8];

	(void)state;
	assert_true(send(41, 1));
	assert_true(send(42, 1));
	vnet_tx_commit();
	assert_true(fake_nic_next(TX, &head));
	fake_nic_complete(TX, head, 0);
	fake_nic_complete(TX, head, 0);
	assert_int_equal(vnet_tx_done(cookies, 8), 1);
	assert_int_equal(cookies[0], 41);
	assert_int_equal(fake_nic.resets, resets + 1);
	assert_int_equal(vnet_tx_done(cookies, 8), 1);
	assert_int_equal(cookies[0], 42);
}

static void a_length_beyond_the_buffer_resets_the_device(void **state)
{
	const unsigned resets = fake_nic.resets;

	(void)state;
	fake_nic_receive(LIMIT_RX_BUFFER_LEN - 11, 0, 0);
	take_none();
	assert_int_equal(fake_nic.resets, resets + 1);
}

static void a_device_that_asks_for_it_is_reset(void **state)
{
	const unsigned resets = fake_nic.resets;

	(void)state;
	assert_null(vnet_check());
	assert_int_equal(fake_nic.resets, resets);
	fake_nic.status |= 64;
	assert_null(vnet_check());
	assert_int_equal(fake_nic.resets, resets + 1);
	assert_int_equal(fake_nic.status, 15);
}

static void patience_ends(void **state)
{
	const unsigned resets = fake_nic.resets;
	struct gate_rx rx[1];
	uint16_t cookies[4];
	bool more;

	(void)state;
	for (unsigned i = 0; i < 3 * LIMIT_NIC_RECOVERIES; i++) {
		if (fake_nic.queue[RX].size != 0)
			fake_nic_complete(RX, 9999, 60);
		assert_int_equal(vnet_rx(rx, 1, &more), 0);
	}
	assert_int_equal(fake_nic.resets, resets + LIMIT_NIC_RECOVERIES);
	assert_non_null(vnet_check());
	assert_false(send(1, 1));
	assert_int_equal(vnet_tx_done(cookies, 4), 0);
	vnet_tx_commit();
	assert_false(vnet_wake_on(true));
	/* A new server is a new start. */
	assert_null(vnet_restart());
	assert_null(vnet_check());
	assert_true(send(1, 1));
}

static void a_device_that_cannot_be_reset_is_given_up(void **state)
{
	(void)state;
	fake_nic_complete(RX, 9999, 60);
	fake_nic.reset_sticks = true;
	take_none();
	assert_non_null(strstr(vnet_check(), "reset"));
	assert_non_null(vnet_restart());
	fake_nic.reset_sticks = false;
	assert_null(vnet_restart());
}

static void a_device_that_offers_less_later_is_given_up(void **state)
{
	(void)state;
	fake_nic.offers &= ~1ull;
	assert_non_null(strstr(vnet_restart(), "less"));
}

static void giving_back_works_while_the_nic_is_dead(void **state)
{
	uint16_t buffer;

	(void)state;
	fake_nic_receive(60, 0, 0);
	buffer = take_one().buffer;
	fake_nic_complete(RX, 9999, 60);
	fake_nic.reset_sticks = true;
	take_none();
	assert_true(vnet_can_give(&buffer, 1));
	vnet_give(buffer);
	assert_false(vnet_can_give(&buffer, 1));
	fake_nic.reset_sticks = false;
}

/* ---- A new server -------------------------------------------------------- */

static void a_restart_takes_everything_back(void **state)
{
	const unsigned resets = fake_nic.resets;
	uint16_t buffer, cookies[8];

	(void)state;
	fake_nic_receive(60, 0, 0);
	fake_nic_receive(60, 0, 0);
	struct gate_rx rx[4];
	bool more;

	assert_int_equal(vnet_rx(rx, 1, &more), 1);
	buffer = rx[0].buffer;
	assert_true(send(41, 1));
	vnet_tx_commit();
	assert_true(send(42, 1));
	assert_null(vnet_restart());
	assert_int_equal(fake_nic.resets, resets + 1);
	assert_false(vnet_can_give(&buffer, 1));
	posted_are(LIMIT_RX_BUFFERS);
	assert_int_equal(fake_nic.queue[TX].avail->idx, 0);
	assert_int_equal(vnet_tx_done(cookies, 8), 0);
	assert_false(vnet_pending());
}

/* A device whose emulator lost our first word is told again by the check. */
static void a_lost_doorbell_is_rung_again(void **state)
{
	const unsigned rx = fake_nic.queue[RX].notified;
	unsigned tx;

	(void)state;
	assert_true(send(41, 1));
	vnet_tx_commit();
	tx = fake_nic.queue[TX].notified;
	assert_null(vnet_check());
	assert_int_equal(fake_nic.queue[RX].notified, rx + 1);
	assert_int_equal(fake_nic.queue[TX].notified, tx + 1);
}

#define CASE(name) cmocka_unit_test_setup(name, run)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_broken_rule_resets_the_device),
		CASE(a_frame_completed_twice_resets_the_device),
		CASE(a_length_beyond_the_buffer_resets_the_device),
		CASE(a_device_that_asks_for_it_is_reset),
		CASE(patience_ends),
		CASE(a_device_that_cannot_be_reset_is_given_up),
		CASE(a_device_that_offers_less_later_is_given_up),
		CASE(giving_back_works_while_the_nic_is_dead),
		CASE(a_restart_takes_everything_back),
		CASE(a_lost_doorbell_is_rung_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

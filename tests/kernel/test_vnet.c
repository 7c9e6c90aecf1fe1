/* links: kernel/vnet.c kernel/virtio.c kernel/vq.c tests/kernel/fake_nic.c
 * tests/host_panic.c */
/*
 * The NIC driver over a device of ours, which obeys the rules: start-up, both
 * directions, sleeping.  Virtio 1.2, section 5.1.
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

#define NEEDS_CSUM 1
#define DATA_VALID 2

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

/* ---- Start-up ------------------------------------------------------------ */

static void is_refused(const char *word)
{
	const char *wrong = vnet_start("");

	assert_non_null(wrong);
	if (strstr(wrong, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", wrong, word);
}

static void a_sound_nic_is_described(void **state)
{
	(void)state;
	assert_null(vnet_start(""));
	assert_memory_equal(vnet_mac(), fake_nic.config, 6);
	assert_int_equal(vnet_mtu(), 1500);
	assert_int_equal(vnet_features(), GATE_NIC_CSUM_TX | GATE_NIC_CSUM_RX |
	    GATE_NIC_TSO4 | GATE_NIC_TSO6);
	assert_string_equal(vnet_description(), "virtio-net pci");
	assert_null(vnet_polling_reason());
	/* Mergeable buffers, control queue and link status are not for us. */
	assert_int_equal(fake_nic.accepted & (7ull << 15), 0);
}

static void a_machine_without_nic_is_told_how_to_get_one(void **state)
{
	(void)state;
	fake_nic.find_says = VIRTIO_NONE;
	is_refused("-device virtio-net-pci");
	fake_nic.find_says = "why not";
	is_refused("why not");
	fake_nic.find_says = NULL;
	assert_string_equal(vnet_start("bad"), "bad word");
}

static void segmentation_without_checksums_is_not_used(void **state)
{
	(void)state;
	fake_nic.offers &= ~1ull;
	assert_null(vnet_start(""));
	assert_int_equal(vnet_features(), GATE_NIC_CSUM_RX);
	fake_nic.offers = VIRTIO_F_VERSION_1 | 1ull << 5;
	assert_null(vnet_start(""));
	assert_int_equal(vnet_features(), 0);
	fake_nic.offers |= 1 | 1ull << 12;
	assert_null(vnet_start(""));
	assert_int_equal(vnet_features(), GATE_NIC_CSUM_TX | GATE_NIC_TSO6);
}

static void a_small_mtu_is_kept(void **state)
{
	(void)state;
	fake_nic.offers |= 1ull << 3;
	store_le16(fake_nic.config + 10, 1280);
	assert_null(vnet_start(""));
	assert_int_equal(vnet_mtu(), 1280);
	assert_true(fake_nic.accepted & 1ull << 3);
	store_le16(fake_nic.config + 10, 576);
	assert_null(vnet_start(""));
	store_le16(fake_nic.config + 10, 575);
	is_refused("MTU");
}

static void an_mtu_larger_than_our_buffers_is_not_accepted(void **state)
{
	(void)state;
	fake_nic.offers |= 1ull << 3;
	store_le16(fake_nic.config + 10, 1501);
	assert_null(vnet_start(""));
	assert_int_equal(vnet_mtu(), 1500);
	/* Virtio 1.2, section 5.1.4.2 */
	assert_false(fake_nic.accepted & 1ull << 3);
	store_le16(fake_nic.config + 10, 1500);
	assert_null(vnet_start(""));
	assert_true(fake_nic.accepted & 1ull << 3);
	fake_nic.config_len = 10;
	is_refused("MTU");
}

static void a_nic_needs_an_address_of_its_own(void **state)
{
	(void)state;
	fake_nic.config[0] = 0x53;
	is_refused("group");
	memset(fake_nic.config, 0, 6);
	is_refused("zero");
	fake_nic.config[5] = 1;
	assert_null(vnet_start(""));
	fake_nic.config_len = 5;
	is_refused("cannot be read");
	fake_nic.offers &= ~(1ull << 5);
	is_refused("no MAC");
}

static void queues_that_are_too_short_are_refused(void **state)
{
	(void)state;
	fake_nic.queue_max[RX] = 255;
	is_refused("receive queue");
	fake_nic.queue_max[RX] = 1024;
	fake_nic.queue_max[TX] = 63;
	is_refused("transmit queue");
	fake_nic.queue_max[TX] = 64;
	assert_null(vnet_start(""));
}

static void without_interrupts_there_is_a_reason(void **state)
{
	(void)state;
	fake_nic.interrupts_say = "no vectors";
	assert_null(vnet_start(""));
	assert_string_equal(vnet_polling_reason(), "no vectors");
	assert_string_equal(vnet_description(), "virtio-net pci, polling");
}

static void a_device_that_does_not_start_is_told(void **state)
{
	(void)state;
	assert_null(vnet_start(""));
	fake_nic.fails_to_start = true;
	assert_non_null(vnet_set_buffers(FAKE_RX_PA, 16, 2048));
}

static void all_buffers_are_posted_with_one_notification(void **state)
{
	(void)state;
	assert_int_equal(fake_nic.queue[RX].avail->idx, LIMIT_RX_BUFFERS);
	assert_int_equal(fake_nic.queue[RX].notified, 1);
	assert_int_equal(fake_nic.queue[RX].avail->flags, 1);
	assert_int_equal(fake_nic.queue[TX].avail->flags, 1);
	assert_int_equal(fake_nic.status, 15);
}

/* ---- Receiving ----------------------------------------------------------- */

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

static void a_frame_is_handed_over_with_its_buffer(void **state)
{
	const uint16_t buffer = fake_nic_receive(60, 0, 0);
	struct gate_rx rx;

	(void)state;
	assert_true(vnet_pending());
	rx = take_one();
	assert_int_equal(rx.buffer, buffer);
	assert_int_equal(rx.off, 12);
	assert_int_equal(rx.len, 60);
	assert_int_equal(rx.csum, GATE_RX_UNCHECKED);
	assert_false(vnet_pending());
	take_none();
}

static void the_shortest_and_the_longest_frame_pass(void **state)
{
	(void)state;
	fake_nic_receive(GATE_FRAME_MIN, 0, 0);
	assert_int_equal(take_one().len, GATE_FRAME_MIN);
	fake_nic_receive(LIMIT_RX_BUFFER_LEN - 12, 0, 0);
	assert_int_equal(take_one().len, LIMIT_RX_BUFFER_LEN - 12);
}

/* The frame is dropped and its buffer posted again. */
static void is_dropped(uint32_t len, uint8_t flags, uint8_t gso_type)
{
	const uint16_t posted = fake_nic.queue[RX].avail->idx;

	fake_nic_receive(len, flags, gso_type);
	take_none();
	assert_int_equal(fake_nic.queue[RX].avail->idx, (uint16_t)(posted + 1));
	assert_int_equal(fake_nic.messages, 0);
}

static void a_runt_is_dropped_and_its_buffer_posted(void **state)
{
	(void)state;
	is_dropped(GATE_FRAME_MIN - 1, 0, 0);
	is_dropped(0, 0, 0);
	is_dropped((uint32_t)-1, 0, 0);
	is_dropped((uint32_t)-12, 0, 0);
}

static void a_segmented_frame_is_dropped(void **state)
{
	(void)state;
	is_dropped(1500, 0, 1);
	is_dropped(1500, NEEDS_CSUM, 4);
	is_dropped(1500, 0, 0x80);
}

static void checksums_are_vouched_for_only_if_agreed(void **state)
{
	(void)state;
	fake_nic_receive(60, NEEDS_CSUM, 0);
	assert_int_equal(take_one().csum, GATE_RX_VOUCHED);
	fake_nic_receive(60, DATA_VALID, 0);
	assert_int_equal(take_one().csum, GATE_RX_VOUCHED);
	fake_nic_receive(60, 4, 0);
	assert_int_equal(take_one().csum, GATE_RX_UNCHECKED);
	plug(NULL);
	fake_nic.offers &= ~2ull;
	assert_null(vnet_start(""));
	assert_null(vnet_restart());
	fake_nic_receive(60, DATA_VALID, 0);
	assert_int_equal(take_one().csum, GATE_RX_UNCHECKED);
}

static void frames_beyond_the_room_wait(void **state)
{
	struct gate_rx rx[4];
	bool more = false;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		fake_nic_receive(60, 0, 0);
	assert_int_equal(vnet_rx(rx, 4, &more), 4);
	assert_true(more);
	assert_int_equal(vnet_rx(rx, 4, &more), 2);
	assert_false(more);
}

static void a_buffer_is_posted_when_given_back(void **state)
{
	const uint16_t posted = fake_nic.queue[RX].avail->idx;
	struct gate_rx rx;

	(void)state;
	fake_nic_receive(60, 0, 0);
	rx = take_one();
	assert_int_equal(fake_nic.queue[RX].avail->idx, posted);
	assert_true(vnet_can_give(&rx.buffer, 1));
	vnet_give(rx.buffer);
	assert_false(vnet_can_give(&rx.buffer, 1));
	take_none();
	assert_int_equal(fake_nic.queue[RX].avail->idx, posted + 1);
	assert_int_equal(fake_nic.queue[RX].notified, 2);
}

static void what_is_not_the_servers_cannot_be_given(void **state)
{
	uint16_t list[3];

	(void)state;
	fake_nic_receive(60, 0, 0);
	list[0] = take_one().buffer;
	fake_nic_receive(60, 0, 0);
	list[1] = take_one().buffer;
	assert_true(vnet_can_give(list, 0));
	assert_true(vnet_can_give(list, 2));
	list[2] = list[0];                    /* twice */
	assert_false(vnet_can_give(list, 3));
	list[2] = LIMIT_RX_BUFFERS - 1;       /* the device's */
	assert_false(vnet_can_give(list, 3));
	list[2] = LIMIT_RX_BUFFERS;           /* nobody's */
	assert_false(vnet_can_give(list, 3));
	list[2] = 0xFFFF;
	assert_false(vnet_can_give(list, 3));
	assert_true(vnet_can_give(list, 2));
}

static void every_buffer_can_go_round_many_times(void **state)
{
	struct gate_rx rx[64];
	unsigned total = 0;
	bool more;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		const unsigned n = 1 + round % 64;
		uint16_t list[64];

		for (unsigned i = 0; i < n; i++)
			fake_nic_receive(14 + i, 0, 0);
		assert_int_equal(vnet_rx(rx, 64, &more), n);
		for (unsigned i = 0; i < n; i++)
			list[i] = rx[n - 1 - i].buffer;
		assert_true(vnet_can_give(list, (uint16_t)n));
		for (unsigned i = 0; i < n; i++)
			vnet_give(list[i]);
		take_none();
		total += n;
	}
	assert_true(total > 60000);
	assert_int_equal(fake_nic.messages, 0);
}

/* ---- Sending ------------------------------------------------------------- */

static bool send(uint16_t cookie, uint16_t n)
{
	static const struct vnet_slice slices[GATE_FRAME_SLICES] = {
		{ .pa = 0x5000, .len = 54 }, { .pa = 0x123456000, .len = 1000 },
		[2 ... GATE_FRAME_SLICES - 1] = { .pa = 0x7000, .len = 1 },
	};
	const struct gate_tx tx = { .cookie = cookie };

	return vnet_tx(slices, n, &tx);
}

static void a_frame_is_a_header_and_its_slices(void **state)
{
	const struct fake_queue *q = &fake_nic.queue[TX];
	uint16_t d;

	(void)state;
	assert_true(send(1, 2));
	assert_false(fake_nic_next(TX, &d));
	vnet_tx_commit();
	assert_int_equal(q->notified, 1);
	assert_true(fake_nic_next(TX, &d));
	assert_int_equal(q->desc[d].len, 12);
	assert_int_equal(q->desc[d].flags, 1);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(fake_nic_ring_at(q->desc[d].addr)[i], 0);
	d = q->desc[d].next;
	assert_int_equal(q->desc[d].addr, 0x5000);
	assert_int_equal(q->desc[d].len, 54);
	d = q->desc[d].next;
	assert_int_equal(q->desc[d].addr, 0x123456000);
	assert_int_equal(q->desc[d].len, 1000);
	assert_int_equal(q->desc[d].flags, 0);
}

static void header_is(const struct gate_tx *tx, const uint8_t expected[12])
{
	const struct vnet_slice slice = { .pa = 0x5000, .len = 1000 };
	uint16_t d;

	assert_true(vnet_tx(&slice, 1, tx));
	vnet_tx_commit();
	assert_true(fake_nic_next(TX, &d));
	assert_memory_equal(fake_nic_ring_at(fake_nic.queue[TX].desc[d].addr),
	    expected, 12);
}

static void offloads_are_written_as_the_standard_says(void **state)
{
	/* Virtio 1.2, section 5.1.6: flags, kind, header, segment, start, offset, 0 */
	static const uint8_t plain[12];
	static const uint8_t csum[12] = { 1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0 };
	static const uint8_t tso4[12] = {
		1, 1, 54, 0, 0xB4, 0x05, 34, 0, 16, 0, 0, 0,
	};
	static const uint8_t tso6[12] = {
		1, 4, 54, 0, 0xB4, 0x05, 34, 0, 16, 0, 0, 0,
	};
	struct gate_tx tx = {
		.csum_start = 34, .csum_offset = 16, .gso_size = 1460,
		.header_len = 54,
	};

	(void)state;
	header_is(&tx, plain);
	tx.offload = GATE_TX_CSUM;
	header_is(&tx, csum);
	tx.offload = GATE_TX_TSO4;
	header_is(&tx, tso4);
	tx.offload = GATE_TX_TSO6;
	header_is(&tx, tso6);
}

static void frames_in_flight_have_headers_of_their_own(void **state)
{
	struct gate_tx tx = { .offload = GATE_TX_CSUM };
	const struct vnet_slice slice = { .pa = 0x5000, .len = 1000 };
	uint16_t d;

	(void)state;
	for (tx.csum_start = 0; tx.csum_start < 100; tx.csum_start++)
		assert_true(vnet_tx(&slice, 1, &tx));
	vnet_tx_commit();
	for (unsigned i = 0; i < 100; i++) {
		assert_true(fake_nic_next(TX, &d));
		assert_int_equal(fake_nic_ring_at(
		    fake_nic.queue[TX].desc[d].addr)[6], i);
	}
}

static void cookies_come_back_once_in_any_order(void **state)
{
	uint16_t head[3], cookies[8];

	(void)state;
	for (uint16_t i = 0; i < 3; i++)
		assert_true(send(100, (uint16_t)(i + 1)));
	vnet_tx_commit();
	for (unsigned i = 0; i < 3; i++)
		assert_true(fake_nic_next(TX, &head[i]));
	assert_int_equal(vnet_tx_done(cookies, 8), 0);
	fake_nic_complete(TX, head[2], 0);
	fake_nic_complete(TX, head[0], 77);
	assert_int_equal(vnet_tx_done(cookies, 1), 1);
	assert_int_equal(vnet_tx_done(cookies, 8), 1);
	fake_nic_complete(TX, head[1], 0);
	assert_int_equal(vnet_tx_done(cookies, 8), 1);
	assert_int_equal(cookies[0], 100);
	assert_int_equal(vnet_tx_done(cookies, 8), 0);
}

static void a_full_queue_refuses_until_frames_are_sent(void **state)
{
	uint16_t head, cookies[300], frames = 0;

	(void)state;
	while (send(frames, GATE_FRAME_SLICES))
		frames++;
	assert_int_equal(frames, 256 / 33);
	assert_true(send(99, 24));
	assert_false(send(98, 1));
	vnet_tx_commit();
	while (fake_nic_next(TX, &head))
		fake_nic_complete(TX, head, 0);
	assert_int_equal(vnet_tx_done(cookies, 300), frames + 1);
	assert_true(send(1, GATE_FRAME_SLICES));
}

static void a_batch_rings_once(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 10; i++)
		assert_true(send(i, 1));
	vnet_tx_commit();
	vnet_tx_commit();
	assert_int_equal(fake_nic.queue[TX].notified, 1);
	fake_nic.queue[TX].used->flags = 1;
	assert_true(send(10, 1));
	vnet_tx_commit();
	assert_int_equal(fake_nic.queue[TX].notified, 1);
	assert_int_equal(fake_nic.queue[TX].avail->idx, 11);
}

/* ---- Sleeping ------------------------------------------------------------ */

static void interrupts_are_asked_for_while_asleep(void **state)
{
	(void)state;
	assert_false(vnet_wake_on(true));
	assert_int_equal(fake_nic.queue[RX].avail->flags, 0);
	assert_int_equal(fake_nic.queue[TX].avail->flags, 1);
	assert_false(vnet_wake_on(false));
	assert_int_equal(fake_nic.queue[RX].avail->flags, 1);
	fake_nic_receive(60, 0, 0);
	assert_true(vnet_wake_on(true));
	assert_false(vnet_wake_on(false));
	vnet_interrupt();
	assert_int_equal(fake_nic.acks, 1);
}

static void sent_frames_wake_only_when_many_are_in_flight(void **state)
{
	uint16_t head, cookies[64];

	(void)state;
	for (uint16_t i = 0; i < 32; i++)
		assert_true(send(i, 1));      /* 64 of 256 descriptors */
	vnet_tx_commit();
	assert_true(fake_nic_next(TX, &head));
	fake_nic_complete(TX, head, 0);
	assert_false(vnet_wake_on(true));
	assert_int_equal(fake_nic.queue[TX].avail->flags, 1);
	assert_true(send(32, 1));
	assert_true(vnet_wake_on(true));
	assert_int_equal(fake_nic.queue[TX].avail->flags, 0);
	assert_int_equal(vnet_tx_done(cookies, 64), 1);
	assert_false(vnet_pending());
}

#define START(name) cmocka_unit_test_setup(name, plug)
#define CASE(name) cmocka_unit_test_setup(name, run)

int main(void)
{
	const struct CMUnitTest tests[] = {
		START(a_sound_nic_is_described),
		START(a_machine_without_nic_is_told_how_to_get_one),
		START(segmentation_without_checksums_is_not_used),
		START(a_small_mtu_is_kept),
		START(an_mtu_larger_than_our_buffers_is_not_accepted),
		START(a_nic_needs_an_address_of_its_own),
		START(queues_that_are_too_short_are_refused),
		START(without_interrupts_there_is_a_reason),
		START(a_device_that_does_not_start_is_told),
		CASE(all_buffers_are_posted_with_one_notification),
		CASE(a_frame_is_handed_over_with_its_buffer),
		CASE(the_shortest_and_the_longest_frame_pass),
		CASE(a_runt_is_dropped_and_its_buffer_posted),
		CASE(a_segmented_frame_is_dropped),
		CASE(checksums_are_vouched_for_only_if_agreed),
		CASE(frames_beyond_the_room_wait),
		CASE(a_buffer_is_posted_when_given_back),
		CASE(what_is_not_the_servers_cannot_be_given),
		CASE(every_buffer_can_go_round_many_times),
		CASE(a_frame_is_a_header_and_its_slices),
		CASE(offloads_are_written_as_the_standard_says),
		CASE(frames_in_flight_have_headers_of_their_own),
		CASE(cookies_come_back_once_in_any_order),
		CASE(a_full_queue_refuses_until_frames_are_sent),
		CASE(a_batch_rings_once),
		CASE(interrupts_are_asked_for_while_asleep),
		CASE(sent_frames_wake_only_when_many_are_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* links: kernel/virtio_pci.c kernel/virtio_find.c kernel/virtio.c kernel/vq.c
 * kernel/pci.c tests/kernel/fake_virtio_pci.c tests/kernel/fake_pci.c
 * tests/host_panic.c */
/*
 * Bringing a virtio device up: features, queues, configuration, interrupts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kernel/fake_virtio_pci.h"

static struct virtio_dev dev;

static void is_found(void)
{
	assert_null(virtio_find(VIRTIO_KIND_NET, &dev));
}

/* ---- Bringing up --------------------------------------------------------- */

static void features_are_agreed_in_the_order_of_the_standard(void **state)
{
	uint64_t accepted = 0;

	(void)state;
	is_found();
	memset(hw.events, 0, sizeof hw.events);
	hw.offers |= 1ull << 40;
	assert_null(virtio_negotiate(&dev, 1ull << 40 | 0x21 | 1ull << 50,
	    &accepted));
	assert_int_equal(accepted, VIRTIO_F_VERSION_1 | 1ull << 40 | 0x21);
	assert_int_equal(hw.accepted, accepted);
	assert_string_equal(hw.events, "0ADF");
	assert_int_equal(nic->bytes[4] & 4, 4);
}

static void a_device_without_version_1_is_given_up(void **state)
{
	uint64_t accepted = 99;

	(void)state;
	is_found();
	hw.offers = 0xFFFFFFFF;
	assert_non_null(strstr(virtio_negotiate(&dev, 1, &accepted), "legacy"));
	assert_int_equal(accepted, 99);
	assert_true(hw.status & 128);
}

static void a_device_that_refuses_our_features_is_given_up(void **state)
{
	uint64_t accepted;

	(void)state;
	is_found();
	hw.refuses_features = true;
	assert_non_null(strstr(virtio_negotiate(&dev, 1, &accepted), "refuses"));
	assert_true(hw.status & 128);
}

static _Alignas(16) uint8_t mem[VQ_MEM_LEN(256)];
static struct vq vq;

static void bring_up(void)
{
	uint64_t accepted;

	is_found();
	assert_null(virtio_negotiate(&dev, 0, &accepted));
	memset(hw.events, 0, sizeof hw.events);
}

static void a_queue_is_started_and_rung(void **state)
{
	uint16_t head;

	(void)state;
	bring_up();
	assert_int_equal(virtio_queue_size(&dev, 1), 256);
	assert_null(virtio_queue_start(&dev, 1, &vq, 256, mem, 0x1234567890));
	assert_null(virtio_go(&dev));
	assert_string_equal(hw.events, "bO");
	assert_int_equal(hw.queue_size[1], 256);
	assert_int_equal(hw.place[1][0], 0x1234567890);
	assert_int_equal(hw.place[1][1], 0x1234567890 + 4096);
	assert_int_equal(hw.place[1][2], 0x1234567890 + 4096 + 520);
	assert_int_equal(hw.vector[1], 0xFFFF);
	virtio_publish(&dev, 1, &vq);
	assert_int_equal(hw.notified, -1);
	assert_true(vq_begin(&vq, 1, 0, &head));
	vq_push(&vq, 0x1000, 1, true);
	virtio_publish(&dev, 1, &vq);
	assert_int_equal(hw.notified, 1);
	assert_false(virtio_needs_reset(&dev));
	hw.status |= 64;
	assert_true(virtio_needs_reset(&dev));
	hw.status = 0;
	assert_true(virtio_needs_reset(&dev));
}

static void queue_sizes_are_rounded_down_to_a_power_of_two(void **state)
{
	static const uint16_t pairs[][2] = {
		{ 0, 0 }, { 1, 1 }, { 3, 2 }, { 255, 128 }, { 256, 256 },
		{ 257, 256 }, { 0x8000, 256 }, { 0xFFFF, 256 },
	};

	(void)state;
	bring_up();
	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		hw.queue_max[0] = pairs[i][0];
		assert_int_equal(virtio_queue_size(&dev, 0), pairs[i][1]);
	}
}

static void a_queue_that_shrank_since_is_refused(void **state)
{
	(void)state;
	bring_up();
	hw.queue_max[0] = 128;
	assert_non_null(virtio_queue_start(&dev, 0, &vq, 256, mem, 0));
	hw.queue_max[0] = 0;
	assert_non_null(virtio_queue_start(&dev, 0, &vq, 1, mem, 0));
}

static void a_device_that_fails_at_once_is_noticed(void **state)
{
	(void)state;
	bring_up();
	hw.fails_to_start = true;
	assert_non_null(strstr(virtio_go(&dev), "start"));
}

/* ---- Configuration ------------------------------------------------------- */

static void configuration_is_read_within_its_length(void **state)
{
	uint8_t buf[8] = { 0 };
	uint16_t v;

	(void)state;
	store_le32(nic->bytes + CAP_CONFIG + 12, 8);
	bring_up();
	for (unsigned i = 0; i < 8; i++)
		hw.config[i] = (uint8_t)(i + 1);
	assert_int_equal(dev.config_len, 8);
	assert_true(virtio_config_bytes(&dev, 2, buf, 6));
	assert_memory_equal(buf, hw.config + 2, 6);
	assert_false(virtio_config_bytes(&dev, 3, buf, 6));
	assert_false(virtio_config_bytes(&dev, 9, buf, 0));
	assert_false(virtio_config_bytes(&dev, 0xFFFFFFFF, buf, 2));
	assert_true(virtio_config_u16(&dev, 6, &v));
	assert_int_equal(v, 0x0807);
	assert_false(virtio_config_u16(&dev, 7, &v));
	assert_false(virtio_config_u16(&dev, 0xFFFFFFFF, &v));
}

static void without_a_device_capability_there_is_no_configuration(void **state)
{
	uint8_t byte;

	(void)state;
	nic->bytes[CAP_CONFIG + 3] = 9;
	bring_up();
	assert_int_equal(dev.config_len, 0);
	assert_false(virtio_config_bytes(&dev, 0, &byte, 1));
}

static void configuration_is_read_again_while_it_changes(void **state)
{
	uint8_t buf[6];

	(void)state;
	bring_up();
	hw.generation_steps = 5;
	assert_true(virtio_config_bytes(&dev, 0, buf, 6));
	assert_int_equal(hw.generation_steps, 0);
	hw.generation_steps = 1000;
	assert_false(virtio_config_bytes(&dev, 0, buf, 6));
	assert_true(hw.generation_steps > 900);
}

/* ---- Interrupts ---------------------------------------------------------- */

static void an_interrupt_vector_is_wired_to_both_queues(void **state)
{
	(void)state;
	bring_up();
	assert_null(dev.ops->interrupts(&dev, 0x31));
	assert_int_equal(load_le16(nic->bytes + CAP_MSIX + 2), 0x8003);
	assert_int_equal(hw.msix[0], 0xFEE00000);
	assert_int_equal(hw.msix[1], 1);
	assert_int_equal(hw.msix[2], 0x4031);
	assert_int_equal(hw.msix[3], 0);
	assert_null(virtio_queue_start(&dev, 0, &vq, 256, mem, 0));
	assert_null(virtio_queue_start(&dev, 1, &vq, 256, mem, 0));
	assert_int_equal(hw.vector[0], 0);
	assert_int_equal(hw.vector[1], 0);
	dev.ops->interrupt_ack(&dev);
}

/* The device is usable, but cannot interrupt. */
static void no_interrupts(const char *word)
{
	const char *why;

	bring_up();
	why = dev.ops->interrupts(&dev, 0x31);
	assert_non_null(why);
	assert_non_null(strstr(why, word));
	assert_false(dev.interrupts);
	assert_false(load_le16(nic->bytes + CAP_MSIX + 2) & 0x8000);
}

static void without_msix_there_is_a_reason(void **state)
{
	(void)state;
	nic->bytes[CAP_MSIX] = 0x05;
	no_interrupts("no MSI-X");
	fake_pci_cap(nic, 0xF8, 0x11);        /* cut off by the end of the space */
	no_interrupts("no MSI-X");
}

static void an_msix_table_outside_its_bar_is_refused(void **state)
{
	(void)state;
	store_le32(nic->bytes + CAP_MSIX + 4, (BAR1_LEN - 8) | 1);
	no_interrupts("fit");
	store_le32(nic->bytes + CAP_MSIX + 4, 0xFFFFFFF8 | 1);
	no_interrupts("fit");
	store_le32(nic->bytes + CAP_MSIX + 4, 7);
	no_interrupts("does not have");
	store_le32(nic->bytes + CAP_MSIX + 4, (BAR1_LEN - 16) | 1);
	bring_up();
	assert_null(dev.ops->interrupts(&dev, 0x31));
}

static void a_device_short_of_vectors_is_refused(void **state)
{
	(void)state;
	bring_up();
	assert_null(dev.ops->interrupts(&dev, 0x31));
	hw.no_vectors = true;
	assert_non_null(strstr(virtio_queue_start(&dev, 0, &vq, 256, mem, 0),
	    "vector"));
}

#define CASE(name) cmocka_unit_test_setup(name, plug)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(features_are_agreed_in_the_order_of_the_standard),
		CASE(a_device_without_version_1_is_given_up),
		CASE(a_device_that_refuses_our_features_is_given_up),
		CASE(a_queue_is_started_and_rung),
		CASE(queue_sizes_are_rounded_down_to_a_power_of_two),
		CASE(a_queue_that_shrank_since_is_refused),
		CASE(a_device_that_fails_at_once_is_noticed),
		CASE(configuration_is_read_within_its_length),
		CASE(without_a_device_capability_there_is_no_configuration),
		CASE(configuration_is_read_again_while_it_changes),
		CASE(an_interrupt_vector_is_wired_to_both_queues),
		CASE(without_msix_there_is_a_reason),
		CASE(an_msix_table_outside_its_bar_is_refused),
		CASE(a_device_short_of_vectors_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

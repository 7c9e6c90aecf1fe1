/* links: kernel/virtio_pci.c kernel/virtio_find.c kernel/virtio.c kernel/vq.c
 * kernel/pci.c tests/kernel/fake_virtio_pci.c tests/kernel/fake_pci.c
 * tests/host_panic.c */
/*
 * Which virtio devices on PCI are taken, and which capabilities are lies.
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

static void is_refused(const char *word)
{
	const char *wrong = virtio_find(VIRTIO_KIND_NET, &dev);

	assert_non_null(wrong);
	if (strstr(wrong, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", wrong, word);
	assert_int_equal(nic->bytes[4] & 4, 0);
}

/* ---- Finding ------------------------------------------------------------- */

static void a_modern_device_is_found_reset_and_kept_from_memory(void **state)
{
	(void)state;
	nic->bytes[4] = 7;
	is_found();
	assert_string_equal(dev.ops->name, "pci");
	assert_string_equal(hw.events, "0");
	assert_int_equal(hw.status, 0);
	assert_int_equal(load_le16(nic->bytes + 4), 0x402);
	assert_false(nic->measured_while_decoding);
	assert_int_equal(dev.config_len, 64);
}

static void a_transitional_device_is_found(void **state)
{
	(void)state;
	store_le16(nic->bytes + 2, 0x1000);
	is_found();
}

static void other_kinds_and_vendors_are_passed_over(void **state)
{
	(void)state;
	assert_ptr_equal(virtio_find(VIRTIO_KIND_ENTROPY, &dev), VIRTIO_NONE);
	store_le16(nic->bytes + 2, 0x1005);
	assert_ptr_equal(virtio_find(VIRTIO_KIND_NET, &dev), VIRTIO_NONE);
	assert_null(virtio_find(VIRTIO_KIND_ENTROPY, &dev));
	store_le16(nic->bytes + 2, 0x1041);
	store_le16(nic->bytes, 0x8086);
	assert_ptr_equal(virtio_find(VIRTIO_KIND_NET, &dev), VIRTIO_NONE);
}

static void mmio_is_tried_next_and_the_first_cause_is_told(void **state)
{
	(void)state;
	mmio_says = "something about mmio";
	hw.reset_sticks = true;
	is_refused("reset");
	store_le16(nic->bytes, 0x8086);
	is_refused("about mmio");
	mmio_says = NULL;
	is_found();
}

static void a_second_device_serves_where_the_first_is_refused(void **state)
{
	struct fake_fn *bad = fake_pci_add(1 << 3, 0x1AF4, 0x1041, 0);

	(void)state;
	is_found();
	assert_int_equal(dev.fn, NIC_FN);
	assert_int_equal(bad->writes, 0);
}

/* ---- Hostile capabilities ------------------------------------------------ */

static void a_device_without_modern_capabilities_is_refused(void **state)
{
	(void)state;
	nic->bytes[CAP_MSIX + 1] = 0;
	is_refused("legacy");
}

static void a_bridge_header_is_refused(void **state)
{
	(void)state;
	nic->bytes[0x0E] = 2;
	is_refused("bridge");
}

static void a_looping_capability_list_is_refused(void **state)
{
	(void)state;
	nic->bytes[CAP_COMMON + 1] = CAP_MSIX;
	is_refused("capability list");
	assert_int_equal(hw.mapped, 0);
}

static void a_capability_with_a_reserved_bar_is_as_good_as_none(void **state)
{
	(void)state;
	nic->bytes[CAP_COMMON + 4] = 6;
	is_refused("lacks");
	nic->bytes[CAP_COMMON + 4] = 255;
	is_refused("lacks");
	/* Virtio 1.2, section 4.1.4.1: a further, sound one counts. */
	add_cap(0xC0, 1, 4, COMMON, 0x1000);
	is_found();
}

static void a_capability_that_is_cut_short_is_as_good_as_none(void **state)
{
	(void)state;
	nic->bytes[CAP_COMMON + 2] = 15;
	is_refused("lacks");
	nic->bytes[CAP_COMMON + 2] = 16;
	nic->bytes[CAP_NOTIFY + 2] = 19;
	is_refused("lacks");
	nic->bytes[CAP_NOTIFY + 2] = 20;
	is_found();
}

static void a_capability_at_the_end_of_configuration_space_is_not_read(
    void **state)
{
	(void)state;
	nic->bytes[CAP_COMMON] = 0;
	fake_pci_cap(nic, 0xF4, 0x09);
	nic->bytes[0xF4 + 2] = 16;
	nic->bytes[0xF4 + 3] = 1;
	is_refused("lacks");
}

/* Put a value into a capability's field; it is then refused with `word`. */
static void field_is_refused(uint8_t at, uint32_t v, const char *word)
{
	const uint32_t was = load_le32(nic->bytes + at);

	store_le32(nic->bytes + at, v);
	is_refused(word);
	assert_int_equal(hw.mapped, 0);
	store_le32(nic->bytes + at, was);
}

static void regions_that_leave_their_bar_are_refused(void **state)
{
	(void)state;
	field_is_refused(CAP_COMMON + 8, BAR4_LEN, "fit");
	field_is_refused(CAP_COMMON + 8, BAR4_LEN - 0x1000 + 4, "fit");
	field_is_refused(CAP_COMMON + 8, 0xFFFFFFFC, "fit");
	field_is_refused(CAP_COMMON + 12, BAR4_LEN + 1, "fit");
	field_is_refused(CAP_COMMON + 12, 0xFFFFFFFF, "fit");
	field_is_refused(CAP_NOTIFY + 8, BAR4_LEN - 0x1000 + 4, "fit");
	field_is_refused(CAP_CONFIG + 12, BAR4_LEN - CONFIG + 1, "fit");
	is_found();
}

static void a_region_that_ends_with_its_bar_is_accepted(void **state)
{
	(void)state;
	store_le32(nic->bytes + CAP_CONFIG + 12, BAR4_LEN - CONFIG);
	is_found();
}

static void short_or_crooked_regions_are_refused(void **state)
{
	(void)state;
	field_is_refused(CAP_COMMON + 12, 55, "fit");
	field_is_refused(CAP_COMMON + 8, 2, "fit");
	field_is_refused(CAP_NOTIFY + 12, 1, "fit");
	store_le32(nic->bytes + CAP_COMMON + 12, 56);
	is_found();
}

static void bars_that_cannot_be_are_refused(void **state)
{
	(void)state;
	nic->bytes[CAP_COMMON + 4] = 0;
	is_refused("no address");
	nic->bytes[CAP_COMMON + 4] = 5;
	is_refused("address");
	nic->bytes[CAP_COMMON + 4] = 4;
	store_le32(nic->bytes + 0x10 + 16, 0xC001);
	is_refused("I/O");
}

static void notification_addresses_outside_the_region_are_refused(void **state)
{
	(void)state;
	hw.notify_off[1] = 0x1000 / MULTIPLIER;
	is_refused("notification");
	hw.notify_off[1] = 0x1000 / MULTIPLIER - 1;
	is_found();
	hw.notify_off[0] = 0xFFFF;
	store_le32(nic->bytes + CAP_NOTIFY + 16, 0xFFFFFFFF);
	is_refused("notification");
	/* A queue that does not exist is not asked where its bell is. */
	hw.queue_max[0] = 0;
	hw.notify_off[1] = 0;
	is_found();
	assert_int_equal(virtio_queue_size(&dev, 0), 0);
}

static void a_device_that_stays_in_reset_is_refused(void **state)
{
	(void)state;
	hw.reset_sticks = true;
	is_refused("reset");
}

#define CASE(name) cmocka_unit_test_setup(name, plug)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_modern_device_is_found_reset_and_kept_from_memory),
		CASE(a_transitional_device_is_found),
		CASE(other_kinds_and_vendors_are_passed_over),
		CASE(mmio_is_tried_next_and_the_first_cause_is_told),
		CASE(a_second_device_serves_where_the_first_is_refused),
		CASE(a_device_without_modern_capabilities_is_refused),
		CASE(a_bridge_header_is_refused),
		CASE(a_looping_capability_list_is_refused),
		CASE(a_capability_with_a_reserved_bar_is_as_good_as_none),
		CASE(a_capability_that_is_cut_short_is_as_good_as_none),
		CASE(a_capability_at_the_end_of_configuration_space_is_not_read),
		CASE(regions_that_leave_their_bar_are_refused),
		CASE(a_region_that_ends_with_its_bar_is_accepted),
		CASE(short_or_crooked_regions_are_refused),
		CASE(bars_that_cannot_be_are_refused),
		CASE(notification_addresses_outside_the_region_are_refused),
		CASE(a_device_that_stays_in_reset_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

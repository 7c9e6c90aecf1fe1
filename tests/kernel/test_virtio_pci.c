/* links: kernel/virtio_pci.c kernel/virtio_find.c kernel/virtio.c kernel/vq.c kernel/pci.c tests/kernel/fake_pci.c tests/host_panic.c */
/*
 * The PCI transport and the bring-up, against a device made of a configuration
 * space (fake_pci.c) and registers; most of them lie somewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/pci.h"
#include "kernel/reg.h"
#include "kernel/virtio.h"
#include "tests/kernel/fake_pci.h"

/* The device's BAR 4, as QEMU lays it out, and BAR 1 with the MSI-X table. */
#define BAR4_PA  0xFE000000u
#define BAR4_LEN 0x4000u
#define BAR1_PA  0xFEB00000u
#define BAR1_LEN 0x1000u
#define COMMON 0x0000u
#define CONFIG 0x2000u
#define NOTIFY 0x3000u
#define MULTIPLIER 4u

#define CAP_COMMON 0x40
#define CAP_NOTIFY 0x54
#define CAP_CONFIG 0x68
#define CAP_ISR    0x78
#define CAP_PCI    0x88
#define CAP_MSIX   0x9C

#define NIC_FN (2 << 3)

/* What the device has been told, and how it misbehaves. */
static struct {
	uint8_t bar4[BAR4_LEN], bar1[BAR1_LEN];  /* only their addresses matter */
	uint64_t offers, accepted;
	uint32_t feature_select, driver_select;
	uint8_t status;
	uint8_t config[64];
	uint8_t generation;
	uint16_t queue_select, queue_max[4], queue_size[4], vector[4];
	uint16_t enabled[4], notify_off[4];
	uint64_t place[4][3];
	uint32_t msix[4];
	char events[64];          /* status values written, as letters */
	unsigned mapped;
	uint64_t mapped_end;
	int notified;
	bool reset_sticks, refuses_features, no_vectors, fails_to_start;
	unsigned generation_steps;
} hw;

static struct fake_fn *nic;

/* ---- What the kernel would offer ----------------------------------------------- */

volatile void *map_device(uint64_t pa, uint64_t len)
{
	hw.mapped++;
	/* Never outside the BARs: this is what all the checks are for. */
	if (pa >= BAR4_PA && pa - BAR4_PA + len <= BAR4_LEN)
		return hw.bar4 + (pa - BAR4_PA);
	assert_true(pa >= BAR1_PA && pa - BAR1_PA + len <= BAR1_LEN);
	return hw.bar1 + (pa - BAR1_PA);
}

uint64_t irq_msi_address(void)
{
	return 0x1FEE00000;
}

uint32_t irq_msi_data(uint8_t vector)
{
	return 0x4000u + vector;
}

static const char *mmio_says = VIRTIO_NONE;

const char *virtio_mmio_find(enum virtio_kind kind, struct virtio_dev *dev)
{
	(void)kind;
	(void)dev;
	return mmio_says;
}

/* ---- The device's registers ------------------------------------------------------ */

static unsigned offset_of(const volatile void *at, unsigned width)
{
	const volatile uint8_t *p = at;

	assert_true(p >= hw.bar4 && p + width <= hw.bar4 + BAR4_LEN);
	assert_int_equal((p - hw.bar4) % width, 0);
	return (unsigned)(p - hw.bar4);
}

uint8_t reg_read8(const volatile void *at)
{
	const unsigned off = offset_of(at, 1);

	if (off == 20)
		return hw.status;
	if (off == 21) {
		if (hw.generation_steps > 0) {
			hw.generation_steps--;
			hw.generation++;
		}
		return hw.generation;
	}
	assert_in_range(off, CONFIG, CONFIG + sizeof hw.config - 1);
	return hw.config[off - CONFIG];
}

uint16_t reg_read16(const volatile void *at)
{
	const unsigned off = offset_of(at, 2);
	const unsigned q = hw.queue_select;

	switch (off) {
	case 24:
		return hw.queue_max[q];
	case 26:
		return hw.vector[q];
	case 30:
		return hw.notify_off[q];
	default:
		assert_in_range(off, CONFIG, CONFIG + sizeof hw.config - 2);
		return load_le16(hw.config + off - CONFIG);
	}
}

uint32_t reg_read32(const volatile void *at)
{
	assert_int_equal(offset_of(at, 4), 4);
	return (uint32_t)(hw.offers >> (hw.feature_select ? 32 : 0));
}

static void note(char event)
{
	const size_t len = strlen(hw.events);

	if (len + 1 < sizeof hw.events)
		hw.events[len] = event;
}

static void forget_all(void)
{
	memset(hw.enabled, 0, sizeof hw.enabled);
	memset(hw.vector, 0xFF, sizeof hw.vector);
	hw.accepted = 0;
}

void reg_write8(volatile void *at, uint8_t v)
{
	assert_int_equal(offset_of(at, 1), 20);
	note(v == 0 ? '0' : v == 1 ? 'A' : v == 3 ? 'D' : v == 11 ? 'F' :
	    v == 15 ? 'O' : (v & 128) ? 'X' : '?');
	if (v == 0)
		forget_all();
	if (v == 0 && hw.reset_sticks)
		return;
	if (v == 11 && hw.refuses_features)
		v = 3;
	if (v == 15 && hw.fails_to_start)
		v |= 64;
	hw.status = v;
}

void reg_write16(volatile void *at, uint16_t v)
{
	const unsigned off = offset_of(at, 2);
	const unsigned q = hw.queue_select;

	if (off >= NOTIFY) {
		assert_int_equal(off, NOTIFY + MULTIPLIER * hw.notify_off[v]);
		hw.notified = v;
		return;
	}
	switch (off) {
	case 22:
		assert_true(v < 4);
		hw.queue_select = v;
		break;
	case 24:
		hw.queue_size[q] = v;
		break;
	case 26:
		hw.vector[q] = hw.no_vectors ? 0xFFFF : v;
		break;
	case 28:
		hw.enabled[q] = v;
		note((char)('a' + q));
		break;
	default:
		fail_msg("write of 16 bits at %u", off);
	}
}

static void write_common32(unsigned off, uint32_t v)
{
	if (off == 0)
		hw.feature_select = v;
	else if (off == 8)
		hw.driver_select = v;
	else if (off == 12)
		hw.accepted |= (uint64_t)v << (hw.driver_select ? 32 : 0);
	else if (off >= 32 && off < 56)
		hw.place[hw.queue_select][(off - 32) / 8] |=
		    (uint64_t)v << (off % 8 * 8);
	else
		fail_msg("write of 32 bits at %u", off);
}

void reg_write32(volatile void *at, uint32_t v)
{
	volatile uint8_t *p = at;

	if (p >= hw.bar1 && p < hw.bar1 + BAR1_LEN)
		hw.msix[(p - hw.bar1) / 4 % 4] = v;
	else
		write_common32(offset_of(at, 4), v);
}

/* ---- A sound device ---------------------------------------------------------------- */

static void add_cap(uint8_t at, uint8_t type, uint8_t bar, uint32_t offset,
    uint32_t length)
{
	fake_pci_cap(nic, at, 0x09);
	nic->bytes[at + 2] = type == 2 ? 20 : 16;
	nic->bytes[at + 3] = type;
	nic->bytes[at + 4] = bar;
	store_le32(nic->bytes + at + 8, offset);
	store_le32(nic->bytes + at + 12, length);
}

static int plug(void **state)
{
	(void)state;
	memset(&hw, 0, sizeof hw);
	fake_pci_clear();
	mmio_says = VIRTIO_NONE;
	fake_pci_add(0, 0x8086, 0x29C0, 0);
	nic = fake_pci_add(NIC_FN, 0x1AF4, 0x1041, 0);
	fake_pci_bar(nic, 4, BAR4_PA, BAR4_LEN, true);
	fake_pci_bar(nic, 1, BAR1_PA, BAR1_LEN, false);
	add_cap(CAP_COMMON, 1, 4, COMMON, 0x1000);
	add_cap(CAP_NOTIFY, 2, 4, NOTIFY, 0x1000);
	store_le32(nic->bytes + CAP_NOTIFY + 16, MULTIPLIER);
	add_cap(CAP_CONFIG, 4, 4, CONFIG, 0x1000);
	add_cap(CAP_ISR, 3, 4, 0x1000, 0x1000);
	add_cap(CAP_PCI, 5, 0, 0, 0);
	fake_pci_cap(nic, CAP_MSIX, 0x11);
	store_le16(nic->bytes + CAP_MSIX + 2, 3);
	store_le32(nic->bytes + CAP_MSIX + 4, 1);
	hw.offers = VIRTIO_F_VERSION_1 | 0xFF;
	hw.status = 15;               /* as a boot loader may leave it */
	hw.notified = -1;
	for (unsigned q = 0; q < 3; q++) {
		hw.queue_max[q] = 256;
		hw.notify_off[q] = (uint16_t)q;
	}
	return 0;
}

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

/* ---- Finding ------------------------------------------------------------------------ */

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

/* ---- Hostile capabilities ------------------------------------------------------------ */

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

/* ---- Bringing up ----------------------------------------------------------------------- */

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

/* ---- Configuration ---------------------------------------------------------------------- */

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

/* ---- Interrupts --------------------------------------------------------------------------- */

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

/*
 * A virtio-net device on PCI for tests; the manual is fake_virtio_pci.h.
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
#include "tests/kernel/fake_virtio_pci.h"

struct fake_hw hw;
struct fake_fn *nic;

/* ---- What the kernel would offer ----------------------------------------- */

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

const char *mmio_says = VIRTIO_NONE;

const char *virtio_mmio_find(enum virtio_kind kind, struct virtio_dev *dev)
{
	(void)kind;
	(void)dev;
	return mmio_says;
}

/* ---- The device's registers ---------------------------------------------- */

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

/* ---- A sound device ------------------------------------------------------ */

void add_cap(uint8_t at, uint8_t type, uint8_t bar, uint32_t offset,
    uint32_t length)
{
	fake_pci_cap(nic, at, 0x09);
	nic->bytes[at + 2] = type == 2 ? 20 : 16;
	nic->bytes[at + 3] = type;
	nic->bytes[at + 4] = bar;
	store_le32(nic->bytes + at + 8, offset);
	store_le32(nic->bytes + at + 12, length);
}

int plug(void **state)
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

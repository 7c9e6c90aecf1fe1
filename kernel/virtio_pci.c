/*
 * The PCI transport of virtio devices: Virtio 1.2, section 4.1, the modern
 * interface only.  Where its registers are is told by capabilities, which are
 * the device's word: a capability that does not fit into its BAR is refused.
 *
 * One MSI-X vector serves all queues.  Configuration changes are not listened to.
 */
#include "kernel/virtio.h"

#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/pci.h"
#include "kernel/reg.h"

/* Section 4.1.2: vendor, and device numbers of modern and transitional devices */
#define VENDOR_VIRTIO 0x1AF4u
#define DEVICE_MODERN 0x1040u
#define DEVICE_OLD_NET     0x1000u
#define DEVICE_OLD_ENTROPY 0x1005u

/* Section 4.1.4: struct virtio_pci_cap */
#define CAP_LEN    2
#define CAP_TYPE   3
#define CAP_BAR    4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_NOTIFY_MULTIPLIER 16
#define CAP_MIN        16
#define CAP_NOTIFY_MIN 20

#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_DEVICE 4

/* Section 4.1.4.3: struct virtio_pci_common_cfg */
#define COMMON_DEVICE_FEATURE_SELECT 0
#define COMMON_DEVICE_FEATURE        4
#define COMMON_DRIVER_FEATURE_SELECT 8
#define COMMON_DRIVER_FEATURE        12
#define COMMON_STATUS                20
#define COMMON_GENERATION            21
#define COMMON_QUEUE_SELECT          22
#define COMMON_QUEUE_SIZE            24
#define COMMON_QUEUE_VECTOR          26
#define COMMON_QUEUE_ENABLE          28
#define COMMON_QUEUE_NOTIFY_OFF      30
#define COMMON_QUEUE_DESC            32
#define COMMON_QUEUE_DRIVER          40
#define COMMON_QUEUE_DEVICE          48
#define COMMON_MIN_LEN               56

#define NO_VECTOR 0xFFFFu

/* We read no further into a device's configuration than this. */
#define CONFIG_MAX 64u

/* PCI 3.0, section 6.8.2: MSI-X */
#define MSIX_TABLE       4
#define MSIX_CAP_LEN     12
#define MSIX_ENABLE      (1u << 15)
#define MSIX_MASK_ALL    (1u << 14)
#define MSIX_ENTRY_LEN   16u
#define MSIX_BAR         7u
#define ENTRY_ADDRESS_LO 0
#define ENTRY_ADDRESS_HI 4
#define ENTRY_DATA       8
#define ENTRY_CONTROL    12

/* Part of a BAR, as a capability names it; length 0: there is none. */
struct region {
	uint32_t offset;
	uint32_t length;
	uint8_t bar;
};

/* What the capabilities of a function say. */
struct layout {
	struct region common, notify, device;
	uint32_t notify_multiplier;
	struct pci_bar bars[PCI_BARS];
	bool measured[PCI_BARS];
};

/* ---- Registers ----------------------------------------------------------- */

static uint8_t get_status(struct virtio_dev *dev)
{
	return reg_read8(dev->common + COMMON_STATUS);
}

static void set_status(struct virtio_dev *dev, uint8_t status)
{
	reg_write8(dev->common + COMMON_STATUS, status);
}

static uint64_t get_features(struct virtio_dev *dev)
{
	uint64_t low;

	reg_write32(dev->common + COMMON_DEVICE_FEATURE_SELECT, 0);
	low = reg_read32(dev->common + COMMON_DEVICE_FEATURE);
	reg_write32(dev->common + COMMON_DEVICE_FEATURE_SELECT, 1);
	return low |
	    (uint64_t)reg_read32(dev->common + COMMON_DEVICE_FEATURE) << 32;
}

static void set_features(struct virtio_dev *dev, uint64_t accepted)
{
	reg_write32(dev->common + COMMON_DRIVER_FEATURE_SELECT, 0);
	reg_write32(dev->common + COMMON_DRIVER_FEATURE, (uint32_t)accepted);
	reg_write32(dev->common + COMMON_DRIVER_FEATURE_SELECT, 1);
	reg_write32(dev->common + COMMON_DRIVER_FEATURE,
	    (uint32_t)(accepted >> 32));
}

static uint32_t get_generation(struct virtio_dev *dev)
{
	return reg_read8(dev->common + COMMON_GENERATION);
}

static void select_queue(struct virtio_dev *dev, uint16_t q)
{
	reg_write16(dev->common + COMMON_QUEUE_SELECT, q);
}

static uint16_t get_queue_max(struct virtio_dev *dev, uint16_t q)
{
	if (dev->notify_at[q] == NULL)
		return 0;
	select_queue(dev, q);
	return reg_read16(dev->common + COMMON_QUEUE_SIZE);
}

/* Section 4.1.3.1: 64-bit fields are written as two 32-bit ones. */
static void write_pa(struct virtio_dev *dev, unsigned at, uint64_t pa)
{
	reg_write32(dev->common + at, (uint32_t)pa);
	reg_write32(dev->common + at + 4, (uint32_t)(pa >> 32));
}

static const char *queue_start(struct virtio_dev *dev, uint16_t q,
    const struct virtio_queue_place *place)
{
	const uint16_t vector = dev->interrupts ? 0 : NO_VECTOR;

	select_queue(dev, q);
	reg_write16(dev->common + COMMON_QUEUE_SIZE, place->size);
	reg_write16(dev->common + COMMON_QUEUE_VECTOR, vector);
	/* Section 4.1.5.1.2.2: MUST read back whether it could. */
	if (reg_read16(dev->common + COMMON_QUEUE_VECTOR) != vector)
		return "the virtio device has no room for an interrupt vector";
	write_pa(dev, COMMON_QUEUE_DESC, place->desc_pa);
	write_pa(dev, COMMON_QUEUE_DRIVER, place->avail_pa);
	write_pa(dev, COMMON_QUEUE_DEVICE, place->used_pa);
	reg_write16(dev->common + COMMON_QUEUE_ENABLE, 1);
	return NULL;
}

static void notify(struct virtio_dev *dev, uint16_t q)
{
	reg_write16(dev->notify_at[q], q);
}

/* ---- Capabilities -------------------------------------------------------- */

static struct region read_region(uint16_t fn, uint8_t at)
{
	return (struct region){
		.offset = pci_read32(fn, at + CAP_OFFSET),
		.length = pci_read32(fn, at + CAP_LENGTH),
		.bar = pci_read8(fn, at + CAP_BAR),
	};
}

/* Section 4.1.4.1: we use the first of each type and MUST ignore what is reserved. */
static void read_capability(uint16_t fn, uint8_t at, struct layout *l)
{
	const uint8_t len = pci_read8(fn, at + CAP_LEN);
	struct region r;

	if (len < CAP_MIN || at + len > 256)
		return;
	r = read_region(fn, at);
	if (r.bar >= PCI_BARS)
		return;
	switch (pci_read8(fn, at + CAP_TYPE)) {
	case TYPE_COMMON:
		if (l->common.length == 0)
			l->common = r;
		break;
	case TYPE_DEVICE:
		if (l->device.length == 0)
			l->device = r;
		break;
	case TYPE_NOTIFY:
		if (l->notify.length != 0 || len < CAP_NOTIFY_MIN)
			break;
		l->notify = r;
		l->notify_multiplier =
		    pci_read32(fn, at + CAP_NOTIFY_MULTIPLIER);
		break;
	default:
		break;
	}
}

static const char *read_layout(uint16_t fn, struct layout *l)
{
	struct pci_cap_scan scan = { 0 };
	uint8_t at, id;
	bool any = false;

	*l = (struct layout){ 0 };
	while (pci_cap_next(fn, &scan, &at, &id)) {
		if (id != PCI_CAP_VENDOR)
			continue;
		any = true;
		read_capability(fn, at, l);
	}
	if (scan.bad)
		return "the PCI capability list of the virtio device is broken";
	if (!any)
		return "the virtio device on PCI is a legacy one: "
		    "its modern interface is switched off";
	if (l->common.length == 0 || l->notify.length == 0)
		return "the virtio device on PCI lacks a usable capability";
	return NULL;
}

/* Where a region starts, once it is known to lie in its BAR. */
static const char *locate(uint16_t fn, struct layout *l,
    const struct region *r, uint32_t min_len, uint64_t *pa)
{
	struct pci_bar *bar;

	if (r->bar >= PCI_BARS)
		return "the virtio device names a BAR that PCI does not have";
	bar = &l->bars[r->bar];
	if (!l->measured[r->bar]) {
		const char *wrong = pci_bar(fn, r->bar, bar);

		if (wrong != NULL)
			return wrong;
		l->measured[r->bar] = true;
	}
	if (r->length < min_len || (r->offset & 3) != 0 ||
	    (uint64_t)r->offset + r->length > bar->len)
		return "a capability of the virtio device on PCI does not fit "
		    "into its BAR";
	*pa = bar->pa + r->offset;
	return NULL;
}

/* ---- Interrupts ---------------------------------------------------------- */

/* Where the first entry of the table is: PCI 3.0, section 6.8.2. */
static const char *find_msix(struct virtio_dev *dev, struct layout *l)
{
	struct pci_cap_scan scan = { 0 };
	struct region r = { .length = MSIX_ENTRY_LEN };
	uint8_t id = 0;

	while (id != PCI_CAP_MSIX || dev->msix_at > 256 - MSIX_CAP_LEN) {
		if (!pci_cap_next(dev->fn, &scan, &dev->msix_at, &id))
			return "the virtio device has no MSI-X capability";
	}
	r.offset = pci_read32(dev->fn, dev->msix_at + MSIX_TABLE);
	r.bar = r.offset & MSIX_BAR;
	r.offset -= r.bar;
	return locate(dev->fn, l, &r, MSIX_ENTRY_LEN, &dev->msix_pa);
}

/* PCI 3.0, section 6.8.3.2: entry 0 raises `vector`; all others stay unused. */
static const char *interrupts(struct virtio_dev *dev, uint8_t vector)
{
	const uint64_t address = irq_msi_address();
	volatile uint8_t *entry;
	uint32_t head;

	if (dev->msix_wrong != NULL)
		return dev->msix_wrong;
	entry = map_device(dev->msix_pa, MSIX_ENTRY_LEN);
	head = pci_read32(dev->fn, dev->msix_at) & ~(MSIX_MASK_ALL << 16);
	pci_write32(dev->fn, dev->msix_at,
	    head | (MSIX_ENABLE | MSIX_MASK_ALL) << 16);
	reg_write32(entry + ENTRY_ADDRESS_LO, (uint32_t)address);
	reg_write32(entry + ENTRY_ADDRESS_HI, (uint32_t)(address >> 32));
	reg_write32(entry + ENTRY_DATA, irq_msi_data(vector));
	reg_write32(entry + ENTRY_CONTROL, 0);
	pci_write32(dev->fn, dev->msix_at, head | MSIX_ENABLE << 16);
	dev->interrupts = true;
	return NULL;
}

static void interrupt_ack(struct virtio_dev *dev)
{
	/* A message needs no answer. */
	(void)dev;
}

static void set_dma(struct virtio_dev *dev, bool on)
{
	pci_set_bus_master(dev->fn, on);
}

static const struct virtio_ops ops = {
	.name = "pci",
	.status = get_status,
	.set_status = set_status,
	.features = get_features,
	.set_features = set_features,
	.generation = get_generation,
	.config8 = virtio_mapped_config8,
	.config16 = virtio_mapped_config16,
	.queue_max = get_queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.interrupts = interrupts,
	.interrupt_ack = interrupt_ack,
	.set_dma = set_dma,
};

/* ---- Finding ------------------------------------------------------------- */

static bool is_kind(uint32_t id, enum virtio_kind kind)
{
	const uint32_t number = id >> 16;

	if ((id & 0xFFFF) != VENDOR_VIRTIO)
		return false;
	if (number == DEVICE_MODERN + kind)
		return true;
	return kind == VIRTIO_KIND_NET ? number == DEVICE_OLD_NET :
	    number == DEVICE_OLD_ENTROPY;
}

/* Section 4.1.4.4: where the bell of each queue is.  The device is reset. */
static const char *find_bells(struct virtio_dev *dev, const struct layout *l,
    uint64_t notify_pa)
{
	for (uint16_t q = 0; q < VIRTIO_QUEUES; q++) {
		uint64_t off;

		select_queue(dev, q);
		if (reg_read16(dev->common + COMMON_QUEUE_SIZE) == 0)
			continue;
		off = (uint64_t)l->notify_multiplier *
		    reg_read16(dev->common + COMMON_QUEUE_NOTIFY_OFF);
		if (off + 2 > l->notify.length || (off & 1) != 0)
			return "the virtio device names a notification address "
			    "outside its BAR";
		dev->notify_at[q] = map_device(notify_pa + off, 2);
	}
	return NULL;
}

static const char *take_device(uint16_t fn, struct virtio_dev *dev)
{
	uint64_t common_pa, notify_pa, config_pa = 0;
	struct layout l;
	const char *wrong;

	if (!pci_is_device(fn))
		return "the virtio device on PCI has a bridge's header";
	wrong = read_layout(fn, &l);
	if (wrong != NULL)
		return wrong;

	pci_set_memory(fn, false);
	wrong = locate(fn, &l, &l.common, COMMON_MIN_LEN, &common_pa);
	if (wrong == NULL)
		wrong = locate(fn, &l, &l.notify, 2, &notify_pa);
	if (wrong == NULL && l.device.length != 0)
		wrong = locate(fn, &l, &l.device, 1, &config_pa);
	if (wrong != NULL)
		return wrong;

	*dev = (struct virtio_dev){ .ops = &ops, .fn = fn };
	dev->msix_wrong = find_msix(dev, &l);
	pci_set_memory(fn, true);
	dev->common = map_device(common_pa, COMMON_MIN_LEN);
	if (l.device.length != 0) {
		dev->config_len = l.device.length < CONFIG_MAX ?
		    l.device.length : CONFIG_MAX;
		dev->config = map_device(config_pa, dev->config_len);
	}
	/* Silent first; virtio_negotiate() allows it to reach memory. */
	wrong = virtio_reset(dev);
	pci_set_bus_master(fn, false);
	return wrong != NULL ? wrong : find_bells(dev, &l, notify_pa);
}

const char *virtio_pci_find(enum virtio_kind kind, struct virtio_dev *dev)
{
	struct pci_scan scan = { 0 };
	const char *first_wrong = VIRTIO_NONE;
	uint32_t id;
	uint16_t fn;

	while (pci_next(&scan, &fn, &id)) {
		const char *wrong;

		if (!is_kind(id, kind))
			continue;
		wrong = take_device(fn, dev);
		if (wrong == NULL)
			return NULL;
		if (first_wrong == VIRTIO_NONE)
			first_wrong = wrong;
	}
	return first_wrong;
}

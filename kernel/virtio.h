/*
 * Virtio devices, whatever bus they are on: find one, bring it up in the order
 * that Virtio 1.2, section 3.1.1 asks for, read its configuration, start its
 * queues, ring its bell.
 *
 * A transport is one file behind struct virtio_ops: virtio_pci.c (modern PCI)
 * and virtio_mmio.c (version 2).  What is the same for all is in virtio.c.
 *
 * The device is not trusted: what it says about itself is range-checked, and
 * every wait for it is bounded.  Where it is wrong, the answer is a sentence for
 * the operator.
 *
 * Not offered: legacy devices (before Virtio 1.0); more than VIRTIO_QUEUES queues.
 */
#pragma once

#include "config/base.h"
#include "kernel/reg.h"
#include "kernel/vq.h"

/* Virtio 1.2, section 5 */
enum virtio_kind {
	VIRTIO_KIND_NET = 1,
	VIRTIO_KIND_ENTROPY = 4,
};

/* Virtio 1.2, section 6: features of every device */
#define VIRTIO_F_VERSION_1       (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_ORDER_PLATFORM  (1ull << 36)

#define VIRTIO_QUEUES 2

struct virtio_dev;

/* Where a queue's memory is and how large it is. */
struct virtio_queue_place {
	uint64_t desc_pa;
	uint64_t avail_pa;
	uint64_t used_pa;
	uint16_t size;
};

/*
 * What a transport does.  q is below VIRTIO_QUEUES; config offsets have been
 * checked against config_len.
 */
struct virtio_ops {
	const char *name;     /* "pci", "mmio" */
	uint8_t (*status)(struct virtio_dev *dev);
	void (*set_status)(struct virtio_dev *dev, uint8_t status);
	uint64_t (*features)(struct virtio_dev *dev);
	void (*set_features)(struct virtio_dev *dev, uint64_t accepted);
	uint32_t (*generation)(struct virtio_dev *dev);
	uint8_t (*config8)(struct virtio_dev *dev, uint32_t off);
	uint16_t (*config16)(struct virtio_dev *dev, uint32_t off);
	/* Largest size of a queue, 0 if there is no such queue. */
	uint16_t (*queue_max)(struct virtio_dev *dev, uint16_t q);
	/* Returns NULL or what is wrong. */
	const char *(*queue_start)(struct virtio_dev *dev, uint16_t q,
	    const struct virtio_queue_place *place);
	void (*notify)(struct virtio_dev *dev, uint16_t q);
	/* Returns NULL or why there can be no interrupts. */
	const char *(*interrupts)(struct virtio_dev *dev, uint8_t vector);
	void (*interrupt_ack)(struct virtio_dev *dev);
	/* Whether the device may reach memory at all, where the bus can say so. */
	void (*set_dma)(struct virtio_dev *dev, bool on);
};

/* A device in use.  All of it was set by the transport that found it. */
struct virtio_dev {
	const struct virtio_ops *ops;
	uint32_t config_len;   /* bytes of device configuration */
	bool interrupts;       /* queues are started with interrupts wired up */
	/* PCI: Virtio 1.2, section 4.1.4 */
	volatile uint8_t *common;
	volatile uint8_t *notify_at[VIRTIO_QUEUES]; /* NULL: no such queue */
	uint16_t fn;
	uint8_t msix_at;       /* capability; with msix_wrong NULL */
	uint64_t msix_pa;      /* first entry of the table */
	const char *msix_wrong;
	/* MMIO: Virtio 1.2, section 4.2.2 */
	volatile uint8_t *regs;
	uint32_t gsi;
	/* Both: device configuration; NULL with config_len 0 */
	volatile uint8_t *config;
};

/* config8 and config16 of every transport that maps the configuration. */
static inline uint8_t virtio_mapped_config8(struct virtio_dev *dev, uint32_t off)
{
	return reg_read8(dev->config + off);
}

static inline uint16_t virtio_mapped_config16(struct virtio_dev *dev,
    uint32_t off)
{
	return reg_read16(dev->config + off);
}

/* ---- Finding (virtio_find.c) --------------------------------------------- */

/*
 * Find and reset the first usable device of a kind: PCI first, then those that
 * virtio_mmio_add() was told of.  Before map_seal(): it maps registers.
 *
 * Returns  NULL, or a sentence: what is wrong with the first one of the kind that
 *          was refused, or VIRTIO_NONE when there is none
 */
MUST_USE const char *virtio_find(enum virtio_kind kind,
    struct virtio_dev *dev);

/* The sentence for "there is none", to be compared by address. */
extern const char VIRTIO_NONE[];

/* One transport's part of virtio_find(). */
MUST_USE const char *virtio_pci_find(enum virtio_kind kind,
    struct virtio_dev *dev);
MUST_USE const char *virtio_mmio_find(enum virtio_kind kind,
    struct virtio_dev *dev);

/* ---- MMIO devices are told, not found (virtio_mmio.c) -------------------- */

/* Registers of a virtio-mmio device. */
struct virtio_mmio_place {
	uint64_t pa;
	uint32_t len;
	uint32_t gsi;
};

/*
 * Read every virtio_mmio.device=SIZE@BASE:GSI[:ID] of a command line (the form of
 * Linux; QEMU's microvm without ACPI and Firecracker append them).  Numbers are
 * decimal or 0x; SIZE may end in K or M.  Pure.
 *
 * out, cap  *count receives how many were found, at most cap
 * Returns   NULL, or a sentence for the operator about one that is malformed
 */
MUST_USE const char *virtio_mmio_parse(const char *cmdline,
    struct virtio_mmio_place *out, size_t cap, size_t *count);

/*
 * A device's registers are at *place: pa a multiple of 4, len as virtio_mmio_parse()
 * gives it.  One that was added before, and what is more than LIMIT_VIRTIO_MMIO, is
 * ignored.
 */
void virtio_mmio_add(const struct virtio_mmio_place *place);

/*
 * Parse the command line and add what it names.
 * Returns NULL, or a sentence for the operator; nothing was added then.
 */
MUST_USE const char *virtio_mmio_add_cmdline(const char *cmdline);

/* ---- Bringing up (virtio.c) ---------------------------------------------- */

/*
 * Stop the device and make it forget everything: afterwards it does no DMA until
 * a queue of it is started again.
 * Returns NULL, or a sentence when it does not obey in bounded time.
 */
MUST_USE const char *virtio_reset(struct virtio_dev *dev);

/*
 * Does the device say that it cannot go on without a reset (or is it not running
 * at all)?  One register read.  After virtio_go().
 */
bool virtio_needs_reset(struct virtio_dev *dev);

/*
 * Reset, let the device reach memory, agree on features.
 *
 * wanted    features we can use; VERSION_1 is always added and required
 * accepted  receives what both sides agreed on
 * Returns   NULL, or a sentence; the device is then told that we gave up
 */
MUST_USE const char *virtio_negotiate(struct virtio_dev *dev, uint64_t wanted,
    uint64_t *accepted);

/*
 * Read len bytes, or one 16-bit field, of the device's configuration; again, if
 * it changed meanwhile (Virtio 1.2, section 2.5.1).
 * Returns false when it is shorter than that, or changes all the time.
 */
MUST_USE bool virtio_config_bytes(struct virtio_dev *dev, uint32_t off,
    uint8_t *buf, uint32_t len);
MUST_USE bool virtio_config_u16(struct virtio_dev *dev, uint32_t off,
    uint16_t *out);

/* Size we would use for a queue: a power of two up to VQ_SIZE_MAX, 0 if absent. */
uint16_t virtio_queue_size(struct virtio_dev *dev, uint16_t q);

/*
 * Make queue q and tell the device where it is.  After virtio_negotiate(),
 * before virtio_go().
 *
 * size    virtio_queue_size() or a smaller power of two
 * mem,pa  VQ_MEM_LEN(size) bytes, 16-byte aligned, shared with the device
 * Returns NULL, or a sentence
 */
MUST_USE const char *virtio_queue_start(struct virtio_dev *dev, uint16_t q,
    struct vq *vq, uint16_t size, void *mem, uint64_t pa);

/*
 * The device may run (DRIVER_OK).
 * Returns NULL, or a sentence when it says at once that it cannot.
 */
MUST_USE const char *virtio_go(struct virtio_dev *dev);

/* Tell the device of all finished chains, if it wants to be told. */
static inline void virtio_publish(struct virtio_dev *dev, uint16_t q,
    struct vq *vq)
{
	if (vq_publish(vq))
		dev->ops->notify(dev, q);
}

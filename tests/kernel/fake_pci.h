/*
 * A PCI configuration space made of bytes, behind pci_read32() and pci_write32().
 * BARs answer to being measured as hardware does.
 */
#pragma once

#include "config/base.h"

struct fake_fn {
	uint16_t fn;
	uint8_t bytes[256];
	uint64_t bar_len[6];   /* 0: the BAR does not exist; a power of two */
	/* Seen by the fake: */
	bool measured_while_decoding;
	unsigned writes;
};

#define FAKE_FNS 16

struct fake_pci {
	bool absent;           /* no configuration mechanism at all */
	unsigned count;
	struct fake_fn fns[FAKE_FNS];
	unsigned accesses;
};

extern struct fake_pci fake_pci;

/* Forget all functions. */
void fake_pci_clear(void);

/* Add a function: vendor and device, header type. */
struct fake_fn *fake_pci_add(uint16_t fn, uint16_t vendor, uint16_t device,
    uint8_t header);

/* Give it a memory BAR; `wide`: 64 bits, takes two. */
void fake_pci_bar(struct fake_fn *f, unsigned index, uint64_t pa, uint64_t len,
    bool wide);

/* Put a capability at off, in front of what is in the list. */
void fake_pci_cap(struct fake_fn *f, uint8_t off, uint8_t id);

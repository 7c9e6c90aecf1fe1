/*
 * PCI configuration space, as far as a virtio device needs it: find functions,
 * walk capability lists, measure BARs, switch on memory decoding and DMA.
 *
 * Everything read is the device's word and is checked: lists are bounded, BARs
 * must make sense.  Only the function that is used is changed.
 *
 * Not offered: ECAM (everything we use lies in the first 256 bytes, which the
 * two ports reach on every machine that has PCI as a PC has it), assigning
 * addresses (the firmware has done it), further root bridges.
 *
 * Source: PCI Local Bus Specification 3.0 (cited as "PCI").
 */
#pragma once

#include "config/base.h"

/* A function is named by bus << 8 | device << 3 | function, called `fn` below. */

/*
 * One aligned double word of configuration space; off is a multiple of 4.  A
 * function that does not exist reads all ones.  In pci_port.c; tests bring their own.
 */
uint32_t pci_read32(uint16_t fn, uint8_t off);
void pci_write32(uint16_t fn, uint8_t off, uint32_t v);

/* Does the machine have configuration mechanism #1?  In pci_port.c. */
bool pci_present(void);

/* A byte or an aligned word. */
uint8_t pci_read8(uint16_t fn, uint8_t off);
uint16_t pci_read16(uint16_t fn, uint8_t off);

/*
 * A walk over all functions: bus 0 and every bus that a bridge met so far says is
 * behind it, each once.  Start with all zero.
 */
struct pci_scan {
	uint32_t to_visit[8];  /* a bit per bus */
	uint32_t seen[8];
	uint32_t at;           /* next function to look at on `bus`, 0..256 */
	uint8_t bus;
	bool started;
	bool multi;            /* the device being looked at has several functions */
};

/*
 * The next function.  *id receives vendor (low 16 bits) and device.
 * Returns false after the last one.
 * Cost  two port accesses per device slot of each bus that exists
 */
MUST_USE bool pci_next(struct pci_scan *scan, uint16_t *fn, uint32_t *id);

/* Is it an ordinary function (header type 0)?  Only these have what follows. */
bool pci_is_device(uint16_t fn);

#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

/* More than fit into 256 bytes: a list this long has a loop. */
#define PCI_CAPS_MAX 48

/* A walk over a function's capabilities.  Start with all zero. */
struct pci_cap_scan {
	uint8_t next;
	uint8_t steps;
	bool started;
	bool bad;      /* the list loops or leaves configuration space */
};

/*
 * The next capability: *off receives where it starts, *id what it is.
 * Returns false after the last one, or with scan->bad set.
 */
MUST_USE bool pci_cap_next(uint16_t fn, struct pci_cap_scan *scan, uint8_t *off,
    uint8_t *id);

#define PCI_BARS 6

/* A region of a device's memory. */
struct pci_bar {
	uint64_t pa;
	uint64_t len;
};

/*
 * Measure memory BAR `index`.  Decoding has to be off: pci_set_memory().
 *
 * Returns NULL, or a sentence: no such BAR, I/O space, no address assigned,
 *         a size or address that cannot be
 * Source  PCI, section 6.2.5.1
 */
MUST_USE const char *pci_bar(uint16_t fn, unsigned index, struct pci_bar *out);

/*
 * Let the function answer at its memory BARs, or (while these are measured) at
 * none; never at I/O BARs.  Its INTx line is switched off.  Hypervisors rearrange
 * their memory map at each change, so this is done as seldom as can be.
 */
void pci_set_memory(uint16_t fn, bool on);

/* Let the function read and write memory (and send MSIs), or stop it. */
void pci_set_bus_master(uint16_t fn, bool on);

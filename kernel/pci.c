/*
 * PCI configuration space; the manual is pci.h.
 */
#include "kernel/pci.h"

/* PCI, section 6.1 */
#define REG_ID        0x00
#define REG_COMMAND   0x04
#define REG_HEADER    0x0E
#define REG_BAR       0x10
#define REG_SECONDARY 0x19  /* of a bridge: the bus behind it */
#define REG_CAPS      0x34

#define ID_NONE 0xFFFFFFFFu

/* Low half of REG_COMMAND; the high half is the status. */
#define COMMAND_IO         (1u << 0)
#define COMMAND_MEMORY     (1u << 1)
#define COMMAND_MASTER     (1u << 2)
#define COMMAND_NO_INTX    (1u << 10)
#define STATUS_CAPS        (1u << 4)

#define HEADER_MULTI  0x80
#define HEADER_TYPE   0x7F
#define HEADER_BRIDGE 1

/* PCI, section 6.2.5.1 */
#define BAR_IO         (1u << 0)
#define BAR_TYPE       (3u << 1)
#define BAR_TYPE_32    (0u << 1)
#define BAR_TYPE_64    (2u << 1)
#define BAR_FLAGS      0xFull

/* No x86 CPU has a wider physical address. */
#define PA_END (1ull << 52)

#define FUNCTIONS_PER_DEVICE 8u
#define FUNCTIONS_PER_BUS    256u

uint8_t pci_read8(uint16_t fn, uint8_t off)
{
	return (uint8_t)(pci_read32(fn, off & 0xFC) >> (off & 3) * 8);
}

uint16_t pci_read16(uint16_t fn, uint8_t off)
{
	ASSERT((off & 1) == 0);
	return (uint16_t)(pci_read32(fn, off & 0xFC) >> (off & 2) * 8);
}

/* ---- Functions ----------------------------------------------------------- */

static void note_bus(struct pci_scan *scan, uint8_t bus)
{
	const uint32_t bit = 1u << (bus & 31);

	if (scan->seen[bus >> 5] & bit)
		return;
	scan->seen[bus >> 5] |= bit;
	scan->to_visit[bus >> 5] |= bit;
}

static bool next_bus(struct pci_scan *scan)
{
	for (unsigned i = 0; i < ARRAY_LEN(scan->to_visit); i++) {
		if (scan->to_visit[i] == 0)
			continue;
		const unsigned bit = (unsigned)__builtin_ctz(scan->to_visit[i]);

		scan->to_visit[i] &= ~(1u << bit);
		scan->bus = (uint8_t)(i * 32 + bit);
		scan->at = 0;
		return true;
	}
	return false;
}

bool pci_next(struct pci_scan *scan, uint16_t *fn, uint32_t *id)
{
	if (!scan->started) {
		scan->started = true;
		scan->at = FUNCTIONS_PER_BUS;
		if (pci_present())
			note_bus(scan, 0);
	}
	for (;;) {
		if (scan->at == FUNCTIONS_PER_BUS && !next_bus(scan))
			return false;

		const bool first = scan->at % FUNCTIONS_PER_DEVICE == 0;
		const uint16_t here = (uint16_t)(scan->bus << 8 | scan->at);

		*id = pci_read32(here, REG_ID);
		if (first)
			scan->multi = *id != ID_NONE &&
			    (pci_read8(here, REG_HEADER) & HEADER_MULTI) != 0;
		/* Functions 1 to 7 only where function 0 says so. */
		scan->at += scan->multi ? 1 : FUNCTIONS_PER_DEVICE;
		if (*id == ID_NONE)
			continue;
		if ((pci_read8(here, REG_HEADER) & HEADER_TYPE) == HEADER_BRIDGE)
			note_bus(scan, pci_read8(here, REG_SECONDARY));
		*fn = here;
		return true;
	}
}

bool pci_is_device(uint16_t fn)
{
	return (pci_read8(fn, REG_HEADER) & HEADER_TYPE) == 0;
}

/* ---- Capabilities -------------------------------------------------------- */

bool pci_cap_next(uint16_t fn, struct pci_cap_scan *scan, uint8_t *off,
    uint8_t *id)
{
	if (!scan->started) {
		scan->started = true;
		if ((pci_read32(fn, REG_COMMAND) >> 16 & STATUS_CAPS) == 0)
			return false;
		scan->next = pci_read8(fn, REG_CAPS) & 0xFC;
	}
	if (scan->next == 0 || scan->bad)
		return false;
	/* PCI, section 6.7: behind the header; the low two bits mean nothing. */
	if (scan->next < 0x40 || scan->steps == PCI_CAPS_MAX) {
		scan->bad = true;
		return false;
	}

	const uint16_t head = pci_read16(fn, scan->next);

	scan->steps++;
	*off = scan->next;
	*id = (uint8_t)head;
	scan->next = head >> 8 & 0xFC;
	return true;
}

/* ---- BARs ---------------------------------------------------------------- */

/* Write all ones to a register, see which bits stuck, put it back. */
static uint32_t probe_bits(uint16_t fn, uint8_t off, uint32_t was)
{
	uint32_t bits;

	pci_write32(fn, off, 0xFFFFFFFFu);
	bits = pci_read32(fn, off);
	pci_write32(fn, off, was);
	return bits;
}

static const char *check_bar(const struct pci_bar *bar)
{
	if (bar->pa == 0)
		return "the firmware gave the device's memory BAR no address";
	if (bar->len < 16 || (bar->len & (bar->len - 1)) != 0 ||
	    bar->len > PA_END || bar->pa > PA_END - bar->len ||
	    (bar->pa & (bar->len - 1)) != 0)
		return "a BAR of the device has an impossible size or address";
	return NULL;
}

const char *pci_bar(uint16_t fn, unsigned index, struct pci_bar *out)
{
	const uint8_t off = (uint8_t)(REG_BAR + 4 * index);
	uint32_t low, high = 0;
	uint64_t mask;
	bool wide;

	if (index >= PCI_BARS)
		return "the device names a BAR that PCI does not have";
	low = pci_read32(fn, off);
	wide = (low & BAR_TYPE) == BAR_TYPE_64;
	if ((low & BAR_IO) != 0)
		return "the device names an I/O BAR where memory is needed";
	if (!wide && (low & BAR_TYPE) != BAR_TYPE_32)
		return "a BAR of the device has a reserved type";
	if (wide && index + 1 >= PCI_BARS)
		return "a 64-bit BAR of the device has no upper half";

	mask = probe_bits(fn, off, low);
	if (wide) {
		high = pci_read32(fn, off + 4);
		mask |= (uint64_t)probe_bits(fn, off + 4, high) << 32;
	} else {
		mask |= 0xFFFFFFFF00000000ull;
	}

	out->pa = ((uint64_t)high << 32 | low) & ~BAR_FLAGS;
	out->len = ~(mask & ~BAR_FLAGS) + 1;
	return check_bar(out);
}

/* ---- Switches ------------------------------------------------------------ */

/* Clear bits, then set some.  The status half, whose bits clear on 1, gets 0. */
static void change_command(uint16_t fn, uint32_t clear, uint32_t set)
{
	const uint32_t was = pci_read32(fn, REG_COMMAND) & 0xFFFF;

	if (((was & ~clear) | set) != was)
		pci_write32(fn, REG_COMMAND, (was & ~clear) | set);
}

void pci_set_memory(uint16_t fn, bool on)
{
	change_command(fn, COMMAND_MEMORY | COMMAND_IO,
	    COMMAND_NO_INTX | (on ? COMMAND_MEMORY : 0));
}

void pci_set_bus_master(uint16_t fn, bool on)
{
	change_command(fn, COMMAND_MASTER, on ? COMMAND_MASTER : 0);
}

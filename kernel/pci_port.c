/*
 * The two ports behind pci.h: configuration mechanism #1, PCI, section 3.2.2.3.2.
 */
#include "kernel/pci.h"

#include "kernel/io.h"

#define PORT_ADDRESS 0xCF8
#define PORT_DATA    0xCFC

#define ADDRESS_ENABLE (1u << 31)

static void select_word(uint16_t fn, uint8_t off)
{
	ASSERT((off & 3) == 0);
	io_out32(PORT_ADDRESS, ADDRESS_ENABLE | (uint32_t)fn << 8 | off);
}

uint32_t pci_read32(uint16_t fn, uint8_t off)
{
	select_word(fn, off);
	return io_in32(PORT_DATA);
}

void pci_write32(uint16_t fn, uint8_t off, uint32_t v)
{
	select_word(fn, off);
	io_out32(PORT_DATA, v);
}

bool pci_present(void)
{
	/* The address register remembers; a port without owner reads all ones. */
	io_out32(PORT_ADDRESS, ADDRESS_ENABLE);
	return io_in32(PORT_ADDRESS) == ADDRESS_ENABLE;
}

/*
 * A PCI configuration space for tests; the manual is fake_pci.h.
 */
#include "tests/kernel/fake_pci.h"

#include <string.h>

#include "kernel/pci.h"

struct fake_pci fake_pci;

void fake_pci_clear(void)
{
	memset(&fake_pci, 0, sizeof fake_pci);
}

struct fake_fn *fake_pci_add(uint16_t fn, uint16_t vendor, uint16_t device,
    uint8_t header)
{
	struct fake_fn *f = &fake_pci.fns[fake_pci.count++];

	ASSERT(fake_pci.count <= FAKE_FNS);
	f->fn = fn;
	store_le16(f->bytes, vendor);
	store_le16(f->bytes + 2, device);
	f->bytes[0x0E] = header;
	return f;
}

void fake_pci_bar(struct fake_fn *f, unsigned index, uint64_t pa, uint64_t len,
    bool wide)
{
	store_le32(f->bytes + 0x10 + 4 * index, (uint32_t)pa | (wide ? 4 : 0));
	f->bar_len[index] = len;
	if (wide && index < 5)
		store_le32(f->bytes + 0x14 + 4 * index, (uint32_t)(pa >> 32));
}

void fake_pci_cap(struct fake_fn *f, uint8_t off, uint8_t id)
{
	f->bytes[off] = id;
	f->bytes[off + 1] = f->bytes[0x34];
	f->bytes[0x34] = off;
	f->bytes[0x06] |= 1 << 4;
}

static struct fake_fn *find(uint16_t fn)
{
	for (unsigned i = 0; i < fake_pci.count; i++) {
		if (fake_pci.fns[i].fn == fn)
			return &fake_pci.fns[i];
	}
	return NULL;
}

bool pci_present(void)
{
	fake_pci.accesses++;
	return !fake_pci.absent;
}

uint32_t pci_read32(uint16_t fn, uint8_t off)
{
	const struct fake_fn *f = find(fn);

	ASSERT((off & 3) == 0 && !fake_pci.absent);
	fake_pci.accesses++;
	return f == NULL ? 0xFFFFFFFF : load_le32(f->bytes + off);
}

static bool is_wide(const struct fake_fn *f, unsigned index)
{
	return index < 6 && (f->bytes[0x10 + 4 * index] & 7) == 4;
}

static void write_bar(struct fake_fn *f, unsigned index, uint32_t v)
{
	uint8_t *at = f->bytes + 0x10 + 4 * index;
	const uint32_t flags = load_le32(at) & 0xF;

	if ((f->bytes[4] & 3) != 0)
		f->measured_while_decoding = true;
	if (index > 0 && is_wide(f, index - 1)) {
		const uint64_t mask = ~(f->bar_len[index - 1] - 1);

		store_le32(at, v & (uint32_t)(mask >> 32));
		return;
	}
	if (f->bar_len[index] == 0)
		return;
	store_le32(at, (v & (uint32_t)~(f->bar_len[index] - 1) & ~0xFu) | flags);
}

void pci_write32(uint16_t fn, uint8_t off, uint32_t v)
{
	struct fake_fn *f = find(fn);

	ASSERT((off & 3) == 0 && f != NULL);
	f->writes++;
	if (off >= 0x10 && off < 0x28)
		write_bar(f, (off - 0x10u) / 4, v);
	else if (off == 4)                /* status bits clear on 1 */
		store_le16(f->bytes + 4, (uint16_t)v);
	else
		store_le32(f->bytes + off, v);
}

/*
 * Loads kernel.elf and server.elf: copies their segments to fresh pages, adjusts
 * them to the base they will be mapped at, and maps the kernel for its first
 * instructions.  The files are ours; a wrong one still ends in a sentence.
 */
#include "boot/boot.h"

#include <string.h>

#include "boot/elf.h"

#define PAGE_PRESENT 1ULL
#define PAGE_WRITE 2ULL
#define PAGE_ADDRESS 0x000ffffffffff000ULL

extern uint64_t boot_pml4[512];

static uint64_t page_up(uint64_t len)
{
	return (len + BOOT_PAGE - 1) & ~(BOOT_PAGE - 1);
}

static void require(bool holds, const char *why)
{
	if (!holds)
		boot_fail(why);
}

static bool inside(uint64_t off, uint64_t len, uint64_t total)
{
	return off <= total && len <= total - off;
}

static const struct elf_segment *segment_at(const uint8_t *elf, uint32_t i)
{
	const struct elf_header *header = (const void *)elf;

	return (const void *)(elf + header->phoff + i * sizeof(struct elf_segment));
}

/* Check the header and every segment; returns the image's length in memory. */
static uint64_t check_elf(const uint8_t *elf, uint64_t elf_len)
{
	const struct elf_header *header = (const void *)elf;
	uint64_t end = 0;

	require(elf_len >= sizeof *header &&
	    load_le32(header->ident) == 0x464c457f &&
	    header->ident[4] == 2 && header->type == ELF_TYPE_DYN &&
	    header->machine == ELF_MACHINE_X86_64 &&
	    header->phentsize == sizeof(struct elf_segment),
	    "an image is not a position-independent x86-64 ELF file");
	require(inside(header->phoff, (uint64_t)header->phnum *
	    sizeof(struct elf_segment), elf_len),
	    "an image's program headers reach outside the file");
	for (uint32_t i = 0; i < header->phnum; i++) {
		const struct elf_segment *s = segment_at(elf, i);

		if (s->type != ELF_PT_LOAD || s->memsz == 0)
			continue;
		require(inside(s->offset, s->filesz, elf_len) &&
		    s->filesz <= s->memsz && s->vaddr % BOOT_PAGE == 0 &&
		    s->vaddr >= end && s->memsz < (1ULL << 32) &&
		    s->vaddr < (1ULL << 32),
		    "an image's segments overlap or reach outside the file");
		require(!(s->flags & ELF_PF_W) || !(s->flags & ELF_PF_X),
		    "an image has a segment both writable and executable");
		end = s->vaddr + page_up(s->memsz);
	}
	require(end != 0 && header->entry < end, "an image has no code");
	return end;
}

static void add_segment(const struct elf_segment *s, struct handoff_image *out)
{
	require(out->segment_count < HANDOFF_SEGMENTS_CAP,
	    "an image has too many segments");
	struct handoff_segment *to = &out->segments[out->segment_count++];

	to->off = s->vaddr;
	to->len = page_up(s->memsz);
	to->rights = (s->flags & ELF_PF_W ? SEGMENT_WRITE : 0) |
	    (s->flags & ELF_PF_X ? SEGMENT_EXEC : 0);
	if (to->rights & SEGMENT_WRITE) {
		require(out->data_mem_len == 0, "an image has two writable segments");
		out->data_off = s->vaddr;
		out->data_len = s->filesz;
		out->data_mem_len = to->len;
	}
}

static void relocate(const struct handoff_image *image, uint64_t dynamic_off,
    uint64_t dynamic_len)
{
	uint64_t rela_off = 0, rela_len = 0;

	require(inside(dynamic_off, dynamic_len, image->len),
	    "an image's dynamic section is misplaced");
	const struct elf_dyn *dyn = (const void *)(image->pa + dynamic_off);

	for (uint64_t i = 0; i < dynamic_len / sizeof *dyn; i++) {
		if (dyn[i].tag == ELF_DT_RELA)
			rela_off = dyn[i].value;
		if (dyn[i].tag == ELF_DT_RELASZ)
			rela_len = dyn[i].value;
	}
	require(inside(rela_off, rela_len, image->len),
	    "an image's relocations are misplaced");
	const struct elf_rela *rela = (const void *)(image->pa + rela_off);

	for (uint64_t i = 0; i < rela_len / sizeof *rela; i++) {
		require((uint32_t)rela[i].info == ELF_R_X86_64_RELATIVE &&
		    inside(rela[i].offset, 8, image->len),
		    "an image has a relocation that is not base + constant");
		store_le64((void *)(image->pa + rela[i].offset),
		    image->base_va + (uint64_t)rela[i].addend);
	}
}

void boot_load_elf(struct boot_memory *memory, const uint8_t *elf,
    uint64_t elf_len, uint64_t base_va, struct handoff_image *out)
{
	const struct elf_header *header = (const void *)elf;
	const uint64_t len = check_elf(elf, elf_len);
	uint64_t dynamic_off = 0, dynamic_len = 0;

	*out = (struct handoff_image){
		.pa = boot_take(memory, len),
		.len = len,
		.base_va = base_va,
		.entry_va = base_va + header->entry,
	};
	for (uint32_t i = 0; i < header->phnum; i++) {
		const struct elf_segment *s = segment_at(elf, i);

		if (s->type == ELF_PT_DYNAMIC) {
			dynamic_off = s->vaddr;
			dynamic_len = s->memsz;
		}
		if (s->type != ELF_PT_LOAD || s->memsz == 0)
			continue;
		memcpy((void *)(out->pa + s->vaddr), elf + s->offset, s->filesz);
		add_segment(s, out);
	}
	relocate(out, dynamic_off, dynamic_len);
}

/* The table that entry `index` of `table` points to, made if it is not there. */
static uint64_t *next_table(struct boot_memory *memory, uint64_t *table,
    uint64_t index)
{
	if (!(table[index] & PAGE_PRESENT))
		table[index] = boot_take(memory, BOOT_PAGE) | PAGE_PRESENT | PAGE_WRITE;
	return (uint64_t *)(table[index] & PAGE_ADDRESS);
}

void boot_map_image(struct boot_memory *memory, const struct handoff_image *image)
{
	for (uint64_t off = 0; off < image->len; off += BOOT_PAGE) {
		const uint64_t va = image->base_va + off;
		uint64_t *table = boot_pml4;

		for (unsigned shift = 39; shift > 12; shift -= 9)
			table = next_table(memory, table, va >> shift & 511);
		table[va >> 12 & 511] = (image->pa + off) | PAGE_PRESENT | PAGE_WRITE;
	}
}

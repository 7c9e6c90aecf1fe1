/* What the files of boot/ share; nobody else includes this. */
#pragma once

#include "boot/image.h"
#include "kernel/handoff.h"

#define BOOT_PAGE 4096ULL
#define BOOT_RESERVED_CAP 128

struct boot_range {
	uint64_t start;      /* physical, inclusive */
	uint64_t end;        /* exclusive */
};

/* RAM still free, taken from the front. */
struct boot_memory {
	uint64_t next;
	uint64_t end;
};

/* Print on the serial port and stop the machine. */
NORETURN void boot_fail(const char *why);

/*
 * Take whole pages, zeroed.
 * Returns their physical address (mapped one to one); boot_fail() when RAM is out.
 */
uint64_t boot_take(struct boot_memory *memory, uint64_t len);

/*
 * Load and relocate a position-independent ELF file.
 *
 * elf, elf_len   the file; ours, but checked all the same
 * base_va        where its address 0 will be mapped; page-aligned
 * out            everything but data_copy_pa
 * Errors         boot_fail()
 * Source         System V ABI, gABI "Program Header", "Dynamic Section"; x86-64
 *                psABI "Relocation" (R_X86_64_RELATIVE is the only kind)
 */
void boot_load_elf(struct boot_memory *memory, const uint8_t *elf,
    uint64_t elf_len, uint64_t base_va, struct handoff_image *out);

/* Map an image's pages at its base in boot's own tables, until the kernel has its own. */
void boot_map_image(struct boot_memory *memory, const struct handoff_image *image);

/* Gather what the CPU offers early: RDRAND if present and TSC jitter, always. */
void boot_seed_init(void);

/* The next number of the early generator; for addresses and the kernel's seed, never for keys. */
uint64_t boot_seed_next(void);

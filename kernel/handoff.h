/*
 * What boot/ hands to the kernel: the one header the two share.
 *
 * At kernel_main() the CPU is in 64-bit mode, interrupts off, on boot's page
 * tables: the low 4 GiB are mapped one to one, and the kernel's image is mapped
 * at its random base.  All addresses in here are physical unless they end in _va.
 * The kernel copies what it keeps, builds its own tables and leaves boot's for good.
 */
#pragma once

#include "config/base.h"

#define HANDOFF_SEGMENTS_CAP 8
#define HANDOFF_CMDLINE_CAP 2048

/* Rights of a segment: exactly one of W and X, or neither. */
#define SEGMENT_WRITE 1u
#define SEGMENT_EXEC  2u

/* Part of a loaded image: page-aligned in memory and in the image. */
struct handoff_segment {
	uint64_t off;        /* bytes from the image's base */
	uint64_t len;        /* whole pages */
	uint32_t rights;
	uint32_t zero;
};

/* A relocated ELF image, contiguous in physical memory. */
struct handoff_image {
	uint64_t pa;
	uint64_t len;        /* whole pages */
	uint64_t base_va;    /* where it was relocated to */
	uint64_t entry_va;
	uint64_t data_off;   /* the bytes a restart puts back: initialised data ... */
	uint64_t data_len;   /* ... (the file part of the writable segment) ... */
	uint64_t data_mem_len; /* ... and with the zeroed part after it */
	uint64_t data_copy_pa; /* pristine copy of data_len bytes (server only) */
	uint32_t segment_count;
	uint32_t zero;
	struct handoff_segment segments[HANDOFF_SEGMENTS_CAP];
};

struct handoff {
	struct handoff_image kernel;
	struct handoff_image server;
	uint64_t rom_pa;     /* page-aligned */
	uint64_t rom_len;
	uint64_t bundle_pa;  /* the boot module, page-aligned; 0 if none was passed */
	uint64_t bundle_len;
	uint64_t free_pa;    /* RAM nobody uses yet, page-aligned, below 4 GiB: [free_pa, free_end_pa) */
	uint64_t free_end_pa;
	uint64_t ram_len;    /* all RAM the machine reported */
	uint64_t rsdp_pa;    /* ACPI, 0 if not handed over */
	uint64_t tsc_start;  /* TSC at the first instruction */
	uint64_t tsc_loaded; /* TSC when boot was done */
	uint8_t seed[32];    /* what boot's own entropy had left after choosing bases; mixed, not trusted alone */
	uint8_t image_sha256[32];
	char version[32];    /* of the image, NUL-terminated */
	char loader[16];     /* "pvh" */
	char cmdline[HANDOFF_CMDLINE_CAP];
};

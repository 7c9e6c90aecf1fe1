/*
 * What a PVH loader passes.  Source: Xen public headers,
 * arch-x86/hvm/start_info.h, version 1.
 */
#pragma once

#include "config/base.h"

#define PVH_MAGIC 0x336ec578u
#define PVH_MEMMAP_RAM 1

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules_pa;
	uint64_t cmdline_pa;
	uint64_t rsdp_pa;
	/* from version 1 on: */
	uint64_t memmap_pa;
	uint32_t memmap_count;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t pa;
	uint64_t len;
	uint64_t cmdline_pa;
	uint64_t reserved;
};

struct pvh_memmap_entry {
	uint64_t pa;
	uint64_t len;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "start info as the loader lays it out");
_Static_assert(sizeof(struct pvh_module) == 32, "module entry as the loader lays it out");
_Static_assert(sizeof(struct pvh_memmap_entry) == 24, "memory map entry as the loader lays it out");

/*
 * The fields of ELF64 that boot needs.  Source: System V ABI, gABI chapters 4 and 5.
 */
#pragma once

#include "config/base.h"

#define ELF_TYPE_DYN 3
#define ELF_MACHINE_X86_64 62
#define ELF_PT_LOAD 1
#define ELF_PT_DYNAMIC 2
#define ELF_PF_X 1
#define ELF_PF_W 2
#define ELF_DT_NULL 0
#define ELF_DT_RELA 7
#define ELF_DT_RELASZ 8
#define ELF_R_X86_64_RELATIVE 8

struct elf_header {
	uint8_t ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

struct elf_dyn {
	uint64_t tag;
	uint64_t value;
};

struct elf_rela {
	uint64_t offset;
	uint64_t info;
	int64_t addend;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header as in the ABI");
_Static_assert(sizeof(struct elf_segment) == 56, "ELF64 program header as in the ABI");
_Static_assert(sizeof(struct elf_rela) == 24, "ELF64 relocation as in the ABI");

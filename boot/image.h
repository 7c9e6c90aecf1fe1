/*
 * The image table: where boot finds the parts that mkimage put behind it.
 *
 * boot/ defines one, in a section of its own named .image_table, with `magic` and
 * `version` filled in, all else zero, and volatile so that the compiler does not
 * believe the zeros.  boot/mkimage/ finds the section in boot.elf and fills in
 * the rest when it writes the final image.
 * Shared by ring 0 and the build host; nothing here does anything.
 */
#pragma once

#include "config/base.h"

#define IMAGE_MAGIC UINT64_C(0x67616d692d6c7473)   /* "stl-imag" in memory */
#define IMAGE_VERSION 1
#define IMAGE_VERSION_CAP 32
#define IMAGE_SHA256_LEN 32

/* The loader puts everything below this address; boot's page tables reach it. */
#define IMAGE_END_MAX UINT64_C(0xc0000000)

/* A part as it lies in memory once the loader is done. */
struct image_part {
	uint64_t pa;         /* page-aligned; the ROM on 2 MiB if it is that long */
	uint64_t len;        /* bytes in use; the rest of its last page is zero */
};

struct image_table {
	uint64_t magic;                /* IMAGE_MAGIC */
	uint32_t version;              /* IMAGE_VERSION, of this layout */
	uint32_t zero;
	uint64_t end_pa;               /* first page after all parts */
	struct image_part kernel;      /* kernel.elf without its symbols */
	struct image_part server;      /* server.elf, the same */
	struct image_part rom;         /* the site, romfs/README.md */
	/*
	 * SHA-256 over version_text, then for kernel, server and rom each its
	 * length (8 bytes, little endian) and its bytes.  The name of the image in
	 * the banner; not a protection, for it lies beside what it covers.
	 */
	uint8_t sha256[IMAGE_SHA256_LEN];
	char version_text[IMAGE_VERSION_CAP];  /* "0.1.0", NUL-terminated */
};

_Static_assert(sizeof(struct image_part) == 16, "parts have the same layout on the build host");
_Static_assert(sizeof(struct image_table) == 136, "the table has the same layout on the build host");

/*
 * Memory with ACPI tables in it, for the tests of kernel/acpi*.c.
 *
 * A case starts from a sound machine (pm_machine: a PC with PM1 registers;
 * reduced_machine: hardware-reduced with an event device), changes one thing,
 * and looks at the one field that has to change.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/acpi.h"

#define MEMORY_LEN 0x300000
#define RSDP 0xF5000
#define RSDT 0x10000
#define XSDT 0x11000
#define FADT 0x12000
#define MADT 0x13000
#define DSDT 0x14000
#define SSDT 0x15000

static uint8_t memory[MEMORY_LEN];
static unsigned reads;

static inline bool read_memory(void *ctx, uint64_t pa, void *buf, size_t len)
{
	assert_ptr_equal(ctx, memory);
	assert_in_range(len, 1, 256);
	assert_true(pa + len <= ACPI_WINDOW_END);
	reads++;
	if (pa + len > MEMORY_LEN)
		return false;
	memcpy(buf, memory + pa, len);
	return true;
}

static inline struct acpi_info parse(uint64_t rsdp_pa)
{
	struct acpi_info info;

	reads = 0;
	acpi_parse(rsdp_pa, read_memory, memory, &info);
	assert_true(acpi_info_valid(&info));
	return info;
}

/* ---- Building ------------------------------------------------------------ */

static inline void sign(uint8_t *bytes, size_t len, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)-sum;
}

/* Sign a table again after a change. */
static inline void sign_table(uint32_t pa)
{
	sign(memory + pa, load_le32(memory + pa + 4), 9);
}

static inline void put_table(uint32_t pa, const char *signature, uint32_t len)
{
	memset(memory + pa, 0, len);
	memcpy(memory + pa, signature, 4);
	store_le32(memory + pa + 4, len);
	sign_table(pa);
}

/* A table whose body is the bytes given. */
static inline void put_body(uint32_t pa, const char *signature,
    const void *body, uint32_t len)
{
	put_table(pa, signature, 36 + len);
	memcpy(memory + pa + 36, body, len);
	sign_table(pa);
}

static inline void put_rsdp(uint32_t pa, uint8_t revision)
{
	uint8_t *p = memory + pa;

	memset(p, 0, 36);
	memcpy(p, "RSD PTR ", 8);
	p[15] = revision;
	store_le32(p + 16, RSDT);
	sign(p, 20, 8);
	if (revision >= 2) {
		store_le32(p + 20, 36);
		store_le64(p + 24, XSDT);
		sign(p, 20, 8);
		sign(p, 36, 32);
	}
}

static inline void put_roots(void)
{
	static const uint32_t tables[3] = { FADT, MADT, SSDT };
	uint64_t wide[3] = { FADT, MADT, SSDT };

	put_body(RSDT, "RSDT", tables, sizeof tables);
	put_body(XSDT, "XSDT", wide, sizeof wide);
}

static inline void put_gas(uint32_t pa, uint8_t space, uint64_t addr)
{
	memory[pa] = space;
	store_le64(memory + pa + 4, addr);
}

#define S5 "\x08_S5_\x12\x06\x04\x0A\x05\x0A\x06"
#define GED "ACPI0013....\x5B\x80" "EREG\x00\x0C\x00\x00\xA0\xFE\x0A\x04"

/* QEMU's pc: FADT of revision 1, all in ports. */
static inline void pm_machine(void)
{
	uint8_t *f = memory + FADT;

	memset(memory, 0, sizeof memory);
	put_rsdp(RSDP, 0);
	put_roots();
	put_table(FADT, "FACP", 116);
	store_le32(f + 40, DSDT);
	store_le32(f + 48, 0xB2);
	f[52] = 0xF1;
	store_le32(f + 56, 0x600);
	store_le32(f + 64, 0x604);
	store_le32(f + 76, 0x608);
	f[88] = 4;
	f[89] = 2;
	f[91] = 4;
	f[108] = 0x32;
	/* Neighbours of what is read. */
	f[44] = f[53] = f[90] = f[92] = f[109] = 0xEE;
	sign_table(FADT);
	put_body(DSDT, "DSDT", "...." S5 "....", 4 + sizeof S5 - 1 + 4);
}

/* QEMU's microvm. */
static inline void reduced_machine(void)
{
	uint8_t *f = memory + FADT;

	memset(memory, 0, sizeof memory);
	put_rsdp(RSDP, 2);
	put_roots();
	put_table(FADT, "FACP", 268);
	store_le32(f + 112, 1u << 20 | 1u << 10);
	put_gas(FADT + 116, 0, 0xFEA00202);
	f[128] = 0x42;
	f[129] = 0xEE;
	store_le64(f + 140, DSDT);
	put_gas(FADT + 244, 0, 0xFEA00200);
	sign_table(FADT);
	put_body(DSDT, "DSDT", GED S5, sizeof GED - 1 + sizeof S5 - 1);
}

static inline void fadt8(uint32_t off, uint8_t v)
{
	memory[FADT + off] = v;
	sign_table(FADT);
}

static inline void fadt32(uint32_t off, uint32_t v)
{
	store_le32(memory + FADT + off, v);
	sign_table(FADT);
}

/* ---- Looking ------------------------------------------------------------- */

static inline void is_port(struct acpi_reg reg, uint32_t port)
{
	assert_int_equal(reg.space, ACPI_PORT);
	assert_int_equal(reg.addr, port);
}

static inline void is_memory(struct acpi_reg reg, uint32_t addr)
{
	assert_int_equal(reg.space, ACPI_MEMORY);
	assert_int_equal(reg.addr, addr);
}

static inline void is_absent(struct acpi_reg reg)
{
	assert_int_equal(reg.space, ACPI_ABSENT);
}

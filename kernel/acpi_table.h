/*
 * Tables in the host's memory, for acpi*.c only.
 *
 * A table is opened once, with its length and checksum checked; afterwards
 * every byte is fetched through acpi_byte(), which refuses what lies outside.
 * Fields beyond the end of an old, short table read as 0, which is "absent"
 * everywhere.
 */
#pragma once

#include "kernel/acpi.h"

#define TABLE_HEADER_LEN 36
#define TABLE_CHUNK_LEN 256

struct acpi_memory {
	acpi_read_fn *read;
	void *ctx;
};

/* An open table, and the part of it that was read last. */
struct acpi_table {
	const struct acpi_memory *memory;
	uint64_t pa;
	uint32_t len;
	uint32_t chunk_off;
	uint32_t chunk_len;
	uint8_t chunk[TABLE_CHUNK_LEN];
};

/* Copy bytes below ACPI_WINDOW_END, not from address 0; false if that fails. */
MUST_USE bool acpi_read(const struct acpi_memory *m, uint64_t pa, void *buf,
    size_t len);

/*
 * Open the table at pa if its header names `signature`.
 * Returns false if it does not, or if length or checksum are wrong.
 * Source: ACPI, section 5.2.6
 */
MUST_USE bool acpi_open(const struct acpi_memory *m, uint64_t pa,
    const char *signature, struct acpi_table *t);

/* One byte; false outside the table. */
MUST_USE bool acpi_byte(struct acpi_table *t, uint32_t off, uint8_t *out);

/* A field of 1 to 8 bytes, little endian; 0 if any of it is outside. */
uint64_t acpi_field(struct acpi_table *t, uint32_t off, uint32_t len);

/* Is this text at this place? */
bool acpi_has(struct acpi_table *t, uint32_t off, const char *text);

/* A register, ACPI_ABSENT if four bytes at addr are not within its space. */
struct acpi_reg acpi_reg_make(enum acpi_space space, uint64_t addr);

/* Are these registers somewhere a virtio-mmio device can have them? */
bool acpi_virtio_valid(const struct acpi_virtio_mmio *device);

/*
 * Look through the AML of the table at pa (of this signature) for what is still
 * missing in *out: acpi_aml.c.
 */
void acpi_read_aml(const struct acpi_memory *m, uint64_t pa,
    const char *signature, struct acpi_info *out);

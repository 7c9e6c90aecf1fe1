/*
 * Tables in the host's memory: see acpi_table.h.
 */
#include <string.h>

#include "config/limits.h"
#include "kernel/acpi_table.h"

bool acpi_read_identity(void *ctx, uint64_t pa, void *buf, size_t len)
{
	(void)ctx;
	if (pa == 0 || len > ACPI_WINDOW_END || pa > ACPI_WINDOW_END - len)
		return false;
	memcpy(buf, (const void *)(uintptr_t)pa, len);
	return true;
}

bool acpi_read(const struct acpi_memory *m, uint64_t pa, void *buf, size_t len)
{
	if (pa == 0 || pa > ACPI_WINDOW_END - len)
		return false;
	return m->read(m->ctx, pa, buf, len);
}

bool acpi_byte(struct acpi_table *t, uint32_t off, uint8_t *out)
{
	if (off >= t->len)
		return false;
	if (off < t->chunk_off || off - t->chunk_off >= t->chunk_len) {
		const uint32_t start = off - off % TABLE_CHUNK_LEN;
		const uint32_t left = t->len - start;

		t->chunk_off = start;
		t->chunk_len = left < TABLE_CHUNK_LEN ? left : TABLE_CHUNK_LEN;
		if (!acpi_read(t->memory, t->pa + start, t->chunk,
		    t->chunk_len)) {
			t->chunk_len = 0;
			return false;
		}
	}
	*out = t->chunk[off - t->chunk_off];
	return true;
}

uint64_t acpi_field(struct acpi_table *t, uint32_t off, uint32_t len)
{
	uint64_t v = 0;
	uint8_t byte;

	for (uint32_t i = 0; i < len; i++) {
		if (!acpi_byte(t, off + i, &byte))
			return 0;
		v |= (uint64_t)byte << (8 * i);
	}
	return v;
}

bool acpi_has(struct acpi_table *t, uint32_t off, const char *text)
{
	uint8_t byte;

	for (; *text != '\0'; text++, off++) {
		if (!acpi_byte(t, off, &byte) || byte != (uint8_t)*text)
			return false;
	}
	return true;
}

static bool sum_is_zero(struct acpi_table *t)
{
	uint8_t sum = 0;
	uint8_t byte;

	for (uint32_t off = 0; off < t->len; off++) {
		if (!acpi_byte(t, off, &byte))
			return false;
		sum = (uint8_t)(sum + byte);
	}
	return sum == 0;
}

bool acpi_open(const struct acpi_memory *m, uint64_t pa,
    const char *signature, struct acpi_table *t)
{
	*t = (struct acpi_table){
		.memory = m, .pa = pa, .len = TABLE_HEADER_LEN
	};
	if (!acpi_has(t, 0, signature))
		return false;
	t->len = (uint32_t)acpi_field(t, 4, 4);
	t->chunk_len = 0;
	if (t->len < TABLE_HEADER_LEN || t->len > LIMIT_ACPI_TABLE_LEN)
		return false;
	return sum_is_zero(t);
}

struct acpi_reg acpi_reg_make(enum acpi_space space, uint64_t addr)
{
	const uint64_t max = space == ACPI_PORT ? 0xFFFF : UINT32_MAX;

	if (space == ACPI_ABSENT || addr == 0 || addr > max - 3)
		return (struct acpi_reg){ .space = ACPI_ABSENT };
	return (struct acpi_reg){ .space = space, .addr = (uint32_t)addr };
}

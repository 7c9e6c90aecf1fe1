/* links: kernel/acpi.c kernel/acpi_table.c kernel/acpi_aml.c */
/*
 * ACPI tables: any bytes, in two forms.
 *
 *   first byte even  the rest is memory from 0xE0000 on: root pointers and all
 *   first byte odd   the rest is a list of tables (a letter that chooses the
 *                    signature, a length, the bytes), put into memory with sound
 *                    headers and sums, so that what is behind them is reached
 *
 * Whatever the bytes: every read is inside the window and of a sane length, the
 * number of reads is bounded, and the result is valid.
 */
#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "kernel/acpi.h"

#define BASE 0xE0000
#define MEMORY_LEN 0x20000
#define TABLES_OFF 0x1000
#define TABLES_CAP 16

/* Chunks of all tables, each looked through a few times, and the searches. */
#define READS_MAX 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t memory[MEMORY_LEN];
static unsigned reads;

static void check(bool good)
{
	if (!good)
		abort();
}

static bool read_memory(void *ctx, uint64_t pa, void *buf, size_t len)
{
	check(ctx == memory);
	check(len >= 1 && len <= 256);
	check(pa != 0 && pa <= ACPI_WINDOW_END - len);
	check(++reads <= READS_MAX);
	if (pa < BASE || pa > BASE + MEMORY_LEN - len)
		return false;
	memcpy(buf, memory + (pa - BASE), len);
	return true;
}

static void sign(uint8_t *bytes, size_t len, size_t at)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[at] = (uint8_t)(bytes[at] - sum);
}

static void put_header(size_t at, const char *signature, size_t len)
{
	memcpy(memory + at, signature, 4);
	store_le32(memory + at + 4, (uint32_t)len);
	sign(memory + at, len, 9);
}

/* Lay out the list; the first DSDT is what the FADT names. */
static void put_tables(const uint8_t *data, size_t len)
{
	static const char *const signatures[] = {
		"FACP", "APIC", "DSDT", "SSDT",
	};
	uint32_t tables[TABLES_CAP];
	size_t at = TABLES_OFF, count = 0, dsdt = 0;

	while (len >= 3 && count < TABLES_CAP) {
		const char *signature = signatures[data[0] % 4];
		size_t body = load_le16(data + 1);

		data += 3;
		len -= 3;
		body = body > len ? len : body;
		if (at + 36 + body > MEMORY_LEN)
			break;
		memcpy(memory + at + 36, data, body);
		if (strcmp(signature, "DSDT") == 0 && dsdt == 0)
			dsdt = at;
		if (strcmp(signature, "FACP") == 0 && body >= 8 && dsdt != 0)
			store_le32(memory + at + 40, BASE + (uint32_t)dsdt);
		put_header(at, signature, 36 + body);
		tables[count++] = BASE + (uint32_t)at;
		at += 36 + body;
		data += body;
		len -= body;
	}
	memcpy(memory + 64 + 36, tables, 4 * count);
	put_header(64, "RSDT", 36 + 4 * count);
	memcpy(memory, "RSD PTR ", 8);
	store_le32(memory + 16, BASE + 64);
	sign(memory, 20, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct acpi_info info;

	if (len == 0)
		return 0;
	memset(memory, 0, sizeof memory);
	if (data[0] & 1)
		put_tables(data + 1, len - 1);
	else
		memcpy(memory, data + 1,
		    len - 1 < MEMORY_LEN ? len - 1 : MEMORY_LEN);
	reads = 0;
	acpi_parse(BASE, read_memory, memory, &info);
	check(acpi_info_valid(&info));
	return 0;
}

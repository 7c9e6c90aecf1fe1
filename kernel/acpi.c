/*
 * ACPI tables: see acpi.h.
 *
 * A table is opened once, with its length and checksum checked; afterwards
 * every byte is fetched through table_byte(), which refuses what lies outside.
 * Fields beyond the end of an old, short table read as 0, which is "absent"
 * everywhere.
 */
#include <string.h>

#include "config/limits.h"
#include "kernel/acpi.h"

#define HEADER_LEN 36
#define CHUNK_LEN 256

struct memory {
	acpi_read_fn *read;
	void *ctx;
};

/* An open table, and the part of it that was read last. */
struct table {
	const struct memory *memory;
	uint64_t pa;
	uint32_t len;
	uint32_t chunk_off;
	uint32_t chunk_len;
	uint8_t chunk[CHUNK_LEN];
};

bool acpi_read_identity(void *ctx, uint64_t pa, void *buf, size_t len)
{
	(void)ctx;
	if (pa == 0 || len > ACPI_WINDOW_END || pa > ACPI_WINDOW_END - len)
		return false;
	memcpy(buf, (const void *)(uintptr_t)pa, len);
	return true;
}

/* ---- Bytes of a table ---------------------------------------------------- */

static bool memory_read(const struct memory *m, uint64_t pa, void *buf,
    size_t len)
{
	if (pa == 0 || pa > ACPI_WINDOW_END - len)
		return false;
	return m->read(m->ctx, pa, buf, len);
}

static bool table_byte(struct table *t, uint32_t off, uint8_t *out)
{
	if (off >= t->len)
		return false;
	if (off < t->chunk_off || off - t->chunk_off >= t->chunk_len) {
		const uint32_t start = off - off % CHUNK_LEN;
		const uint32_t left = t->len - start;

		t->chunk_off = start;
		t->chunk_len = left < CHUNK_LEN ? left : CHUNK_LEN;
		if (!memory_read(t->memory, t->pa + start, t->chunk,
		    t->chunk_len)) {
			t->chunk_len = 0;
			return false;
		}
	}
	*out = t->chunk[off - t->chunk_off];
	return true;
}

/* A field of 1 to 8 bytes, little endian; 0 if any of it is outside. */
static uint64_t table_field(struct table *t, uint32_t off, uint32_t len)
{
	uint64_t v = 0;
	uint8_t byte;

	for (uint32_t i = 0; i < len; i++) {
		if (!table_byte(t, off + i, &byte))
			return 0;
		v |= (uint64_t)byte << (8 * i);
	}
	return v;
}

static bool table_has(struct table *t, uint32_t off, const char *text)
{
	uint8_t byte;

	for (; *text != '\0'; text++, off++) {
		if (!table_byte(t, off, &byte) || byte != (uint8_t)*text)
			return false;
	}
	return true;
}

static bool table_sum_is_zero(struct table *t)
{
	uint8_t sum = 0;
	uint8_t byte;

	for (uint32_t off = 0; off < t->len; off++) {
		if (!table_byte(t, off, &byte))
			return false;
		sum = (uint8_t)(sum + byte);
	}
	return sum == 0;
}

/* Open a table whose header names `signature`: ACPI, section 5.2.6. */
static bool table_open(const struct memory *m, uint64_t pa,
    const char *signature, struct table *t)
{
	*t = (struct table){ .memory = m, .pa = pa, .len = HEADER_LEN };
	if (!table_has(t, 0, signature))
		return false;
	t->len = (uint32_t)table_field(t, 4, 4);
	t->chunk_len = 0;
	if (t->len < HEADER_LEN || t->len > LIMIT_ACPI_TABLE_LEN)
		return false;
	return table_sum_is_zero(t);
}

/* ---- FADT: ACPI, section 5.2.9 ------------------------------------------- */

#define FADT_DSDT 40
#define FADT_SMI_CMD 48
#define FADT_ACPI_ENABLE 52
#define FADT_PM1A_EVT 56
#define FADT_PM1B_EVT 60
#define FADT_PM1A_CNT 64
#define FADT_PM1B_CNT 68
#define FADT_PM_TMR 76
#define FADT_PM1_EVT_LEN 88
#define FADT_PM1_CNT_LEN 89
#define FADT_PM_TMR_LEN 91
#define FADT_CENTURY 108
#define FADT_FLAGS 112
#define FADT_RESET_REG 116
#define FADT_RESET_VALUE 128
#define FADT_X_DSDT 140
#define FADT_X_PM1A_EVT 148
#define FADT_X_PM1B_EVT 160
#define FADT_X_PM1A_CNT 172
#define FADT_X_PM1B_CNT 184
#define FADT_X_PM_TMR 208
#define FADT_SLEEP_CONTROL 244

#define FLAG_TMR_VAL_EXT (1u << 8)
#define FLAG_RESET_REG (1u << 10)
#define FLAG_HW_REDUCED (1u << 20)

#define CMOS_INDEX_MAX 0x7F

static struct acpi_reg reg_make(enum acpi_space space, uint64_t addr)
{
	const uint64_t max = space == ACPI_PORT ? 0xFFFF : UINT32_MAX;

	if (space == ACPI_ABSENT || addr == 0 || addr > max - 3)
		return (struct acpi_reg){ .space = ACPI_ABSENT };
	return (struct acpi_reg){ .space = space, .addr = (uint32_t)addr };
}

/* Generic address structure: ACPI, section 5.2.3.2. */
static struct acpi_reg read_gas(struct table *t, uint32_t off)
{
	const uint64_t space = table_field(t, off, 1);
	const uint64_t addr = table_field(t, off + 4, 8);

	if (space > 1)
		return reg_make(ACPI_ABSENT, 0);
	return reg_make(space == 0 ? ACPI_MEMORY : ACPI_PORT, addr);
}

/* The extended form where it says something, else the 32-bit port. */
static struct acpi_reg read_block(struct table *t, uint32_t x_off,
    uint32_t off)
{
	const struct acpi_reg x = read_gas(t, x_off);

	if (x.space != ACPI_ABSENT)
		return x;
	return reg_make(ACPI_PORT, table_field(t, off, 4));
}

static struct acpi_reg reg_at(struct acpi_reg base, uint32_t off)
{
	if (base.space == ACPI_ABSENT)
		return base;
	return reg_make(base.space, (uint64_t)base.addr + off);
}

/* Status first, enable in the second half: ACPI, section 4.8.3.1. */
static void read_events(struct table *t, struct acpi_info *out)
{
	const uint32_t half = (uint32_t)table_field(t, FADT_PM1_EVT_LEN, 1) / 2;

	if (half < 2)
		return;
	out->pm1a_status = read_block(t, FADT_X_PM1A_EVT, FADT_PM1A_EVT);
	out->pm1b_status = read_block(t, FADT_X_PM1B_EVT, FADT_PM1B_EVT);
	out->pm1a_enable = reg_at(out->pm1a_status, half);
	out->pm1b_enable = reg_at(out->pm1b_status, half);
}

static void read_fixed_hardware(struct table *t, struct acpi_info *out)
{
	const uint64_t smi = table_field(t, FADT_SMI_CMD, 4);

	read_events(t, out);
	if (table_field(t, FADT_PM1_CNT_LEN, 1) >= 2) {
		out->pm1a_control =
		    read_block(t, FADT_X_PM1A_CNT, FADT_PM1A_CNT);
		out->pm1b_control =
		    read_block(t, FADT_X_PM1B_CNT, FADT_PM1B_CNT);
	}
	if (table_field(t, FADT_PM_TMR_LEN, 1) == 4)
		out->pm_timer = read_block(t, FADT_X_PM_TMR, FADT_PM_TMR);
	if (smi != 0 && smi <= 0xFFFF) {
		out->smi_port = (uint16_t)smi;
		out->acpi_enable = (uint8_t)table_field(t, FADT_ACPI_ENABLE, 1);
	}
}

/* Returns where the DSDT is, 0 if nowhere. */
static uint64_t read_fadt(struct table *t, struct acpi_info *out)
{
	const uint32_t flags = (uint32_t)table_field(t, FADT_FLAGS, 4);
	const uint64_t x_dsdt = table_field(t, FADT_X_DSDT, 8);
	const uint8_t century = (uint8_t)table_field(t, FADT_CENTURY, 1);

	out->hw_reduced = (flags & FLAG_HW_REDUCED) != 0;
	out->pm_timer_32bit = (flags & FLAG_TMR_VAL_EXT) != 0;
	if (century <= CMOS_INDEX_MAX)
		out->century_index = century;
	if (out->hw_reduced)
		out->sleep_control = read_gas(t, FADT_SLEEP_CONTROL);
	else
		read_fixed_hardware(t, out);
	if (flags & FLAG_RESET_REG) {
		out->reset = read_gas(t, FADT_RESET_REG);
		out->reset_value = (uint8_t)table_field(t, FADT_RESET_VALUE, 1);
	}
	return x_dsdt != 0 ? x_dsdt : table_field(t, FADT_DSDT, 4);
}

/* ---- AML shapes: ACPI, section 20.2 -------------------------------------- */

/*
 * An integer constant at *off, which then stands behind it.
 * Source: ACPI, section 20.2.3 (ZeroOp, OneOp, ByteConst ... QWordConst)
 */
static bool aml_integer(struct table *t, uint32_t *off, uint64_t *value)
{
	uint8_t op;
	uint32_t len;

	if (!table_byte(t, *off, &op))
		return false;
	(*off)++;
	switch (op) {
	case 0x00:
	case 0x01:
		*value = op;
		return true;
	case 0x0A:
		len = 1;
		break;
	case 0x0B:
		len = 2;
		break;
	case 0x0C:
		len = 4;
		break;
	case 0x0E:
		len = 8;
		break;
	default:
		return false;
	}
	if (t->len - *off < len)
		return false;
	*value = table_field(t, *off, len);
	*off += len;
	return true;
}

/*
 * Name (_S5_, Package {type_a, type_b, ...}) with "_S5_" at `off`.
 * Source: ACPI, sections 20.2.5.1 (DefName) and 20.2.5.4 (DefPackage)
 */
static bool aml_sleep_type(struct table *t, uint32_t off, struct acpi_info *out)
{
	const bool named = table_field(t, off - 1, 1) == 0x08 ||
	    (table_field(t, off - 1, 1) == '\\' &&
	    table_field(t, off - 2, 1) == 0x08);
	uint64_t a, b;
	uint32_t at = off + 4;
	uint8_t byte;

	if (!named || !table_byte(t, at, &byte) || byte != 0x12)
		return false;
	at++;
	if (!table_byte(t, at, &byte))
		return false;
	at += 1 + (byte >> 6);                  /* PkgLength: section 20.2.4 */
	if (!table_byte(t, at, &byte) || byte < 1)
		return false;
	at++;
	if (!aml_integer(t, &at, &a) || a > 7)
		return false;
	if (byte < 2 || !aml_integer(t, &at, &b) || b > 7)
		b = a;
	out->s5_type_a = (uint8_t)a;
	out->s5_type_b = (uint8_t)b;
	out->s5_known = true;
	return true;
}

static void find_sleep_type(struct table *t, struct acpi_info *out)
{
	for (uint32_t off = HEADER_LEN + 2; off < t->len; off++) {
		if (table_has(t, off, "_S5_") && aml_sleep_type(t, off, out))
			return;
	}
}

/*
 * OperationRegion (name, SystemMemory, address, length) at `off`; the name is
 * one segment.  Source: ACPI, section 20.2.5.2 (DefOpRegion)
 */
static bool aml_memory_region(struct table *t, uint32_t off,
    struct acpi_reg *out)
{
	uint64_t addr, len;
	uint32_t at = off + 6;

	if (table_field(t, off, 2) != 0x805B)
		return false;
	if (table_field(t, at, 1) != 0x00 || t->len - off < 7)
		return false;
	at++;
	if (!aml_integer(t, &at, &addr) || !aml_integer(t, &at, &len))
		return false;
	if (len < 4 || addr % 4 != 0)
		return false;
	*out = reg_make(ACPI_MEMORY, addr);
	return out->space != ACPI_ABSENT;
}

/* The first memory region after the event device's name: section 5.6.9. */
static void find_event_device(struct table *t, struct acpi_info *out)
{
	bool named = false;

	for (uint32_t off = HEADER_LEN; off < t->len; off++) {
		if (!named)
			named = table_has(t, off, "ACPI0013");
		else if (aml_memory_region(t, off, &out->event_select))
			return;
	}
}

/* A device's name, id and resources take less than this in every table seen. */
#define AML_DEVICE_SPAN 128

/*
 * The resources of a virtio-mmio device whose hardware id ends at `off`: a 32-bit
 * fixed memory range and an interrupt, both before the next device's id.
 * Source: ACPI, sections 6.4.3.4 and 6.4.3.6
 */
static void aml_virtio_device(struct table *t, uint32_t off,
    struct acpi_virtio_mmio *out)
{
	const uint32_t end = off + AML_DEVICE_SPAN;

	for (; off < end && off < t->len; off++) {
		const uint32_t tag = (uint32_t)table_field(t, off, 3);

		if (table_has(t, off, "LNRO0005"))
			return;
		if (tag == 0x000986 && out->len == 0) {
			out->pa = (uint32_t)table_field(t, off + 4, 4);
			out->len = (uint32_t)table_field(t, off + 8, 4);
		}
		if (tag == 0x000689 && table_field(t, off + 4, 1) == 1) {
			out->gsi = (uint32_t)table_field(t, off + 5, 4);
			out->has_gsi = true;
		}
	}
}

static void find_virtio_devices(struct table *t, struct acpi_info *out)
{
	for (uint32_t off = HEADER_LEN; off < t->len &&
	    out->virtio_count < ACPI_VIRTIO_CAP; off++) {
		struct acpi_virtio_mmio device = { 0 };

		if (!table_has(t, off, "LNRO0005"))
			continue;
		off += 8;
		aml_virtio_device(t, off, &device);
		if (device.pa != 0 && device.len != 0 && device.has_gsi)
			out->virtio[out->virtio_count++] = device;
	}
}

static void read_aml(const struct memory *m, uint64_t pa,
    const char *signature, struct acpi_info *out)
{
	struct table t;

	if (!table_open(m, pa, signature, &t))
		return;
	if (!out->s5_known)
		find_sleep_type(&t, out);
	if (out->hw_reduced && out->event_select.space == ACPI_ABSENT)
		find_event_device(&t, out);
	if (out->hw_reduced)
		find_virtio_devices(&t, out);
}

/* ---- MADT: ACPI, section 5.2.12 ------------------------------------------ */

#define MADT_ENTRIES 44
#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2

static void read_ioapic(struct table *t, uint32_t off, struct acpi_info *out)
{
	const uint32_t pa = (uint32_t)table_field(t, off + 4, 4);

	if (out->ioapic_count == ACPI_IOAPICS_CAP || pa == 0 ||
	    pa > UINT32_MAX - 31)
		return;
	out->ioapics[out->ioapic_count++] = (struct acpi_ioapic){
		.pa = pa,
		.gsi_base = (uint32_t)table_field(t, off + 8, 4),
	};
}

/* Flags of 0 mean "as the bus says", for ISA edge, high: section 5.2.12.5. */
static void read_override(struct table *t, uint32_t off, struct acpi_info *out)
{
	const uint32_t flags = (uint32_t)table_field(t, off + 8, 2);

	if (out->override_count == ACPI_IRQ_OVERRIDES_CAP)
		return;
	out->overrides[out->override_count++] = (struct acpi_irq_override){
		.isa_irq = (uint8_t)table_field(t, off + 3, 1),
		.gsi = (uint32_t)table_field(t, off + 4, 4),
		.active_low = (flags & 3) == 3,
		.level = (flags >> 2 & 3) == 3,
	};
}

static void read_madt(struct table *t, struct acpi_info *out)
{
	uint32_t off = MADT_ENTRIES;

	while (off < t->len && t->len - off >= 2) {
		const uint64_t type = table_field(t, off, 1);
		const uint32_t len = (uint32_t)table_field(t, off + 1, 1);

		if (len < 2 || len > t->len - off)
			break;
		if (type == MADT_IOAPIC && len >= 12)
			read_ioapic(t, off, out);
		else if (type == MADT_OVERRIDE && len >= 10)
			read_override(t, off, out);
		off += len;
	}
}

/* ---- Root pointer and root table: ACPI, sections 5.2.5 to 5.2.8 ---------- */

#define RSDP_LEN 20
#define RSDP2_LEN 36

struct root {
	uint64_t pa;         /* the root table */
	uint32_t entry_len;  /* 8: XSDT, 4: RSDT */
};

static bool sum_is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static bool read_rsdp(const struct memory *m, uint64_t pa, struct root *out)
{
	uint8_t rsdp[RSDP2_LEN];

	if (!memory_read(m, pa, rsdp, RSDP_LEN) ||
	    memcmp(rsdp, "RSD PTR ", 8) != 0 || !sum_is_zero(rsdp, RSDP_LEN))
		return false;
	*out = (struct root){ .pa = load_le32(rsdp + 16), .entry_len = 4 };
	if (rsdp[15] >= 2 && memory_read(m, pa, rsdp, RSDP2_LEN) &&
	    load_le32(rsdp + 20) == RSDP2_LEN &&
	    sum_is_zero(rsdp, RSDP2_LEN) && load_le64(rsdp + 24) != 0)
		*out = (struct root){
			.pa = load_le64(rsdp + 24), .entry_len = 8
		};
	return true;
}

static bool search_rsdp(const struct memory *m, uint64_t from, uint64_t end,
    struct root *out)
{
	for (uint64_t pa = from; pa < end; pa += 16) {
		if (read_rsdp(m, pa, out))
			return true;
	}
	return false;
}

static bool find_root(const struct memory *m, uint64_t rsdp_pa,
    struct root *out)
{
	uint8_t ebda[2];
	uint64_t ebda_pa;

	if (rsdp_pa != 0 && read_rsdp(m, rsdp_pa, out))
		return true;
	if (memory_read(m, 0x40E, ebda, sizeof ebda)) {
		ebda_pa = (uint64_t)load_le16(ebda) << 4;
		if (ebda_pa >= 0x80000 && ebda_pa < 0xA0000 &&
		    search_rsdp(m, ebda_pa, ebda_pa + 1024, out))
			return true;
	}
	return search_rsdp(m, 0xE0000, 0x100000, out);
}

/* The idx-th table that the root names, 0 behind the last. */
static uint64_t root_entry(struct table *t, uint32_t entry_len, uint32_t idx)
{
	return table_field(t, HEADER_LEN + idx * entry_len, entry_len);
}

/* Open the first table with this signature. */
static bool find_table(struct table *root, uint32_t entry_len,
    const char *signature, struct table *t)
{
	for (uint32_t i = 0; i < LIMIT_ACPI_TABLES; i++) {
		if (table_open(root->memory, root_entry(root, entry_len, i),
		    signature, t))
			return true;
	}
	return false;
}

void acpi_parse(uint64_t rsdp_pa, acpi_read_fn *read, void *ctx,
    struct acpi_info *out)
{
	const struct memory m = { .read = read, .ctx = ctx };
	struct table rt, t;
	struct root root;

	memset(out, 0, sizeof *out);
	if (!find_root(&m, rsdp_pa, &root))
		return;
	if (!table_open(&m, root.pa, root.entry_len == 8 ? "XSDT" : "RSDT",
	    &rt))
		return;
	out->present = true;
	if (find_table(&rt, root.entry_len, "FACP", &t))
		read_aml(&m, read_fadt(&t, out), "DSDT", out);
	if (find_table(&rt, root.entry_len, "APIC", &t))
		read_madt(&t, out);
	for (uint32_t i = 0; i < LIMIT_ACPI_TABLES && !out->s5_known; i++)
		read_aml(&m, root_entry(&rt, root.entry_len, i), "SSDT", out);
}

/* ---- Validity ------------------------------------------------------------ */

static bool reg_valid(struct acpi_reg r)
{
	if (r.space == ACPI_ABSENT)
		return r.addr == 0;
	if (r.space == ACPI_PORT)
		return r.addr != 0 && r.addr <= 0xFFFF - 3;
	return r.space == ACPI_MEMORY && r.addr != 0 &&
	    r.addr <= UINT32_MAX - 3;
}

bool acpi_info_valid(const struct acpi_info *info)
{
	const struct acpi_reg regs[] = {
		info->pm1a_status, info->pm1b_status,
		info->pm1a_enable, info->pm1b_enable,
		info->pm1a_control, info->pm1b_control,
		info->pm_timer, info->reset, info->sleep_control,
		info->event_select,
	};

	for (size_t i = 0; i < ARRAY_LEN(regs); i++) {
		if (!reg_valid(regs[i]))
			return false;
	}
	for (uint32_t i = 0; i < info->ioapic_count && i < ACPI_IOAPICS_CAP;
	    i++) {
		if (info->ioapics[i].pa == 0 ||
		    info->ioapics[i].pa > UINT32_MAX - 31)
			return false;
	}
	return info->ioapic_count <= ACPI_IOAPICS_CAP &&
	    info->override_count <= ACPI_IRQ_OVERRIDES_CAP &&
	    info->s5_type_a <= 7 && info->s5_type_b <= 7 &&
	    info->century_index <= CMOS_INDEX_MAX;
}

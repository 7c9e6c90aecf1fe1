/*
 * ACPI tables: see acpi.h.  The bounded reader is acpi_table.c, the bytecode is
 * acpi_aml.c.
 */
#include <string.h>

#include "config/limits.h"
#include "kernel/acpi_table.h"

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

/* Generic address structure: ACPI, section 5.2.3.2. */
static struct acpi_reg read_gas(struct acpi_table *t, uint32_t off)
{
	const uint64_t space = acpi_field(t, off, 1);
	const uint64_t addr = acpi_field(t, off + 4, 8);

	if (space > 1)
		return acpi_reg_make(ACPI_ABSENT, 0);
	return acpi_reg_make(space == 0 ? ACPI_MEMORY : ACPI_PORT, addr);
}

/* The extended form where it says something, else the 32-bit port. */
static struct acpi_reg read_block(struct acpi_table *t, uint32_t x_off,
    uint32_t off)
{
	const struct acpi_reg x = read_gas(t, x_off);

	if (x.space != ACPI_ABSENT)
		return x;
	return acpi_reg_make(ACPI_PORT, acpi_field(t, off, 4));
}

static struct acpi_reg reg_at(struct acpi_reg base, uint32_t off)
{
	if (base.space == ACPI_ABSENT)
		return base;
	return acpi_reg_make(base.space, (uint64_t)base.addr + off);
}

/* Status first, enable in the second half: ACPI, section 4.8.3.1. */
static void read_events(struct acpi_table *t, struct acpi_info *out)
{
	const uint32_t half = (uint32_t)acpi_field(t, FADT_PM1_EVT_LEN, 1) / 2;

	if (half < 2)
		return;
	out->pm1a_status = read_block(t, FADT_X_PM1A_EVT, FADT_PM1A_EVT);
	out->pm1b_status = read_block(t, FADT_X_PM1B_EVT, FADT_PM1B_EVT);
	out->pm1a_enable = reg_at(out->pm1a_status, half);
	out->pm1b_enable = reg_at(out->pm1b_status, half);
}

static void read_fixed_hardware(struct acpi_table *t, struct acpi_info *out)
{
	const uint64_t smi = acpi_field(t, FADT_SMI_CMD, 4);

	read_events(t, out);
	if (acpi_field(t, FADT_PM1_CNT_LEN, 1) >= 2) {
		out->pm1a_control =
		    read_block(t, FADT_X_PM1A_CNT, FADT_PM1A_CNT);
		out->pm1b_control =
		    read_block(t, FADT_X_PM1B_CNT, FADT_PM1B_CNT);
	}
	if (acpi_field(t, FADT_PM_TMR_LEN, 1) == 4)
		out->pm_timer = read_block(t, FADT_X_PM_TMR, FADT_PM_TMR);
	if (smi != 0 && smi <= 0xFFFF) {
		out->smi_port = (uint16_t)smi;
		out->acpi_enable = (uint8_t)acpi_field(t, FADT_ACPI_ENABLE, 1);
	}
}

/* Returns where the DSDT is, 0 if nowhere. */
static uint64_t read_fadt(struct acpi_table *t, struct acpi_info *out)
{
	const uint32_t flags = (uint32_t)acpi_field(t, FADT_FLAGS, 4);
	const uint64_t x_dsdt = acpi_field(t, FADT_X_DSDT, 8);
	const uint8_t century = (uint8_t)acpi_field(t, FADT_CENTURY, 1);

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
		out->reset_value = (uint8_t)acpi_field(t, FADT_RESET_VALUE, 1);
	}
	return x_dsdt != 0 ? x_dsdt : acpi_field(t, FADT_DSDT, 4);
}

/* ---- MADT: ACPI, section 5.2.12 ------------------------------------------ */

#define MADT_ENTRIES 44
#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2

static void read_ioapic(struct acpi_table *t, uint32_t off,
    struct acpi_info *out)
{
	const uint32_t pa = (uint32_t)acpi_field(t, off + 4, 4);

	if (out->ioapic_count == ACPI_IOAPICS_CAP || pa == 0 ||
	    pa > UINT32_MAX - 31)
		return;
	out->ioapics[out->ioapic_count++] = (struct acpi_ioapic){
		.pa = pa,
		.gsi_base = (uint32_t)acpi_field(t, off + 8, 4),
	};
}

/* Flags of 0 mean "as the bus says", for ISA edge, high: section 5.2.12.5. */
static void read_override(struct acpi_table *t, uint32_t off,
    struct acpi_info *out)
{
	const uint32_t flags = (uint32_t)acpi_field(t, off + 8, 2);

	if (out->override_count == ACPI_IRQ_OVERRIDES_CAP)
		return;
	out->overrides[out->override_count++] = (struct acpi_irq_override){
		.isa_irq = (uint8_t)acpi_field(t, off + 3, 1),
		.gsi = (uint32_t)acpi_field(t, off + 4, 4),
		.active_low = (flags & 3) == 3,
		.level = (flags >> 2 & 3) == 3,
	};
}

static void read_madt(struct acpi_table *t, struct acpi_info *out)
{
	uint32_t off = MADT_ENTRIES;

	while (off < t->len && t->len - off >= 2) {
		const uint64_t type = acpi_field(t, off, 1);
		const uint32_t len = (uint32_t)acpi_field(t, off + 1, 1);

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

static bool read_rsdp(const struct acpi_memory *m, uint64_t pa,
    struct root *out)
{
	uint8_t rsdp[RSDP2_LEN];

	if (!acpi_read(m, pa, rsdp, RSDP_LEN) ||
	    memcmp(rsdp, "RSD PTR ", 8) != 0 || !sum_is_zero(rsdp, RSDP_LEN))
		return false;
	*out = (struct root){ .pa = load_le32(rsdp + 16), .entry_len = 4 };
	if (rsdp[15] >= 2 && acpi_read(m, pa, rsdp, RSDP2_LEN) &&
	    load_le32(rsdp + 20) == RSDP2_LEN &&
	    sum_is_zero(rsdp, RSDP2_LEN) && load_le64(rsdp + 24) != 0)
		*out = (struct root){
			.pa = load_le64(rsdp + 24), .entry_len = 8
		};
	return true;
}

static bool search_rsdp(const struct acpi_memory *m, uint64_t from,
    uint64_t end, struct root *out)
{
	for (uint64_t pa = from; pa < end; pa += 16) {
		if (read_rsdp(m, pa, out))
			return true;
	}
	return false;
}

static bool find_root(const struct acpi_memory *m, uint64_t rsdp_pa,
    struct root *out)
{
	uint8_t ebda[2];
	uint64_t ebda_pa;

	if (rsdp_pa != 0 && read_rsdp(m, rsdp_pa, out))
		return true;
	if (acpi_read(m, 0x40E, ebda, sizeof ebda)) {
		ebda_pa = (uint64_t)load_le16(ebda) << 4;
		if (ebda_pa >= 0x80000 && ebda_pa < 0xA0000 &&
		    search_rsdp(m, ebda_pa, ebda_pa + 1024, out))
			return true;
	}
	return search_rsdp(m, 0xE0000, 0x100000, out);
}

/* The idx-th table that the root names, 0 behind the last. */
static uint64_t root_entry(struct acpi_table *t, uint32_t entry_len,
    uint32_t idx)
{
	return acpi_field(t, TABLE_HEADER_LEN + idx * entry_len, entry_len);
}

/* Open the first table with this signature. */
static bool find_table(struct acpi_table *root, uint32_t entry_len,
    const char *signature, struct acpi_table *t)
{
	for (uint32_t i = 0; i < LIMIT_ACPI_TABLES; i++) {
		if (acpi_open(root->memory, root_entry(root, entry_len, i),
		    signature, t))
			return true;
	}
	return false;
}

void acpi_parse(uint64_t rsdp_pa, acpi_read_fn *read, void *ctx,
    struct acpi_info *out)
{
	const struct acpi_memory m = { .read = read, .ctx = ctx };
	struct acpi_table rt, t;
	struct root root;

	memset(out, 0, sizeof *out);
	if (!find_root(&m, rsdp_pa, &root))
		return;
	if (!acpi_open(&m, root.pa, root.entry_len == 8 ? "XSDT" : "RSDT",
	    &rt))
		return;
	out->present = true;
	if (find_table(&rt, root.entry_len, "FACP", &t))
		acpi_read_aml(&m, read_fadt(&t, out), "DSDT", out);
	if (find_table(&rt, root.entry_len, "APIC", &t))
		read_madt(&t, out);
	for (uint32_t i = 0; i < LIMIT_ACPI_TABLES && !out->s5_known; i++)
		acpi_read_aml(&m, root_entry(&rt, root.entry_len, i), "SSDT",
		    out);
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

bool acpi_virtio_valid(const struct acpi_virtio_mmio *device)
{
	return device->len >= 0x100 && device->len <= 0x10000 &&
	    device->pa != 0 && device->pa % 4 == 0 &&
	    device->pa <= UINT32_MAX - device->len;
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
	if (info->ioapic_count > ACPI_IOAPICS_CAP ||
	    info->override_count > ACPI_IRQ_OVERRIDES_CAP ||
	    info->virtio_count > ACPI_VIRTIO_CAP)
		return false;
	for (uint32_t i = 0; i < info->virtio_count; i++) {
		if (!acpi_virtio_valid(&info->virtio[i]))
			return false;
	}
	for (uint32_t i = 0; i < info->ioapic_count; i++) {
		if (info->ioapics[i].pa == 0 ||
		    info->ioapics[i].pa > UINT32_MAX - 31)
			return false;
	}
	return info->s5_type_a <= 7 && info->s5_type_b <= 7 &&
	    info->century_index <= CMOS_INDEX_MAX;
}

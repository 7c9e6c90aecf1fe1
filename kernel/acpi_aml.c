/*
 * AML without an interpreter: each thing we want has one shape in the bytecode
 * of every machine seen; it is searched for, and checked where it was found.
 * Source: ACPI, section 20.2.
 */
#include "kernel/acpi_table.h"

/*
 * An integer constant at *off, which then stands behind it.
 * Source: ACPI, section 20.2.3 (ZeroOp, OneOp, ByteConst ... QWordConst)
 */
static bool aml_integer(struct acpi_table *t, uint32_t *off, uint64_t *value)
{
	uint8_t op;
	uint32_t len;

	if (!acpi_byte(t, *off, &op))
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
	*value = acpi_field(t, *off, len);
	*off += len;
	return true;
}

/*
 * Name (_S5_, Package {type_a, type_b, ...}) with "_S5_" at `off`.
 * Source: ACPI, sections 20.2.5.1 (DefName) and 20.2.5.4 (DefPackage)
 */
static bool aml_sleep_type(struct acpi_table *t, uint32_t off,
    struct acpi_info *out)
{
	const bool named = acpi_field(t, off - 1, 1) == 0x08 ||
	    (acpi_field(t, off - 1, 1) == '\\' &&
	    acpi_field(t, off - 2, 1) == 0x08);
	uint64_t a, b;
	uint32_t at = off + 4;
	uint8_t byte;

	if (!named || !acpi_byte(t, at, &byte) || byte != 0x12)
		return false;
	at++;
	if (!acpi_byte(t, at, &byte))
		return false;
	at += 1 + (byte >> 6);                  /* PkgLength: section 20.2.4 */
	if (!acpi_byte(t, at, &byte) || byte < 1)
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

static void find_sleep_type(struct acpi_table *t, struct acpi_info *out)
{
	for (uint32_t off = TABLE_HEADER_LEN + 2; off < t->len; off++) {
		if (acpi_has(t, off, "_S5_") && aml_sleep_type(t, off, out))
			return;
	}
}

/*
 * OperationRegion (name, SystemMemory, address, length) at `off`; the name is
 * one segment.  Source: ACPI, section 20.2.5.2 (DefOpRegion)
 */
static bool aml_memory_region(struct acpi_table *t, uint32_t off,
    struct acpi_reg *out)
{
	uint64_t addr, len;
	uint32_t at = off + 6;

	if (acpi_field(t, off, 2) != 0x805B)
		return false;
	if (acpi_field(t, at, 1) != 0x00 || t->len - off < 7)
		return false;
	at++;
	if (!aml_integer(t, &at, &addr) || !aml_integer(t, &at, &len))
		return false;
	if (len < 4 || addr % 4 != 0)
		return false;
	*out = acpi_reg_make(ACPI_MEMORY, addr);
	return out->space != ACPI_ABSENT;
}

/* The first memory region after the event device's name: section 5.6.9. */
static void find_event_device(struct acpi_table *t, struct acpi_info *out)
{
	bool named = false;

	for (uint32_t off = TABLE_HEADER_LEN; off < t->len; off++) {
		if (!named)
			named = acpi_has(t, off, "ACPI0013");
		else if (aml_memory_region(t, off, &out->event_select))
			return;
	}
}

/* A device's resources follow its id within so many bytes, wherever seen. */
#define AML_DEVICE_SPAN 128

#define AML_MEMORY32_FIXED 0x000986      /* tag and length: section 6.4.3.4 */
#define AML_INTERRUPT 0x000689           /* section 6.4.3.6 */
#define AML_VIRTIO "LNRO0005"            /* QEMU, hw/i386/acpi-microvm.c */

/*
 * The resources of a virtio-mmio device whose hardware id ends at `off`: a
 * fixed memory range and an interrupt, both before the next device's id.
 */
static bool aml_virtio_device(struct acpi_table *t, uint32_t off,
    struct acpi_virtio_mmio *out)
{
	const uint32_t end = off + AML_DEVICE_SPAN;
	bool has_gsi = false;

	for (; off < end && off < t->len && !acpi_has(t, off, AML_VIRTIO);
	    off++) {
		const uint32_t tag = (uint32_t)acpi_field(t, off, 3);

		if (tag == AML_MEMORY32_FIXED && out->len == 0) {
			out->pa = (uint32_t)acpi_field(t, off + 4, 4);
			out->len = (uint32_t)acpi_field(t, off + 8, 4);
		}
		if (tag == AML_INTERRUPT && t->len - off >= 9 &&
		    acpi_field(t, off + 4, 1) == 1) {
			out->gsi = (uint32_t)acpi_field(t, off + 5, 4);
			has_gsi = true;
		}
	}
	return has_gsi && acpi_virtio_valid(out);
}

static void find_virtio_devices(struct acpi_table *t, struct acpi_info *out)
{
	for (uint32_t off = TABLE_HEADER_LEN; off < t->len &&
	    out->virtio_count < ACPI_VIRTIO_CAP; off++) {
		struct acpi_virtio_mmio device = { 0 };

		if (acpi_has(t, off, AML_VIRTIO) &&
		    aml_virtio_device(t, off + sizeof AML_VIRTIO - 1, &device))
			out->virtio[out->virtio_count++] = device;
	}
}

void acpi_read_aml(const struct acpi_memory *m, uint64_t pa,
    const char *signature, struct acpi_info *out)
{
	struct acpi_table t;

	if (!acpi_open(m, pa, signature, &t))
		return;
	if (!out->s5_known)
		find_sleep_type(&t, out);
	if (out->hw_reduced && out->event_select.space == ACPI_ABSENT)
		find_event_device(&t, out);
	if (out->hw_reduced)
		find_virtio_devices(&t, out);
}

/*
 * What we need to know from ACPI: where the timer, the power button, the sleep
 * and reset registers and the interrupt controllers are.  The tables come from
 * the host's firmware: every length, offset and checksum is checked, anything
 * odd makes its own field "absent" and no more.  No AML is interpreted: \_S5
 * and the event device's register are recognised by their encoded shape.
 *
 * Pure: memory is read through a function of the caller, the result is plain
 * values.  Source: ACPI Specification 6.4 (cited as "ACPI").
 */
#pragma once

#include "config/base.h"

/* Tables are read below this address only (boot maps no more). */
#define ACPI_WINDOW_END 0x100000000ull

#define ACPI_IOAPICS_CAP 4
#define ACPI_VIRTIO_CAP 8
#define ACPI_IRQ_OVERRIDES_CAP 16

enum acpi_space {
	ACPI_ABSENT = 0,
	ACPI_MEMORY,
	ACPI_PORT,
};

/* A register: addr is a port number or a physical address below 4 GiB. */
struct acpi_reg {
	uint32_t space;      /* enum acpi_space; ACPI_ABSENT: the rest is 0 */
	uint32_t addr;
};

struct acpi_ioapic {
	uint32_t pa;         /* registers, 32 bytes used */
	uint32_t gsi_base;   /* global system interrupt of its first pin */
};

/* An ISA interrupt that is not wired as ISA says: ACPI, section 5.2.12.5. */
struct acpi_irq_override {
	uint32_t gsi;
	uint8_t isa_irq;
	bool level;          /* else edge */
	bool active_low;     /* else high */
};

/* Registers (256 bytes to 64 KiB) and line of a virtio-mmio device. */
struct acpi_virtio_mmio {
	uint32_t pa;
	uint32_t len;
	uint32_t gsi;
};

/* All zero is a machine without ACPI. */
struct acpi_info {
	bool present;        /* a root pointer and root table, both sound */
	bool hw_reduced;     /* sleep_control and event_select, not PM1 */
	bool pm_timer_32bit; /* the timer counts 32 bits, else 24 */

	/* FADT: ACPI, section 5.2.9 */
	struct acpi_reg pm1a_status, pm1b_status;    /* 16 bit */
	struct acpi_reg pm1a_enable, pm1b_enable;    /* 16 bit */
	struct acpi_reg pm1a_control, pm1b_control;  /* 16 bit */
	struct acpi_reg pm_timer;              /* 32 bit, 3.579545 MHz */
	struct acpi_reg reset;                       /* 8 bit */
	struct acpi_reg sleep_control;               /* 8 bit */
	uint8_t reset_value;
	uint8_t century_index; /* CMOS index of the century, 0: none */
	uint8_t acpi_enable;   /* to smi_port: switch to ACPI mode */
	uint16_t smi_port;     /* 0: none */

	/* \_S5: ACPI, section 7.4.2.6 */
	bool s5_known;
	uint8_t s5_type_a, s5_type_b;  /* SLP_TYP for PM1a and PM1b, 0..7 */

	/* A hardware-reduced machine's event device: its selector, 32 bit. */
	struct acpi_reg event_select;

	/* Hardware-reduced machines only: devices no bus can be asked for. */
	uint32_t virtio_count;
	struct acpi_virtio_mmio virtio[ACPI_VIRTIO_CAP];

	/* MADT: ACPI, section 5.2.12 */
	uint32_t ioapic_count;
	uint32_t override_count;
	struct acpi_ioapic ioapics[ACPI_IOAPICS_CAP];
	struct acpi_irq_override overrides[ACPI_IRQ_OVERRIDES_CAP];
};

/*
 * Copy len (1..256) bytes at physical address pa into buf.
 * Returns false, having copied nothing, when they cannot be read.
 */
typedef bool acpi_read_fn(void *ctx, uint64_t pa, void *buf, size_t len);

/*
 * Fill *out from the tables.
 *
 * rsdp_pa  where the root pointer is said to be; 0: search the BIOS areas
 * Cost     reads each table it knows once or twice; bounded by
 *          LIMIT_ACPI_TABLES and LIMIT_ACPI_TABLE_LEN whatever the tables say
 * Source   ACPI, section 5.2.5.1 (search)
 */
void acpi_parse(uint64_t rsdp_pa, acpi_read_fn *read, void *ctx,
    struct acpi_info *out);

/* Is all of *info within its bounds?  True of what acpi_parse() makes. */
bool acpi_info_valid(const struct acpi_info *info);

/*
 * acpi_read_fn for boot's page tables, where physical and virtual addresses
 * below ACPI_WINDOW_END are the same.  Address 0 is refused.  ctx is not used.
 */
acpi_read_fn acpi_read_identity;

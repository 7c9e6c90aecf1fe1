/*
 * Power: see power.h.  Source: ACPI, sections 4.8.3 (fixed registers), 7.4
 * (sleep states) and 5.6.9 (event device).
 */
#include "config/hypervisor.h"
#include "config/limits.h"
#include "kernel/console.h"
#include "kernel/io.h"
#include "kernel/map.h"
#include "kernel/power.h"

#define PM1_POWER_BUTTON (1u << 8)      /* in status and enable */
#define PM1_SCI_ENABLE (1u << 0)        /* in control */
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE (7u << PM1_SLEEP_TYPE_SHIFT)
#define PM1_SLEEP_ENABLE (1u << 13)

#define SLEEP_TYPE_SHIFT 2              /* sleep control: section 4.8.3.7 */
#define SLEEP_ENABLE (1u << 5)

#define RESET_CONTROL 0xCF9             /* Intel chipsets' reset register */
#define RESET_COLD 0x02
#define RESET_COLD_NOW 0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_BUSY 0x02
#define KEYBOARD_PULSE_RESET 0xFE

/* Looks at a port, 1 us or so each.  What has not ended by then will not end. */
#define LOOKS_PER_MS 1000
#define END_LOOKS (100 * LOOKS_PER_MS)
#define KEYBOARD_LOOKS (10 * LOOKS_PER_MS)

/* A register that can be reached, now or after map_seal(). */
struct door {
	uint32_t space;              /* enum acpi_space */
	uint16_t port;
	volatile void *va;
};

static SEALED struct door status_a, status_b;
static SEALED struct door enable_a, enable_b;
static SEALED struct door control_a, control_b;
static SEALED struct door sleep_control;
static SEALED struct door reset;
static SEALED struct door event_select;
static SEALED uint8_t reset_value;
static SEALED bool s5_known;
static SEALED uint8_t s5_type_a, s5_type_b;

/* ---- Registers ----------------------------------------------------------- */

static struct door door_to(struct acpi_reg reg)
{
	struct door d = { .space = reg.space };

	if (reg.space == ACPI_PORT)
		d.port = (uint16_t)reg.addr;
	if (reg.space == ACPI_MEMORY)
		d.va = map_device(reg.addr, 4);
	return d;
}

static uint16_t read16(const struct door *d)
{
	if (d->space == ACPI_PORT)
		return io_in16(d->port);
	return d->space == ACPI_MEMORY ? *(volatile uint16_t *)d->va : 0;
}

static void write16(const struct door *d, uint16_t v)
{
	if (d->space == ACPI_PORT)
		io_out16(d->port, v);
	else if (d->space == ACPI_MEMORY)
		*(volatile uint16_t *)d->va = v;
}

static void write8(const struct door *d, uint8_t v)
{
	if (d->space == ACPI_PORT)
		io_out8(d->port, v);
	else if (d->space == ACPI_MEMORY)
		*(volatile uint8_t *)d->va = v;
}

/* Wait a while without a clock: reading port 0x80 (POST codes) does nothing. */
static void wait_looks(unsigned looks)
{
	for (unsigned i = 0; i < looks; i++) {
		(void)io_in8(0x80);
		cpu_pause();
	}
}

/* ---- Start --------------------------------------------------------------- */

/* Until then the registers may be the firmware's: ACPI, section 16.3.1. */
static void enable_acpi_mode(const struct acpi_info *acpi)
{
	if (acpi->smi_port == 0 || acpi->acpi_enable == 0 ||
	    control_a.space == ACPI_ABSENT ||
	    (read16(&control_a) & PM1_SCI_ENABLE))
		return;
	io_out8(acpi->smi_port, acpi->acpi_enable);
	for (unsigned ms = 0; ms < LIMIT_ACPI_ENABLE_MS; ms++) {
		if (read16(&control_a) & PM1_SCI_ENABLE)
			return;
		wait_looks(LOOKS_PER_MS);
	}
	console_printf("power: the firmware keeps ACPI; no power button\n");
}

void power_init(const struct acpi_info *acpi)
{
	status_a = door_to(acpi->pm1a_status);
	status_b = door_to(acpi->pm1b_status);
	enable_a = door_to(acpi->pm1a_enable);
	enable_b = door_to(acpi->pm1b_enable);
	control_a = door_to(acpi->pm1a_control);
	control_b = door_to(acpi->pm1b_control);
	sleep_control = door_to(acpi->sleep_control);
	reset = door_to(acpi->reset);
	event_select = door_to(acpi->event_select);
	reset_value = acpi->reset_value;
	s5_known = acpi->s5_known;
	s5_type_a = acpi->s5_type_a;
	s5_type_b = acpi->s5_type_b;

	enable_acpi_mode(acpi);
	/* Nothing but the button; forget a press from before. */
	write16(&status_a, PM1_POWER_BUTTON);
	write16(&status_b, PM1_POWER_BUTTON);
	write16(&enable_a, PM1_POWER_BUTTON);
	write16(&enable_b, PM1_POWER_BUTTON);
}

/* ---- The button ---------------------------------------------------------- */

/* Status bits are cleared by writing 1: ACPI, section 4.8.3.1. */
static bool take_status(const struct door *status)
{
	if (!(read16(status) & PM1_POWER_BUTTON))
		return false;
	write16(status, PM1_POWER_BUTTON);
	return true;
}

bool power_button_pressed(void)
{
	bool pressed = take_status(&status_a);

	if (take_status(&status_b))
		pressed = true;
	/*
	 * The meaning of the bits is QEMU's; other hosts' event devices differ
	 * in the register's width or place, and acpi.c does not report them.
	 */
	if (event_select.space == ACPI_MEMORY &&
	    (*(volatile uint32_t *)event_select.va & QEMU_GED_POWER_BUTTON))
		pressed = true;
	return pressed;
}

/* ---- The end ------------------------------------------------------------- */

static uint16_t sleep_bits(const struct door *control, uint8_t type)
{
	return (uint16_t)((read16(control) & ~PM1_SLEEP_TYPE) |
	    (uint32_t)type << PM1_SLEEP_TYPE_SHIFT);
}

/* Soft off: the type first, then the type with the enable bit. */
static void enter_s5(void)
{
	const uint16_t a = sleep_bits(&control_a, s5_type_a);
	const uint16_t b = sleep_bits(&control_b, s5_type_b);

	if (!s5_known)
		return;
	write16(&control_a, a);
	write16(&control_b, b);
	write16(&control_a, a | PM1_SLEEP_ENABLE);
	write16(&control_b, b | PM1_SLEEP_ENABLE);
	write8(&sleep_control,
	    (uint8_t)(s5_type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
	wait_looks(END_LOOKS);
}

void power_off(void)
{
	console_flush();
	enter_s5();
	console_printf("power: this machine cannot be switched off; halted\n");
	console_flush();
	cpu_halt_forever();
}

static void reset_by_keyboard(void)
{
	for (unsigned i = 0; i < KEYBOARD_LOOKS; i++) {
		if (!(io_in8(KEYBOARD_COMMAND) & KEYBOARD_BUSY))
			break;
		cpu_pause();
	}
	io_out8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
	wait_looks(END_LOOKS);
}

static void reset_by_chipset(void)
{
	io_out8(RESET_CONTROL, RESET_COLD);
	io_out8(RESET_CONTROL, RESET_COLD_NOW);
	wait_looks(END_LOOKS);
}

/* An exception without a table of handlers shuts the CPU down: a reset. */
static void reset_by_triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) nothing;

	__asm__ volatile("lidt %0; ud2" : : "m"(nothing) : "memory");
}

void power_reboot(void)
{
	console_flush();
	if (reset.space != ACPI_ABSENT) {
		write8(&reset, reset_value);
		wait_looks(END_LOOKS);
	}
	reset_by_keyboard();
	reset_by_chipset();
	reset_by_triple_fault();
	cpu_halt_forever();
}

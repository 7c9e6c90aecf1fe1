/*
 * Ways to end, and the button that asks for it.
 *
 * Registers come from ACPI.  A machine without ACPI has no button, reboots
 * through the keyboard controller or a triple fault, and is "powered off"
 * by halting it for good (a reset would start it again).
 */
#pragma once

#include "config/base.h"
#include "kernel/acpi.h"

/*
 * Map registers, switch the machine to ACPI mode if its firmware has not, and
 * make the power button report to us.  After map_start(), before map_seal().
 * Waits at most LIMIT_ACPI_ENABLE_MS.
 */
void power_init(const struct acpi_info *acpi);

/*
 * Was the power button pressed since the last call?  A few register reads: call
 * it at timer ticks, about once a second, not for every packet.
 */
bool power_button_pressed(void);

/*
 * Flush the console, then end.  Before power_init() they know no ACPI
 * registers: power_off() halts, power_reboot() tries what every PC has.
 */
NORETURN void power_off(void);
NORETURN void power_reboot(void);

/*
 * How fast the TSC runs: stated by the CPU or hypervisor, else measured.
 */
#pragma once

#include "config/base.h"
#include "kernel/acpi.h"

/*
 * Ticks per second, 0 if nothing on this machine can tell.
 *
 * from  receives the source's name, for the operator
 * Cost  10 ms against the ACPI timer or the PIT, 2 s with the CMOS clock
 */
uint64_t tsc_find_hz(const struct acpi_info *acpi, const char **from);

/*
 * The clock: nanoseconds since the first instruction, from the TSC, and the
 * Unix time of that moment.
 *
 * Sources, best first.  Rate: KVM's pvclock; a frequency that the hypervisor or
 * CPUID states; the TSC measured against the ACPI timer, the PIT, or at worst
 * two seconds of the CMOS clock.  Time of day: pvclock's, else the CMOS
 * clock's, else unknown: wall_ns stays 0 and the banner says so.
 *
 * The time of day is compared with the CMOS clock from time to time and follows
 * it, because a measured rate drifts and a host may be suspended.
 */
#pragma once

#include "config/base.h"
#include "kernel/acpi.h"
#include "kernel/gate.h"

/*
 * Choose the sources and start.  After irq_init(), before map_seal().
 * Takes 10 ms when the TSC has to be measured (2 s with the CMOS clock).
 *
 * tsc_start  the TSC at the first instruction: 0 ns
 * Returns    NULL, or a sentence: there is nothing to measure time with
 */
MUST_USE const char *clock_init(const struct acpi_info *acpi,
    uint64_t tsc_start);

/* Now, ns; never goes back.  0 before clock_init(). */
uint64_t clock_now_ns(void);

/* An earlier reading of the TSC as ns, 0 before tsc_start: the boot chart. */
uint64_t clock_tsc_to_ns(uint64_t tsc);

/* The TSC at a given ns; for the timer. */
uint64_t clock_ns_to_tsc(uint64_t ns);

/*
 * Follow the host's changes and write the clock for the server.  From the gate
 * calls only: the server reads *out without a lock, so it must not be running.
 * Cost: some ten instructions, but for a look at the time of day every
 * LIMIT_CLOCK_CHECK_S seconds (more often soon after the start).
 */
void clock_refresh(struct gate_clock *out);

/* Where the rate and the time of day come from, for the banner. */
const char *clock_source(void);

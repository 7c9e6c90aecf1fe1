/*
 * The arithmetic of the clock: pure, tested on the host.
 */
#pragma once

#include "config/base.h"
#include "config/hypervisor.h"
#include "kernel/gate.h"

#define CLOCK_NS_PER_S 1000000000ull

/* The TSC of a machine we believe: from slow emulators to what may come. */
#define CLOCK_HZ_MIN 10000000ull
#define CLOCK_HZ_MAX 20000000000ull

/* A conversion of ticks: out = (in * mult) >> shift, with a 128-bit product. */
struct clock_ratio {
	uint32_t mult;
	uint32_t shift;      /* 0..63 */
};

/*
 * Ticks of from_hz into ticks of to_hz.
 *
 * from_hz, to_hz  1 .. 2^62; to_hz / from_hz below 2^32 and above 2^-31
 * Precision       mult has 32 significant bits: 1.2e-10 (0.0002 ppm)
 */
struct clock_ratio clock_ratio_make(uint64_t from_hz, uint64_t to_hz);

/* Convert.  Overflows beyond 2^64 results: for ns, after 584 years. */
uint64_t clock_ratio_apply(struct clock_ratio r, uint64_t ticks);

/* from_hz of a ratio to nanoseconds; 0 if it is beyond all belief. */
uint64_t clock_ratio_hz(struct clock_ratio to_ns);

/* ---- The clock in force -------------------------------------------------- */

/*
 * Its ns at a reading of the TSC.  A reading from before the base, which only a
 * rewound machine gives, is the base.
 */
uint64_t clock_at(const struct gate_clock *clock, uint64_t tsc);

/*
 * From `tsc` on run at ratio r, from `ns` or, so that time never goes back,
 * from where the clock has come to.  wall_ns stays.  A zeroed clock is at 0.
 */
void clock_rebase(struct gate_clock *clock, uint64_t tsc, uint64_t ns,
    struct clock_ratio r);

/* ---- KVM's pvclock: config/hypervisor.h ---------------------------------- */

/*
 * A consistent copy of what the host keeps in `page`.
 * Returns false if it never wrote there, or does not stop writing.
 */
MUST_USE bool clock_pv_copy(const volatile struct pvclock_time *page,
    struct pvclock_time *out);

/*
 * The host's rate as a ratio to nanoseconds.
 * Returns false if it makes no sense.
 */
MUST_USE bool clock_pv_ratio(const struct pvclock_time *time,
    struct clock_ratio *out);

/* The host's ns at a reading of the TSC; r is clock_pv_ratio()'s. */
uint64_t clock_pv_at(const struct pvclock_time *time, struct clock_ratio r,
    uint64_t tsc);

/* ---- Measuring ----------------------------------------------------------- */

/*
 * The TSC's rate, from how far it and a counter of known rate went meanwhile.
 * Returns 0 if the result is not between CLOCK_HZ_MIN and _MAX.
 */
uint64_t clock_hz_measured(uint64_t tsc_ticks, uint64_t counter_ticks,
    uint64_t counter_hz);

/* Do two measurements agree to 500 ppm?  Never if one of them is 0. */
bool clock_hz_agree(uint64_t a, uint64_t b);

/* ---- The CMOS clock ------------------------------------------------------ */

/* The registers of a CMOS clock as they were read (MC146818 data sheet). */
struct cmos_time {
	uint8_t second, minute, hour, day, month, year;
	uint8_t century;     /* 0 if the machine has no such register */
	uint8_t status_b;
};

/*
 * Unix time in seconds.  Handles BCD and binary, 12 and 24 hours; without a
 * century register the year is 2000..2099.
 * Returns false when a field is out of its range or the year before 2000.
 */
MUST_USE bool clock_unix_from_cmos(const struct cmos_time *t, uint64_t *unix_s);

/*
 * Our Unix time (ns) corrected by a clock that shows whole seconds: unchanged
 * while that clock shows the same second, else the nearest time when it does.
 */
uint64_t clock_wall_follow(uint64_t wall_ns, uint64_t shown_s);

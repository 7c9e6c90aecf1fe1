/*
 * The TSC's rate: see tsc.h.
 *
 * Measuring: note the TSC and a counter of known rate together, 5 ms later
 * again, and again.  The two spans have to agree; if the host stopped us while
 * we took a note they do not, and one more note replaces the oldest.
 */
#include "config/hypervisor.h"
#include "kernel/clock_math.h"
#include "kernel/cmos.h"
#include "kernel/io.h"
#include "kernel/map.h"
#include "kernel/tsc.h"

#define PM_TIMER_HZ 3579545u     /* ACPI, section 4.8.2.1 */
#define PIT_HZ 1193182u          /* Intel 8254 data sheet; PC's crystal / 12 */

#define PIT_COUNTER0 0x40
#define PIT_COMMAND 0x43
#define PIT_LATCH0 0x00
#define PIT_RATE0 0x34           /* counter 0, low then high byte, mode 2 */

/* A note of both counters; `tsc` was read around `count`. */
struct note {
	uint64_t tsc;
	uint32_t count;
};

/* A counter that runs upwards (or is made to), modulo mask + 1. */
struct counter {
	uint32_t (*read)(void);
	uint32_t mask;
	uint32_t hz;
};

#define WINDOWS_PER_S 200        /* 5 ms */
#define WINDOWS_MAX 10
#define NOTE_TRIES 8
/*
 * Looks in a row at a counter of at least 1 MHz that show the same count: it
 * stands still.  A look takes a tenth of a microsecond at least.
 */
#define STILL_LOOKS 1000

/* ---- Counters ------------------------------------------------------------ */

static SEALED struct acpi_reg pm_timer;
static SEALED volatile uint32_t *pm_timer_va;

static uint32_t read_pm_timer(void)
{
	if (pm_timer_va != NULL)
		return *pm_timer_va;
	return io_in32((uint16_t)pm_timer.addr);
}

static uint32_t read_pit(void)
{
	uint32_t count;

	io_out8(PIT_COMMAND, PIT_LATCH0);
	count = io_in8(PIT_COUNTER0);
	count |= (uint32_t)io_in8(PIT_COUNTER0) << 8;
	return 0xFFFF - count;
}

/* Let counter 0 fall from 65536 again and again (55 ms); its line is masked. */
static void start_pit(void)
{
	io_out8(PIT_COMMAND, PIT_RATE0);
	io_out8(PIT_COUNTER0, 0);
	io_out8(PIT_COUNTER0, 0);
}

/* ---- Measuring ----------------------------------------------------------- */

/* Of some tries, the one in which least happened between the two readings. */
static struct note take_note(const struct counter *c)
{
	struct note best = { 0 };
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < NOTE_TRIES; i++) {
		const uint64_t before = cpu_rdtsc();
		const uint32_t count = c->read();
		const uint64_t took = cpu_rdtsc() - before;

		if (took < least) {
			least = took;
			best = (struct note){ before + took / 2, count };
		}
	}
	return best;
}

/* The note one window after `from`; false if the counter does not get there. */
static bool next_note(const struct counter *c, const struct note *from,
    struct note *out)
{
	uint32_t last = from->count;
	unsigned still = 0;

	for (;;) {
		const uint32_t count = c->read();

		if (((count - from->count) & c->mask) >= c->hz / WINDOWS_PER_S)
			break;
		still = count == last ? still + 1 : 0;
		if (still == STILL_LOOKS)
			return false;
		last = count;
		cpu_pause();
	}
	*out = take_note(c);
	return true;
}

static uint64_t hz_between(const struct counter *c, const struct note *a,
    const struct note *b)
{
	return clock_hz_measured(b->tsc - a->tsc,
	    (b->count - a->count) & c->mask, c->hz);
}

static uint64_t measure(const struct counter *c)
{
	struct note n[3];

	n[0] = take_note(c);
	if (!next_note(c, &n[0], &n[1]))
		return 0;
	for (unsigned i = 0; i < WINDOWS_MAX; i++) {
		if (!next_note(c, &n[1], &n[2]))
			return 0;
		if (clock_hz_agree(hz_between(c, &n[0], &n[1]),
		    hz_between(c, &n[1], &n[2])))
			return hz_between(c, &n[0], &n[2]);
		n[0] = n[1];
		n[1] = n[2];
	}
	return 0;
}

static uint64_t measure_pm_timer(const struct acpi_info *acpi)
{
	const struct counter c = {
		.read = read_pm_timer,
		.mask = acpi->pm_timer_32bit ? UINT32_MAX : 0xFFFFFF,
		.hz = PM_TIMER_HZ,
	};

	if (acpi->pm_timer.space == ACPI_ABSENT)
		return 0;
	pm_timer = acpi->pm_timer;
	if (pm_timer.space == ACPI_MEMORY)
		pm_timer_va = map_device(pm_timer.addr, 4);
	return measure(&c);
}

static uint64_t measure_pit(void)
{
	const struct counter c = {
		.read = read_pit, .mask = 0xFFFF, .hz = PIT_HZ,
	};

	start_pit();
	return measure(&c);
}

static uint64_t measure_cmos(void)
{
	uint64_t tsc;

	if (!cmos_wait_second())
		return 0;
	tsc = cpu_rdtsc();
	if (!cmos_wait_second())
		return 0;
	return clock_hz_measured(cpu_rdtsc() - tsc, 1, 1);
}

/* ---- Stated -------------------------------------------------------------- */

static uint64_t stated_by_hypervisor(void)
{
	struct cpuid c;

	cpu_cpuid(CPU_LEAF_FEATURES, 0, &c);
	if (!(c.ecx & CPU_FEATURES_ECX_HYPERVISOR) ||
	    cpu_cpuid_max(HV_LEAF_SIGNATURE) < HV_LEAF_TIMING)
		return 0;
	cpu_cpuid(HV_LEAF_TIMING, 0, &c);
	return clock_hz_measured(c.eax, 1, 1000);
}

/* Crystal times ratio; many CPUs leave the crystal out: SDM vol. 2, CPUID. */
static uint64_t stated_by_cpu(void)
{
	struct cpuid c;

	if (cpu_cpuid_max(0) < CPU_LEAF_TSC)
		return 0;
	cpu_cpuid(CPU_LEAF_TSC, 0, &c);
	return clock_hz_measured(c.ecx, c.eax, c.ebx);
}

/* The base clock on the label: off by up to 0.2 % from the TSC. */
static uint64_t stated_on_label(void)
{
	struct cpuid c;

	if (cpu_cpuid_max(0) < CPU_LEAF_FREQUENCY)
		return 0;
	cpu_cpuid(CPU_LEAF_FREQUENCY, 0, &c);
	return clock_hz_measured(c.eax & 0xFFFF, 1, 1000000);
}

uint64_t tsc_find_hz(const struct acpi_info *acpi, const char **from)
{
	uint64_t hz;

	*from = "tsc by hypervisor";
	if ((hz = stated_by_hypervisor()) != 0)
		return hz;
	*from = "tsc by cpu";
	if ((hz = stated_by_cpu()) != 0)
		return hz;
	*from = "tsc by acpi timer";
	if ((hz = measure_pm_timer(acpi)) != 0)
		return hz;
	*from = "tsc by pit";
	if ((hz = measure_pit()) != 0)
		return hz;
	*from = "tsc by label";
	if ((hz = stated_on_label()) != 0)
		return hz;
	*from = "tsc by cmos clock";
	return measure_cmos();
}

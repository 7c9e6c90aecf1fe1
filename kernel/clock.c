/*
 * The clock: see clock.h; the arithmetic is in clock_math.c.
 *
 *   clock        in force: ns = ns_base + ratio(tsc - tsc_base), and the Unix
 *                time at ns 0
 *   pv           the host's page with KVM's pvclock, else NULL: then tsc_base,
 *                ns_base and the ratio never change
 *   pv_zero_ns   the host's time at our ns 0
 *   wall_from    where the time of day comes from
 */
#include "config/limits.h"
#include "kernel/clock.h"
#include "kernel/clock_math.h"
#include "kernel/cmos.h"
#include "kernel/format.h"
#include "kernel/io.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/tsc.h"

/* Offset of the wall clock in the page shared with the host. */
#define PV_WALL_OFF 64

/* From the start to the second look at the time of day. */
#define FIRST_CHECK_NS 700000000ull

/* To measure the APIC's timer, when the TSC's rate is already known. */
#define TIMER_WINDOW_NS 1000000ull

enum wall_source {
	WALL_NONE = 0,
	WALL_PVCLOCK,
	WALL_CMOS,
};

static struct gate_clock clock;
static SEALED volatile struct pvclock_time *pv;
static SEALED volatile struct pvclock_wall *pv_wall;
static SEALED uint64_t pv_wall_pa;
static SEALED uint64_t pv_zero_ns;
static SEALED enum wall_source wall_from;
static SEALED uint8_t century_index;
static SEALED char source[48];

static uint32_t pv_version;
static uint64_t tsc_hz;
static struct clock_ratio ns_to_tsc;
static uint64_t check_ns;        /* when the time of day is looked at again */
static uint64_t check_every_ns;

/* ---- Reading ------------------------------------------------------------- */

static struct clock_ratio tsc_to_ns(void)
{
	return (struct clock_ratio){ clock.mult, clock.shift };
}

uint64_t clock_now_ns(void)
{
	return clock_at(&clock, cpu_rdtsc());
}

uint64_t clock_tsc_to_ns(uint64_t tsc)
{
	const uint64_t now_tsc = cpu_rdtsc();
	const uint64_t now_ns = clock_at(&clock, now_tsc);
	const uint64_t ago = tsc < now_tsc ?
	    clock_ratio_apply(tsc_to_ns(), now_tsc - tsc) : 0;

	return ago < now_ns ? now_ns - ago : 0;
}

uint64_t clock_ns_to_tsc(uint64_t ns)
{
	if (ns <= clock.ns_base)
		return clock.tsc_base;
	return clock.tsc_base +
	    clock_ratio_apply(ns_to_tsc, ns - clock.ns_base);
}

const char *clock_source(void)
{
	return source;
}

/* ---- KVM's pvclock: config/hypervisor.h ---------------------------------- */

/* The leaf with KVM's features, 0 if this is not KVM. */
static uint32_t find_kvm(void)
{
	struct cpuid c;

	cpu_cpuid(CPU_LEAF_FEATURES, 0, &c);
	if (!(c.ecx & CPU_FEATURES_ECX_HYPERVISOR))
		return 0;
	/* KVM moves up by 0x100 when it also imitates another hypervisor. */
	for (uint32_t at = HV_LEAF_SIGNATURE; at <= HV_LEAF_SIGNATURE + 0x100;
	    at += 0x100) {
		cpu_cpuid(at, 0, &c);
		if (c.ebx == HV_KVM_EBX && c.ecx == HV_KVM_ECX &&
		    c.edx == HV_KVM_EDX)
			return at + 1;
	}
	return 0;
}

/* Put a new base and ratio in force, in both directions. */
static void set_base(uint64_t tsc, uint64_t ns, struct clock_ratio r)
{
	clock_rebase(&clock, tsc, ns, r);
	tsc_hz = clock_ratio_hz(r);
	ns_to_tsc = clock_ratio_make(CLOCK_NS_PER_S, tsc_hz);
}

/* Take over what the host has changed, if it has. */
static void follow_pvclock(void)
{
	struct pvclock_time t;
	struct clock_ratio r;
	uint64_t tsc;

	if (pv->version == pv_version || !clock_pv_copy(pv, &t))
		return;
	pv_version = t.version;
	if (!clock_pv_ratio(&t, &r))
		return;
	tsc = cpu_rdtsc();
	set_base(tsc, clock_pv_at(&t, r, tsc) - pv_zero_ns, r);
}

static bool start_pvclock(uint64_t tsc_start)
{
	const uint32_t leaf = find_kvm();
	struct pvclock_time t;
	struct clock_ratio r;
	struct cpuid c;
	uint64_t pa, tsc, since_start;
	uint8_t *page;

	if (leaf == 0)
		return false;
	cpu_cpuid(leaf, 0, &c);
	if (!(c.eax & HV_KVM_CLOCKSOURCE2))
		return false;
	page = map_alloc(MAP_PAGE, &pa);
	pv = (volatile struct pvclock_time *)page;
	cpu_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, pa | MSR_KVM_SYSTEM_TIME_ON);
	if (!clock_pv_copy(pv, &t) || !clock_pv_ratio(&t, &r)) {
		cpu_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
		pv = NULL;
		return false;
	}
	pv_version = t.version;
	tsc = cpu_rdtsc();
	since_start = clock_ratio_apply(r, tsc - tsc_start);
	pv_zero_ns = clock_pv_at(&t, r, tsc) - since_start;
	set_base(tsc, since_start, r);

	pv_wall = (volatile struct pvclock_wall *)(page + PV_WALL_OFF);
	pv_wall_pa = pa + PV_WALL_OFF;
	return true;
}

/* ---- Time of day --------------------------------------------------------- */

/* Ask the host; it writes the answer before the instruction ends. */
static bool read_pv_wall(uint64_t *unix_ns_at_zero)
{
	cpu_wrmsr(MSR_KVM_WALL_CLOCK_NEW, pv_wall_pa);
	if (pv_wall->version == 0 || pv_wall->version % 2 != 0 ||
	    pv_wall->nsec >= CLOCK_NS_PER_S)
		return false;
	*unix_ns_at_zero = pv_wall->sec * CLOCK_NS_PER_S + pv_wall->nsec +
	    pv_zero_ns;
	return true;
}

static void start_wall(void)
{
	uint64_t unix_s;

	if (pv != NULL && read_pv_wall(&clock.wall_ns)) {
		wall_from = WALL_PVCLOCK;
		return;
	}
	if (!cmos_read(century_index, &unix_s))
		return;
	wall_from = WALL_CMOS;
	/* Somewhere within the second shown: the middle is nearest. */
	clock.wall_ns = unix_s * CLOCK_NS_PER_S + CLOCK_NS_PER_S / 2 -
	    clock_now_ns();
}

/* Hosts get set, sleep and drift: follow theirs. */
static void follow_wall(uint64_t now_ns)
{
	uint64_t unix_s;

	if (wall_from == WALL_PVCLOCK)
		(void)read_pv_wall(&clock.wall_ns);
	else if (wall_from == WALL_CMOS && cmos_read(century_index, &unix_s))
		clock.wall_ns = clock_wall_follow(clock.wall_ns + now_ns,
		    unix_s) - now_ns;
}

/*
 * Looks at a clock that shows whole seconds narrow our error down when they
 * come at different fractions of a second: at first soon, then less often.
 */
static void set_next_check(uint64_t now_ns)
{
	check_every_ns *= 2;
	if (check_every_ns > LIMIT_CLOCK_CHECK_S * CLOCK_NS_PER_S)
		check_every_ns = LIMIT_CLOCK_CHECK_S * CLOCK_NS_PER_S;
	check_ns = now_ns + check_every_ns;
}

void clock_refresh(struct gate_clock *out)
{
	uint64_t now_ns;

	if (pv != NULL)
		follow_pvclock();
	now_ns = clock_now_ns();
	if (now_ns >= check_ns) {
		follow_wall(now_ns);
		set_next_check(now_ns);
	}
	*out = clock;
}

/* ---- Start --------------------------------------------------------------- */

/*
 * Give the APIC's timer its rate.  It has been counting down since before the
 * TSC was measured; a span too short to tell is made longer.
 */
static bool start_timer(uint64_t tsc_before, uint32_t count_before)
{
	const uint64_t enough =
	    clock_ratio_apply(ns_to_tsc, TIMER_WINDOW_NS);
	uint64_t rate;
	uint32_t counts;

	if (irq_timer_is_tsc()) {
		irq_timer_start(0);
		return true;
	}
	while (cpu_rdtsc() - tsc_before < enough)
		cpu_pause();
	counts = count_before - irq_timer_count();
	rate = counts * tsc_hz / (cpu_rdtsc() - tsc_before);
	if (rate == 0)
		return false;
	irq_timer_start(rate);
	return true;
}

const char *clock_init(const struct acpi_info *acpi, uint64_t tsc_start)
{
	static const char *const wall_names[] = {
		[WALL_NONE] = "no time of day",
		[WALL_PVCLOCK] = "pvclock",
		[WALL_CMOS] = "cmos",
	};
	const uint32_t count = irq_timer_count();
	const uint64_t tsc = cpu_rdtsc();
	const char *rate_from = "kvm pvclock";

	century_index = acpi->century_index;
	if (!start_pvclock(tsc_start)) {
		const uint64_t hz = tsc_find_hz(acpi, &rate_from);

		if (hz == 0)
			return "nothing to measure time with (no pvclock, no "
			    "stated TSC frequency, no working ACPI timer, PIT "
			    "or CMOS clock)";
		set_base(tsc_start, 0, clock_ratio_make(hz, CLOCK_NS_PER_S));
	}
	if (!start_timer(tsc, count))
		return "the local APIC's timer stands still";
	start_wall();
	check_every_ns = FIRST_CHECK_NS;
	check_ns = clock_now_ns() + check_every_ns;
	format_line(source, sizeof source, "%s, %s", rate_from,
	    wall_names[wall_from]);
	return NULL;
}

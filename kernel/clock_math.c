/*
 * Arithmetic of the clock: see clock_math.h.
 */
#include "kernel/clock_math.h"

struct clock_ratio clock_ratio_make(uint64_t from_hz, uint64_t to_hz)
{
	uint64_t q, rest;
	uint32_t shift = 0;

	ASSERT(from_hz > 0 && from_hz <= 1ull << 62);
	ASSERT(to_hz > 0 && to_hz / from_hz < 1ull << 32);
	/* Long division, one bit a step, up to 32 significant bits. */
	q = to_hz / from_hz;
	rest = to_hz % from_hz;
	for (; q < 1ull << 31 && shift < 63; shift++) {
		rest *= 2;
		q = q * 2 + (rest >= from_hz);
		if (rest >= from_hz)
			rest -= from_hz;
	}
	if (rest * 2 >= from_hz && q < UINT32_MAX)
		q++;
	return (struct clock_ratio){ .mult = (uint32_t)q, .shift = shift };
}

uint64_t clock_ratio_apply(struct clock_ratio r, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * r.mult >> r.shift);
}

uint64_t clock_ratio_hz(struct clock_ratio to_ns)
{
	uint64_t q, rest;

	if (to_ns.mult == 0 || to_ns.shift > 63)
		return 0;
	q = CLOCK_NS_PER_S / to_ns.mult;
	rest = CLOCK_NS_PER_S % to_ns.mult;
	for (uint32_t i = 0; i < to_ns.shift; i++) {
		rest *= 2;
		q = q * 2 + (rest >= to_ns.mult);
		if (rest >= to_ns.mult)
			rest -= to_ns.mult;
		if (q > CLOCK_HZ_MAX)
			return 0;
	}
	return q >= CLOCK_HZ_MIN ? q : 0;
}

/* ---- The clock in force -------------------------------------------------- */

uint64_t clock_at(const struct gate_clock *clock, uint64_t tsc)
{
	const struct clock_ratio r = { clock->mult, clock->shift };
	const uint64_t ticks = tsc - clock->tsc_base;

	if ((int64_t)ticks < 0)
		return clock->ns_base;
	return clock->ns_base + clock_ratio_apply(r, ticks);
}

void clock_rebase(struct gate_clock *clock, uint64_t tsc, uint64_t ns,
    struct clock_ratio r)
{
	const uint64_t before = clock_at(clock, tsc);

	clock->tsc_base = tsc;
	clock->ns_base = ns > before ? ns : before;
	clock->mult = r.mult;
	clock->shift = r.shift;
}

/* ---- KVM's pvclock ------------------------------------------------------- */

/* Tries for a consistent copy.  The host writes while this CPU does not run. */
#define PV_TRIES 100

bool clock_pv_copy(const volatile struct pvclock_time *page,
    struct pvclock_time *out)
{
	for (unsigned i = 0; i < PV_TRIES; i++) {
		const uint32_t version = page->version;

		*out = *page;            /* volatile: between the two looks */
		if (version != 0 && version % 2 == 0 &&
		    version == page->version && version == out->version)
			return true;
	}
	return false;
}

bool clock_pv_ratio(const struct pvclock_time *time,
    struct clock_ratio *out)
{
	const int shift = 32 - time->tsc_shift;
	const struct clock_ratio r = {
		.mult = time->tsc_to_system_mul, .shift = (uint32_t)shift
	};

	if (shift < 0 || shift > 63 || clock_ratio_hz(r) == 0)
		return false;
	*out = r;
	return true;
}

uint64_t clock_pv_at(const struct pvclock_time *time, struct clock_ratio r,
    uint64_t tsc)
{
	const uint64_t ticks = tsc - time->tsc_timestamp;

	if ((int64_t)ticks < 0)
		return time->system_time;
	return time->system_time + clock_ratio_apply(r, ticks);
}

/* ---- Measuring ----------------------------------------------------------- */

uint64_t clock_hz_measured(uint64_t tsc_ticks, uint64_t counter_ticks,
    uint64_t counter_hz)
{
	uint64_t hz;

	if (counter_ticks == 0 || counter_hz == 0 ||
	    tsc_ticks > UINT64_MAX / counter_hz)
		return 0;
	hz = tsc_ticks * counter_hz / counter_ticks;
	return hz >= CLOCK_HZ_MIN && hz <= CLOCK_HZ_MAX ? hz : 0;
}

bool clock_hz_agree(uint64_t a, uint64_t b)
{
	const uint64_t low = a < b ? a : b;
	const uint64_t high = a < b ? b : a;

	return low != 0 && high - low <= high / 2000;
}

/* ---- The CMOS clock ------------------------------------------------------ */

#define STATUS_B_24H 0x02
#define STATUS_B_BINARY 0x04
#define HOUR_PM 0x80

/* Two decimal digits; 255, which is out of every range, for a bad digit. */
static uint8_t from_bcd(uint8_t v)
{
	if ((v & 0x0F) > 9 || v >> 4 > 9)
		return 255;
	return (uint8_t)((v >> 4) * 10 + (v & 0x0F));
}

static uint8_t number(const struct cmos_time *t, uint8_t v)
{
	return t->status_b & STATUS_B_BINARY ? v : from_bcd(v);
}

/* 0..23, or 255. */
static uint8_t hour_of(const struct cmos_time *t)
{
	uint8_t hour;

	if (t->status_b & STATUS_B_24H) {
		hour = number(t, t->hour);
		return hour <= 23 ? hour : 255;
	}
	/* 12 h: bit 7 is "pm", and 12 comes before 1. */
	hour = number(t, t->hour & (uint8_t)~HOUR_PM);
	if (hour < 1 || hour > 12)
		return 255;
	return (uint8_t)(hour % 12 + (t->hour & HOUR_PM ? 12 : 0));
}

static bool is_leap(uint32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
	static const uint8_t days[12] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to a date from 2000 on. */
static uint64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
	uint64_t days = 10957;           /* to 2000-01-01 */

	for (uint32_t y = 2000; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (uint32_t m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

bool clock_unix_from_cmos(const struct cmos_time *t, uint64_t *unix_s)
{
	const uint8_t second = number(t, t->second);
	const uint8_t minute = number(t, t->minute);
	const uint8_t hour = hour_of(t);
	const uint8_t day = number(t, t->day);
	const uint8_t month = number(t, t->month);
	const uint8_t short_year = number(t, t->year);
	const uint8_t century = t->century == 0 ? 20 : number(t, t->century);
	const uint32_t year = century * 100u + short_year;

	if (second > 59 || minute > 59 || hour > 23 || short_year > 99 ||
	    century < 20 || century > 99 || month < 1 || month > 12 ||
	    day < 1 || day > days_in_month(year, month))
		return false;
	*unix_s = ((days_since_1970(year, month, day) * 24 + hour) * 60 +
	    minute) * 60 + second;
	return true;
}

uint64_t clock_wall_follow(uint64_t wall_ns, uint64_t shown_s)
{
	const uint64_t first = shown_s * CLOCK_NS_PER_S;
	const uint64_t last = first + CLOCK_NS_PER_S - 1;

	if (wall_ns < first)
		return first;
	return wall_ns > last ? last : wall_ns;
}

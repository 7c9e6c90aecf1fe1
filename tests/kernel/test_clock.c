/* links: kernel/clock_math.c */
/*
 * The clock's arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/clock_math.h"

#define TEN_YEARS_S (10 * 366 * 86400ull)

void panic_at(const char *file, int line, const char *what)
{
	mock_assert(0, what, file, line);
	abort();
}

static const uint64_t some_hz[] = {
	CLOCK_HZ_MIN, 24000000, 999999999, 1000000000, 1000000001, 1193182000,
	1999999999, 2000000000, 2399996123, 3579545000, 4294967296, 4999999999,
	CLOCK_HZ_MAX,
};

/* |value - exact| is at most one in 10^9 of exact, and 1. */
static void assert_near(uint64_t value, long double exact)
{
	const long double off = value > exact ? value - exact : exact - value;

	assert_true(off <= exact * 1e-9L + 1);
}

/* ---- Ratios -------------------------------------------------------------- */

static void ratio_is_exact_to_a_billionth_for_ten_years(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(some_hz); i++) {
		const uint64_t hz = some_hz[i];
		const struct clock_ratio r =
		    clock_ratio_make(hz, CLOCK_NS_PER_S);

		assert_true(r.mult >= 1u << 31);
		assert_true(r.shift <= 63);
		for (uint64_t s = 1; s <= TEN_YEARS_S; s *= 3) {
			assert_near(clock_ratio_apply(r, s * hz),
			    (long double)s * CLOCK_NS_PER_S);
		}
	}
}

static void ratio_back_is_exact_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(some_hz); i++) {
		const struct clock_ratio r =
		    clock_ratio_make(CLOCK_NS_PER_S, some_hz[i]);

		assert_near(clock_ratio_apply(r, 10 * CLOCK_NS_PER_S),
		    10.0L * some_hz[i]);
	}
}

static void ratio_of_equal_rates_changes_nothing(void **state)
{
	const struct clock_ratio r =
	    clock_ratio_make(CLOCK_NS_PER_S, CLOCK_NS_PER_S);

	(void)state;
	assert_int_equal(clock_ratio_apply(r, 12345), 12345);
	assert_int_equal(clock_ratio_apply(r, UINT64_MAX), UINT64_MAX);
}

static void rounding_up_does_not_overflow(void **state)
{
	const struct clock_ratio r =
	    clock_ratio_make(1ull << 33, (1ull << 33) - 1);

	(void)state;
	assert_int_equal(r.mult, UINT32_MAX);
	assert_int_equal(r.shift, 32);
}

static void time_never_goes_back_tick_by_tick(void **state)
{
	const struct clock_ratio r =
	    clock_ratio_make(2399996123, CLOCK_NS_PER_S);
	uint64_t last = 0;

	(void)state;
	for (uint64_t tick = 1ull << 60; tick < (1ull << 60) + 1000; tick++) {
		const uint64_t now = clock_ratio_apply(r, tick);

		assert_true(now >= last);
		last = now;
	}
}

static void rate_of_a_ratio_is_found_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(some_hz); i++) {
		const uint64_t hz = clock_ratio_hz(
		    clock_ratio_make(some_hz[i], CLOCK_NS_PER_S));

		assert_in_range(hz, some_hz[i] - some_hz[i] / 1000000000 - 1,
		    some_hz[i] + some_hz[i] / 1000000000 + 1);
	}
}

static void a_rate_beyond_belief_is_0(void **state)
{
	(void)state;
	assert_int_equal(clock_ratio_hz((struct clock_ratio){ 0, 32 }), 0);
	assert_int_equal(clock_ratio_hz((struct clock_ratio){ 1, 64 }), 0);
	assert_int_equal(clock_ratio_hz((struct clock_ratio){ 1, 63 }), 0);
	assert_int_equal(
	    clock_ratio_hz((struct clock_ratio){ UINT32_MAX, 0 }), 0);
}

static void a_rate_of_0_is_our_mistake(void **state)
{
	(void)state;
	expect_assert_failure(clock_ratio_make(0, 1));
	expect_assert_failure(clock_ratio_make(1, 0));
	expect_assert_failure(clock_ratio_make(1, 1ull << 32));
}

/* ---- KVM's pvclock ------------------------------------------------------- */

/* The host's formula, in its own terms. */
static uint64_t host_ns(const struct pvclock_time *t, uint64_t ticks)
{
	const uint64_t shifted = t->tsc_shift < 0 ?
	    ticks >> -t->tsc_shift : ticks << t->tsc_shift;

	return (uint64_t)((unsigned __int128)shifted * t->tsc_to_system_mul >>
	    32);
}

static void pvclock_agrees_with_the_hosts_formula(void **state)
{
	/* 2, 2.4, 5 GHz and 62.5 MHz */
	const struct pvclock_time times[] = {
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = 0 },
		{ .tsc_to_system_mul = 0xD5555555, .tsc_shift = -1 },
		{ .tsc_to_system_mul = 0xCCCCCCCC, .tsc_shift = -2 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct clock_ratio r;

		assert_true(clock_pv_ratio(&times[i], &r));
		for (uint64_t ticks = 1; ticks < 1ull << 55; ticks *= 7) {
			const uint64_t ours = clock_ratio_apply(r, ticks);
			const uint64_t theirs = host_ns(&times[i], ticks);

			assert_in_range(ours, theirs, theirs + 4);
		}
	}
}

static void a_pvclock_without_sense_is_refused(void **state)
{
	/* The last two are 7.8 MHz and 32 GHz. */
	const struct pvclock_time times[] = {
		{ .tsc_to_system_mul = 0, .tsc_shift = 0 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = -32 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = 33 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = 127 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = -128 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = 8 },
		{ .tsc_to_system_mul = 0x80000000, .tsc_shift = -4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct clock_ratio r = { 1, 2 };

		assert_false(clock_pv_ratio(&times[i], &r));
		assert_int_equal(r.mult, 1);
	}
}

static void a_page_in_the_middle_of_a_change_is_not_taken(void **state)
{
	struct pvclock_time page = { .tsc_shift = -1 }, copy;

	(void)state;
	assert_false(clock_pv_copy(&page, &copy));       /* never written */
	page.version = 3;
	assert_false(clock_pv_copy(&page, &copy));
	page.version = 4;
	page.system_time = 77;
	assert_true(clock_pv_copy(&page, &copy));
	assert_memory_equal(&page, &copy, sizeof page);
}

static void the_hosts_time_counts_from_its_timestamp(void **state)
{
	const struct pvclock_time t = {
		.tsc_timestamp = 1000, .system_time = 5000,
		.tsc_to_system_mul = 0x80000000, .tsc_shift = 0,
	};
	struct clock_ratio r;

	(void)state;
	assert_true(clock_pv_ratio(&t, &r));
	assert_int_equal(clock_pv_at(&t, r, 1000), 5000);
	assert_int_equal(clock_pv_at(&t, r, 3000), 6000);
	assert_int_equal(clock_pv_at(&t, r, 999), 5000);
}

/* ---- The clock in force -------------------------------------------------- */

static const struct clock_ratio one_to_one = { 1u << 31, 31 };
static const struct clock_ratio half = { 1u << 31, 32 };

static void a_new_base_does_not_turn_time_back(void **state)
{
	struct gate_clock c = { .wall_ns = 42 };

	(void)state;
	clock_rebase(&c, 100, 0, one_to_one);
	assert_int_equal(clock_at(&c, 100), 0);
	assert_int_equal(clock_at(&c, 1100), 1000);
	clock_rebase(&c, 1100, 900, half);       /* the host is behind: wait */
	assert_int_equal(clock_at(&c, 1100), 1000);
	assert_int_equal(clock_at(&c, 1300), 1100);
	clock_rebase(&c, 1300, 5000, one_to_one); /* ahead: jump */
	assert_int_equal(clock_at(&c, 1300), 5000);
	assert_int_equal(clock_at(&c, 1301), 5001);
	assert_int_equal(c.wall_ns, 42);
}

static void a_tsc_before_the_base_is_the_base(void **state)
{
	struct gate_clock c = { 0 };

	(void)state;
	assert_int_equal(clock_at(&c, 12345), 0);
	clock_rebase(&c, 1000, 70, one_to_one);
	assert_int_equal(clock_at(&c, 999), 70);
	assert_int_equal(clock_at(&c, 0), 70);
}

/* What the server computes from its page is what the kernel computes. */
static void server_and_kernel_tell_the_same_time(void **state)
{
	struct gate_info info = { .version = GATE_VERSION };
	uint64_t before, between, after;

	(void)state;
	clock_rebase(&info.clock, __builtin_ia32_rdtsc(), 1000,
	    clock_ratio_make(2399996123, CLOCK_NS_PER_S));
	before = clock_at(&info.clock, __builtin_ia32_rdtsc());
	between = gate_now_ns(&info);
	after = clock_at(&info.clock, __builtin_ia32_rdtsc());
	assert_true(before >= 1000 && before <= between && between <= after);
}

/* ---- Measuring ----------------------------------------------------------- */

static void measured_rate_is_the_quotient(void **state)
{
	(void)state;
	assert_int_equal(clock_hz_measured(10000000, 17898, 3579545),
	    10000000ull * 3579545 / 17898);
	assert_int_equal(clock_hz_measured(CLOCK_HZ_MIN, 1, 1), CLOCK_HZ_MIN);
	assert_int_equal(clock_hz_measured(CLOCK_HZ_MAX, 1, 1), CLOCK_HZ_MAX);
}

static void measured_nonsense_is_0(void **state)
{
	(void)state;
	assert_int_equal(clock_hz_measured(10000000, 0, 3579545), 0);
	assert_int_equal(clock_hz_measured(10000000, 17898, 0), 0);
	assert_int_equal(clock_hz_measured(0, 17898, 3579545), 0);
	assert_int_equal(clock_hz_measured(UINT64_MAX, 17898, 3579545), 0);
	assert_int_equal(clock_hz_measured(CLOCK_HZ_MIN - 1, 1, 1), 0);
	assert_int_equal(clock_hz_measured(CLOCK_HZ_MAX + 1, 1, 1), 0);
}

static void agreement_is_half_a_thousandth(void **state)
{
	(void)state;
	assert_true(clock_hz_agree(2000000000, 2000000000));
	assert_true(clock_hz_agree(2000000000, 1999000000));
	assert_true(clock_hz_agree(1999000000, 2000000000));
	assert_false(clock_hz_agree(2000000000, 1998999999));
	assert_false(clock_hz_agree(0, 0));
	assert_false(clock_hz_agree(0, 2000000000));
}

/* ---- The CMOS clock ------------------------------------------------------ */

#define BINARY 0x04
#define HOURS24 0x02
#define PM 0x80

static uint8_t bcd(int v)
{
	return (uint8_t)(v / 10 << 4 | v % 10);
}

static struct cmos_time cmos_from(time_t at, uint8_t status_b)
{
	uint8_t (*const code)(int) = bcd;
	struct cmos_time t = { .status_b = status_b };
	struct tm tm;
	int hour;
	bool pm;

	gmtime_r(&at, &tm);
	pm = tm.tm_hour >= 12;
	hour = tm.tm_hour;
	if (!(status_b & HOURS24))
		hour = hour % 12 == 0 ? 12 : hour % 12;
#define CODE(v) (status_b & BINARY ? (uint8_t)(v) : code(v))
	t.second = CODE(tm.tm_sec);
	t.minute = CODE(tm.tm_min);
	t.hour = CODE(hour);
	if (!(status_b & HOURS24) && pm)
		t.hour |= PM;
	t.day = CODE(tm.tm_mday);
	t.month = CODE(tm.tm_mon + 1);
	t.year = CODE(tm.tm_year % 100);
	t.century = CODE(19 + tm.tm_year / 100);
	return t;
}

static void every_coding_of_a_time_gives_it_back(void **state)
{
	static const uint8_t codings[] = {
		0, HOURS24, BINARY, HOURS24 | BINARY,
	};

	(void)state;
	/* Steps of 11 days and 55 minutes, 2000 to 2199: every hour, too. */
	for (time_t at = 946684800; at < 7258118400; at += 953687) {
		for (size_t i = 0; i < sizeof codings; i++) {
			const struct cmos_time t = cmos_from(at, codings[i]);
			uint64_t unix_s;

			assert_true(clock_unix_from_cmos(&t, &unix_s));
			assert_int_equal(unix_s, at);
		}
	}
}

static void without_a_century_it_is_20(void **state)
{
	struct cmos_time t = cmos_from(1790000000, HOURS24);
	uint64_t unix_s;

	(void)state;
	t.century = 0;
	assert_true(clock_unix_from_cmos(&t, &unix_s));
	assert_int_equal(unix_s, 1790000000);
}

static void leap_days(void **state)
{
	static const struct {
		uint8_t century, year;
		bool leap;
	} cases[] = {
		{ 20, 0, true }, { 20, 24, true }, { 20, 26, false },
		{ 21, 0, false }, { 24, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct cmos_time t = {
			.day = 29, .month = 2, .status_b = BINARY | HOURS24,
			.year = cases[i].year, .century = cases[i].century,
		};
		uint64_t unix_s;

		assert_int_equal(clock_unix_from_cmos(&t, &unix_s),
		    cases[i].leap);
	}
}

static void each_field_out_of_range_is_refused(void **state)
{
	const struct cmos_time good = cmos_from(1790000000, BINARY | HOURS24);
	uint64_t unix_s = 77;

	(void)state;
#define REFUSED(field, v) do { \
		struct cmos_time t = good; \
		t.field = (v); \
		assert_false(clock_unix_from_cmos(&t, &unix_s)); \
	} while (0)
	REFUSED(second, 60);
	REFUSED(minute, 60);
	REFUSED(hour, 24);
	REFUSED(day, 0);
	REFUSED(day, 31);        /* September */
	REFUSED(month, 0);
	REFUSED(month, 13);
	REFUSED(year, 100);
	REFUSED(century, 19);
	REFUSED(century, 100);
	assert_int_equal(unix_s, 77);
}

static void digits_that_are_none_are_refused(void **state)
{
	const struct cmos_time good = cmos_from(1790000000, HOURS24);
	uint64_t unix_s = 77;

	(void)state;
	REFUSED(second, 0x1A);
	REFUSED(minute, 0xA1);
	REFUSED(hour, 0x0F);
	REFUSED(day, 0x0A);
	REFUSED(month, 0x0B);
	REFUSED(year, 0xA0);
	REFUSED(century, 0x2A);
	REFUSED(second, 0xFF);
	assert_int_equal(unix_s, 77);
}

static void twelve_hour_clocks_have_no_0_and_no_13(void **state)
{
	const struct cmos_time good = cmos_from(1790000000, BINARY);
	uint64_t unix_s;

	(void)state;
	REFUSED(hour, 0);
	REFUSED(hour, PM);
	REFUSED(hour, 13);
	REFUSED(hour, PM | 13);
}

static void following_stays_within_the_second_shown(void **state)
{
	(void)state;
	assert_int_equal(clock_wall_follow(5000000000, 5), 5000000000);
	assert_int_equal(clock_wall_follow(5999999999, 5), 5999999999);
	assert_int_equal(clock_wall_follow(6000000000, 5), 5999999999);
	assert_int_equal(clock_wall_follow(4999999999, 5), 5000000000);
	assert_int_equal(clock_wall_follow(0, 1790000000),
	    1790000000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ratio_is_exact_to_a_billionth_for_ten_years),
		cmocka_unit_test(ratio_back_is_exact_too),
		cmocka_unit_test(ratio_of_equal_rates_changes_nothing),
		cmocka_unit_test(rounding_up_does_not_overflow),
		cmocka_unit_test(time_never_goes_back_tick_by_tick),
		cmocka_unit_test(rate_of_a_ratio_is_found_again),
		cmocka_unit_test(a_rate_beyond_belief_is_0),
		cmocka_unit_test(a_rate_of_0_is_our_mistake),
		cmocka_unit_test(pvclock_agrees_with_the_hosts_formula),
		cmocka_unit_test(a_pvclock_without_sense_is_refused),
		cmocka_unit_test(a_page_in_the_middle_of_a_change_is_not_taken),
		cmocka_unit_test(the_hosts_time_counts_from_its_timestamp),
		cmocka_unit_test(a_new_base_does_not_turn_time_back),
		cmocka_unit_test(a_tsc_before_the_base_is_the_base),
		cmocka_unit_test(server_and_kernel_tell_the_same_time),
		cmocka_unit_test(measured_rate_is_the_quotient),
		cmocka_unit_test(measured_nonsense_is_0),
		cmocka_unit_test(agreement_is_half_a_thousandth),
		cmocka_unit_test(every_coding_of_a_time_gives_it_back),
		cmocka_unit_test(without_a_century_it_is_20),
		cmocka_unit_test(leap_days),
		cmocka_unit_test(each_field_out_of_range_is_refused),
		cmocka_unit_test(digits_that_are_none_are_refused),
		cmocka_unit_test(twelve_hour_clocks_have_no_0_and_no_13),
		cmocka_unit_test(following_stays_within_the_second_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

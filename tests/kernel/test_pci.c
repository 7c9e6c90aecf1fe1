/* links: kernel/pci.c tests/kernel/fake_pci.c tests/host_panic.c */
/*
 * Configuration space: finding functions, lists that do not end, BARs that cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/pci.h"
#include "tests/kernel/fake_pci.h"

#define FN(bus, dev, fn) ((bus) << 8 | (dev) << 3 | (fn))
#define MULTI  0x80
#define BRIDGE 0x01

static int clear(void **state)
{
	(void)state;
	fake_pci_clear();
	return 0;
}

/* ---- Finding ------------------------------------------------------------- */

static void scan_finds(const uint16_t *expected, unsigned count)
{
	struct pci_scan scan = { 0 };
	uint16_t fn;
	uint32_t id;

	for (unsigned i = 0; i < count; i++) {
		assert_true(pci_next(&scan, &fn, &id));
		assert_int_equal(fn, expected[i]);
		assert_int_equal(id & 0xFFFF, 0x1AF4);
	}
	assert_false(pci_next(&scan, &fn, &id));
	assert_false(pci_next(&scan, &fn, &id));
}

static void a_machine_without_pci_ends_the_search_at_once(void **state)
{
	struct pci_scan scan = { 0 };
	uint16_t fn;
	uint32_t id;

	(void)state;
	fake_pci.absent = true;
	assert_false(pci_next(&scan, &fn, &id));
	assert_int_equal(fake_pci.accesses, 1);
}

static void every_device_of_bus_0_is_found_in_few_accesses(void **state)
{
	static const uint16_t expected[] = { FN(0, 0, 0), FN(0, 31, 0) };

	(void)state;
	fake_pci_add(FN(0, 31, 0), 0x1AF4, 0x1041, 0);
	fake_pci_add(FN(0, 0, 0), 0x1AF4, 0x1000, 0);
	scan_finds(expected, 2);
	assert_true(fake_pci.accesses < 40);
}

static void further_functions_count_only_where_the_first_says_so(void **state)
{
	static const uint16_t expected[] = {
		FN(0, 3, 0), FN(0, 3, 2), FN(0, 3, 7), FN(0, 4, 0), FN(0, 31, 0),
		FN(0, 31, 7),
	};

	(void)state;
	fake_pci_add(FN(0, 3, 0), 0x1AF4, 1, MULTI);
	fake_pci_add(FN(0, 3, 2), 0x1AF4, 1, 0);
	fake_pci_add(FN(0, 3, 7), 0x1AF4, 1, 0);
	fake_pci_add(FN(0, 4, 0), 0x1AF4, 1, 0);
	fake_pci_add(FN(0, 4, 1), 0x1AF4, 1, 0);
	fake_pci_add(FN(0, 5, 1), 0x1AF4, 1, 0);
	fake_pci_add(FN(0, 31, 0), 0x1AF4, 1, MULTI);
	fake_pci_add(FN(0, 31, 7), 0x1AF4, 1, 0);
	scan_finds(expected, 6);
}

static struct fake_fn *add_bridge(uint16_t fn, uint8_t behind)
{
	struct fake_fn *f = fake_pci_add(fn, 0x1AF4, 2, BRIDGE);

	f->bytes[0x19] = behind;
	return f;
}

static void buses_behind_bridges_are_searched(void **state)
{
	static const uint16_t expected[] = {
		FN(0, 1, 0), FN(5, 0, 0), FN(5, 1, 0), FN(200, 9, 0),
	};

	(void)state;
	add_bridge(FN(0, 1, 0), 5);
	fake_pci_add(FN(5, 0, 0), 0x1AF4, 1, 0);
	add_bridge(FN(5, 1, 0), 200);
	fake_pci_add(FN(200, 9, 0), 0x1AF4, 1, 0);
	fake_pci_add(FN(7, 0, 0), 0x1AF4, 1, 0);
	scan_finds(expected, 4);
}

static void bridges_that_point_in_circles_are_visited_once(void **state)
{
	static const uint16_t expected[] = {
		FN(0, 1, 0), FN(3, 0, 0), FN(3, 1, 0), FN(3, 2, 0),
	};

	(void)state;
	add_bridge(FN(0, 1, 0), 3);
	add_bridge(FN(3, 0, 0), 0);
	add_bridge(FN(3, 1, 0), 3);
	add_bridge(FN(3, 2, 0), 255);
	scan_finds(expected, 4);
}

/* ---- Capabilities -------------------------------------------------------- */

static struct fake_fn *add_device(void)
{
	return fake_pci_add(FN(0, 2, 0), 0x1AF4, 0x1041, 0);
}

static void capabilities_come_in_list_order(void **state)
{
	struct pci_cap_scan scan = { 0 };
	struct fake_fn *f = add_device();
	uint8_t off, id;

	(void)state;
	fake_pci_cap(f, 0xFC, 0x11);
	fake_pci_cap(f, 0x40, 0x09);
	f->bytes[0x34] |= 3;          /* PCI, section 6.7: to be ignored */
	assert_true(pci_cap_next(f->fn, &scan, &off, &id));
	assert_int_equal(off, 0x40);
	assert_int_equal(id, 0x09);
	assert_true(pci_cap_next(f->fn, &scan, &off, &id));
	assert_int_equal(off, 0xFC);
	assert_int_equal(id, 0x11);
	assert_false(pci_cap_next(f->fn, &scan, &off, &id));
	assert_false(scan.bad);
}

static void without_the_status_bit_there_is_no_list(void **state)
{
	struct pci_cap_scan scan = { 0 };
	struct fake_fn *f = add_device();
	uint8_t off, id;

	(void)state;
	f->bytes[0x34] = 0x40;
	f->bytes[0x40] = 0x09;
	assert_false(pci_cap_next(f->fn, &scan, &off, &id));
	assert_false(scan.bad);
}

static void a_list_that_loops_is_bad(void **state)
{
	struct pci_cap_scan scan = { 0 };
	struct fake_fn *f = add_device();
	unsigned steps = 0;
	uint8_t off, id;

	(void)state;
	fake_pci_cap(f, 0x50, 0x09);
	fake_pci_cap(f, 0x40, 0x09);
	f->bytes[0x51] = 0x40;
	while (pci_cap_next(f->fn, &scan, &off, &id))
		steps++;
	assert_int_equal(steps, PCI_CAPS_MAX);
	assert_true(scan.bad);
}

static void a_list_that_points_into_the_header_is_bad(void **state)
{
	struct pci_cap_scan scan = { 0 };
	struct fake_fn *f = add_device();
	uint8_t off, id;

	(void)state;
	fake_pci_cap(f, 0x40, 0x09);
	f->bytes[0x41] = 0x3C;
	assert_true(pci_cap_next(f->fn, &scan, &off, &id));
	assert_false(pci_cap_next(f->fn, &scan, &off, &id));
	assert_true(scan.bad);
	assert_false(pci_cap_next(f->fn, &scan, &off, &id));
}

/* ---- BARs ---------------------------------------------------------------- */

static void a_bar_is_measured_and_put_back(unsigned index, uint64_t pa,
    uint64_t len, bool wide)
{
	struct fake_fn *f = add_device();
	struct pci_bar bar;
	uint8_t before[256];

	fake_pci_bar(f, index, pa, len, wide);
	f->bytes[4] = 7;              /* the firmware left all of it on */
	pci_set_memory(f->fn, false);
	assert_int_equal(f->bytes[4], 4);
	memcpy(before, f->bytes, sizeof before);
	assert_null(pci_bar(f->fn, index, &bar));
	assert_int_equal(bar.pa, pa);
	assert_int_equal(bar.len, len);
	assert_memory_equal(f->bytes, before, sizeof before);
	assert_false(f->measured_while_decoding);
}

static void memory_bars_are_measured_and_put_back(void **state)
{
	(void)state;
	a_bar_is_measured_and_put_back(0, 0xFEB00000, 16, false);
	clear(NULL);
	a_bar_is_measured_and_put_back(5, 0xFEB00000, 0x100000, false);
	clear(NULL);
	a_bar_is_measured_and_put_back(4, 0xFE000000, 0x4000, true);
	clear(NULL);
	a_bar_is_measured_and_put_back(2, 0x3800000000, 0x4000, true);
	clear(NULL);
	a_bar_is_measured_and_put_back(2, 1ull << 40, 1ull << 36, true);
}

static void prefetchable_makes_no_difference(void **state)
{
	struct fake_fn *f = add_device();
	struct pci_bar bar;

	(void)state;
	fake_pci_bar(f, 4, 0xFE000000, 0x4000, true);
	f->bytes[0x10 + 16] |= 8;
	assert_null(pci_bar(f->fn, 4, &bar));
	assert_int_equal(bar.pa, 0xFE000000);
	assert_int_equal(bar.len, 0x4000);
}

static void bar_is_refused(unsigned index, const char *word)
{
	struct pci_bar bar;
	const char *wrong = pci_bar(FN(0, 2, 0), index, &bar);

	assert_non_null(wrong);
	assert_non_null(strstr(wrong, word));
}

static void a_bar_number_that_pci_does_not_have_is_refused(void **state)
{
	(void)state;
	add_device();
	bar_is_refused(6, "does not have");
	bar_is_refused(255, "does not have");
	assert_int_equal(fake_pci.accesses, 0);
}

static void an_io_bar_is_refused(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	store_le32(f->bytes + 0x10, 0xC001);
	bar_is_refused(0, "I/O");
	assert_int_equal(f->writes, 0);
}

static void a_bar_of_reserved_type_is_refused(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	fake_pci_bar(f, 0, 0xFE000000, 0x1000, false);
	f->bytes[0x10] |= 2;
	bar_is_refused(0, "reserved");
	f->bytes[0x10] |= 6;
	bar_is_refused(0, "reserved");
}

static void the_last_bar_cannot_be_wide(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	fake_pci_bar(f, 5, 0xFE000000, 0x1000, true);
	bar_is_refused(5, "upper half");
}

static void a_bar_without_address_is_refused(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	fake_pci_bar(f, 0, 0, 0x1000, false);
	bar_is_refused(0, "no address");
	bar_is_refused(1, "no address");
}

static void a_bar_that_is_not_there_is_refused(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	/* An address that cannot be changed: all of its bits look like size. */
	store_le32(f->bytes + 0x10, 0xFE001230);
	bar_is_refused(0, "impossible");
}

static void a_bar_past_the_physical_addresses_is_refused(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	fake_pci_bar(f, 0, 1ull << 52, 0x1000, true);
	bar_is_refused(0, "impossible");
}

/* ---- Switches ------------------------------------------------------------ */

static void switches_change_their_own_bits_only(void **state)
{
	struct fake_fn *f = add_device();

	(void)state;
	store_le32(f->bytes + 4, 0x00100140);
	pci_set_memory(f->fn, true);
	assert_int_equal(load_le32(f->bytes + 4), 0x00100542);
	pci_set_memory(f->fn, true);
	assert_int_equal(f->writes, 1);
	pci_set_bus_master(f->fn, true);
	assert_int_equal(load_le32(f->bytes + 4), 0x00100546);
	pci_set_bus_master(f->fn, false);
	assert_int_equal(load_le32(f->bytes + 4), 0x00100542);
}

#define CASE(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_machine_without_pci_ends_the_search_at_once),
		CASE(every_device_of_bus_0_is_found_in_few_accesses),
		CASE(further_functions_count_only_where_the_first_says_so),
		CASE(buses_behind_bridges_are_searched),
		CASE(bridges_that_point_in_circles_are_visited_once),
		CASE(capabilities_come_in_list_order),
		CASE(without_the_status_bit_there_is_no_list),
		CASE(a_list_that_loops_is_bad),
		CASE(a_list_that_points_into_the_header_is_bad),
		CASE(memory_bars_are_measured_and_put_back),
		CASE(prefetchable_makes_no_difference),
		CASE(a_bar_number_that_pci_does_not_have_is_refused),
		CASE(an_io_bar_is_refused),
		CASE(a_bar_of_reserved_type_is_refused),
		CASE(the_last_bar_cannot_be_wide),
		CASE(a_bar_without_address_is_refused),
		CASE(a_bar_that_is_not_there_is_refused),
		CASE(a_bar_past_the_physical_addresses_is_refused),
		CASE(switches_change_their_own_bits_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

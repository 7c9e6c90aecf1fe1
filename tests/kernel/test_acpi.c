/* links: kernel/acpi.c kernel/acpi_table.c kernel/acpi_aml.c */
/*
 * ACPI tables: root pointer, root tables, FADT, MADT.
 */
#include "config/limits.h"
#include "tests/kernel/acpi_memory.h"

/* ---- The two machines ---------------------------------------------------- */

static void a_pc_is_understood(void **state)
{
	struct acpi_info a;

	(void)state;
	pm_machine();
	a = parse(RSDP);
	assert_true(a.present);
	assert_false(a.hw_reduced);
	assert_false(a.pm_timer_32bit);
	is_port(a.pm1a_status, 0x600);
	is_port(a.pm1a_enable, 0x602);
	is_port(a.pm1a_control, 0x604);
	is_port(a.pm_timer, 0x608);
	is_absent(a.pm1b_status);
	is_absent(a.pm1b_enable);
	is_absent(a.pm1b_control);
	is_absent(a.reset);
	is_absent(a.sleep_control);
	is_absent(a.event_select);
	assert_int_equal(a.smi_port, 0xB2);
	assert_int_equal(a.acpi_enable, 0xF1);
	assert_int_equal(a.century_index, 0x32);
	assert_true(a.s5_known);
	assert_int_equal(a.s5_type_a, 5);
	assert_int_equal(a.s5_type_b, 6);
}

static void a_reduced_machine_is_understood(void **state)
{
	struct acpi_info a;

	(void)state;
	reduced_machine();
	a = parse(RSDP);
	assert_true(a.present);
	assert_true(a.hw_reduced);
	is_memory(a.reset, 0xFEA00202);
	assert_int_equal(a.reset_value, 0x42);
	is_memory(a.sleep_control, 0xFEA00200);
	is_memory(a.event_select, 0xFEA00000);
	is_absent(a.pm1a_status);
	is_absent(a.pm1a_control);
	is_absent(a.pm_timer);
	assert_int_equal(a.smi_port, 0);
	assert_true(a.s5_known);
}

/* ---- Root pointer and root tables ---------------------------------------- */

static void nothing_is_no_acpi(void **state)
{
	struct acpi_info a, zero;

	(void)state;
	memset(memory, 0, sizeof memory);
	memset(&zero, 0, sizeof zero);
	a = parse(0);
	assert_memory_equal(&a, &zero, sizeof a);
	a = parse(0x1234);
	assert_false(a.present);
	a = parse(UINT64_MAX);
	assert_false(a.present);
	a = parse(ACPI_WINDOW_END - 4);
	assert_false(a.present);
}

static void the_pointer_is_searched_where_bioses_put_it(void **state)
{
	static const uint32_t places[] = { 0xE0000, 0xF59D0, 0xFFFD0, 0x9FC00 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		pm_machine();
		memset(memory + RSDP, 0, 36);
		put_rsdp(places[i], 0);
		store_le16(memory + 0x40E, 0x9FC0);
		assert_true(parse(0).present);
		assert_true(parse(0x1234).present);
	}
}

static void the_pointer_is_not_searched_elsewhere(void **state)
{
	static const uint32_t places[] = { 0xDFFF0, 0xF5008, 0xA0000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		pm_machine();
		memset(memory + RSDP, 0, 36);
		put_rsdp(places[i], 0);
		store_le16(memory + 0x40E, 0xA000);
		assert_false(parse(0).present);
	}
}

static void a_pointer_with_a_wrong_sum_is_no_pointer(void **state)
{
	(void)state;
	pm_machine();
	memory[RSDP + 8]++;
	assert_false(parse(RSDP).present);
}

static void the_wide_root_is_preferred_and_needs_its_sum(void **state)
{
	(void)state;
	reduced_machine();
	memory[RSDT]++;
	assert_true(parse(RSDP).present);
	memory[RSDT]--;
	memory[RSDP + 32]++;             /* wide part unsound: narrow root */
	assert_true(parse(RSDP).present);
	memory[XSDT]++;
	assert_true(parse(RSDP).present);
	memory[RSDT]++;
	assert_false(parse(RSDP).present);
}

static void a_root_with_a_wrong_sum_is_no_root(void **state)
{
	(void)state;
	pm_machine();
	memory[RSDT + 40]++;
	assert_false(parse(RSDP).present);
}

static void a_table_outside_the_window_is_passed_over(void **state)
{
	(void)state;
	reduced_machine();
	store_le64(memory + XSDT + 36, 0x100000000);
	sign_table(XSDT);
	is_absent(parse(RSDP).reset);
	assert_true(parse(RSDP).present);
	store_le64(memory + XSDT + 36, UINT64_MAX - 3);
	sign_table(XSDT);
	is_absent(parse(RSDP).reset);
}

static void a_table_of_odd_length_is_passed_over(void **state)
{
	static const struct {
		uint32_t len;
		bool good;
	} cases[] = {
		{ 0, false }, { 35, false }, { UINT32_MAX, false },
		{ 116, true }, { LIMIT_ACPI_TABLE_LEN, true },
		{ LIMIT_ACPI_TABLE_LEN + 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pm_machine();
		store_le32(memory + FADT + 4, cases[i].len);
		if (cases[i].len < MEMORY_LEN - FADT)
			sign_table(FADT);
		assert_true(parse(RSDP).present);
		assert_int_equal(parse(RSDP).pm_timer.space,
		    cases[i].good ? ACPI_PORT : ACPI_ABSENT);
	}
}

static void a_table_longer_than_memory_is_passed_over(void **state)
{
	(void)state;
	pm_machine();
	store_le32(memory + RSDT + 36, MEMORY_LEN - 256);
	sign_table(RSDT);
	memcpy(memory + MEMORY_LEN - 256, memory + FADT, 116);
	is_port(parse(RSDP).pm_timer, 0x608);
	store_le32(memory + MEMORY_LEN - 256 + 4, 257);
	sign(memory + MEMORY_LEN - 256, 256, 9);
	is_absent(parse(RSDP).pm_timer);
}

static void addresses_outside_the_window_are_not_read(void **state)
{
	uint8_t buf[8] = { 7 };

	(void)state;
	assert_false(acpi_read_identity(NULL, 0, buf, 1));
	assert_false(acpi_read_identity(NULL, ACPI_WINDOW_END, buf, 1));
	assert_false(acpi_read_identity(NULL, ACPI_WINDOW_END - 7, buf, 8));
	assert_false(acpi_read_identity(NULL, UINT64_MAX, buf, 8));
	assert_int_equal(buf[0], 7);
}

static void work_is_bounded_by_the_number_of_tables(void **state)
{
	static uint32_t tables[LIMIT_ACPI_TABLES * 4];

	(void)state;
	pm_machine();
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		tables[i] = SSDT;
	tables[LIMIT_ACPI_TABLES - 1] = FADT;
	tables[LIMIT_ACPI_TABLES] = MADT;
	put_body(RSDT, "RSDT", tables, sizeof tables);
	put_body(SSDT, "SSDT", "", 0);
	put_table(MADT, "APIC", 44 + 12);
	memory[MADT + 44] = 1;
	memory[MADT + 45] = 12;
	store_le32(memory + MADT + 48, 0xFEC00000);
	sign_table(MADT);
	is_port(parse(RSDP).pm_timer, 0x608);        /* one at the limit */
	assert_int_equal(parse(RSDP).ioapic_count, 0); /* one over */
	assert_in_range(reads, 1, 40 * LIMIT_ACPI_TABLES);
}

/* ---- FADT ---------------------------------------------------------------- */

static void blocks_too_short_are_absent(void **state)
{
	(void)state;
	pm_machine();
	fadt8(88, 3);
	is_absent(parse(RSDP).pm1a_status);
	is_absent(parse(RSDP).pm1a_enable);
	fadt8(89, 1);
	is_absent(parse(RSDP).pm1a_control);
	fadt8(91, 3);
	is_absent(parse(RSDP).pm_timer);
}

static void ports_beyond_16_bits_are_absent(void **state)
{
	(void)state;
	pm_machine();
	fadt32(76, 0x10608);
	is_absent(parse(RSDP).pm_timer);
	fadt32(76, 0xFFFD);
	is_absent(parse(RSDP).pm_timer);
	fadt32(76, 0xFFFC);
	is_port(parse(RSDP).pm_timer, 0xFFFC);
	fadt32(56, 0xFFFB);
	is_port(parse(RSDP).pm1a_status, 0xFFFB);
	is_absent(parse(RSDP).pm1a_enable);
	fadt32(48, 0x100B2);
	assert_int_equal(parse(RSDP).smi_port, 0);
	assert_int_equal(parse(RSDP).acpi_enable, 0);
}

static void wide_blocks_go_first(void **state)
{
	(void)state;
	pm_machine();
	store_le32(memory + FADT + 4, 244);
	put_gas(FADT + 148, 1, 0x1800);
	put_gas(FADT + 172, 1, 0x1804);
	put_gas(FADT + 208, 0, 0xFED80000);
	fadt32(112, 1u << 8);
	is_port(parse(RSDP).pm1a_status, 0x1800);
	is_port(parse(RSDP).pm1a_enable, 0x1802);
	is_port(parse(RSDP).pm1a_control, 0x1804);
	is_memory(parse(RSDP).pm_timer, 0xFED80000);
	assert_true(parse(RSDP).pm_timer_32bit);
}

static void wide_blocks_of_unknown_spaces_are_passed_over(void **state)
{
	(void)state;
	pm_machine();
	store_le32(memory + FADT + 4, 244);
	put_gas(FADT + 208, 2, 0xFED80000);
	sign_table(FADT);
	is_port(parse(RSDP).pm_timer, 0x608);
	put_gas(FADT + 208, 0, 0x1FED80000);
	sign_table(FADT);
	is_port(parse(RSDP).pm_timer, 0x608);
	put_gas(FADT + 208, 1, 0x10000);
	sign_table(FADT);
	is_port(parse(RSDP).pm_timer, 0x608);
}

static void reset_needs_its_flag(void **state)
{
	(void)state;
	reduced_machine();
	fadt32(112, 1u << 20);
	is_absent(parse(RSDP).reset);
	assert_int_equal(parse(RSDP).reset_value, 0);
}

static void a_century_beyond_the_cmos_is_none(void **state)
{
	(void)state;
	pm_machine();
	fadt8(108, 0x80);
	assert_int_equal(parse(RSDP).century_index, 0);
	fadt8(108, 0x7F);
	assert_int_equal(parse(RSDP).century_index, 0x7F);
}

static void a_wrong_sum_makes_the_fadt_absent(void **state)
{
	(void)state;
	pm_machine();
	memory[FADT + 76]++;
	is_absent(parse(RSDP).pm_timer);
	assert_false(parse(RSDP).s5_known);
}

/* ---- MADT ---------------------------------------------------------------- */

static void interrupt_wiring_is_read(void **state)
{
	struct acpi_info a;

	(void)state;
	pm_machine();
	put_body(MADT, "APIC", "\x00\x00\xE0\xFE\x01\x00\x00\x00"
	    "\x00\x08\x00\x00\x01\x00\x00\x00"               /* a CPU */
	    "\x01\x0C\x00\x00\x00\x00\xC0\xFE\x00\x00\x00\x00"
	    "\x02\x0A\x00\x00\x02\x00\x00\x00\x00\x00"       /* 0 -> 2 */
	    "\x02\x0A\x00\x09\x09\x00\x00\x00\x0F\x00"       /* level, low */
	    "\x02\x0A\x00\x05\x05\x00\x00\x00\x0D\x00"       /* level, high */
	    "\xFE\x02"                                       /* unknown */
	    "\x09\x10\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"
	    "\x01\x0C\x01\x00\x00\x00\xC1\xFE\x18\x00\x00\x00",
	    8 + 8 + 12 + 30 + 2 + 16 + 12);
	a = parse(RSDP);
	assert_int_equal(a.ioapic_count, 2);
	assert_int_equal(a.ioapics[0].pa, 0xFEC00000);
	assert_int_equal(a.ioapics[0].gsi_base, 0);
	assert_int_equal(a.ioapics[1].pa, 0xFEC10000);
	assert_int_equal(a.ioapics[1].gsi_base, 24);
	assert_int_equal(a.override_count, 3);
	assert_int_equal(a.overrides[0].isa_irq, 0);
	assert_int_equal(a.overrides[0].gsi, 2);
	assert_false(a.overrides[0].level);
	assert_false(a.overrides[0].active_low);
	assert_true(a.overrides[1].level);
	assert_true(a.overrides[1].active_low);
	assert_true(a.overrides[2].level);
	assert_false(a.overrides[2].active_low);
}

static void entries_that_do_not_fit_end_the_list(void **state)
{
	uint8_t body[8 + 12 + 12] = { 0 };
	uint8_t *second = body + 8 + 12;

	(void)state;
	pm_machine();
	body[8] = 1;
	body[9] = 12;
	store_le32(body + 12, 0xFEC00000);
	memcpy(second, body + 8, 12);
	put_body(MADT, "APIC", body, sizeof body);
	assert_int_equal(parse(RSDP).ioapic_count, 2);
	for (unsigned len = 0; len < 256; len++) {
		if (len == 12)
			continue;
		second[1] = (uint8_t)len;
		put_body(MADT, "APIC", body, sizeof body);
		assert_int_equal(parse(RSDP).ioapic_count, 1);
	}
}

static void controllers_and_overrides_beyond_the_cap_are_left_out(void **state)
{
	static uint8_t body[8 + 12 * (ACPI_IOAPICS_CAP + 1) +
	    10 * (ACPI_IRQ_OVERRIDES_CAP + 1)];
	uint8_t *at = body + 8;
	struct acpi_info a;

	(void)state;
	pm_machine();
	for (unsigned i = 0; i <= ACPI_IOAPICS_CAP; i++, at += 12) {
		at[0] = 1;
		at[1] = 12;
		store_le32(at + 4, 0xFEC00000 + 0x1000 * i);
	}
	for (unsigned i = 0; i <= ACPI_IRQ_OVERRIDES_CAP; i++, at += 10) {
		at[0] = 2;
		at[1] = 10;
	}
	put_body(MADT, "APIC", body, sizeof body);
	a = parse(RSDP);
	assert_int_equal(a.ioapic_count, ACPI_IOAPICS_CAP);
	assert_int_equal(a.override_count, ACPI_IRQ_OVERRIDES_CAP);
}

static void controllers_at_impossible_places_are_left_out(void **state)
{
	static const uint32_t places[] = { 0, 0xFFFFFFE1, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		uint8_t body[8 + 12] = { [8] = 1, [9] = 12 };

		pm_machine();
		store_le32(body + 12, places[i]);
		put_body(MADT, "APIC", body, sizeof body);
		assert_int_equal(parse(RSDP).ioapic_count, 0);
	}
}

/* ---- Validity ------------------------------------------------------------ */

static void what_is_out_of_bounds_is_not_valid(void **state)
{
	const struct acpi_info sound = { .present = true };

	(void)state;
	assert_true(acpi_info_valid(&sound));
#define INVALID(field, v) do { \
		struct acpi_info a = sound; \
		a.field = (v); \
		assert_false(acpi_info_valid(&a)); \
	} while (0)
	INVALID(reset.addr, 1);                  /* with ACPI_ABSENT */
	INVALID(reset.space, ACPI_PORT);         /* at 0 */
	INVALID(reset.space, ACPI_MEMORY);
	INVALID(event_select.space, 3);
	INVALID(ioapic_count, ACPI_IOAPICS_CAP + 1);
	INVALID(ioapic_count, 1);                /* at 0 */
	INVALID(override_count, ACPI_IRQ_OVERRIDES_CAP + 1);
	INVALID(virtio_count, ACPI_VIRTIO_CAP + 1);
	INVALID(virtio_count, 1);                /* at 0 */
	INVALID(s5_type_a, 8);
	INVALID(s5_type_b, 8);
	INVALID(century_index, 0x80);
#define REG(s, a) ((struct acpi_reg){ .space = (s), .addr = (a) })
	INVALID(pm_timer, REG(ACPI_PORT, 0xFFFD));
	INVALID(pm_timer, REG(ACPI_MEMORY, UINT32_MAX - 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pc_is_understood),
		cmocka_unit_test(a_reduced_machine_is_understood),
		cmocka_unit_test(nothing_is_no_acpi),
		cmocka_unit_test(the_pointer_is_searched_where_bioses_put_it),
		cmocka_unit_test(the_pointer_is_not_searched_elsewhere),
		cmocka_unit_test(a_pointer_with_a_wrong_sum_is_no_pointer),
		cmocka_unit_test(the_wide_root_is_preferred_and_needs_its_sum),
		cmocka_unit_test(a_root_with_a_wrong_sum_is_no_root),
		cmocka_unit_test(a_table_outside_the_window_is_passed_over),
		cmocka_unit_test(a_table_of_odd_length_is_passed_over),
		cmocka_unit_test(a_table_longer_than_memory_is_passed_over),
		cmocka_unit_test(addresses_outside_the_window_are_not_read),
		cmocka_unit_test(work_is_bounded_by_the_number_of_tables),
		cmocka_unit_test(blocks_too_short_are_absent),
		cmocka_unit_test(ports_beyond_16_bits_are_absent),
		cmocka_unit_test(wide_blocks_go_first),
		cmocka_unit_test(wide_blocks_of_unknown_spaces_are_passed_over),
		cmocka_unit_test(reset_needs_its_flag),
		cmocka_unit_test(a_century_beyond_the_cmos_is_none),
		cmocka_unit_test(a_wrong_sum_makes_the_fadt_absent),
		cmocka_unit_test(interrupt_wiring_is_read),
		cmocka_unit_test(entries_that_do_not_fit_end_the_list),
		cmocka_unit_test(
		    controllers_and_overrides_beyond_the_cap_are_left_out),
		cmocka_unit_test(controllers_at_impossible_places_are_left_out),
		cmocka_unit_test(what_is_out_of_bounds_is_not_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

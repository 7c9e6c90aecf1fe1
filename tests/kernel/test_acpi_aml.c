/* links: kernel/acpi.c kernel/acpi_table.c kernel/acpi_aml.c */
/*
 * ACPI bytecode: the shapes we recognise, and where we do not read.
 */
#include "tests/kernel/acpi_memory.h"

/* ---- \_S5 ---------------------------------------------------------------- */

#define DSDT_IS(bytes) put_body(DSDT, "DSDT", bytes, sizeof bytes - 1)

static void sleep_types_in_every_coding(void **state)
{
	struct acpi_info a;

	(void)state;
	pm_machine();
	DSDT_IS("..\x08_S5_\x12\x06\x04\x00\x01\x00\x00");
	a = parse(RSDP);
	assert_true(a.s5_known);
	assert_int_equal(a.s5_type_a, 0);
	assert_int_equal(a.s5_type_b, 1);
	DSDT_IS("..\x08\\_S5_\x12\x0A\x02\x0B\x07\x00\x0C\x06\x00\x00\x00");
	a = parse(RSDP);
	assert_int_equal(a.s5_type_a, 7);
	assert_int_equal(a.s5_type_b, 6);
	DSDT_IS("..\x08_S5_\x12\x40\x01\x02\x0A\x03\x0A\x04");
	a = parse(RSDP);
	assert_int_equal(a.s5_type_a, 3);
	assert_int_equal(a.s5_type_b, 4);
	DSDT_IS("..\x08_S5_\x12\x03\x01\x0A\x02");
	a = parse(RSDP);
	assert_int_equal(a.s5_type_a, 2);
	assert_int_equal(a.s5_type_b, 2);
	DSDT_IS("..\x08_S5_\x12\x06\x02\x0A\x07\x0A\x07");
	a = parse(RSDP);
	assert_int_equal(a.s5_type_a, 7);
	assert_int_equal(a.s5_type_b, 7);
}

static void a_second_type_that_is_none_is_the_first(void **state)
{
	(void)state;
	pm_machine();
	DSDT_IS("..\x08_S5_\x12\x06\x02\x0A\x03\x0A\x08");
	assert_int_equal(parse(RSDP).s5_type_b, 3);
	DSDT_IS("..\x08_S5_\x12\x06\x02\x0A\x03\x0D\x05");
	assert_int_equal(parse(RSDP).s5_type_b, 3);
	DSDT_IS("..\x08_S5_\x12\x06\x01\x0A\x03\x0A\x05");
	assert_int_equal(parse(RSDP).s5_type_b, 3);
}

static void the_first_package_counts(void **state)
{
	(void)state;
	pm_machine();
	DSDT_IS("..\x08_S5_\x12\x06\x01\x0A\x03" S5);
	assert_int_equal(parse(RSDP).s5_type_a, 3);
}

static void what_is_not_a_sleep_package_is_passed_over(void **state)
{
	(void)state;
	pm_machine();
	DSDT_IS("...._S5_\x12\x06\x04\x0A\x05\x0A\x05");
	assert_false(parse(RSDP).s5_known);
	DSDT_IS("..\x08_S5_\x13\x06\x04\x0A\x05\x0A\x05");
	assert_false(parse(RSDP).s5_known);
	DSDT_IS("..\x08_S5_\x12\x06\x00\x0A\x05\x0A\x05");
	assert_false(parse(RSDP).s5_known);
	DSDT_IS("..\x08_S5_\x12\x06\x04\x0A\x08\x0A\x05");
	assert_false(parse(RSDP).s5_known);
	DSDT_IS("..\x08_S5_\x12\x06\x04\x0D\x05\x0A\x05");
	assert_false(parse(RSDP).s5_known);
	DSDT_IS("..\x08_S5_\x13..\x08_S5_\x12\x06\x04\x0A\x03\x0A\x05");
	assert_int_equal(parse(RSDP).s5_type_a, 3);
}

static void a_sleep_package_is_not_read_beyond_its_table(void **state)
{
	static const char whole[] = "..\x08_S5_\x12\x06\x02\x0B\x05\x00";

	(void)state;
	for (uint32_t len = 0; len < sizeof whole - 1; len++) {
		pm_machine();
		put_body(DSDT, "DSDT", whole, sizeof whole - 1);
		store_le32(memory + DSDT + 4, 36 + len);
		sign_table(DSDT);
		assert_false(parse(RSDP).s5_known);
	}
	put_body(DSDT, "DSDT", whole, sizeof whole - 1);
	assert_true(parse(RSDP).s5_known);
}

static void the_package_may_be_in_another_table(void **state)
{
	(void)state;
	pm_machine();
	DSDT_IS("..");
	put_body(SSDT, "SSDT", "..\x08_S5_\x12\x06\x04\x0A\x05\x0A\x05", 14);
	assert_int_equal(parse(RSDP).s5_type_a, 5);
}

static void a_package_across_chunks_is_found(void **state)
{
	char body[600];

	(void)state;
	for (size_t at = 200; at < 230; at++) {
		pm_machine();
		memset(body, '_', sizeof body);
		memcpy(body + at, S5, sizeof S5 - 1);
		put_body(DSDT, "DSDT", body, sizeof body);
		assert_int_equal(parse(RSDP).s5_type_a, 5);
		assert_int_equal(parse(RSDP).s5_type_b, 6);
	}
}

/* ---- Event device -------------------------------------------------------- */

static void the_event_register_belongs_to_the_event_device(void **state)
{
	(void)state;
	reduced_machine();
	DSDT_IS("\x5B\x80" "EREG\x00\x0C\x00\x00\xA0\xFE\x0A\x04" "ACPI0013");
	is_absent(parse(RSDP).event_select);
	DSDT_IS("ACPI0013\x5B\x80" "EREG\x01\x0C\x00\x00\xA0\xFE\x0A\x04");
	is_absent(parse(RSDP).event_select);
	DSDT_IS("ACPI0013\x5B\x80" "EREG\x00\x0C\x02\x00\xA0\xFE\x0A\x04");
	is_absent(parse(RSDP).event_select);
	DSDT_IS("ACPI0013\x5B\x80" "EREG\x00\x0C\x00\x00\xA0\xFE\x0A\x03");
	is_absent(parse(RSDP).event_select);
	DSDT_IS("ACPI0013\x5B\x80" "EREG\x00"
	    "\x0E\x00\x00\xA0\xFE\x01\x00\x00\x00\x0A\x04");
	is_absent(parse(RSDP).event_select);
	DSDT_IS("ACPI0013\x5B\x80" "EREG\x00"
	    "\x0E\x00\x00\xA0\xFE\x00\x00\x00\x00\x0A\x04");
	is_memory(parse(RSDP).event_select, 0xFEA00000);
	DSDT_IS("ACPI0013\x5B\x80" "EREG\x01\x0C\x00\x00\xA0\xFE\x0A\x04"
	    "\x5B\x80" "EREG\x00\x0C\x00\x00\xA1\xFE\x0A\x04"
	    "\x5B\x80" "EREG\x00\x0C\x00\x00\xA2\xFE\x0A\x04");
	is_memory(parse(RSDP).event_select, 0xFEA10000);
}

static void an_event_register_is_not_read_beyond_its_table(void **state)
{
	(void)state;
	reduced_machine();
	for (uint32_t len = 0; len < sizeof GED - 1; len++) {
		put_body(DSDT, "DSDT", GED, sizeof GED - 1);
		store_le32(memory + DSDT + 4, 36 + len);
		sign_table(DSDT);
		is_absent(parse(RSDP).event_select);
	}
}

static void a_pc_has_no_event_device(void **state)
{
	(void)state;
	pm_machine();
	DSDT_IS(GED);
	is_absent(parse(RSDP).event_select);
}

/* ---- virtio-mmio devices ------------------------------------------------- */

/* As QEMU's microvm writes one: name, unique id, resources. */
#define VIRTIO_ID "LNRO0005\0\x08_UID\x01\x08_CCA\x01\x08_CRS\x11\x1A\x0A\x17"
#define VIRTIO_RANGE "\x86\x09\x00\x01\x00\x0E\xB0\xFE\x00\x02\x00\x00"
#define VIRTIO_LINE "\x89\x06\x00\x01\x01\x2F\x00\x00\x00\x79\x00"
#define VIRTIO VIRTIO_ID VIRTIO_RANGE VIRTIO_LINE

static void virtio_devices_are_found_with_range_and_line(void **state)
{
	struct acpi_info a;

	(void)state;
	reduced_machine();
	DSDT_IS(GED VIRTIO ".." VIRTIO S5);
	a = parse(RSDP);
	assert_int_equal(a.virtio_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(a.virtio[i].pa, 0xFEB00E00);
		assert_int_equal(a.virtio[i].len, 0x200);
		assert_int_equal(a.virtio[i].gsi, 47);
	}
	is_memory(a.event_select, 0xFEA00000);
	assert_true(a.s5_known);
}

static void a_virtio_device_without_its_own_resources_is_none(void **state)
{
	struct acpi_info a;

	(void)state;
	reduced_machine();
	DSDT_IS(VIRTIO_ID VIRTIO_RANGE);
	assert_int_equal(parse(RSDP).virtio_count, 0);
	DSDT_IS(VIRTIO_ID VIRTIO_LINE);
	assert_int_equal(parse(RSDP).virtio_count, 0);
	DSDT_IS(VIRTIO_RANGE VIRTIO_LINE VIRTIO_ID);
	assert_int_equal(parse(RSDP).virtio_count, 0);
	DSDT_IS(VIRTIO_ID VIRTIO_RANGE VIRTIO);
	a = parse(RSDP);
	assert_int_equal(a.virtio_count, 1);
	DSDT_IS(VIRTIO VIRTIO_ID
	    "\x86\x09\x00\x01\x00\x00\x00\xFD\x00\x01\x00\x00"
	    VIRTIO_RANGE VIRTIO_LINE);
	a = parse(RSDP);
	assert_int_equal(a.virtio_count, 2);
	assert_int_equal(a.virtio[1].pa, 0xFD000000); /* its first range */
	assert_int_equal(a.virtio[1].len, 0x100);
	DSDT_IS(VIRTIO_ID VIRTIO_RANGE
	    "\x89\x06\x00\x01\x02\x2F\x00\x00\x00");      /* two lines */
	assert_int_equal(parse(RSDP).virtio_count, 0);
}

static void a_virtio_device_at_an_impossible_place_is_none(void **state)
{
	static const struct {
		uint32_t pa, len;
		unsigned count;
	} cases[] = {
		{ 0xFEB00000, 0x100, 1 }, { 0xFEB00000, 0xFF, 0 },
		{ 0xFEB00000, 0x10000, 1 }, { 0xFEB00000, 0x10001, 0 },
		{ 0, 0x200, 0 }, { 0xFEB00002, 0x200, 0 },
		{ 0xFFFFFE00, 0x200, 0 }, { 0xFFFFFDFC, 0x200, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t *range;

		reduced_machine();
		DSDT_IS(VIRTIO);
		range = memory + DSDT + 36 + sizeof VIRTIO_ID - 1;
		store_le32(range + 4, cases[i].pa);
		store_le32(range + 8, cases[i].len);
		sign_table(DSDT);
		assert_int_equal(parse(RSDP).virtio_count, cases[i].count);
	}
}

static void virtio_devices_beyond_the_cap_are_left_out(void **state)
{
	static char body[(ACPI_VIRTIO_CAP + 1) * (sizeof VIRTIO - 1)];

	(void)state;
	reduced_machine();
	for (size_t i = 0; i < sizeof body; i += sizeof VIRTIO - 1)
		memcpy(body + i, VIRTIO, sizeof VIRTIO - 1);
	put_body(DSDT, "DSDT", body, sizeof body);
	assert_int_equal(parse(RSDP).virtio_count, ACPI_VIRTIO_CAP);
}

static void a_virtio_device_is_not_read_beyond_its_table(void **state)
{
	const uint32_t needed = sizeof VIRTIO - 1 - 2;

	(void)state;
	reduced_machine();
	for (uint32_t len = 0; len < sizeof VIRTIO - 1; len++) {
		put_body(DSDT, "DSDT", VIRTIO, sizeof VIRTIO - 1);
		store_le32(memory + DSDT + 4, 36 + len);
		sign_table(DSDT);
		assert_int_equal(parse(RSDP).virtio_count, len >= needed);
	}
}

static void a_pc_has_no_virtio_mmio_devices(void **state)
{
	(void)state;
	pm_machine();
	DSDT_IS(VIRTIO);
	assert_int_equal(parse(RSDP).virtio_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleep_types_in_every_coding),
		cmocka_unit_test(a_second_type_that_is_none_is_the_first),
		cmocka_unit_test(the_first_package_counts),
		cmocka_unit_test(what_is_not_a_sleep_package_is_passed_over),
		cmocka_unit_test(a_sleep_package_is_not_read_beyond_its_table),
		cmocka_unit_test(the_package_may_be_in_another_table),
		cmocka_unit_test(a_package_across_chunks_is_found),
		cmocka_unit_test(
		    the_event_register_belongs_to_the_event_device),
		cmocka_unit_test(
		    an_event_register_is_not_read_beyond_its_table),
		cmocka_unit_test(a_pc_has_no_event_device),
		cmocka_unit_test(virtio_devices_are_found_with_range_and_line),
		cmocka_unit_test(
		    a_virtio_device_without_its_own_resources_is_none),
		cmocka_unit_test(
		    a_virtio_device_at_an_impossible_place_is_none),
		cmocka_unit_test(virtio_devices_beyond_the_cap_are_left_out),
		cmocka_unit_test(a_virtio_device_is_not_read_beyond_its_table),
		cmocka_unit_test(a_pc_has_no_virtio_mmio_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

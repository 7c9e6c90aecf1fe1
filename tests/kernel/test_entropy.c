/* links: kernel/entropy.c @bearssl_hash */
/*
 * Which sources are accepted, with sources made of arrays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/console.h"
#include "kernel/entropy.h"
#include "kernel/entropy_source.h"
#include "kernel/random.h"

/* ---- The machine --------------------------------------------------------- */

enum quality { ABSENT, GOOD, CONSTANT, CYCLE, COUNTER, COUNTDOWN };
enum { CPU, DEVICE, JITTER, SOURCES };

static enum quality quality[SOURCES];
static uint8_t key[RANDOM_KEY_LEN];
static unsigned seeds;
static unsigned complaints;
static bool cpu_dry;
static uint64_t word_value;

static bool make_sample(unsigned source, uint8_t *out)
{
	for (size_t i = 0; i < ENTROPY_SAMPLE_LEN / 8; i++) {
		uint64_t v = (i + 1) * 0x9E3779B97F4A7C15ull;

		switch (quality[source]) {
		case ABSENT:
			return false;
		case CONSTANT:
			v = 0x9E3779B97F4A7C15ull;
			break;
		case CYCLE:
			v = (i % 4 + 1) * 0x9E3779B97F4A7C15ull;
			break;
		case COUNTER:
			v = i;
			break;
		case COUNTDOWN:
			v = ~(uint64_t)(i + 3 * source);
			break;
		case GOOD:
			v ^= v >> 29;
			break;
		}
		store_le64(out + 8 * i, v + source);
	}
	return true;
}

static bool read_cpu(uint8_t *out)
{
	return make_sample(CPU, out);
}

static bool read_device(uint8_t *out)
{
	return make_sample(DEVICE, out);
}

static bool read_jitter(uint8_t *out)
{
	return make_sample(JITTER, out);
}

static bool cpu_word(uint64_t *out)
{
	*out = word_value++;
	return !cpu_dry;
}

const struct entropy_source entropy_source_list[] = {
	{ "cpu", true, read_cpu, cpu_word },
	{ "device", true, read_device, NULL },
	{ "jitter", false, read_jitter, NULL },
};
const size_t entropy_source_count = SOURCES;

uint64_t entropy_ticks(void)
{
	return 0x1122334455667788;
}

void random_seed(const uint8_t new_key[RANDOM_KEY_LEN])
{
	memcpy(key, new_key, sizeof key);
	seeds++;
}

void console_printf(const char *format, ...)
{
	(void)format;
	complaints++;
}

static const char *start(enum quality cpu, enum quality device,
    enum quality jitter)
{
	quality[CPU] = cpu;
	quality[DEVICE] = device;
	quality[JITTER] = jitter;
	seeds = 0;
	complaints = 0;
	cpu_dry = false;
	word_value = 0x0102030405060708;
	return entropy_init((const uint8_t *)"seed", 4);
}

/* ---- Which machines start ------------------------------------------------ */

static void a_good_source_is_enough(void **state)
{
	(void)state;
	assert_null(start(GOOD, ABSENT, ABSENT));
	assert_string_equal(entropy_sources(), "cpu");
	assert_null(start(ABSENT, GOOD, GOOD));
	assert_string_equal(entropy_sources(), "device");
	assert_null(start(GOOD, GOOD, GOOD));
	assert_string_equal(entropy_sources(), "cpu device");
	assert_int_equal(seeds, 1);
	assert_int_equal(complaints, 0);
}

static void jitter_alone_is_not_enough(void **state)
{
	(void)state;
	assert_non_null(start(ABSENT, ABSENT, GOOD));
	assert_string_equal(entropy_sources(), "");
	assert_int_equal(seeds, 0);
}

static void a_source_that_repeats_itself_is_not_counted(void **state)
{
	static const enum quality bad[] = {
		CONSTANT, CYCLE, COUNTER, COUNTDOWN,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_non_null(start(bad[i], ABSENT, GOOD));
		assert_int_equal(seeds, 0);
		assert_int_equal(complaints, 1);
		assert_null(start(bad[i], GOOD, GOOD));
		assert_string_equal(entropy_sources(), "device");
		assert_int_equal(complaints, 1);
	}
}

static void every_input_changes_the_key(void **state)
{
	uint8_t base[RANDOM_KEY_LEN];

	(void)state;
	assert_null(start(GOOD, ABSENT, ABSENT));
	memcpy(base, key, sizeof base);
	assert_null(start(GOOD, ABSENT, ABSENT));
	assert_memory_equal(base, key, sizeof base);
	assert_null(start(GOOD, GOOD, ABSENT));
	assert_memory_not_equal(base, key, sizeof base);
	assert_null(start(GOOD, ABSENT, CONSTANT));
	assert_memory_not_equal(base, key, sizeof base);
	assert_null(start(GOOD, CONSTANT, ABSENT));
	assert_memory_not_equal(base, key, sizeof base);
	assert_null(start(GOOD, ABSENT, ABSENT));
	assert_null(entropy_init((const uint8_t *)"sead", 4));
	assert_memory_not_equal(base, key, sizeof base);
}

/* ---- Afterwards ---------------------------------------------------------- */

static void a_cpu_that_passed_refreshes(void **state)
{
	uint8_t fresh[ENTROPY_FRESH_LEN], nonce[ENTROPY_NONCE_LEN];

	(void)state;
	assert_null(start(GOOD, ABSENT, GOOD));
	assert_true(entropy_refresh(fresh));
	assert_true(load_le64(fresh) == 0x0102030405060708);
	assert_true(load_le64(fresh + 24) == 0x010203040506070B);
	entropy_nonce(nonce);
	assert_true(load_le64(nonce) == 0x010203040506070C);
	assert_true(load_le32(nonce + 8) == 0x55667788);
}

static void a_cpu_that_failed_is_not_asked_again(void **state)
{
	uint8_t fresh[ENTROPY_FRESH_LEN], nonce[ENTROPY_NONCE_LEN];

	(void)state;
	assert_null(start(CONSTANT, GOOD, GOOD));
	assert_false(entropy_refresh(fresh));
	entropy_nonce(nonce);
	assert_true(load_le64(nonce) == 0);
	assert_true(load_le32(nonce + 8) == 0x55667788);
	assert_true(word_value == 0x0102030405060708);
}

static void a_cpu_without_a_word_now_is_no_error(void **state)
{
	uint8_t fresh[ENTROPY_FRESH_LEN] = { 7 }, nonce[ENTROPY_NONCE_LEN];

	(void)state;
	assert_null(start(GOOD, ABSENT, GOOD));
	cpu_dry = true;
	assert_false(entropy_refresh(fresh));
	assert_int_equal(fresh[0], 7);
	entropy_nonce(nonce);
	assert_true(load_le64(nonce) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_source_is_enough),
		cmocka_unit_test(jitter_alone_is_not_enough),
		cmocka_unit_test(a_source_that_repeats_itself_is_not_counted),
		cmocka_unit_test(every_input_changes_the_key),
		cmocka_unit_test(a_cpu_that_passed_refreshes),
		cmocka_unit_test(a_cpu_that_failed_is_not_asked_again),
		cmocka_unit_test(a_cpu_without_a_word_now_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

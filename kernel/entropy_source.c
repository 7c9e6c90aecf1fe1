/*
 * The sources of entropy of this machine: see entropy_source.h.
 */
#include "config/hypervisor.h"
#include "kernel/entropy_source.h"
#include "kernel/io.h"
#include "kernel/vrng.h"

/*
 * Tries for one word.  RDRAND: 10, as Intel's "Digital Random Number Generator
 * Software Implementation Guide", section 5.2.1, says; RDSEED may be empty for
 * longer.
 */
#define RDRAND_TRIES 10
#define RDSEED_TRIES 100

#define JITTER_ROUNDS (ENTROPY_SAMPLE_LEN * 2)

static bool cpu_has(uint32_t leaf, uint32_t bits_ecx, uint32_t bits_ebx)
{
	struct cpuid c;

	if (cpu_cpuid_max(0) < leaf)
		return false;
	cpu_cpuid(leaf, 0, &c);
	return (c.ecx & bits_ecx) == bits_ecx && (c.ebx & bits_ebx) == bits_ebx;
}

static bool has_rdrand(void)
{
	return cpu_has(CPU_LEAF_FEATURES, CPU_FEATURES_ECX_RDRAND, 0);
}

static bool has_rdseed(void)
{
	return cpu_has(CPU_LEAF_EXTENDED_FEATURES, 0, CPU_EXTENDED_EBX_RDSEED);
}

static bool rdrand_word(uint64_t *out)
{
	for (unsigned i = 0; i < RDRAND_TRIES; i++) {
		if (cpu_rdrand(out))
			return true;
	}
	return false;
}

static bool rdseed_word(uint64_t *out)
{
	for (unsigned i = 0; i < RDSEED_TRIES; i++) {
		if (cpu_rdseed(out))
			return true;
		cpu_pause();
	}
	return false;
}

static bool read_words(bool (*word)(uint64_t *), uint8_t *out)
{
	for (size_t i = 0; i < ENTROPY_SAMPLE_LEN; i += 8) {
		uint64_t v;

		if (!word(&v))
			return false;
		store_le64(out + i, v);
	}
	return true;
}

static bool read_rdseed(uint8_t *out)
{
	return has_rdseed() && read_words(rdseed_word, out);
}

static bool read_rdrand(uint8_t *out)
{
	return has_rdrand() && read_words(rdrand_word, out);
}

static bool read_virtio(uint8_t *out)
{
	return vrng_read(out, ENTROPY_SAMPLE_LEN) == ENTROPY_SAMPLE_LEN;
}

/*
 * How long a port and a stretch of memory take to answer, folded together: low
 * bits of the differences end up spread over the sample.
 */
static bool read_jitter(uint8_t *out)
{
	static volatile uint8_t field[4096];
	uint64_t last = cpu_rdtsc();

	for (size_t i = 0; i < ENTROPY_SAMPLE_LEN; i++)
		out[i] = 0;
	for (size_t i = 0; i < JITTER_ROUNDS; i++) {
		uint64_t now;

		(void)io_in8(0x80);
		field[(last * 64) % sizeof field]++;
		now = cpu_rdtsc();
		out[i % ENTROPY_SAMPLE_LEN] = (uint8_t)
		    (out[i % ENTROPY_SAMPLE_LEN] * 31 + (now - last));
		last = now;
	}
	return true;
}

const struct entropy_source entropy_source_list[] = {
	{ "rdseed", true, read_rdseed, rdseed_word },
	{ "rdrand", true, read_rdrand, rdrand_word },
	{ "virtio-rng", true, read_virtio, NULL },
	{ "jitter", false, read_jitter, NULL },
};
const size_t entropy_source_count = ARRAY_LEN(entropy_source_list);

uint64_t entropy_ticks(void)
{
	return cpu_rdtsc();
}

_Static_assert(ENTROPY_SAMPLE_LEN <= VRNG_READ_MAX,
    "one answer of the device is a sample");

/*
 * Early randomness, for the bases of the two images and as one of several inputs
 * of the kernel's seed.  Never for keys: the kernel's own generator has stricter
 * rules and refuses to start without a real source.
 */
#include "boot/boot.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define JITTER_ROUNDS 64

static uint64_t state[2];
static bool have_rdrand;

static uint64_t rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* One step of mixing: state changes in every bit that v changes. */
static void absorb(uint64_t v)
{
	const unsigned __int128 product =
	    (unsigned __int128)(state[0] ^ v) * 0x9e3779b97f4a7c15ULL;

	state[0] = state[1] + (uint64_t)product;
	state[1] = (state[1] << 29 | state[1] >> 35) ^ (uint64_t)(product >> 64) ^ v;
}

static bool rdrand(uint64_t *out)
{
	for (int i = 0; i < 10; i++) {   /* SDM vol. 1, section 7.3.17.1 */
		unsigned char ok;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(ok) : : "cc");
		if (ok)
			return true;
	}
	return false;
}

void boot_seed_init(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	have_rdrand = c & CPUID_1_ECX_RDRAND;
	for (int i = 0; i < JITTER_ROUNDS; i++) {
		uint32_t leaf = 0, sub = 0;

		/* CPUID traps to a hypervisor: its time varies. */
		if (i % 8 == 0)
			__asm__ volatile("cpuid" : "+a"(leaf), "=b"(b), "+c"(sub), "=d"(d));
		absorb(rdtsc());
	}
	for (int i = 0; i < 4; i++)
		(void)boot_seed_next();
}

uint64_t boot_seed_next(void)
{
	uint64_t v = 0;

	absorb(rdtsc());
	if (have_rdrand && rdrand(&v))
		absorb(v);
	absorb(0x6a09e667f3bcc909ULL);
	return state[0] ^ state[1];
}

/*
 * The CPU's own doors, one instruction per function: ports, CPUID, MSRs, the
 * TSC, the instruction for random numbers.  Holds no state and decides nothing.
 * Everything but cpu_cpuid(), cpu_rdtsc() and cpu_pause() needs ring 0.
 *
 * The "memory" clobbers keep the compiler from moving ordinary memory accesses
 * across an access to a device; x86 itself does not reorder them across I/O.
 */
#pragma once

#include "config/base.h"

/* ---- Ports: SDM vol. 1, chapter 19 --------------------------------------- */

/* Read one byte, word or double word; a port nobody answers gives all ones. */
static inline uint8_t io_in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t io_in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t io_in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

/* Write one byte, word or double word; a port nobody answers drops it. */
static inline void io_out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void io_out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void io_out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

/* ---- CPUID and MSRs ------------------------------------------------------ */

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/*
 * Ask CPUID.  A leaf above the highest one offered gives the data of another
 * leaf (SDM vol. 2, CPUID): use cpu_cpuid_max() first where that matters.
 */
static inline void cpu_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid *out)
{
	__asm__ volatile("cpuid"
	    : "=a"(out->eax), "=b"(out->ebx), "=c"(out->ecx), "=d"(out->edx)
	    : "0"(leaf), "2"(subleaf));
}

/*
 * The highest leaf of a range: start is 0, 0x40000000 or 0x80000000.
 * Returns 0 when the range is not offered at all.
 */
static inline uint32_t cpu_cpuid_max(uint32_t start)
{
	struct cpuid c;

	cpu_cpuid(start, 0, &c);
	if ((c.eax & 0xFFFF0000u) != (start & 0xFFFF0000u))
		return 0;
	return c.eax;
}

/* Model-specific registers; one that does not exist faults (#GP). */
static inline uint64_t cpu_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void cpu_wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
	    : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

/* ---- Time, waiting, end -------------------------------------------------- */

/* Ticks of the time-stamp counter; not ordered against other instructions. */
static inline uint64_t cpu_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* In a loop that waits: lets a sibling thread, or the hypervisor, run. */
static inline void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Stop for good: interrupts off, then halt. */
NORETURN static inline void cpu_halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

/* Are interrupts enabled?  For assertions. */
static inline bool cpu_interrupts_on(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return (flags & (1u << 9)) != 0;
}

/* ---- Random numbers: SDM vol. 1, section 7.3.17 -------------------------- */

/*
 * One try.  Only on a CPU that has the instruction (CPUID.1:ECX[30],
 * CPUID.7:EBX[18]); else an invalid-opcode fault.
 * Returns false, and sets *out to 0, when the CPU has no number ready.
 */
MUST_USE static inline bool cpu_rdrand(uint64_t *out)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

MUST_USE static inline bool cpu_rdseed(uint64_t *out)
{
	bool ok;

	__asm__ volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

/*
 * Device registers; the manual is reg.h.  The memory clobber keeps ordinary
 * accesses (rings, buffers) on their side of a register access; x86 does not
 * reorder them across uncached memory itself (SDM vol. 3, section 12.3).
 */
#include "kernel/reg.h"

uint8_t reg_read8(const volatile void *at)
{
	uint8_t v;

	__asm__ volatile("movb %1, %0"
	    : "=q"(v) : "m"(*(const volatile uint8_t *)at) : "memory");
	return v;
}

uint16_t reg_read16(const volatile void *at)
{
	uint16_t v;

	__asm__ volatile("movw %1, %0"
	    : "=r"(v) : "m"(*(const volatile uint16_t *)at) : "memory");
	return v;
}

uint32_t reg_read32(const volatile void *at)
{
	uint32_t v;

	__asm__ volatile("movl %1, %0"
	    : "=r"(v) : "m"(*(const volatile uint32_t *)at) : "memory");
	return v;
}

void reg_write8(volatile void *at, uint8_t v)
{
	__asm__ volatile("movb %1, %0"
	    : "=m"(*(volatile uint8_t *)at) : "q"(v) : "memory");
}

void reg_write16(volatile void *at, uint16_t v)
{
	__asm__ volatile("movw %1, %0"
	    : "=m"(*(volatile uint16_t *)at) : "r"(v) : "memory");
}

void reg_write32(volatile void *at, uint32_t v)
{
	__asm__ volatile("movl %1, %0"
	    : "=m"(*(volatile uint32_t *)at) : "r"(v) : "memory");
}

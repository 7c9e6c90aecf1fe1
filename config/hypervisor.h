/*
 * What hypervisors agreed on with their guests: numbers and layouts only.
 *
 * Sources, cited below by their letters:
 *   [K] Linux, Documentation/virt/kvm/x86/cpuid.rst and msr.rst
 *   [H] "Hypervisor CPUID Interface", Linux kernel list, 2008: leaf 0x40000010
 *   [S] Intel SDM vol. 2, CPUID
 *   [G] QEMU, hw/acpi/generic_event_device.c and its specification page
 */
#pragma once

#include "config/base.h"

/* ---- CPUID leaves of hypervisors ----------------------------------------- */

#define HV_LEAF_SIGNATURE 0x40000000u   /* EBX, ECX, EDX: 12 letters */
#define HV_LEAF_KVM_FEATURES 0x40000001u
#define HV_LEAF_TIMING 0x40000010u      /* EAX: kHz of the TSC [H] */

/* Signature as EBX, ECX, EDX [K]. */
#define HV_KVM_EBX 0x4B4D564Bu          /* "KVMK" */
#define HV_KVM_ECX 0x564B4D56u          /* "VMKV" */
#define HV_KVM_EDX 0x0000004Du          /* "M" */

/* Bit of HV_LEAF_KVM_FEATURES, EAX: clock at the MSRs below [K]. */
#define HV_KVM_CLOCKSOURCE2 (1u << 3)

/* ---- KVM's clock [K] ----------------------------------------------------- */

#define MSR_KVM_WALL_CLOCK_NEW 0x4B564D00u   /* physical address */
#define MSR_KVM_SYSTEM_TIME_NEW 0x4B564D01u  /* physical address | 1 */
#define MSR_KVM_SYSTEM_TIME_ON 1u

/*
 * Written by the host.  `version` is odd while it writes; a reader takes the
 * fields when it saw the same even version before and after.
 *   ns = system_time + (((tsc - tsc_timestamp) << tsc_shift) * mul) >> 32
 */
struct pvclock_time {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;       /* negative: to the right */
	uint8_t flags;
	uint8_t pad1[2];
};

/* The Unix time at which system_time was 0; written when the MSR is written. */
struct pvclock_wall {
	uint32_t version;
	uint32_t sec;
	uint32_t nsec;
};

_Static_assert(sizeof(struct pvclock_time) == 32, "layout is the host's");
_Static_assert(offsetof(struct pvclock_time, tsc_shift) == 28,
    "layout is the host's");
_Static_assert(sizeof(struct pvclock_wall) == 12, "layout is the host's");

/* ---- QEMU's generic event device [G] ------------------------------------- */

/* Bit of the selector: the power button.  Reading the selector clears it. */
#define QEMU_GED_POWER_BUTTON (1u << 1)

/* ---- CPUID leaves of the CPU itself [S] ---------------------------------- */

#define CPU_LEAF_FEATURES 0x01u
#define CPU_FEATURES_ECX_X2APIC (1u << 21)
#define CPU_FEATURES_ECX_TSC_DEADLINE (1u << 24)
#define CPU_FEATURES_ECX_RDRAND (1u << 30)
#define CPU_FEATURES_ECX_HYPERVISOR (1u << 31)
#define CPU_FEATURES_EDX_TSC (1u << 4)
#define CPU_FEATURES_EDX_MSR (1u << 5)
#define CPU_FEATURES_EDX_APIC (1u << 9)

#define CPU_LEAF_EXTENDED_FEATURES 0x07u
#define CPU_EXTENDED_EBX_RDSEED (1u << 18)

#define CPU_LEAF_TSC 0x15u       /* EAX, EBX: ratio; ECX: Hz of the crystal */
#define CPU_LEAF_FREQUENCY 0x16u /* EAX: MHz of the base clock */

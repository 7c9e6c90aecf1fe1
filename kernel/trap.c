/*
 * Traps.  An exception in ring 3 ends the server (server_crashed), one in ring 0,
 * and every abort, ends the VM (report, reboot).  Interrupts only set flags: the
 * timer's also feeds the watchdog and looks at the power button.
 *
 * True at all times: ring 0 runs with interrupts off except inside trap_sleep();
 * ring 3 runs with interrupts on.
 */
#include "kernel/trap.h"

#include "kernel/cpu.h"
#include "kernel/gate_kernel.h"
#include "kernel/io.h"
#include "kernel/irq.h"
#include "kernel/map.h"
#include "kernel/report.h"
#include "kernel/server.h"

#define IDT_VECTORS 256
#define STUBS 56              /* exceptions 0..31 and interrupts up to 0x37 */
#define STUB_LEN 16
#define IST_STACK_LEN 8192
#define GATE_INTERRUPT 0x8e   /* present, DPL 0, 64-bit interrupt gate */

#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_MACHINE_CHECK 18

#define CPUID_7_EBX_SMEP (1u << 7)
#define CPUID_7_EBX_SMAP (1u << 20)
#define CPUID_7_ECX_UMIP (1u << 2)

struct idt_entry {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t zero;
};

struct tss {
	uint32_t zero0;
	uint64_t rsp[3];
	uint64_t zero1;
	uint64_t ist[7];
	uint64_t zero2;
	uint16_t zero3;
	uint16_t iomap;
} __attribute__((packed));

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

_Static_assert(sizeof(struct idt_entry) == 16, "IDT entry as in SDM vol. 3, figure 6-8");
_Static_assert(sizeof(struct tss) == 104, "TSS as in SDM vol. 3, figure 8-11");

extern char trap_stubs[], trap_stub_spurious[], gate_entry[];

/* Where gate_entry and server_enter find ring 0's stack. */
SEALED uint64_t kernel_stack_top;

SEALED static struct idt_entry idt[IDT_VECTORS];
SEALED static struct tss tss;
SEALED static uint64_t gdt[7];
SEALED static bool have_smap;
SEALED static char protections[32];

/* ---- Tables ---------------------------------------------------------------- */

static void idt_set(unsigned vector, const char *stub, uint8_t ist)
{
	const uint64_t at = (uint64_t)stub;

	idt[vector] = (struct idt_entry){
		.offset_low = (uint16_t)at,
		.selector = SEL_KERNEL_CODE,
		.ist = ist,
		.type = GATE_INTERRUPT,
		.offset_mid = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

static uint64_t ist_stack(void)
{
	uint64_t pa;

	return (uint64_t)map_alloc(IST_STACK_LEN, &pa) + IST_STACK_LEN;
}

/* These may come at any instruction, also at the gate's first, on ring 3's stack. */
static const uint8_t own_stack[] = {
	VECTOR_DOUBLE_FAULT, VECTOR_NMI, VECTOR_MACHINE_CHECK, VECTOR_DEBUG,
};

static void idt_load(void)
{
	for (unsigned v = 0; v < STUBS; v++)
		idt_set(v, trap_stubs + v * STUB_LEN, 0);
	idt_set(IRQ_VECTOR_SPURIOUS, trap_stub_spurious, 0);
	for (unsigned i = 0; i < ARRAY_LEN(own_stack); i++) {
		idt[own_stack[i]].ist = (uint8_t)(i + 1);
		tss.ist[i] = ist_stack();
	}

	const struct table_pointer p = { sizeof idt - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" : : "m"(p));
}

/* Descriptors with their accessed bits set: the CPU never needs to write them. */
static void gdt_load(uint64_t stack_top)
{
	const uint64_t base = (uint64_t)&tss;
	const uint64_t limit = sizeof tss - 1;

	tss.rsp[0] = stack_top;
	tss.iomap = sizeof tss;      /* beyond the limit: no port for ring 3 */
	gdt[SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff;
	gdt[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
	gdt[SEL_USER_CODE / 8] = 0x00affb000000ffff;
	gdt[SEL_TSS / 8] = limit | (base & 0xffffff) << 16 | 0x89ULL << 40 |
	    (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;

	const struct table_pointer p = { sizeof gdt - 1, (uint64_t)gdt };

	__asm__ volatile(
	    "lgdt %0\n\t"
	    "pushq %1\n\t"
	    "leaq 1f(%%rip), %%rax\n\t"
	    "pushq %%rax\n\t"
	    "lretq\n"
	    "1:\n\t"
	    "movl %2, %%eax\n\t"
	    "movl %%eax, %%ds\n\t"
	    "movl %%eax, %%es\n\t"
	    "movl %%eax, %%ss\n\t"
	    "movw %3, %%ax\n\t"
	    "ltr %%ax"
	    : : "m"(p), "i"(SEL_KERNEL_CODE), "i"(SEL_KERNEL_DATA), "i"(SEL_TSS)
	    : "rax", "memory");
}

/* ---- Protections ------------------------------------------------------------ */

static void note_protection(const char *name)
{
	unsigned at = 0;

	while (protections[at] != '\0')
		at++;
	if (at > 0)
		protections[at++] = ' ';
	while (*name != '\0' && at < sizeof protections - 1)
		protections[at++] = *name++;
}

static void protections_on(void)
{
	struct cpuid leaf = { 0 }, seven = { 0 };
	uint64_t cr4 = cpu_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT |
	    CR4_MCE;

	cpu_cpuid(0, 0, &leaf);
	if (leaf.eax >= 7)
		cpu_cpuid(7, 0, &seven);
	note_protection("wp");
	note_protection("nx");
	if (seven.ebx & CPUID_7_EBX_SMEP) {
		cr4 |= CR4_SMEP;
		note_protection("smep");
	}
	if (seven.ebx & CPUID_7_EBX_SMAP) {
		cr4 |= CR4_SMAP;
		have_smap = true;
		note_protection("smap");
	}
	if (seven.ecx & CPUID_7_ECX_UMIP) {
		cr4 |= CR4_UMIP;
		note_protection("umip");
	}
	cpu_write_cr4(cr4);
	/* NE: an x87 error is an exception, not a line of the old PIC. */
	cpu_write_cr0((cpu_read_cr0() | CR0_WP | CR0_MP | CR0_NE) & ~CR0_EM);
	user_access_end();
}

/*
 * Doors we do not use, shut whatever the firmware left.  At reset the LDT counts as
 * valid, at address 0; SYSENTER with a selector of 0 faults.
 */
static void shut_other_doors(void)
{
	__asm__ volatile("lldt %w0" : : "r"(0));
	__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_NOTHING));
	cpu_wrmsr(MSR_SYSENTER_CS, 0);
}

const char *trap_protections(void)
{
	return protections;
}

void user_access_begin(void)
{
	if (have_smap)
		__asm__ volatile("stac" : : : "memory", "cc");
}

void user_access_end(void)
{
	if (have_smap)
		__asm__ volatile("clac" : : : "memory", "cc");
}

void trap_start(uint64_t stack_top)
{
	kernel_stack_top = stack_top;
	gdt_load(stack_top);
	idt_load();
	protections_on();
	shut_other_doors();
	cpu_wrmsr(MSR_STAR, (uint64_t)(SEL_KERNEL_DATA | 3) << 48 |
	    (uint64_t)SEL_KERNEL_CODE << 32);
	cpu_wrmsr(MSR_LSTAR, (uint64_t)gate_entry);
	cpu_wrmsr(MSR_SFMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT |
	    RFLAGS_AC);
	cpu_wrmsr(MSR_EFER, cpu_rdmsr(MSR_EFER) | EFER_SCE);
}

/* ---- Handling ---------------------------------------------------------------- */

static bool from_ring3(const struct trap_frame *frame)
{
	return (frame->cs & 3) == 3;
}

/*
 * Aborts (SDM vol. 3, section 6.5) say that the machine or our tables are broken,
 * not who was running: what the frame says does not count.
 */
static bool is_abort(const struct trap_frame *frame)
{
	return frame->vector == VECTOR_DOUBLE_FAULT ||
	    frame->vector == VECTOR_MACHINE_CHECK;
}

void trap_handle(struct trap_frame *frame)
{
	/* The CPU leaves AC as it was, and ring 3 may set it: close SMAP's window. */
	user_access_end();
	if (frame->vector >= 32) {
		irq_handle((uint8_t)frame->vector);
		/* In ring 0 the idle loop that was woken looks for itself. */
		if (from_ring3(frame) && irq_take_timer())
			gate_tick(frame);
		return;
	}
	if (from_ring3(frame) && !is_abort(frame))
		server_crashed_trap(frame);
	report_kernel_trap(frame);
}

void trap_sleep(void)
{
	/* STI takes effect after the next instruction: no interrupt is missed. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/*
 * Ring 3 has no instruction that reaches the machine.
 *
 * case cli: SERVER CRASH in ring 3 .*general protection fault
 * case sti: SERVER CRASH in ring 3 .*general protection fault
 * case hlt: SERVER CRASH in ring 3 .*general protection fault
 * case read_cr0: SERVER CRASH in ring 3 .*general protection fault
 * case write_cr0: SERVER CRASH in ring 3 .*general protection fault
 * case write_cr3: SERVER CRASH in ring 3 .*general protection fault
 * case write_cr4: SERVER CRASH in ring 3 .*general protection fault
 * case rdmsr: SERVER CRASH in ring 3 .*general protection fault
 * case wrmsr: SERVER CRASH in ring 3 .*general protection fault
 * case lidt: SERVER CRASH in ring 3 .*general protection fault
 * case lgdt: SERVER CRASH in ring 3 .*general protection fault
 * case ltr: SERVER CRASH in ring 3 .*general protection fault
 * case invlpg: SERVER CRASH in ring 3 .*general protection fault
 * case wbinvd: SERVER CRASH in ring 3 .*general protection fault
 * case swapgs: SERVER CRASH in ring 3 .*(general protection fault|invalid opcode)
 * case rdpmc: SERVER CRASH in ring 3 .*general protection fault
 * case sysret: SERVER CRASH in ring 3 .*(general protection fault|invalid opcode)
 * case sidt_umip: SERVER CRASH in ring 3 .*general protection fault
 * case sgdt_umip: SERVER CRASH in ring 3 .*general protection fault
 * case sldt_umip: SERVER CRASH in ring 3 .*general protection fault
 * case str_umip: SERVER CRASH in ring 3 .*general protection fault
 * case smsw_umip: SERVER CRASH in ring 3 .*general protection fault
 * case read_dr7: SERVER CRASH in ring 3 .*general protection fault
 * case write_dr0: SERVER CRASH in ring 3 .*general protection fault
 * case write_dr7: SERVER CRASH in ring 3 .*general protection fault
 * case lldt: SERVER CRASH in ring 3 .*general protection fault
 * case lmsw: SERVER CRASH in ring 3 .*general protection fault
 * case clts: SERVER CRASH in ring 3 .*general protection fault
 * case invd: SERVER CRASH in ring 3 .*general protection fault
 * case wrfsbase: SERVER CRASH in ring 3 .*invalid opcode
 * case xsetbv: SERVER CRASH in ring 3 .*(general protection fault|invalid opcode)
 * case stac: SERVER CRASH in ring 3 .*invalid opcode
 * case sysenter: SERVER CRASH in ring 3 .*(general protection fault|invalid opcode)
 * case vmmcall: SERVER CRASH in ring 3 .*invalid opcode
 * case int80: SERVER CRASH in ring 3 .*(general protection fault|segment not present)
 * case int_timer: SERVER CRASH in ring 3 .*general protection fault
 * case far_return_ring0: SERVER CRASH in ring 3 .*(general protection fault|page fault)
 * case iopl: iopl stays 0
 */
#include "tests/guard/guard.h"

#define RFLAGS_IOPL 0x3000ULL
#define RFLAGS_IF 0x200ULL

static uint8_t scratch[16];

/* POPF in ring 3 may not change IOPL or IF; it does not fault, it ignores. */
static void try_iopl(void)
{
	uint64_t flags;

	__asm__ volatile(
	    "pushfq; popq %0; orq %1, %0; andq %2, %0; pushq %0; popfq;"
	    "pushfq; popq %0"
	    : "=&r"(flags) : "r"(RFLAGS_IOPL), "r"(~RFLAGS_IF) : "cc", "memory");
	if ((flags & RFLAGS_IOPL) != 0 || (flags & RFLAGS_IF) == 0)
		survived("popf changed IOPL or IF");
	say("iopl stays 0\n");
	end();
}

#define TRY(name, ...) \
	if (case_is(info, name)) \
		__asm__ volatile(__VA_ARGS__)

void server_main(const struct gate_info *info)
{
	if (case_is(info, "iopl"))
		try_iopl();
	TRY("cli", "cli");
	TRY("sti", "sti");
	TRY("hlt", "hlt");
	TRY("read_cr0", "mov %%cr0, %%rax" : : : "rax");
	TRY("write_cr0", "mov %0, %%cr0" : : "r"(0x11ULL));
	TRY("write_cr3", "mov %0, %%cr3" : : "r"(0ULL));
	TRY("write_cr4", "mov %0, %%cr4" : : "r"(0x20ULL));
	TRY("rdmsr", "rdmsr" : : "c"(0xc0000080) : "rax", "rdx");
	TRY("wrmsr", "wrmsr" : : "c"(0xc0000080), "a"(0), "d"(0));
	TRY("lidt", "lidt %0" : : "m"(scratch));
	TRY("lgdt", "lgdt %0" : : "m"(scratch));
	TRY("ltr", "ltr %w0" : : "r"(0x28));
	TRY("invlpg", "invlpg %0" : : "m"(scratch));
	TRY("wbinvd", "wbinvd");
	TRY("swapgs", "swapgs");
	TRY("rdpmc", "rdpmc" : : "c"(0) : "rax", "rdx");
	TRY("sysret", "sysretq" : : "c"(0));
	TRY("sidt_umip", "sidt %0" : "=m"(scratch));
	TRY("sgdt_umip", "sgdt %0" : "=m"(scratch));
	TRY("sldt_umip", "sldt %0" : "=m"(scratch));
	TRY("str_umip", "str %0" : "=m"(scratch));
	TRY("smsw_umip", "smsw %0" : "=m"(scratch));
	TRY("read_dr7", "mov %%dr7, %%rax" : : : "rax");
	TRY("write_dr0", "mov %0, %%dr0" : : "r"(0ULL));
	TRY("write_dr7", "mov %0, %%dr7" : : "r"(0x400ULL));
	TRY("lldt", "lldt %w0" : : "r"(0));
	TRY("lmsw", "lmsw %w0" : : "r"(0));
	TRY("clts", "clts");
	TRY("invd", "invd");
	TRY("wrfsbase", ".byte 0xf3, 0x48, 0x0f, 0xae, 0xd0" : : "a"(0));
	TRY("xsetbv", "xsetbv" : : "a"(1), "c"(0), "d"(0));
	TRY("stac", "stac");
	TRY("sysenter", "sysenter");
	TRY("vmmcall", "vmmcall");
	TRY("int80", "int $0x80");
	TRY("int_timer", "int $0x30");
	TRY("far_return_ring0", "pushq $0x08; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
	    : : : "rax", "memory");
	survived("a privileged instruction");
}

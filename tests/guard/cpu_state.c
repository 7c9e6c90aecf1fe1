/*
 * Whatever ring 3 leaves in flags, segments and the FPU: an exception out of it ends
 * this server and nothing else, a gate call works, and the next server starts clean.
 *
 * case single_step: SERVER CRASH in ring 3 .*debug exception
 * case step_syscall: SERVER CRASH in ring 3 .*debug exception
 * case step_mov_ss: SERVER CRASH in ring 3 .*debug exception
 * case icebp: SERVER CRASH in ring 3 .*(debug exception|invalid opcode)
 * case int3: SERVER CRASH in ring 3 .*general protection fault
 * case into: SERVER CRASH in ring 3 .*invalid opcode
 * case divide: SERVER CRASH in ring 3 .*divide error
 * case x87: SERVER CRASH in ring 3 .*x87 error
 * case ldt_data: SERVER CRASH in ring 3 .*general protection fault
 * case ldt_code: SERVER CRASH in ring 3 .*general protection fault
 * case ring0_code: SERVER CRASH in ring 3 .*general protection fault
 * case task: SERVER CRASH in ring 3 .*general protection fault
 * case null_stack: SERVER CRASH in ring 3 .*general protection fault
 * case stack_in_hole: SERVER CRASH in ring 3 .*(stack-segment|general protection) fault
 * case stack_in_kernel: SERVER CRASH in ring 3 .*page fault
 * case nested_task: SERVER CRASH in ring 3 .*general protection fault
 * case no_stack: SERVER CRASH in ring 3 .*hang: no gate call for seconds
 * case any_stack: gate calls work with any stack
 * case flags: gate calls work with any flags
 * case flags cpu=max,-smap,-smep,-umip: gate calls work with any flags
 * case registers: gate calls leave no trace
 * case fresh on-crash=restart: the second life starts clean
 */
#include "tests/guard/guard.h"

#define RFLAGS_TF 0x100ULL
#define RFLAGS_DF 0x400ULL
#define RFLAGS_NT 0x4000ULL
#define RFLAGS_AC 0x40000ULL
#define FCW_CLEAN 0x037f
#define MXCSR_CLEAN 0x1f80

/* Far pointers: an entry of a table that is not there, ring 0's code, the TSS. */
struct far_pointer {
	uint32_t offset;
	uint16_t selector;
} __attribute__((packed));

static const struct far_pointer ldt_code = { 0, 0x0f };
static const struct far_pointer ring0_code = { 0, 0x0b };
static const struct far_pointer task = { 0, 0x2b };

static uint64_t read_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}

static void set_flags(uint64_t flags)
{
	__asm__ volatile("pushq %0; popfq" : : "r"(flags) : "cc", "memory");
}

/* gate_log() with flags of the caller's choice; puts the usual ones back. */
static uint64_t log_with(uint64_t flags, const char *text, uint64_t *after)
{
	uint64_t status = GATE_CALL_LOG, at = (uint64_t)text, len = strlen(text);

	__asm__ volatile(
	    "pushfq; pushq %[flags]; popfq; syscall; pushfq; popq %[after]; popfq"
	    : "+a"(status), "+D"(at), "+S"(len), [after] "=&b"(*after)
	    : [flags] "r"(flags)
	    : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
	return status;
}

static void try_flags(void)
{
	static const uint64_t extra[] = {
		RFLAGS_DF, RFLAGS_AC, RFLAGS_NT, RFLAGS_DF | RFLAGS_AC | RFLAGS_NT,
	};

	for (unsigned i = 0; i < ARRAY_LEN(extra); i++) {
		const uint64_t flags = read_flags() | extra[i];
		uint64_t after;

		if (log_with(flags, "gate calls ", &after) != GATE_OK ||
		    after != flags)
			survived("a gate call that minds the flags");
	}
	say("work with any flags\n");
	end();
}

/* The stack pointer is the server's own business, in calls and under interrupts. */
static void try_stacks(void)
{
	static const char text[] = "gate calls ";
	static const uint64_t stacks[] = {
		0, 8, 0x0000800000000000, 0x0000900000000000, 0xffff900000000000, ~0ULL,
	};

	for (unsigned i = 0; i < ARRAY_LEN(stacks); i++) {
		uint64_t status = GATE_CALL_LOG, at = (uint64_t)text;
		uint64_t len = sizeof text - 1, after = stacks[i];

		__asm__ volatile("xchgq %%rsp, %[rsp]; movq %[rsp], %%r12; syscall;"
		    "movq %%rsp, %[rsp]; movq %%r12, %%rsp"
		    : "+a"(status), "+D"(at), "+S"(len), [rsp] "+b"(after)
		    : : "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "memory");
		if (status != GATE_OK || after != stacks[i])
			survived("a gate call that minds the stack");
	}
	say("work with any stack\n");
	end();
}

/* Every register that the call does not preserve comes back as zero. */
static void try_registers(void)
{
	static const char text[] = "gate calls ";
	register uint64_t r8 __asm__("r8") = 0x4141;
	register uint64_t r9 __asm__("r9") = 0x4242;
	register uint64_t r10 __asm__("r10") = 0x4343;
	uint64_t status = GATE_CALL_LOG, xmm = 0x1234567812345678;
	uint64_t at = (uint64_t)text, len = sizeof text - 1, rdx = 0x4444;

	__asm__ volatile(
	    "movq %[xmm], %%xmm7; syscall; movq %%xmm7, %[xmm]"
	    : "+a"(status), "+D"(at), "+S"(len), "+d"(rdx), "+r"(r8), "+r"(r9),
	      "+r"(r10), [xmm] "+b"(xmm)
	    : : "rcx", "r11", "xmm7", "cc", "memory");
	if (status != GATE_OK || xmm != 0x1234567812345678 ||
	    (at | len | rdx | r8 | r9 | r10) != 0)
		survived("a gate call that gives registers away");
	say("leave no trace\n");
	end();
}

/* What a crash leaves behind in the CPU is gone when the next life begins. */
static void try_fresh(const struct gate_info *info)
{
	uint32_t mxcsr = 0x7f80;
	uint16_t fcw = 0x0c7f, ds, es, fs, gs;

	if (info->restarts == 0) {
		__asm__ volatile("fldcw %0; fldpi; fldpi; ldmxcsr %1"
		    : : "m"(fcw), "m"(mxcsr));
		__asm__ volatile("movl %0, %%ds; movl %0, %%fs; movl %1, %%gs"
		    : : "r"(0), "r"(0x1b));
		set_flags(read_flags() | RFLAGS_DF | RFLAGS_AC | RFLAGS_NT);
		__asm__ volatile("ud2");
	}
	__asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(fcw), "=m"(mxcsr));
	__asm__ volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3"
	    : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	if (fcw != FCW_CLEAN || mxcsr != MXCSR_CLEAN || ds != 0x1b ||
	    es != 0x1b || fs != 0 || gs != 0 ||
	    (read_flags() & (RFLAGS_DF | RFLAGS_AC | RFLAGS_NT)) != 0)
		survived("the old life's registers");
	say("the second life starts clean\n");
	end();
}

#define TRY(name, ...) \
	if (case_is(info, name)) \
		__asm__ volatile(__VA_ARGS__)

static void try_exceptions(const struct gate_info *info)
{
	uint16_t fcw = 0;

	TRY("icebp", ".byte 0xf1");
	TRY("int3", "int3");
	TRY("into", ".byte 0xce");
	TRY("divide", "xorl %%edx, %%edx; divl %%edx" : : : "rax", "rdx");
	TRY("x87", "fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(fcw));
}

static void try_segments(const struct gate_info *info)
{
	TRY("ldt_data", "movl %0, %%ds" : : "r"(0x0f));
	TRY("ldt_code", "ljmpl *%0" : : "m"(ldt_code));
	TRY("ring0_code", "ljmpl *%0" : : "m"(ring0_code));
	TRY("task", "ljmpl *%0" : : "m"(task));
	TRY("null_stack", "movl %0, %%ss" : : "r"(3));
	TRY("stack_in_hole", "movq %0, %%rsp; pushq %%rax"
	    : : "r"(0x0000900000000000));
	TRY("stack_in_kernel", "movq %0, %%rsp; pushq %%rax"
	    : : "r"(0xffff900000000000));
	TRY("nested_task", "iretq");
}

/* TF across SYSCALL: ring 0 is never stepped through. */
static void try_steps(const struct gate_info *info)
{
	TRY("single_step", "pushfq; orq %0, (%%rsp); popfq; nop; nop"
	    : : "r"(RFLAGS_TF) : "cc", "memory");
	TRY("step_syscall", "xorl %%eax, %%eax; pushfq; orq %0, (%%rsp); popfq;"
	    "syscall; nop" : : "r"(RFLAGS_TF)
	    : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
	TRY("step_mov_ss", "xorl %%eax, %%eax; movl %%ss, %%ebx; pushfq;"
	    "orq %0, (%%rsp); popfq; movl %%ebx, %%ss; syscall; nop"
	    : : "r"(RFLAGS_TF)
	    : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
	      "memory");
}

void server_main(const struct gate_info *info)
{
	if (case_is(info, "flags"))
		try_flags();
	if (case_is(info, "any_stack"))
		try_stacks();
	TRY("no_stack", "movq %0, %%rsp; 1: pause; jmp 1b"
	    : : "r"(0x0000900000000000));
	if (case_is(info, "registers"))
		try_registers();
	if (case_is(info, "fresh"))
		try_fresh(info);
	if (case_is(info, "nested_task"))
		set_flags(read_flags() | RFLAGS_NT);
	try_steps(info);
	try_exceptions(info);
	try_segments(info);
	survived("what has to end a server");
}

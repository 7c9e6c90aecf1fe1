/*
 * Crash reports, see report.h.  Reads the server's stack only inside its bounds;
 * follows ring 0's frame pointers only while they stay on mapped kernel stack.
 */
#include "kernel/report.h"

#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/map.h"
#include "kernel/power.h"
#include "kernel/vault.h"

#define BACKTRACE_CAP 16
#define VECTOR_PAGE_FAULT 14
#define FAULT_PRESENT (1u << 0)
#define FAULT_WRITE   (1u << 1)
#define FAULT_FETCH   (1u << 4)

struct span {
	uint64_t va;
	uint64_t len;
};

SEALED static struct span kernel_image, server_image, server_stack;

static bool last_report;     /* ring 0 has crashed, its report is under way */

static const char *const names[32] = {
	[0] = "divide error", [1] = "debug exception", [2] = "NMI",
	[3] = "breakpoint", [4] = "overflow", [5] = "bound range exceeded",
	[6] = "invalid opcode", [7] = "no FPU", [8] = "double fault",
	[10] = "invalid TSS", [11] = "segment not present",
	[12] = "stack-segment fault", [13] = "general protection fault",
	[14] = "page fault", [16] = "x87 error", [17] = "alignment check",
	[18] = "machine check", [19] = "SIMD error", [20] = "virtualization",
	[21] = "control protection",
};

static bool within(const struct span *s, uint64_t va, uint64_t len)
{
	return va >= s->va && va - s->va < s->len && len <= s->len - (va - s->va);
}

void report_set_images(uint64_t kernel_va, uint64_t kernel_len,
    uint64_t server_va, uint64_t server_len, uint64_t stack_va,
    uint64_t stack_len)
{
	kernel_image = (struct span){ kernel_va, kernel_len };
	server_image = (struct span){ server_va, server_len };
	server_stack = (struct span){ stack_va, stack_len };
}

static void print_code(uint64_t va)
{
	if (within(&server_image, va, 1))
		console_printf(" server+0x%lx", va - server_image.va);
	else if (within(&kernel_image, va, 1))
		console_printf(" kernel+0x%lx", va - kernel_image.va);
	else
		console_printf(" 0x%016lx", va);
}

static const char *vector_name(uint64_t vector)
{
	const char *name = vector < 32 ? names[vector] : NULL;

	return name != NULL ? name : "unknown exception";
}

static void print_cause(const struct trap_frame *f)
{
	console_printf("%s (vector %lu, error 0x%lx)", vector_name(f->vector),
	    f->vector, f->error);
	if (f->vector != VECTOR_PAGE_FAULT)
		return;
	console_printf(": %s address 0x%016lx, %s",
	    f->error & FAULT_FETCH ? "executing" :
	    f->error & FAULT_WRITE ? "writing" : "reading", cpu_read_cr2(),
	    f->error & FAULT_PRESENT ? "not allowed there" : "nothing mapped there");
}

static void print_registers(const struct trap_frame *f)
{
	console_printf("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n",
	    f->rax, f->rbx, f->rcx, f->rdx);
	console_printf("  rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx\n",
	    f->rsi, f->rdi, f->rbp, f->rsp);
	console_printf("  r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx\n",
	    f->r8, f->r9, f->r10, f->r11);
	console_printf("  r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx\n",
	    f->r12, f->r13, f->r14, f->r15);
	console_printf("  rip %016lx  rflags %lx\n", f->rip, f->rflags);
}

/* Frames are [caller's rbp][return address]; each lies above the one before. */
static void print_server_backtrace(const struct trap_frame *f)
{
	uint64_t rbp = f->rbp;

	console_printf("  backtrace:");
	print_code(f->rip);
	for (int i = 0; i < BACKTRACE_CAP && within(&server_stack, rbp, 16); i++) {
		uint64_t next, back;

		user_access_begin();
		next = load_le64((const void *)rbp);
		back = load_le64((const void *)(rbp + 8));
		user_access_end();
		if (back == 0)
			break;
		print_code(back);
		if (next <= rbp)
			break;
		rbp = next;
	}
	console_printf("\n");
}

/*
 * The kernel's frames all lie on one stack of a few pages: a frame pointer that
 * leaves the current page, or is not aligned as the ABI has it, ends the walk.
 */
static void print_kernel_backtrace(uint64_t rip, uint64_t rbp)
{
	const uint64_t here = (uint64_t)__builtin_frame_address(0);

	console_printf("  backtrace:");
	print_code(rip);
	for (int i = 0; i < BACKTRACE_CAP && rbp > here &&
	    rbp % 16 == 0 && (rbp & ~(MAP_PAGE - 1)) == (here & ~(MAP_PAGE - 1));
	    i++) {
		const uint64_t next = load_le64((const void *)rbp);

		print_code(load_le64((const void *)(rbp + 8)));
		if (next <= rbp)
			break;
		rbp = next;
	}
	console_printf("\n");
}

void report_server(const struct trap_frame *frame, const char *cause)
{
	console_printf("stele: SERVER CRASH in ring 3 at");
	print_code(frame->rip);
	console_printf(": ");
	if (cause != NULL)
		console_printf("%s", cause);
	else
		print_cause(frame);
	console_printf("\n");
	print_registers(frame);
	print_server_backtrace(frame);
}

/* A report that crashes would crash for ever: in there, a crash only reboots. */
static void begin_last_report(void)
{
	if (last_report)
		power_reboot();
	last_report = true;
}

void report_kernel_trap(const struct trap_frame *frame)
{
	begin_last_report();
	console_printf("stele: KERNEL CRASH in ring 0 at");
	print_code(frame->rip);
	console_printf(": ");
	print_cause(frame);
	console_printf("\n");
	/* The console is no place for a piece of a key. */
	if (vault_busy())
		console_printf("  no registers: a signature was being made\n");
	else
		print_registers(frame);
	print_kernel_backtrace(frame->rip, frame->rbp);
	power_reboot();
}

NORETURN void panic_at(const char *file, int line, const char *what)
{
	begin_last_report();
	console_printf("stele: KERNEL PANIC at %s:%d: %s\n", file, line, what);
	print_kernel_backtrace((uint64_t)__builtin_return_address(0),
	    (uint64_t)__builtin_frame_address(0) + 1);
	power_reboot();
}

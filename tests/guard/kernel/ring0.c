/*
 * The protections bind ring 0 as well.  Linked into a kernel in place of
 * server_run(): everything is sealed, the server is about to start.
 *
 * case page_table: KERNEL CRASH in ring 0 .*page fault.*writing.*not allowed there
 * case text: KERNEL CRASH in ring 0 .*page fault.*writing.*not allowed there
 * case rodata: KERNEL CRASH in ring 0 .*page fault.*writing.*not allowed there
 * case sealed: KERNEL CRASH in ring 0 .*page fault.*writing.*not allowed there
 * case data: KERNEL CRASH in ring 0 .*page fault.*executing.*not allowed there
 * case null: KERNEL CRASH in ring 0 .*page fault.*nothing mapped there
 * case boot: KERNEL CRASH in ring 0 .*page fault.*reading address 0x0000000000100000, nothing mapped there
 * case user_read: KERNEL CRASH in ring 0 .*page fault.*reading.*not allowed there
 * case user_in_handler: KERNEL CRASH in ring 0 .*page fault.*reading.*not allowed there
 * case user_execute: KERNEL CRASH in ring 0 .*page fault.*executing.*not allowed there
 * case stack_overflow: KERNEL CRASH in ring 0 .*double fault
 * case abort_in_ring3: KERNEL CRASH in ring 0 .*machine check
 * case map_again: KERNEL PANIC at kernel/map.c
 * case alias_rom: KERNEL PANIC at kernel/map.c
 * case alias_text: KERNEL PANIC at kernel/map.c
 * case alias_keys instance=keys: KERNEL PANIC at kernel/map.c
 * case alias_keys_writing instance=keys: KERNEL PANIC at kernel/map.c
 * case report_in_vault: KERNEL CRASH in ring 0 .*page fault.*reading.*\n  no registers
 * case report_at_edge: invalid opcode[\s\S]*backtrace: kernel\+0x[0-9a-f]+\n
 * case smash: KERNEL PANIC .*stack smashed
 */
#include <string.h>

#include "config/base.h"
#include "kernel/cmdline.h"
#include "kernel/console.h"
#include "kernel/map.h"
#include "kernel/power.h"
#include "kernel/report.h"
#include "kernel/server.h"
#include "kernel/trap.h"
#include "kernel/vault.h"

#define RET_OPCODE 0xc3

extern uint64_t kernel_stack_top;

NORETURN void __wrap_server_run(void);
void __real_map_seal(void);
void __wrap_map_seal(void);
NORETURN void __real_report_kernel_trap(const struct trap_frame *frame);
NORETURN void __wrap_report_kernel_trap(const struct trap_frame *frame);

static uint8_t data[16] = { RET_OPCODE };
static const uint8_t rodata[16] = { RET_OPCODE };

static bool case_is(const char *name)
{
	const char *value;
	size_t len;

	return cmdline_find(server_cmdline(), "case", &value, &len) &&
	    len == strlen(name) && memcmp(value, name, len) == 0;
}

static void touch_write(const void *at)
{
	*(volatile uint8_t *)at = 0x90;
}

static void touch_execute(const void *at)
{
	__asm__ volatile("call *%0" : : "r"(at) : "memory");
}

static uint64_t overflow(volatile uint64_t *above)
{
	volatile uint64_t frame[64];

	frame[0] = above[0] + 1;
	if (frame[0] == 0)       /* never: the compiler is not to know */
		return 0;
	return overflow(frame) + frame[0];
}

__attribute__((noinline))
static void smash(void)
{
	volatile uint64_t room[4];

	for (unsigned i = 0; i < 8; i++)
		*(volatile uint64_t *)((uint64_t)room + 8 * (4 + i)) = 0x4141414141414141;
}

/* One page of what holds [va, va + 1) in the server, mapped once more, writable. */
static void map_alias(uint64_t va)
{
	(void)map_region(gate_find_range(server_ranges(), va, 1,
	    GATE_RANGE_SEND)->pa, MAP_PAGE, MAP_WRITE);
}

/* Where the keys are: behind the public part that the server may read. */
static uint64_t keys_pa(void)
{
	const struct gate_range *public = gate_find_range(server_ranges(),
	    (uint64_t)server_info()->bundle, 1, GATE_RANGE_READ);

	return public->pa + public->len;
}

/* The check of the finished tables sees a second way to constant memory. */
void __wrap_map_seal(void)
{
	if (case_is("alias_keys"))
		(void)map_region(keys_pa(), MAP_PAGE, MAP_USER);
	if (case_is("alias_keys_writing"))
		(void)map_region(keys_pa(), MAP_PAGE, MAP_WRITE);
	if (case_is("report_in_vault"))
		vault_open((const void *)0xffff900000000000, 1);
	if (case_is("alias_text"))
		map_alias(server_entry());
	if (case_is("alias_rom"))
		map_alias(server_ranges()->range[1].start);
	__real_map_seal();
}

/* A handler cannot reach ring 3's memory, even if AC was set where it came from. */
void __wrap_report_kernel_trap(const struct trap_frame *frame)
{
	if (case_is("user_in_handler") && frame->vector == 6)
		(void)*(const volatile uint8_t *)server_ranges()->range->start;
	__real_report_kernel_trap(frame);
}

void __wrap_server_run(void)
{
	const uint8_t *null = NULL;
	const struct gate_range *user = server_ranges()->range;
	volatile uint64_t zero[1] = { 0 };

	__asm__("" : "+r"(null));
	if (case_is("page_table"))
		touch_write(map_tables());
	if (case_is("text"))
		touch_write((const void *)map_tables);
	if (case_is("rodata"))
		touch_write(rodata);
	if (case_is("sealed"))
		touch_write(&kernel_stack_top);
	if (case_is("data"))
		touch_execute(data);
	if (case_is("null"))
		touch_write(null);
	if (case_is("boot"))
		(void)*(const volatile uint8_t *)0x100000;
	if (case_is("user_read"))
		(void)*(const volatile uint8_t *)user->start;
	if (case_is("user_in_handler")) {
		user_access_begin();
		__asm__ volatile("ud2");
	}
	if (case_is("user_execute"))
		touch_execute((const void *)server_entry());
	/* A frame whose second half lies in the absent page. */
	if (case_is("report_at_edge"))
		__asm__ volatile("movq %0, %%rbp; ud2" : : "r"(kernel_stack_top - 8));
	if (case_is("stack_overflow"))
		(void)overflow(zero);
	if (case_is("abort_in_ring3"))
		trap_handle(&(struct trap_frame){ .vector = 18, .cs = 0x23 });
	if (case_is("map_again"))
		(void)map_region(0x100000, 4096, MAP_WRITE);
	if (case_is("report_in_vault"))
		(void)!vault_sign(&(struct gate_sign){ .algorithm = GATE_SIGN_ECDSA_SHA256 });
	if (case_is("smash"))
		smash();
	console_printf("FAILURE: survived\n");
	power_off();
}

/*
 * Nothing that can be written can be executed, and neither can rodata, the ROM or the
 * certificates.
 *
 * case data: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case bss: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case stack: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case rodata: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case pool: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case receive: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case keep: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case rom: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case info: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 * case bundle instance=keys: SERVER CRASH in ring 3 .*page fault.*executing.*not allowed there
 */
#include "tests/guard/guard.h"

static uint8_t data[16] = { RET_OPCODE };
static uint8_t bss[16];
static const uint8_t rodata[16] = { RET_OPCODE };

static void execute_written(uint8_t *at)
{
	*(volatile uint8_t *)at = RET_OPCODE;
	touch_execute(at);
}

void server_main(const struct gate_info *info)
{
	uint8_t stack[16];

	if (case_is(info, "data"))
		touch_execute(data);
	if (case_is(info, "bss"))
		execute_written(bss);
	if (case_is(info, "stack"))
		execute_written(stack);
	if (case_is(info, "rodata"))
		touch_execute(rodata);
	if (case_is(info, "pool"))
		execute_written(info->pool);
	if (case_is(info, "receive"))
		execute_written(info->rx_base);
	if (case_is(info, "keep"))
		execute_written(info->keep);
	if (case_is(info, "rom"))
		touch_execute(info->rom);
	if (case_is(info, "info"))
		touch_execute(info);
	if (case_is(info, "bundle"))
		touch_execute(info->bundle);
	survived("executing data");
}

/*
 * Nothing that holds code or content can be written: own text, own rodata, the
 * site's ROM, the certificates, the kernel's information page.
 *
 * case text: SERVER CRASH in ring 3 .*page fault.*writing.*not allowed there
 * case rodata: SERVER CRASH in ring 3 .*page fault.*writing.*not allowed there
 * case relro: SERVER CRASH in ring 3 .*page fault.*writing.*not allowed there
 * case rom: SERVER CRASH in ring 3 .*page fault.*writing.*not allowed there
 * case info: SERVER CRASH in ring 3 .*page fault.*writing.*not allowed there
 * case bundle instance=keys: SERVER CRASH in ring 3 .*page fault.*writing.*not allowed there
 * case gate_writes: gate refuses to write there
 */
#include "tests/guard/guard.h"

static const char constant[] = "rodata";
static const char *const pointers[] = { constant, constant };

/* The kernel must not write there on our behalf. */
static void try_gate(const struct gate_info *info)
{
	if (gate_random((void *)server_main, 16) != GATE_BAD_RANGE ||
	    gate_random((void *)info, 16) != GATE_BAD_RANGE ||
	    gate_random((void *)info->rom, 16) != GATE_BAD_RANGE ||
	    gate_wait(0, (uint32_t *)constant) != GATE_BAD_RANGE ||
	    gate_wait(0, (uint32_t *)info->rom) != GATE_BAD_RANGE ||
	    gate_net((struct gate_net *)info->rom) != GATE_BAD_RANGE ||
	    gate_net((struct gate_net *)info) != GATE_BAD_RANGE)
		survived("a gate call that writes to read-only memory");
	say("gate refuses to write there\n");
	end();
}

void server_main(const struct gate_info *info)
{
	if (case_is(info, "text"))
		touch_write((void *)server_main);
	if (case_is(info, "rodata"))
		touch_write((void *)constant);
	if (case_is(info, "relro"))
		touch_write((void *)pointers);
	if (case_is(info, "rom"))
		touch_write((void *)info->rom);
	if (case_is(info, "info"))
		touch_write((void *)&info->clock);
	if (case_is(info, "bundle"))
		touch_write((void *)info->bundle);
	if (case_is(info, "gate_writes"))
		try_gate(info);
	survived("a write to read-only memory");
}

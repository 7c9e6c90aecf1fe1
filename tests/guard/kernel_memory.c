/*
 * Ring 3 cannot touch the kernel's memory, even where it knows an address (a CPU
 * without UMIP tells it the IDT's), and addresses in the non-canonical hole or
 * the upper half fault like any other.
 *
 * case read cpu=max,-umip: SERVER CRASH in ring 3 .*page fault.*reading address 0xffff.*not allowed there
 * case write cpu=max,-umip: SERVER CRASH in ring 3 .*page fault.*writing address 0xffff.*not allowed there
 * case execute cpu=max,-umip: SERVER CRASH in ring 3 .*page fault.*executing address 0xffff.*not allowed there
 * case gate_reads cpu=max,-umip: gate refuses kernel memory
 * case upper_half: SERVER CRASH in ring 3 .*page fault.*reading address 0xffff8.*nothing mapped there
 * case hole: SERVER CRASH in ring 3 .*general protection fault
 */
#include "tests/guard/guard.h"

/* The kernel must not be made to read or write its own memory for us either. */
static void try_gate(uint8_t *kernel)
{
	uint32_t *woke = (uint32_t *)kernel;

	if (gate_log(kernel, 16) != GATE_BAD_RANGE ||
	    gate_random(kernel, 16) != GATE_BAD_RANGE ||
	    gate_wait(0, woke) != GATE_BAD_RANGE ||
	    gate_net((struct gate_net *)kernel) != GATE_BAD_RANGE ||
	    gate_stop(GATE_STOP_POWER_OFF, (char *)kernel, 16) != GATE_BAD_RANGE)
		survived("a gate call that names kernel memory");
	say("gate refuses kernel memory\n");
	end();
}

void server_main(const struct gate_info *info)
{
	if (case_is(info, "upper_half"))
		touch_read((void *)0xffff800000000000);
	if (case_is(info, "hole"))
		touch_read((void *)0x0000900000000000);
	uint8_t *kernel = kernel_address();

	if (case_is(info, "read"))
		touch_read(kernel);
	if (case_is(info, "write"))
		touch_write(kernel);
	if (case_is(info, "execute"))
		touch_execute(kernel);
	if (case_is(info, "gate_reads"))
		try_gate(kernel);
	survived("access to kernel memory");
}

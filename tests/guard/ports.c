/*
 * Ring 3 has no I/O port.
 *
 * case in_serial: SERVER CRASH in ring 3 .*general protection fault
 * case out_serial: SERVER CRASH in ring 3 .*general protection fault
 * case out_pci: SERVER CRASH in ring 3 .*general protection fault
 * case out_reset: SERVER CRASH in ring 3 .*general protection fault
 * case outs: SERVER CRASH in ring 3 .*general protection fault
 */
#include "tests/guard/guard.h"

void server_main(const struct gate_info *info)
{
	if (case_is(info, "in_serial"))
		__asm__ volatile("inb %w0, %%al" : : "Nd"(0x3fd) : "rax");
	if (case_is(info, "out_serial"))
		__asm__ volatile("outb %%al, %w0" : : "Nd"(0x3f8), "a"('!'));
	if (case_is(info, "out_pci"))
		__asm__ volatile("outl %%eax, %w0" : : "Nd"(0xcf8), "a"(0x80000000));
	if (case_is(info, "out_reset"))
		__asm__ volatile("outb %%al, %w0" : : "Nd"(0xcf9), "a"(6));
	if (case_is(info, "outs"))
		__asm__ volatile("outsb" : : "d"(0x3f8), "S"(info->cmdline));
	survived("port I/O");
}

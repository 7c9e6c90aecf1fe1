/*
 * Descriptor tables, exceptions and interrupts, and the way into ring 3.
 */
#pragma once

#include "config/base.h"

/* What the stubs in entry.S leave on the stack; order is theirs and the CPU's. */
struct trap_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "frame is what entry.S pushes");

/*
 * Load GDT, IDT and TSS, turn on the CPU's protections (WP, NX is on since boot,
 * SMEP, SMAP, UMIP where there), and point SYSCALL at the gate.
 *
 * stack_top  where ring 0 begins on every entry from ring 3
 */
void trap_start(uint64_t stack_top);

/* The protections that are on, in words for the console: "wp nx smep smap umip". */
const char *trap_protections(void);

/* Let ring 0 touch ring-3 pages (SMAP) until user_access_end(). */
void user_access_begin(void);
void user_access_end(void);

/* Called by the stubs for every exception and interrupt. */
void trap_handle(struct trap_frame *frame);

/* Sleep until an interrupt; interrupts are on only inside. */
void trap_sleep(void);

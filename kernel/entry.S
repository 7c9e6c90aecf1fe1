/*
 * The kernel's doors: its first instruction, the gate (SYSCALL), and one stub for
 * each exception and interrupt.  Modifies only the stack, the registers it saves
 * or clears by name, and gate_user_rsp.  Source: SDM vol. 3, sections 5.8.8, 6.14.
 */
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_DATA 0x1b
#define SEL_USER_CODE 0x23
#define RFLAGS_USER 0x202       /* IF, and the bit that is always set */

/*
 * From boot: %rdi = struct handoff, boot's stack and tables.  Boot's stack is not
 * mapped in the kernel's tables, so the first thing is one of our own; it has no
 * absent pages around it and serves until kernel_on_stack().
 */
	.section .text.start, "ax"
	.global _start
_start:
	cld
	leaq early_stack_end(%rip), %rsp
	call kernel_early
	ud2

	.text
	/* void kernel_on_stack(uint64_t stack_top, void (*fn)(void)) */
	.global kernel_on_stack
kernel_on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2

/*
 * The gate.  SYSCALL has put the return address in %rcx and the flags in %r11,
 * masked IF, DF, TF, NT and AC, and left the user's stack in place.  One CPU and no
 * reentry: the user's stack pointer waits in one variable.  Every register that
 * could carry kernel values back is cleared.
 */
	.global gate_entry
gate_entry:
	movq %rsp, gate_user_rsp(%rip)
	movq kernel_stack_top(%rip), %rsp
	pushq %rcx
	pushq %r11
	movq %rax, %rcx
	call gate_dispatch
	movl %eax, %eax         /* an enum: its upper half is nobody's */
	popq %r11
	popq %rcx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %edi, %edi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	movq gate_user_rsp(%rip), %rsp
	sysretq

/*
 * void server_enter(uint64_t entry, uint64_t stack_top, uint64_t info): first
 * instruction of a fresh server; every register but these is zero.
 */
	.global server_enter
server_enter:
	movq kernel_stack_top(%rip), %rsp
	movl $SEL_USER_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	fninit
	ldmxcsr mxcsr_default(%rip)
	pxor %xmm0, %xmm0
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqa %xmm0, %xmm\n
	.endr
	pushq $SEL_USER_DATA
	pushq %rsi
	pushq $RFLAGS_USER
	pushq $SEL_USER_CODE
	pushq %rdi
	movq %rdx, %rdi
	xorl %ebx, %ebx
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %ebp, %ebp
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	xorl %r\n\()d, %r\n\()d
	.endr
	iretq

/*
 * Exceptions and interrupts: struct trap_frame on the stack, %rdi = its address.
 * The CPU pushes an error code for vectors 8, 10-14, 17, 21, 29 and 30; the stubs
 * push 0 for the others.
 */
	.macro stub vector
	.align 16
	.if (\vector == 8) || (\vector >= 10 && \vector <= 14) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30)
	.else
	pushq $0
	.endif
	pushq $\vector
	jmp trap_common
	.endm

	.align 16
	.global trap_stubs
trap_stubs:
	.altmacro
	.set vector_number, 0
	.rept 56
	stub %vector_number
	.set vector_number, vector_number + 1
	.endr
	.noaltmacro

	.align 16
	.global trap_stub_spurious
trap_stub_spurious:
	iretq

trap_common:
	cld
	pushq %r15
	pushq %r14
	pushq %r13
	pushq %r12
	pushq %r11
	pushq %r10
	pushq %r9
	pushq %r8
	pushq %rbp
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rbx
	pushq %rax
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call trap_handle
	popq %rax
	popq %rbx
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rbp
	popq %r8
	popq %r9
	popq %r10
	popq %r11
	popq %r12
	popq %r13
	popq %r14
	popq %r15
	addq $16, %rsp
	iretq

	.section .rodata
	.align 4
mxcsr_default:
	.long 0x1f80

	.bss
	.align 8
	.global gate_user_rsp
gate_user_rsp:
	.skip 8
	.align 16
early_stack:
	.skip 8192
early_stack_end:

	.section .note.GNU-stack, "", @progbits

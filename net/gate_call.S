/*
 * The gate's calls in the VM: SYSCALL with the number in rax and the arguments where
 * a C function has them.  The status comes back in rax; SYSCALL itself takes rcx and
 * r11, and the kernel clears rdx, rsi, rdi and r8 to r10, which belong to the
 * function called anyway (System V ABI).  The rest is preserved.
 */

.macro gate_function name, number
	.text
	.globl \name
	.type \name, @function
	.balign 16
\name:
	mov $\number, %eax
	syscall
	ret
	.size \name, . - \name
.endm

	/* enum gate_call */
	gate_function gate_net, 1
	gate_function gate_wait, 2
	gate_function gate_sign, 3
	gate_function gate_random, 4
	gate_function gate_log, 5
	gate_function gate_stop, 6

	.section .note.GNU-stack, "", @progbits

/*
 * The server's first instructions in the VM.  rdi is server_main()'s argument, the
 * stack is set and 16-byte aligned.  Before any C function with a canary runs, the
 * canary is drawn from the kernel: eight random bytes, the lowest replaced by zero so
 * that a string cannot be read or written past it.
 */

	.text
	.globl _start
	.type _start, @function
_start:
	xor %ebp, %ebp
	mov %rdi, %rbx
	lea __stack_chk_guard(%rip), %rdi
	mov $8, %esi
	call gate_random
	test %eax, %eax
	jnz 1f
	movb $0, __stack_chk_guard(%rip)
	mov %rbx, %rdi
	call server_main
1:	ud2
	.size _start, . - _start

	/* Used by code compiled with -mstack-protector-guard=global. */
	.bss
	.globl __stack_chk_guard
	.type __stack_chk_guard, @object
	.balign 8
__stack_chk_guard:
	.skip 8
	.size __stack_chk_guard, 8

	.section .note.GNU-stack, "", @progbits

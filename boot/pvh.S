/*
 * The first instructions, as a PVH loader enters them: 32-bit protected mode,
 * flat segments, no paging, interrupts off, %ebx = physical address of
 * hvm_start_info (Xen, docs/misc/pvh).  Maps the low 4 GiB one to one, turns on
 * 64-bit mode with NX, and calls boot_main().
 */
#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000
#define CR4_PAE 0x00000020
#define CR4_OSFXSR 0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define MSR_EFER 0xc0000080
#define EFER_LME 0x00000100
#define EFER_NXE 0x00000800

#define PAGE_PRESENT_RW 0x3
#define PAGE_LARGE_RW 0x83

	/* XEN_ELFNOTE_PHYS32_ENTRY: 32-bit physical entry point. */
	.section .note.Xen, "a", @note
	.align 4
	.long 4, 4, 18
	.asciz "Xen"
	.long pvh_start

	.section .text
	.code32
	.global pvh_start
pvh_start:
	cld
	movl %ebx, %ebp
	rdtsc
	movl %eax, boot_tsc_start
	movl %edx, boot_tsc_start + 4
	movl $boot_stack_end, %esp

	/* A CPU without 64-bit mode or NX cannot hold up what we promise. */
	movl $0x80000001, %eax
	cpuid
	andl $((1 << 29) | (1 << 20)), %edx
	cmpl $((1 << 29) | (1 << 20)), %edx
	jne no_long_mode

	/* Page tables: one PML4 entry, four PDPT entries, 2048 large pages. */
	movl $(boot_pdpt + PAGE_PRESENT_RW), boot_pml4
	movl $(boot_pd + PAGE_PRESENT_RW), %eax
	xorl %ecx, %ecx
1:	movl %eax, boot_pdpt(, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $4, %ecx
	jne 1b
	movl $PAGE_LARGE_RW, %eax
	xorl %ecx, %ecx
2:	movl %eax, boot_pd(, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $2048, %ecx
	jne 2b

	movl $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
	movl %eax, %cr4
	movl $boot_pml4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $(EFER_LME | EFER_NXE), %eax
	wrmsr
	movl $(CR0_PE | CR0_MP | CR0_WP | CR0_PG), %eax
	movl %eax, %cr0
	lgdt boot_gdt_pointer
	ljmp $8, $long_start

no_long_mode:
	movl $no_long_mode_text, %esi
3:	lodsb
	testb %al, %al
	jz 4f
	movw $0x3f8, %dx
	outb %al, %dx
	jmp 3b
4:	cli
	hlt
	jmp 4b

	.code64
long_start:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $boot_stack_end, %esp
	movl %ebp, %edi
	xorl %ebp, %ebp
	call boot_main
	ud2

/*
 * void boot_enter(uint64_t entry_va, const struct handoff *h): leave for the
 * kernel.  It is mapped in these tables at entry_va and switches stack itself.
 */
	.global boot_enter
boot_enter:
	movq %rdi, %rax
	movq %rsi, %rdi
	xorl %ebp, %ebp
	call *%rax
	ud2

	.section .rodata
no_long_mode_text:
	.asciz "stele: this CPU has no 64-bit mode with NX; cannot start\r\n"
	.align 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff    /* 64-bit code */
	.quad 0x00cf93000000ffff    /* data */
boot_gdt_pointer:
	.word . - boot_gdt - 1
	.long boot_gdt
	.long 0

	.data
	.align 8
	.global boot_tsc_start
boot_tsc_start:
	.quad 0

	.bss
	.align 4096
	.global boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4 * 4096
boot_stack:
	.skip 16384
boot_stack_end:

	.section .note.GNU-stack, "", @progbits

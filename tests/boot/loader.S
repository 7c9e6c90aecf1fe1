/*
 * A loader of our own: enters boot as a PVH loader does, with tables that no real one
 * passes.  tests/boot/test_loader.py assembles it with -D for each field it bends.
 */
#define STRING_(x) #x
#define STRING(x) STRING_(x)

	.section .note.Xen, "a", @note
	.align 4
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.code32
start:
	movl $info, %ebx
	movl $ENTRY, %eax
	jmp *%eax

	.data
	.align 8
info:
	.long 0x336ec578, VERSION, 0, MODULES
	.long modules, MODULES_HIGH, cmdline, CMDLINE_HIGH, 0, 0
	.long map, MAP_HIGH, MAP_COUNT, 0

	.align 8
map:
	.quad 0, 0xa0000
	.long 1, 0
	.quad 0x100000, 0x3f00000        /* 64 MiB of RAM */
	.long 1, 0
	.quad 0x400000, 0x3900000        /* most of it, once more */
	.long THIRD, 0
	.quad 0xfffffffffffff000, 0x2000
	.long 1, 0
	.rept 200
	.quad 0x70000000, 0x1000
	.long 2, 0
	.endr

modules:
	.rept 2
	.quad MODULE, MODULE_LEN, 0, 0
	.endr

cmdline:
	.ascii "virtio_mmio.device=512@0xfeb00e00:12 on-crash=poweroff case="
	.asciz STRING(CASE)

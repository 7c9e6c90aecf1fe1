# Images whose server (or kernel) tries a forbidden thing; tests/guard/README.md.

GUARD_KERNELS := $(sort $(wildcard tests/guard/kernel/*.c))
GUARD_IMAGES := $(GUARDS:tests/guard/%.c=build/guard/%.elf) \
	$(GUARD_KERNELS:tests/guard/kernel/%.c=build/guard/kernel-%.elf) \
	build/guard/crash-url.elf

# What every server needs around its server_main().
GUARD_BASE := net/start.S net/gate_call.S net/panic.c net/text.c config/libc/string.c

build/guard/%.server: $(call objects,server,tests/guard/%.c $(GUARD_BASE)) \
		boot/image.ld
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(LINK_IMAGE) -o $@ $(filter %.o,$^)

# The ordinary server, but one path kills it.
build/guard/crash-url.server: $(call objects,server,$(SERVER_SRCS) \
		tests/guard/crash/crash_url.c) boot/image.ld
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(LINK_IMAGE) \
		-Wl,--wrap=romfs_resolve -o $@ $(filter %.o,$^)

build/guard/kernel-%.kernel: $(call objects,kernel,$(KERNEL_SRCS) \
		tests/guard/kernel/%.c) boot/image.ld
	$(call say,LD,$@)mkdir -p $(@D) && $(CC) $(LINK_IMAGE) \
		-Wl,--wrap=server_run,--wrap=map_seal \
		-Wl,--wrap=report_kernel_trap -o $@ $(filter %.o,$^)

build/guard/%.stripped: build/guard/%
	@objcopy --strip-all $< $@

build/guard/site.rom: build/mkromfs $(wildcard romfs/welcome/*)
	@mkdir -p $(@D) && build/mkromfs --quiet romfs/welcome $@

# $(call guard_image,KERNEL,SERVER)
guard_image = $(call say,IMAGE,$@)build/mkimage --boot build/boot.elf \
	--kernel $1 --server $2 --rom build/guard/site.rom \
	--version $(VERSION) -o $@ >/dev/null
GUARD_COMMON := build/mkimage build/boot.elf build/guard/site.rom

build/guard/kernel-%.elf: build/guard/kernel-%.kernel.stripped \
		build/image/server.elf $(GUARD_COMMON)
	$(call guard_image,$<,build/image/server.elf)

build/guard/%.elf: build/guard/%.server.stripped build/image/kernel.elf \
		$(GUARD_COMMON)
	$(call guard_image,build/image/kernel.elf,$<)

.PRECIOUS: build/guard/%.server build/guard/%.kernel build/guard/%.stripped

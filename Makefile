# stele: a folder of files becomes a virtual machine that serves it.
# `make help` lists what can be asked for; config/README.md says how it is built.

VERSION := 0.1.0

# What a user may set; `make help` explains them.
SITE = romfs/welcome
SITES =
CLEAN_URLS =
TRAILING_SLASH =
REDIRECTS =
SPA =
LISTINGS =
CSP =
CODINGS =
HTTP_PORT = 8080
HTTPS_PORT = 8443
INSTANCE =
CERT =
KEY =
HOST =
SETTINGS =
BUDGET =
STRICT =
ALL =
A =
B =
MEM =
MACHINE = q35
ACCEL =
APPEND =
FUZZ_SECONDS = 60
CC = gcc
HOSTCC = $(CC)
CLANG = clang

# Names of files may hold anything, so they travel in the environment, unexpanded.
override SITE := $(value SITE)
override SITES := $(value SITES)
override CSP := $(value CSP)
override INSTANCE := $(value INSTANCE)
override CERT := $(value CERT)
override KEY := $(value KEY)
override A := $(value A)
override B := $(value B)
export A B BUDGET STRICT ALL
export SITE HTTP_PORT HTTPS_PORT INSTANCE MEM MACHINE ACCEL APPEND FUZZ_SECONDS
export SITES CLEAN_URLS TRAILING_SLASH REDIRECTS SPA LISTINGS CSP CODINGS
export CERT KEY HOST SETTINGS
export BEARSSL_SRC LWIP_SRC PACKAGES
export LC_ALL := C.UTF-8

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all image instance check csp diff run stop dev watch test fuzz bench symbolize clean help FORCE

all: image
	@config/summary.sh

# V=1 shows the commands themselves.
ifeq ($(V),1)
say =
else
say = @printf '  %-7s %s\n' '$1' '$2';
endif

# $(call packages,GROUP...): have the Debian packages of these groups.
packages = config/packages.sh $1

include config/deps.mk

# ---- What is built from what ---------------------------------------------------

BOOT_SRCS := $(wildcard boot/*.c boot/*.S) config/libc/string.c
KERNEL_SRCS := $(wildcard kernel/*.c kernel/*.S) config/libc/string.c \
	$(KERNEL_BEARSSL_SRCS)
SERVER_SRCS := $(wildcard net/*.c net/*.S tls/*.c http/*.c romfs/*.c) \
	config/libc/string.c $(LWIP_SRCS) $(SERVER_BEARSSL_SRCS)
MKROMFS_SRCS := $(wildcard romfs/mkromfs/*.c) $(wildcard romfs/*.c)
MKINSTANCE_SRCS := $(wildcard tls/mkinstance/*.c) net/settings.c net/range.c
MKIMAGE_SRCS := $(wildcard boot/mkimage/*.c) $(BEARSSL_HASH_SRCS)

# ---- How -----------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla
INCLUDES := -I. -Inet -I$(LWIP)/src/include -I$(BEARSSL)/inc -I$(BEARSSL)/src
# BearSSL would read unaligned words through pointers to aligned ones, where the compiler
# makes as good code of bytes.
COMMON := -std=gnu11 -g "-ffile-prefix-map=$(CURDIR)=." -fno-common \
	-DBR_LE_UNALIGNED=0

# Without a C library, in ring 0 and 3.  Nothing of the machine's own headers but
# those that belong to the compiler.  It may still know what memcpy() does: eight bytes
# are one move then, not a call.
FREESTANDING := $(COMMON) -O2 -ffreestanding -fbuiltin -nostdinc -Iconfig/libc \
	-isystem build/compiler-include $(INCLUDES) \
	-m64 -mno-red-zone -fcf-protection=none -fno-omit-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-fno-tree-loop-distribute-patterns \
	-ffunction-sections -fdata-sections
PROTECTED := -fstack-protector-strong -mstack-protector-guard=global
RELOCATABLE := -fPIE -fvisibility=hidden

BOOT_FLAGS := $(FREESTANDING) -fno-pic -mcmodel=small -mgeneral-regs-only \
	-fno-stack-protector
KERNEL_FLAGS := $(FREESTANDING) $(RELOCATABLE) $(PROTECTED) -mgeneral-regs-only
SERVER_FLAGS := $(FREESTANDING) $(RELOCATABLE) $(PROTECTED)
HOST_FLAGS := $(COMMON) -O2 $(INCLUDES) -D_GNU_SOURCE

# Others' code is compiled with our flags but not held to our warnings.
warnings = $(if $(filter build/%,$1),-w,$(WARNINGS))

LINK := -nostdlib -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--fatal-warnings
LINK_IMAGE := $(LINK) -static-pie -Wl,-T,boot/image.ld -Wl,--gc-sections \
	-Wl,--no-dynamic-linker -Wl,-z,norelro -Wl,-z,text

# $(call objects,KIND,SOURCES): where their objects go.
objects = $(patsubst %,build/$1/%.o,$(patsubst build/%,%,$2))

# Everything a compiler needs to be there before it runs.
READY := packages-build build/compiler-include $(BEARSSL_STAMP) $(LWIP_STAMP)

# $(call remember,FILE,TEXT): a file that holds the text and is as old as it.
define remember
$1: FORCE
	@mkdir -p $$(@D)
	@echo '$2' | cmp -s - $$@ || echo '$2' >$$@
endef

# $(call compile,KIND,COMPILER,FLAGS): the rules for all objects of a kind.  They
# depend on a file that holds the flags, so other flags mean compiling again.
define compile
$(eval KINDS += $1)
$(call remember,build/$1/.flags,$2 $3 $(WARNINGS))

build/$1/%.o: % build/$1/.flags | $(READY)
	$$(call say,CC,$1: $$<)mkdir -p $$(@D) && $2 $3 $$(EXTRA_FLAGS) \
		$$(call warnings,$$<) -MMD -MP -c $$< -o $$@

build/$1/%.o: build/% build/$1/.flags | $(READY)
	$$(call say,CC,$1: $$<)mkdir -p $$(@D) && $2 $3 $$(EXTRA_FLAGS) \
		$$(call warnings,$$<) -MMD -MP -c $$< -o $$@
endef

# In functions for CPUs with more than the least features gcc forgets where the canary
# is (-mstack-protector-guard) and would read it through %fs, which is nothing here.
SERVER_FEATURE_SRCS := $(filter %_x86ni.c %_x86ni_ctr.c %_pclmul.c %_sse2.c, \
	$(SERVER_BEARSSL_SRCS))
$(call objects,server,$(SERVER_FEATURE_SRCS)): EXTRA_FLAGS := -fno-stack-protector

$(eval $(call compile,boot,$(CC),$(BOOT_FLAGS)))
$(eval $(call compile,kernel,$(CC),$(KERNEL_FLAGS)))
$(eval $(call compile,server,$(CC),$(SERVER_FLAGS)))
$(eval $(call compile,host,$(HOSTCC),$(HOST_FLAGS)))

build/compiler-include: | packages-build
	@mkdir -p build && ln -sfn "$$($(CC) -print-file-name=include)" $@

# ---- The image -----------------------------------------------------------------

# A source that is gone changes none of the others: what is linked is remembered, too.
$(eval $(call remember,build/boot/.link,$(BOOT_SRCS) $(LINK)))
$(eval $(call remember,build/kernel/.link,$(KERNEL_SRCS) $(LINK_IMAGE)))
$(eval $(call remember,build/server/.link,$(SERVER_SRCS) $(LINK_IMAGE)))

build/boot.elf: $(call objects,boot,$(BOOT_SRCS)) boot/boot.ld build/boot/.link
	$(call say,LD,$@)$(CC) $(LINK) -static -no-pie -Wl,-T,boot/boot.ld \
		-Wl,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

build/kernel.elf: $(call objects,kernel,$(KERNEL_SRCS)) boot/image.ld \
	build/kernel/.link
build/server.elf: $(call objects,server,$(SERVER_SRCS)) boot/image.ld \
	build/server/.link
build/kernel.elf build/server.elf: config/check-image.sh
	$(call say,LD,$@)$(CC) $(LINK_IMAGE) -o $@ $(filter %.o,$^) && \
		config/check-image.sh $@

# Debug information stays behind.
build/image/%.elf: build/%.elf
	@mkdir -p $(@D)
	@objcopy --strip-all $< $@

build/mkromfs: $(call objects,host,$(MKROMFS_SRCS))
	$(call say,LD,$@)$(HOSTCC) -o $@ $^ -lunistring -lcrypto -lz -lbrotlienc \
		-lbrotlidec -lzstd -lpthread

build/mkinstance: $(call objects,host,$(MKINSTANCE_SRCS))
	$(call say,LD,$@)$(HOSTCC) -o $@ $^ -lcrypto

build/mkimage: $(call objects,host,$(MKIMAGE_SRCS))
	$(call say,LD,$@)$(HOSTCC) -o $@ $^

# Walks the site every time, but touches the ROM only if it came out different.
build/site.rom: build/mkromfs FORCE | $(if $(filter git:%,$(SITE)),packages-git)
	@config/pack.sh

build/stele.elf: build/mkimage build/boot.elf build/image/kernel.elf \
		build/image/server.elf build/site.rom
	$(call say,IMAGE,$@)build/mkimage --boot build/boot.elf \
		--kernel build/image/kernel.elf --server build/image/server.elf \
		--rom build/site.rom --version $(VERSION) -o $@ >build/image.sha256

image: build/stele.elf

# Certificates, keys and settings of one machine; the image knows none of them.
instance: build/mkinstance
	@config/bundle.sh

# ---- Looking at a site before it is served ---------------------------------------

check csp: build/mkromfs | packages-check $(if $(filter git:%,$(SITE)),packages-git)
	@config/check.sh $(@:check=review)

diff: build/mkromfs
	@config/diff.sh

# ---- Running it ----------------------------------------------------------------

run: image build/mkinstance | packages-run
	@config/run.sh

stop:
	@config/stop.sh

symbolize:
	@config/symbolize.sh

# ---- The same server as a Linux process ----------------------------------------

# SAN=1: under the address and undefined-behaviour sanitizers, in a place of its own.
HOSTED_SRCS := $(sort $(filter-out %.S config/libc/%,$(SERVER_SRCS)) \
	$(wildcard kernel/host/*.c) kernel/gate_check.c kernel/bundle.c \
	kernel/vault.c kernel/vault_pad.c $(KERNEL_BEARSSL_SRCS))
HOSTED_FLAGS := $(COMMON) -O2 $(INCLUDES) -D_GNU_SOURCE -fno-omit-frame-pointer \
	-fno-strict-aliasing
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
$(eval $(call compile,hosted,$(CC),$(HOSTED_FLAGS)))
$(eval $(call compile,hosted-san,$(CC),$(HOSTED_FLAGS) $(SANITIZE)))

build/stele-process: $(call objects,hosted,$(HOSTED_SRCS))
	$(call say,LD,$@)$(CC) -o $@ $^
build/stele-process-san: $(call objects,hosted-san,$(HOSTED_SRCS))
	$(call say,LD,$@)$(CC) $(SANITIZE) -o $@ $^

dev: build/stele-process$(if $(filter 1,$(SAN)),-san) build/site.rom \
		build/mkinstance | packages-dev
	@config/dev.sh $<

watch: build/stele-process build/mkromfs build/mkinstance | packages-watch
	@config/watch.sh $<

# ---- Testing it ----------------------------------------------------------------

ifneq ($(filter test test-programs fuzz fuzz-programs build/unit% build/fuzz% \
	build/guard%,$(MAKECMDGOALS)),)
include config/tests.mk
endif

test: test-programs
	@tests/run

test-programs: image build/stele-process build/stele-process-san build/mkinstance \
	$(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(GUARD_IMAGES)

fuzz: fuzz-programs
	@status=0; for f in $(notdir $(FUZZERS:.c=)); do \
		tests/fuzz.sh $$f "$$FUZZ_SECONDS" || status=1; \
	done; exit $$status

fuzz-programs: $(FUZZ_PROGRAMS)

bench: image build/stele-process build/mkinstance | packages-bench
	@tests/bench/run.sh

# ---- The rest ------------------------------------------------------------------

PACKAGE_GROUPS := build git check watch run dev test bench
.PHONY: $(PACKAGE_GROUPS:%=packages-%)
$(PACKAGE_GROUPS:%=packages-%): packages-%:
	@$(call packages,$*)

clean:
	rm -rf build

help:
	@cat config/help.txt

-include $(shell find $(wildcard $(KINDS:%=build/%)) /dev/null -name '*.d')

# Programs that test: unit tests (plain and under sanitizers), fuzz harnesses,
# guard images.  What each is linked with stands in its own "links:" comment;
# tests/README.md has the form.

UNIT_TESTS := $(sort $(wildcard tests/*/test_*.c))
FUZZERS := $(sort $(wildcard fuzz/fuzz_*.c))
GUARDS := $(sort $(wildcard tests/guard/*.c))

# The groups that a links: comment can name.
server := $(filter-out %.S config/libc/%,$(SERVER_SRCS))
server_net := $(wildcard net/*.c) $(LWIP_SRCS)
romfs := $(wildcard romfs/*.c)
http_answers := net/text.c $(patsubst %,http/%.c,accept acme answer authority \
	chars conditions date location multipart path piece range redirect \
	request respond)
lwip := $(LWIP_SRCS)
bearssl_hash := $(BEARSSL_HASH_SRCS)
bearssl_tls := $(SERVER_BEARSSL_SRCS) tls/server_bearssl.c
bearssl_kernel := $(KERNEL_BEARSSL_SRCS)

UNIT_FLAGS := $(COMMON) -O1 $(INCLUDES) -D_GNU_SOURCE
SAN_FLAGS := $(UNIT_FLAGS) $(SANITIZE) -fno-omit-frame-pointer

# $(call program,COMPILER,FOLDER UNDER build/,SOURCES,FLAGS,LIBRARIES,LIST)
define program
$(call compile,$2,$1,$4)
$6 += build/$2/program
build/$2/program: $(call objects,$2,$3)
	$$(call say,LD,$$@)$1 $4 -o $$@ $$^ $5
endef

define program_unit
$(eval $(call program,$(CC),unit/$1,$2,$(UNIT_FLAGS) $3,$4 -lcmocka,UNIT_PROGRAMS))
$(eval $(call program,$(CC),unit-san/$1,$2,$(SAN_FLAGS) $3,$4 -lcmocka,UNIT_PROGRAMS))
endef
define program_fuzz
$(eval $(call program,$(CLANG),fuzz/$1,$2,$(SAN_FLAGS) -fsanitize=fuzzer $3,$4,FUZZ_PROGRAMS))
endef

# Two makes may be at it: each has a file of its own until it is whole.
build/links.mk: config/links.sh $(UNIT_TESTS) $(FUZZERS)
	@mkdir -p build
	@{ config/links.sh unit $(UNIT_TESTS) && \
		config/links.sh fuzz $(FUZZERS); } >$@.$$$$ && mv $@.$$$$ $@

include build/links.mk

# Without their packages some compilers are not there to ask.
$(UNIT_PROGRAMS) $(FUZZ_PROGRAMS): | packages-test

include config/guard.mk

# Made on the way, and kept for the next time.
.SECONDARY: $(call objects,server,$(GUARDS)) $(call objects,kernel,$(GUARD_KERNELS)) \
	$(GUARD_KERNELS:tests/guard/kernel/%.c=build/guard/kernel-%.kernel)

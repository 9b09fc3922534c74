# shortfuse: a fault-injection FUSE fuzzer for Linux
#
#   make          build everything into build/
#   make deps     install what is needed (apt-get, Debian 12)
#   make fuzz     set up, build, and fuzz for TIME=60s in the first scratch kernel that boots here
#   make check    set up, build, and run every test
#   make bench    measure the promises, as ratios
#   make gallery  hangs of real FUSE servers, and what "diagnose" says and does about them (LOOKS=1000)
#   make lint     formatting and static checks
#   make clean    remove build/
#
#   V=1           show the commands          SAN=1     ASan + UBSan, built beside in build-san/
#   WERROR=1      warnings are errors        TIME=60s TARGET=auto|uml|host|qemu:6.12  for make fuzz

SHELL := /bin/bash
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
SAN ?= 0
B := build$(if $(filter 1,$(SAN)),-san)
TIME ?= 60s
# A scratch kernel: what a run leaves behind ends with it. Never this machine's own by itself.
TARGET ?= auto

CC ?= gcc
CPPFLAGS += -I. -D_GNU_SOURCE -DFUSE_USE_VERSION=314 -D_FILE_OFFSET_BITS=64 -I/usr/include/fuse3
CFLAGS += -std=gnu17 -O2 -g -fPIC -Wall -Wextra -Wshadow -Wmissing-prototypes \
	  -Wstrict-prototypes -Wvla -fno-omit-frame-pointer -pthread
ifeq ($(WERROR),1)
CFLAGS += -Werror
endif
ifeq ($(SAN),1)
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS += $(SANFLAGS) -DSF_SAN=1
endif

# Every .c below these folders belongs to the product; a new file needs no line here.
HARNESS_SRC := $(filter-out harness/executor/main.c,$(wildcard harness/*/*.c))
FUZZER_SRC := $(wildcard fuzzer/*.c fuzzer/*/*.c)
FUZZER_SRC := $(filter-out fuzzer/afl/%,$(FUZZER_SRC))
TARGET_SRC := $(wildcard targets/*.c targets/*/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
STANDALONE_SRC := $(wildcard tests/standalone/*.c)

HARNESS_OBJ := $(HARNESS_SRC:%.c=$(B)/obj/%.o) $(B)/obj/harness/tree/pause_image.o
FUZZER_OBJ := $(FUZZER_SRC:%.c=$(B)/obj/%.o)
TARGET_OBJ := $(TARGET_SRC:%.c=$(B)/obj/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
STANDALONE_BIN := $(STANDALONE_SRC:tests/standalone/%.c=$(B)/tests/%)

PROGRAMS := $(B)/shortfuse $(B)/shortfuse-executor
ifneq ($(wildcard fuzzer/afl/proxy.c),)
PROGRAMS += $(B)/shortfuse-afl
endif
ifneq ($(wildcard fuzzer/afl/mutator.c),)
PROGRAMS += $(B)/shortfuse-mutator.so
endif

LIBS_DYNAMIC := -lunwind-ptrace -lunwind-x86_64 -lunwind -ljansson -larchive -lfuse3 -lm -lrt
# The executor is /init of a guest that has nothing else: everything is linked in.
LIBS_STATIC := -l:libfuse3.a -l:libunwind-ptrace.a -l:libunwind-x86_64.a -l:libunwind.a -l:liblzma.a \
	       -l:libjansson.a -lm -lrt -ldl
# The sanitisers cannot be linked into a static binary: that build serves the host only.
ifeq ($(SAN),1)
EXECUTOR_LIBS := $(SANFLAGS) -lfuse3 -lunwind-ptrace -lunwind-x86_64 -lunwind -ljansson -lm -lrt
else
# gcc -static leaves .eh_frame_hdr out; without it libunwind guesses, and loses frames. Each run forks some five
# times: one mapping for all that is read and one for the data, not six, is less to copy.
EXECUTOR_LIBS := -static -Wl,--eh-frame-hdr,-z,noseparate-code,-z,norelro $(LIBS_STATIC)
endif
AFL_RT := /usr/lib/afl/afl-compiler-rt.o

.PHONY: all help deps fuzz check bench gallery lint clean tests
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS) compile_commands.json

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(filter 1,$(V)),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The binary that the scenario operation "exec" runs: no libc, a few hundred bytes, embedded.
$(B)/pause_image: harness/tree/pause_image.S
	@mkdir -p $(@D)
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,--build-id=none,-z,noseparate-code,-z,noexecstack -s -o $@ $<

$(B)/obj/harness/tree/pause_image.o: harness/tree/pause_image_data.S $(B)/pause_image
	@mkdir -p $(@D)
	$(Q)$(CC) -DPAUSE_IMAGE='"$(B)/pause_image"' -c -o $@ $<

$(B)/libharness.a: $(HARNESS_OBJ)
	$(if $(filter 1,$(V)),,@echo "  AR      $@")
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/libfuzzer.a: $(filter-out $(B)/obj/fuzzer/cli/main.o,$(FUZZER_OBJ)) $(TARGET_OBJ)
	$(if $(filter 1,$(V)),,@echo "  AR      $@")
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/shortfuse: $(B)/obj/fuzzer/cli/main.o $(B)/libfuzzer.a $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_DYNAMIC)

# getpwuid and dlopen are named by libfuse's fuse_get_module, which the executor never calls.
$(B)/shortfuse-executor: $(B)/obj/harness/executor/main.o $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(EXECUTOR_LIBS) \
		2> >(grep -v -e "statically linked applications requires" -e "in function .fuse_" >&2)

$(B)/shortfuse-afl: $(B)/obj/fuzzer/afl/proxy.o $(B)/libfuzzer.a $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(AFL_RT) -lm -lrt

$(B)/shortfuse-mutator.so: $(B)/obj/fuzzer/afl/mutator.o $(B)/libfuzzer.a $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ -lm

$(B)/tests/test_%: $(B)/obj/tests/unit/test_%.o $(B)/libfuzzer.a $(B)/libharness.a
	@mkdir -p $(@D)
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS_DYNAMIC)

# The fuzz and serve commands over a target that touches no kernel: a test double.
$(B)/shortfuse-fake: $(B)/obj/tests/fake/fake_target.o $(B)/libfuzzer.a $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_DYNAMIC)

# The same for qualify and report: kernels that are better, worse or flaky on purpose.
$(B)/shortfuse-fake-kernels: $(B)/obj/tests/fake/fake_kernels.o $(B)/libfuzzer.a $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_DYNAMIC)

# Programs that know nothing of shortfuse: plain libfuse3, for "diagnose" to explain.
$(STANDALONE_BIN): $(B)/tests/%: tests/standalone/%.c
	@mkdir -p $(@D)
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -lfuse3 -lpthread

BARE_FLAGS := $(CPPFLAGS) -std=gnu17 -O2 -Wall -Wextra
$(B)/bare_loop: $(addprefix tests/bench/,bare_loop.c bare_raw.c bare_server.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BARE_FLAGS) -static -o $@ $(filter %.c,$^)

# The same loop over libfuse. The linker's warnings: see shortfuse-executor.
$(B)/bare_libfuse: $(addprefix tests/bench/,bare_loop.c bare_libfuse.c bare_server.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BARE_FLAGS) -static -o $@ $(filter %.c,$^) -l:libfuse3.a -ldl \
		2> >(grep -v -e "statically linked applications requires" -e "in function .fuse_" >&2)

$(B)/obj/tests/bench/bare_loop_main.o: tests/bench/bare_loop.c tests/bench/bare_server.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(BARE_FLAGS) -Dmain=bare_loop_main -c -o $@ $<

$(B)/bare_guest: $(B)/obj/tests/bench/bare_guest.o $(B)/obj/tests/bench/bare_loop_main.o \
		 $(B)/obj/tests/bench/bare_raw.o $(B)/libharness.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^

$(B)/target_bench: $(B)/obj/tests/bench/target_bench.o $(B)/libfuzzer.a $(B)/libharness.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_DYNAMIC)

compile_commands.json: Makefile $(HARNESS_SRC) $(FUZZER_SRC) $(TARGET_SRC)
	$(Q)tests/compile_commands.sh "$(CC) $(CPPFLAGS) $(CFLAGS)" $(HARNESS_SRC) $(FUZZER_SRC) \
		$(TARGET_SRC) harness/executor/main.c > $@

deps:
	$(Q)tests/deps.sh

# /init of a guest that dies on demand. Static, so not with the sanitisers.
GUEST_INITS := $(if $(filter 1,$(SAN)),,$(B)/dying_executor)
$(B)/dying_executor: $(B)/obj/tests/fake/dying_executor.o $(B)/libharness.a
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^

# A program as it runs on a CPU whose extended state is too big for a user-mode kernel.
$(B)/big_xstate: tests/fake/big_xstate.c
	@mkdir -p $(@D)
	$(if $(filter 1,$(V)),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

tests: all $(GUEST_INITS) $(B)/big_xstate $(UNIT_BIN) $(STANDALONE_BIN) $(B)/shortfuse-fake $(B)/shortfuse-fake-kernels

check: deps
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)B=$(B) tests/check.sh

fuzz: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(B)/shortfuse fuzz --target $(TARGET) --time $(TIME) || [ $$? = 1 ] # 1: it has findings

bench: deps
	$(Q)$(MAKE) --no-print-directory all $(B)/bare_loop $(B)/bare_libfuse $(B)/bare_guest $(B)/target_bench $(GUEST_INITS)
	$(Q)B=$(B) tests/bench/bench.sh
	$(Q)B=$(B) tests/bench/targets.sh

# LOOKS=1000: that many looks of "diagnose" at hangs of real servers; 0: each kind once
LOOKS ?= 0
GALLERY_DEPS = sshfs openssh-sftp-server mergerfs squashfuse squashfs-tools fuse-overlayfs gocryptfs ntfs-3g rclone
gallery:
	$(Q)tests/deps.sh $(GALLERY_DEPS)
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)B=$(B) tests/live/gallery.py --looks $(LOOKS) --at-once 6

lint:
	$(Q)tests/lint.sh

clean:
	$(Q)rm -rf build build-san compile_commands.json

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

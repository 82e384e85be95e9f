# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# kmemlab: `make help` lists the targets. Output goes to $(BUILD).

VERSION := 0.1.0
BUILD   ?= build$(if $(STATIC),/static)
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc)
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
MAKEFLAGS += --no-print-directory --no-builtin-rules

WARN   := -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes \
          $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 $(WARN) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
          $(if $(STATIC),-DKMEMLAB_STATIC) -D_GNU_SOURCE -DKMEMLAB_VERSION='"$(VERSION)"' -Iinclude -Iuser -I$(BUILD)/bpf -MMD -MP
LIBS   := -lbpf $(if $(STATIC),,-ldw) -lelf -lz -lzstd -lxxhash -ljansson -lseccomp -lcap -lncursesw -ltinfo -lpthread -lm
# Short lines; V=1 shows the commands.
short   = $(if $(V),,@printf '  %-8s %s\n' $1 $@ &&)
LINK    = $(CC) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN)) $(if $(STATIC),-static)

REFMM  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard refmm/*.c))
RECORD := $(patsubst %,$(BUILD)/bpf/%.bpf.o,page slab stack task percpu vmalloc pressure migrate)
TOP    := $(patsubst %,$(BUILD)/bpf/%.bpf.o,top_sums top_stalls)
SKEL   := $(patsubst %,$(BUILD)/bpf/%.skel.h,record hooks kprobes latency calibrate walk area_walk slab_walk percpu_walk top)
PLUGINS := $(if $(STATIC),,$(patsubst user/backends/%.c,$(BUILD)/backends/%.so,$(wildcard user/backends/*.c)))
USER   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out user/backends/%,$(wildcard user/*/*.c)))
MAIN   := $(BUILD)/user/cli/main.o
TESTS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test_*.c))
PROPS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/prop/prop_*.c))
FUZZ   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
GUEST  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/guest/load/*.c))
PRELOAD := $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard refmm/*.c) \
           $(filter-out %/exercise.c,$(wildcard tests/preload/*.c)))
SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
PAGE   := $(BUILD)/page/report.html
PAGE_SOURCES := $(wildcard reports/page/*.json reports/page/*.mjs reports/page/*.sh reports/page/src/*)

MANUAL := $(BUILD)/man/kmemlab.1

.PHONY: all deps demo test check bench bench-record bench-refmm bench-top soak mutants lab lab-whatif guest \
	man install uninstall clean help unit bins librmm-malloc FORCE
.SECONDARY:

all: $(BUILD)/kmemlab $(PLUGINS)

help:
	@sed -n 's/^#: //p' Makefile

#: all        build kmemlab (STATIC=1: build/static/kmemlab, without shared libraries)
#: deps       install what is missing (Debian/Ubuntu: apt, Fedora: dnf)
#: demo       record this host for ten seconds, replay, write build/demo/report.html
#: test       unit, command-line, live and page tests
#: check      format, lint, tests under sanitizers, fuzzing
#: bench      speed and size, as ratios against other tools in the same run
#: bench-record  of it, the recorders: kmemlab, trace-cmd, perf, bpftrace; bench-top: the live view;
#:            bench-refmm: the reference's page side; LLFREE_DIR=DIR: beside LLFree too, sources in DIR
#: soak       random tests at length; mutants: are bugs put into refmm noticed?
#: lab        how far is the reference from stock kernels, in virtual machines? reports/fidelity.md;
#:            lab-whatif: do predictions come true? reports/whatif.md
#: man        manual pages in build/man, from what the program says of itself
#: librmm-malloc  malloc on a simulated machine, for LD_PRELOAD (see tests/preload/preload.h)
#: install    to PREFIX (/usr/local), below DESTDIR if set; uninstall removes it
#: clean      remove build/

deps:
	@tests/support/deps.sh

demo:
	@tests/support/deps.sh build
	@$(MAKE) -j$(JOBS) all
	@tests/support/demo.sh $(BUILD)

test:
	@tests/support/deps.sh build test
	@$(MAKE) -j$(JOBS) all bins guest librmm-malloc
	@tests/support/run-tests.sh $(BUILD)

check:
	@tests/support/check.sh $(BUILD)

bench:
	@tests/support/deps.sh build bench
	@$(MAKE) -j$(JOBS) all $(BENCH) $(BUILD)/tests/bench/ftrace_shim.so
	@tests/bench/bench.sh $(BUILD)

bench-record:
	@tests/support/deps.sh build bench
	@$(MAKE) -j$(JOBS) all $(addprefix $(BUILD)/tests/bench/,bench_record bench_programs ftrace_shim.so)
	@tests/bench/bench.sh $(BUILD) record

bench-refmm:
	@tests/support/deps.sh build bench
	@$(MAKE) -j$(JOBS) $(BUILD)/tests/bench/bench_refmm
	@tests/bench/bench.sh $(BUILD) refmm

bench-top:
	@tests/support/deps.sh build bench
	@$(MAKE) -j$(JOBS) all $(BUILD)/tests/bench/bench_top
	@tests/bench/bench.sh $(BUILD) top

bins: $(TESTS) $(PROPS)
guest: all $(GUEST)
lab:
	@tests/support/deps.sh build test
	@$(MAKE) -j$(JOBS) guest
	@tests/guest/lab.sh $(BUILD)
lab-whatif:
	@tests/support/deps.sh build test
	@$(MAKE) -j$(JOBS) guest
	@tests/guest/whatif.sh $(BUILD)
unit: bins
	@tests/support/run-units.sh $(TESTS) $(PROPS)
soak:
	@tests/support/deps.sh build test
	@$(MAKE) -j$(JOBS) $(PROPS)
	@tests/prop/soak.sh $(BUILD)
mutants:
	@tests/support/deps.sh build test
	@tests/mutants/mutate.sh $(BUILD)
fuzz-bins: $(FUZZ)
librmm-malloc: $(BUILD)/librmm-malloc.so $(BUILD)/tests/preload/exercise

man: $(MANUAL)
$(MANUAL): $(BUILD)/kmemlab $(wildcard user/man/*)
	$(call short,MAN) user/man/build.sh $< $(@D)

install: all $(MANUAL)
	install -D -m 755 $(BUILD)/kmemlab "$(DESTDIR)$(PREFIX)/bin/kmemlab"
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/include/kmemlab" include/kmemlab/backend.h include/kmemlab/refmm_types.h
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/man/man1" $(BUILD)/man/*.1
	install -D -m 644 user/man/kmemlab.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/kmemlab"
uninstall:
	rm -rf "$(DESTDIR)$(PREFIX)/bin/kmemlab" "$(DESTDIR)$(PREFIX)/include/kmemlab" \
		"$(DESTDIR)$(PREFIX)"/share/man/man1/kmemlab*.1 \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/kmemlab"
clean:
	rm -rf $(BUILD)

# What make cannot see in times of files: stamps, written only when what they hold changes.
$(BUILD)/flags: export HOLDS = $(CC) $(ALL_CFLAGS) $(LINK) $(LIBS) $(CLANG)
$(BUILD)/librefmm.objects: export HOLDS = $(REFMM)
$(BUILD)/libkmemlab.objects: export HOLDS = $(filter-out $(MAIN),$(USER))
$(PAGE).sources: export HOLDS = $(PAGE_SOURCES)
$(addprefix $(BUILD)/,flags librefmm.objects libkmemlab.objects) $(PAGE).sources: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$HOLDS" | cmp -s - $@ || printf '%s\n' "$$HOLDS" >$@

$(BUILD)/kmemlab: $(MAIN) $(BUILD)/libkmemlab.a $(BUILD)/librefmm.a
	$(call short,LINK) $(LINK) -o $@ $^ $(LIBS)
$(BUILD)/librefmm.a: $(REFMM)
$(BUILD)/libkmemlab.a: $(filter-out $(MAIN),$(USER))
$(BUILD)/%.a: $(BUILD)/%.objects
	@rm -f $@
	$(call short,AR) ar rcs $@ $(filter %.o,$^)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,CC) $(CC) $(ALL_CFLAGS) -c -o $@ $<
$(filter $(BUILD)/user/record/% $(BUILD)/user/top/%,$(USER)): | $(SKEL)
$(BUILD)/user/report/template.o: $(PAGE)
$(BUILD)/user/report/template.o: ALL_CFLAGS += -DPAGE_PATH='"$(PAGE)"'

# Allocators to plug into a replay.
$(BUILD)/backends/%.so: user/backends/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,PLUGIN) $(CC) $(ALL_CFLAGS) -shared -fPIC -o $@ $<

# BPF objects: -MMD names the headers that were really read.
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,CLANG) $(CLANG) -g -O2 -Wall -Wextra -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Iinclude \
		-MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@ $<
$(BUILD)/bpf/record.bpf.o: $(RECORD)
$(BUILD)/bpf/top.bpf.o: $(TOP)
$(BUILD)/bpf/record.bpf.o $(BUILD)/bpf/top.bpf.o:
	$(call short,BPFLINK) $(BPFTOOL) gen object $@ $^
$(BUILD)/bpf/%.skel.h: $(BUILD)/bpf/%.bpf.o
	$(call short,BPFSKEL) $(BPFTOOL) gen skeleton $< name $* >$@.tmp && mv $@.tmp $@

# The report page: npm's packages as locked, one file out.
$(PAGE): $(PAGE_SOURCES) $(PAGE).sources
	@mkdir -p $(@D)
	$(call short,PAGE) reports/page/build.sh $(BUILD)/page $@

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT) $(BUILD)/libkmemlab.a $(BUILD)/librefmm.a
	$(call short,LINK) $(LINK) -o $@ $^ -lcmocka $(LIBS)
$(addprefix $(BUILD)/tests/bench/bench_,record programs top): $(BUILD)/tests/bench/load.o
$(BUILD)/tests/bench/ftrace_shim.so: tests/bench/ftrace_shim.c
	@mkdir -p $(@D)
	$(call short,CC) $(CC) $(WARN) -O2 -shared -fPIC -o $@ $<
$(GUEST): $(BUILD)/%: $(BUILD)/%.o
	$(call short,LINK) $(LINK) -o $@ $<
# malloc on a machine of refmm, for LD_PRELOAD. refmm's own calls of malloc go elsewhere.
$(BUILD)/pic/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,CC) $(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -ftls-model=initial-exec -c -o $@ $<
$(BUILD)/librmm-malloc.so: $(PRELOAD)
	$(call short,LINK) $(LINK) -shared -o $@ $^ $(foreach f,malloc calloc realloc aligned_alloc free qsort,-Wl,--wrap=$f)
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/libkmemlab.a $(BUILD)/librefmm.a
	@mkdir -p $(@D)
	$(call short,CLANG) $(CLANG) -g -O1 -fsanitize=fuzzer,address,undefined $(filter-out -O2,$(ALL_CFLAGS)) -o $@ $(filter %.c %.a,$^) $(LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

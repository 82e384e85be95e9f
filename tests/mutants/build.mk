# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# build.mk - the allocator as a shared library, and its tests: so that a bug in
# one file takes one compilation and one link. Run in a copy of the tree.

CFLAGS := -std=gnu11 -O1 -fPIC -fno-semantic-interposition -w -D_GNU_SOURCE -Iinclude -MMD -MP
LIB    := bin/librefmm.so
OBJS   := $(patsubst %.c,bin/%.o,$(wildcard refmm/*.c))
SUPPORT := $(patsubst %.c,bin/%.o,$(wildcard tests/support/*.c))
TESTS  := $(patsubst %.c,bin/%,$(wildcard tests/refmm/test_*.c tests/prop/prop_*.c))
MAKEFLAGS += --no-builtin-rules
.SECONDARY:

all: $(TESTS)
$(LIB): $(OBJS)
	gcc -shared -Wl,-soname,$(@F) -o $@ $^
bin/%.o: %.c
	@mkdir -p $(@D)
	gcc $(CFLAGS) -c -o $@ $<
$(TESTS): bin/%: bin/%.o $(SUPPORT) | $(LIB)
	gcc -o $@ $^ $(LIB) -Wl,-rpath,$(CURDIR)/bin -lcmocka -lpthread

-include $(shell find bin -name '*.d' 2>/dev/null)

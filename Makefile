# httpd: build, test, install. `make help` lists the targets.
#
# Variables a user may set, all of them added to and never overwritten:
#   CC CFLAGS CPPFLAGS LDFLAGS LDLIBS   the compiler and its words
#   PREFIX DESTDIR                      where `make install` puts things
#   SANITIZE                            e.g. address,undefined or thread
#   BUILD                               where objects go (build/)

PREFIX  ?= /usr/local
BUILD   ?= build
PORT    ?= 8080
VERSION := 1.0.0

WARNINGS  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
             -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2
HARDENING := -fstack-protector-strong -fPIE
FORTIFY   := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
RELRO     := -pie -Wl,-z,relro,-z,now

ifdef SANITIZE
  # A sanitiser checks what FORTIFY would, and says more; the two do not mix.
  FORTIFY   :=
  SANITIZER := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

ALL_CPPFLAGS = -Iinclude -D_GNU_SOURCE -DHTTPD_VERSION='"$(VERSION)"' $(FORTIFY) $(CPPFLAGS)
ALL_CFLAGS   = -std=c17 -O2 -g -pthread $(WARNINGS) $(HARDENING) $(SANITIZER) $(CFLAGS)
ALL_LDFLAGS  = -pthread $(RELRO) $(SANITIZER) $(LDFLAGS)

# A room is a directory; each becomes one archive. The order is the layering of the code, outermost
# first: a room uses only rooms to its right. `make lint` holds the includes to it.
ROOMS    := hftp server client http net fs resume base
PROGRAMS := $(filter httpd httpclient stresscmd,$(patsubst src/%.c,%,$(wildcard src/*.c)))

objects   = $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))
archive   = $(if $(wildcard src/$(1)/*.c),$(BUILD)/lib$(1).a)
ARCHIVES := $(foreach room,$(ROOMS),$(call archive,$(room)))

.PHONY: all
all: $(PROGRAMS) ## build the programs (default)

# Each time: after a build somewhere else the link is newer than the program and yet wrong.
.PHONY: $(PROGRAMS)
$(PROGRAMS): %: $(BUILD)/%
	@ln -sf $< $@

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/%.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

define room_archive
$(BUILD)/lib$(1).a: $(call objects,$(1))
	@rm -f $$@
	$(AR) rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(if $(call archive,$(room)),$(eval $(call room_archive,$(room)))))

$(BUILD)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What the listing page links to is embedded by page_asset.c. A browser keeps it until its address,
# which holds this sum, changes.
PAGE_FILES   := $(wildcard src/server/page/*)
PAGE_VERSION := $(shell cat $(PAGE_FILES) | cksum | cut -d' ' -f1)
$(BUILD)/server/page_asset.o: ALL_CPPFLAGS += -DPAGE_VERSION='"$(PAGE_VERSION)"'
$(BUILD)/server/page_asset.o: $(PAGE_FILES)

# What /.status links to is embedded by the assembler, whose reading no compiler reports.
$(BUILD)/server/dashboard.o: $(wildcard src/server/dashboard/*)

# Unit tests. tests/unit/<room>/test_<module>.c is linked with its own room and base alone, so that
# a room reaching into another does not link. Only the rooms that stand on others get them all.
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/test_*.c))
room_of     = $(word 3,$(subst /, ,$(patsubst $(BUILD)/%,%,$(1))))
links_for   = $(if $(filter server hftp client,$(1)),$(ARCHIVES),$(sort $(call archive,$(1)) $(call archive,base)))

.SECONDEXPANSION:
$(UNIT_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $$(call links_for,$$(call room_of,$$@))
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter-out %/libbase.a,$(filter %.a,$^)) \
	    $(filter %/libbase.a,$^) -lcmocka $(LDLIBS)

$(BUILD)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

.PHONY: unit-programs
unit-programs: $(UNIT_TESTS)

# Small programs that a test needs and that no package has: tests/tools/<name>.c.
TEST_TOOLS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/tools/*.c))
$(TEST_TOOLS): $(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(ARCHIVES)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: test-tools
test-tools: $(TEST_TOOLS)

# The server with tests/probe in it: each of its threads, once in the sandbox, tries to get out.
.PHONY: probe
probe: $(BUILD)/probe/httpd

$(BUILD)/probe/httpd: $(wildcard src/*/*.c include/*/*.h tests/probe/*) src/httpd.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -DHTTPD_PROBE -Itests $(ALL_CFLAGS) $(ALL_LDFLAGS) \
	    -o $@ src/httpd.c $(filter-out src/client/%,$(wildcard src/*/*.c)) tests/probe/probe.c $(LDLIBS)

# The server with tests/faults/table.c around its system calls, each of which can be made to fail.
# What that file wraps is asked of its object.
.PHONY: faulty
faulty: $(BUILD)/faults/httpd

$(BUILD)/faults/httpd: $(BUILD)/httpd.o $(ARCHIVES) $(BUILD)/tests/faults/table.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $$(nm $(BUILD)/tests/faults/table.o | sed -n 's/.* T __wrap_/-Wl,--wrap=/p') \
	    -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

# What `make bench` needs beside the load generator: tests/bench/<name>.c, libc alone.
BENCH_TOOLS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
$(BENCH_TOOLS): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: bench-tools
bench-tools: $(BENCH_TOOLS)

.PHONY: run
run: httpd ## build, then serve www on 127.0.0.1:8080 (PORT=n for another)
	./httpd -p $(PORT) -t 16 -r www

.PHONY: check test
check: ## install what the tests need, then run every test
	tests/check
test: check

.PHONY: unit
unit: ## unit tests alone, on this build
	tests/check unit

.PHONY: integration
integration: ## integration tests alone, on this build
	tests/check integration

.PHONY: browser
browser: httpd ## drive a real Firefox and Chromium over www and the listing page
	tests/browser/run

.PHONY: resume
resume: httpd httpclient ## cut 300 downloads and 300 uploads at random, and resume them (DOWNLOADS=n UPLOADS=n)
	DOWNLOADS=$${DOWNLOADS:-300} tests/resume/downloads
	UPLOADS=$${UPLOADS:-300} tests/resume/run

.PHONY: records
records: httpd ## a million ids, 100,000 records: what they cost (MINT=n RECORDS=n)
	tests/resume/scale

.PHONY: fuzz
fuzz: ## libFuzzer on every parser and a whole connection (FUZZ_RUNS=n each, FUZZ_SECONDS=n)
	tests/fuzz/run

.PHONY: afl
afl: ## the same with AFL++ (FUZZ_SECONDS=n each)
	tests/fuzz/run afl

# The long forms of tests that `make check` runs in a short one.
.PHONY: slow
slow: httpd test-tools ## 1,000 slow clients at a time in slowhttptest's four modes, on a quiet machine (QUIET=0)
	CLIENTS=$${CLIENTS:-1000} SECONDS_EACH=$${SECONDS_EACH:-30} QUIET=$${QUIET:-1} bash tests/integration/slow.sh

.PHONY: abuse
abuse: httpd test-tools ## 50,000 connections of each bad kind, and floods (CONNECTIONS=n)
	CONNECTIONS=$${CONNECTIONS:-50000} bash tests/integration/abuse.sh

.PHONY: soak
soak: httpd test-tools ## 20 million requests of all kinds, and what is left of them (SOAK=n)
	SOAK=$${SOAK:-20000000} bash tests/integration/soak.sh

.PHONY: faults
faults: faulty ## each system call fails once in turn, in every kind of request (FULL=1 for all of them)
	tests/faults/run

.PHONY: restart
restart: httpd test-tools ## replace the server ten times under load (RESTARTS=n)
	RESTARTS=$${RESTARTS:-10} bash tests/integration/restart.sh

.PHONY: bench
bench: httpd ## compare with nginx, lighttpd, h2o and Apache on this machine, then reads beside uploads
	tests/bench/run
	tests/bench/beside -r 3

.PHONY: scale
scale: httpd ## several httpd on GlusterFS behind HAProxy, killed and replaced (FULL=1 for the long form)
	tests/scale/run

.PHONY: scale-nfs
scale-nfs: httpd ## the same on NFS 4.2, in user-mode-linux
	tests/scale/nfs

.PHONY: durability
durability: httpd ## kill -9, readers, aborts, a full disk (KILLS=n REPLACES=n), and litmus
	python3 tests/durability/durability.py
	tests/durability/litmus

.PHONY: lint
lint: ## layering, banned functions, format, clang-tidy, cppcheck
	tests/lint/run

.PHONY: format
format: ## format every C file in place
	find src include tests -name '*.[ch]' -print0 | xargs -0 clang-format -i

.PHONY: asan
asan: ## build with AddressSanitizer and UBSan under build/asan
	$(MAKE) BUILD=build/asan SANITIZE=address,undefined binaries unit-programs test-tools faulty

.PHONY: tsan
tsan: ## build with ThreadSanitizer under build/tsan
	$(MAKE) BUILD=build/tsan SANITIZE=thread binaries unit-programs test-tools

# The programs without the links at the top of the tree, which stay with the ordinary build.
.PHONY: binaries
binaries: $(PROGRAMS:%=$(BUILD)/%)

.PHONY: model
model: ## look at every state of a model of the hand-over between threads (spin)
	tests/model/run

.PHONY: coverage
coverage: ## run the tests on an instrumented build and print line coverage
	tests/coverage

.PHONY: static
static: ## one static binary each, with musl, under build/static
	$(MAKE) BUILD=build/static CC=musl-gcc LDFLAGS='$(LDFLAGS) -static' RELRO='-static-pie -Wl,-z,relro,-z,now' binaries

# Where the pages, the completions and the units go; a package may know better.
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
DOCDIR  ?= $(PREFIX)/share/doc/httpd

.PHONY: install
install: all ## install programs, pages, completions and units (PREFIX, DESTDIR)
	install -d $(addprefix $(DESTDIR),$(PREFIX)/sbin $(PREFIX)/bin $(MANDIR)/man8 $(MANDIR)/man1 \
	    $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(UNITDIR) $(DOCDIR))
	install -m 755 $(BUILD)/httpd $(DESTDIR)$(PREFIX)/sbin/httpd
	install -m 755 $(BUILD)/httpclient $(BUILD)/stresscmd $(DESTDIR)$(PREFIX)/bin
	install -m 644 src/httpd.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 src/httpclient.1 src/stresscmd.1 $(DESTDIR)$(MANDIR)/man1
	for p in $(PROGRAMS); do \
	    install -m 644 src/completions/httpd.bash $(DESTDIR)$(BASHDIR)/$$p && \
	    install -m 644 src/completions/httpd.fish $(DESTDIR)$(FISHDIR)/$$p.fish || exit 1; \
	done
	install -m 644 src/completions/_httpd $(DESTDIR)$(ZSHDIR)
	sed 's,/usr/local/sbin,$(PREFIX)/sbin,' src/packaging/httpd.service >$(DESTDIR)$(UNITDIR)/httpd.service
	install -m 644 src/packaging/httpd.socket $(DESTDIR)$(UNITDIR)
	install -m 644 src/packaging/httpd.logrotate $(DESTDIR)$(DOCDIR)/logrotate.example

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/httpd $(DESTDIR)$(PREFIX)/bin/httpclient $(DESTDIR)$(PREFIX)/bin/stresscmd
	rm -f $(DESTDIR)$(MANDIR)/man8/httpd.8 $(addprefix $(DESTDIR)$(MANDIR)/man1/,httpclient.1 stresscmd.1)
	rm -f $(addprefix $(DESTDIR)$(BASHDIR)/,$(PROGRAMS)) $(DESTDIR)$(ZSHDIR)/_httpd
	rm -f $(PROGRAMS:%=$(DESTDIR)$(FISHDIR)/%.fish) $(DESTDIR)$(DOCDIR)/logrotate.example
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,httpd.service httpd.socket)

.PHONY: deb
deb: all ## build a Debian package under build/deb
	@mkdir -p $(BUILD)/deb
	@src/packaging/deb $(VERSION) $(BUILD)/deb

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build
	rm -f httpd httpclient stresscmd

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

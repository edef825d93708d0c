# KBUS. `make` alone says what there is.
#
# The steps of `make test` go from cheap to dear, and each can be run alone. Whatever a step needs and does not find it
# installs (Go modules; Debian packages when root) or names.

ifeq ($(origin PATH),command line) # of make module, which means a module's path by it
MODULE := $(PATH)
override PATH := /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin
export PATH
endif
GO ?= go
BIN := bin
MACHINES = $(shell $(GO) env GOHOSTARCH)
HOST := $(BIN)# programs that run here, when those in BIN are for another machine
BUILT := # what the programs say as their version, if not VERSION
FUZZTIME ?= 5s
PREFIX ?= /usr/local
WIRESHARK ?= # where Wireshark looks for Lua plugins, for install: tshark -G folders tells
PROGRAMS := kbusd kbus kbus-limpet kbus-web
UTILITIES := kmsg kspeed kbus-errno runlimpet
STATICCHECK := $(GO) tool -modfile=tools.mod staticcheck
ARCHITECTURES := 386 arm/6 arm/7 arm64 mipsle mips64le riscv64 ppc64le s390x
SOURCES := $(shell find . \( -name '*.go' -o -path './cmd/internal/cli/shells/*' -o -path './internal/web/page/files/*' \) -not -path './bin/*') go.mod go.sum

# Programs, tests and checks are compiled in one way, so that what one of them has compiled is there for the others; and tests
# run the programs that `make build` has made, see internal/testing/programs.
export GOFLAGS := $(shell $(GO) env GOFLAGS) -trimpath
export CGO_ENABLED := 0
TESTED := KBUS_PROGRAMS=$(CURDIR)/$(BIN) $(GO) test -vet=off -ldflags='-s -w'

.DEFAULT_GOAL := help
.PHONY: help build man c play test check cross needs unit mutants test-mutants race fuzz process python js web web-pictures federation test-federation test-cuse arch \
	test-arch packaging test-packaging neighbours test-neighbours chaos test-chaos test-upgrades test-recordings bench bench-quick bench-growth bench-taps bench-upgrade conformance install uninstall packages image-root source version module clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(addprefix $(BIN)/,$(PROGRAMS) kbus-bench) ## kbusd, kbus, kbus-limpet, kbus-web and kbus-bench, into bin/

# The machines with the least flash are ARM of 32 bits, whose pages have 4 KiB; the linker would align for 64. And what no message
# goes through need not be fast there: functions are copied into their callers (inlined) only in the packages of its way. kbusd's main
# and the server are among them because they compile the generic functions of the bus, too, and the linker takes either.
MODULE = $(shell sed -n 's/^module //p' go.mod)
ON_THE_WAY = $(MODULE)/cmd/kbusd $(MODULE)/internal/server sort runtime runtime/... internal/runtime/... internal/abi internal/bytealg internal/byteorder internal/cpu internal/goarch internal/race \
	internal/sync sync sync/atomic bytes cmp encoding/binary math/bits slices unicode/utf8 \
	$(addprefix $(MODULE)/,message $(addprefix internal/,bus device file ring rules server/loop session wire))
ifeq ($(GOARCH),arm)
$(BIN)/kbusd: SMALLER = -gcflags=all=-l $(ON_THE_WAY:%=-gcflags=%=)
$(BIN)/kbusd: ROUND = -R 4096
endif

$(BIN)/%: $(SOURCES)
	@mkdir -p $(BIN)
	$(GO) build $(SMALLER) -ldflags='-s -w$(if $(ROUND), $(ROUND))$(if $(BUILT), -X $(MODULE)/internal/version.Built=$(BUILT))' -o $@ ./cmd/$*

man: $(HOST)/man/kbus.1 ## manual pages, into bin/man; from what --help says

$(HOST)/man/kbus.1: $(addprefix $(HOST)/,$(PROGRAMS))
	@$(GO) run ./cmd/internal/man $(HOST) $(HOST)/man

c: ## the C library: bin/c, and bin/kbus-bench-c; needs gcc, or CC
	@$(MAKE) -s -C bindings/c OUT=$(CURDIR)/$(BIN)/c
	@cp $(BIN)/c/kbus-bench-c $(BIN)/

play: ## see it work: the introduction, performed by real processes
	@test -e $(BIN)/kbus -a -e $(BIN)/kbusd || echo "building kbus and kbusd: a minute or two the first time, for Go fetches what they are made of"
	@$(MAKE) -s --no-print-directory $(BIN)/kbus $(BIN)/kbusd
	@$(BIN)/kbus play

STEPS := needs check unit mutants race fuzz process neighbours chaos arch python js web federation packaging
KILLS ?= 20000
MESSAGES ?= 10000000

test: ## everything that must hold, step by step: on two processors in 30 minutes the first time, then in less
	@MAKE='$(MAKE)' test/steps $(STEPS)

needs: # what the tests need and may be missing
	@test/needs

check: build ## cheap checks: format, vet, staticcheck, lint of C and Python, who may import whom
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "the files above are not formatted: run gofmt -w on them"; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...
	@test/needs check
	test/lint
	$(TESTED) ./test/house
	$(GO) run ./test/mutants -apply
	test/cross arm/6 mipsle # the most unlike this one; all: make cross
	cd bench && $(GO) vet ./... && $(GO) test ./...
	cd otelkbus && $(GO) vet ./... && $(TESTED) ./... # OpenTelemetry is a module of its own

cross: ## everything builds for all machines, and package kbus elsewhere than on Linux
	test/cross $(ARCHITECTURES)

unit: build ## unit tests, recordings, model comparison, every interleaving of the rings
	$(TESTED) -p $$((2 * $$(nproc))) $$($(GO) list ./... | grep -v -e /test/house -e /test/process -e /test/conformance -e /test/clients -e /test/federation -e /test/units -e /test/rules -e /test/compatibility -e /test/packages)
	KBUS_RULES_DECISIONS=10000000 $(TESTED) ./internal/rules -run TestAgainstNaive # and once more, ten million decisions: 15 seconds
	$(TESTED) -count=1 ./test/conformance/... ./test/clients ./test/units ./test/rules ./test/compatibility # -count: it runs programs that are built from other files
	test "$$($(GO) env GOHOSTARCH)" != amd64 || GOARCH=386 $(GO) test -vet=off ./internal/bus ./internal/client ./internal/recording/... \
		./internal/session ./internal/wire # where int has 32 bits
	KBUS_RINGS=off $(TESTED) . # the library again, over the socket alone
	$(GO) test -vet=off -tags interleave -run Interleavings ./internal/ring

mutants: ## a dozen small mistakes put into the code, each of which the tests must notice. SEED=n repeats a choice
	$(GO) run ./test/mutants -sample 12 -j 2 -budget 5m

test-mutants: ## the same with all of them (a quarter of an hour)
	$(GO) run ./test/mutants -j 2

race: needs build ## the same under the race detector, where there is concurrency
	CGO_ENABLED=1 $(TESTED) -race . ./internal/server/... ./internal/session/... ./internal/wire/...
	CGO_ENABLED=1 $(TESTED) -race -short ./limpet/pair
	CGO_ENABLED=1 $(TESTED) -race ./internal/web/... ./cmd/kbus-web

fuzz: ## every fuzz target for FUZZTIME (5s) each
	@test/fuzz $(FUZZTIME)

process: build ## whole processes: kill -9, slow readers, exhaustion, order
	$(TESTED) -count=1 -timeout 10m ./test/process/...

python: needs build ## the Python package, with every Python from 3.8 on that is here
	test/python

web: build ## the page that kbus-web shows, in Node and in Chromium
	@test "$(CI)" != true || test/needs web
	test/web

web-pictures: build ## the pictures of the page in docs, from the page itself with real programs
	@test/needs pictures
	test/web pictures

js: build ## the JavaScript package, in Node and in a browser
	@test/needs js
	test/js

test-cuse: ## the device as a real character device, in a small virtual machine (needs QEMU; 2 minutes)
	@test/cuse

arch: build ## KBUS on emulated machines of 32 and 64 bits and either byte order, the short form (needs QEMU and cross compilers)
	@test/needs arch
	$(GO) run ./test/arch -short

test-arch: build ## the same with all recordings on all of them
	@test/needs arch
	$(GO) run ./test/arch

conformance: needs ## one table of cases through every front end: docs/conformance.md. KBUS_TRACES=DIR: other recordings
	@mkdir -p $(BIN)
	@$(GO) test -c -o $(BIN)/conformance.test ./test/conformance
	@cd test/conformance && ../../$(BIN)/conformance.test -test.run '^TestTable$$' -report ../../docs/conformance.md

federation: build ## federations over NATS in network namespaces, the short form (as root)
	$(GO) run ./test/federation -short -bin $(BIN)

test-federation: build ## the same at length: partitions, kill -9, ownership of names; SEED=n repeats a run
	$(GO) run ./test/federation -bin $(BIN)

neighbours: build ## a healthy pair beside somebody who does all that can be done, the short form (as root)
	$(GO) run ./test/neighbours -short -bin $(BIN)

test-neighbours: build ## the same with times: slow counts as harmful. For a machine that does nothing else
	$(GO) run ./test/neighbours -judge -bin $(BIN)

chaos: build c ## programs of all languages and doors are killed, stopped and resumed, and the daemon killed and upgraded: 500 times
	$(GO) run ./test/chaos -kills 0 -upgrades 20 -bin $(BIN)
	$(GO) run ./test/chaos -kills 500 -forms -bin $(BIN)

test-chaos: build c ## the same KILLS (20000) times, in 20 minutes; SEED=n repeats the choices
	$(GO) run ./test/chaos -kills $(KILLS) -bin $(BIN)

test-upgrades: build c ## the daemon is upgraded 500 times among programs that are killed, each time to another form of its state
	$(GO) run ./test/chaos -kills 500 -upgrades 500 -forms -bin $(BIN)

test-recordings: ## ten million messages are recorded in both forms, read and replayed: some minutes, 3 GB in TMPDIR. MESSAGES=n
	$(GO) test -count=1 -timeout 60m ./test/recordings -v -messages $(MESSAGES)

packaging: ## packages are installed, upgraded, removed and purged in a clean root; versions, sizes, same bytes again (as root)
	@test/needs packages || test "$$CI" != true # a person reads which tests are skipped
	$(GO) test -count=1 -timeout 20m ./test/packages

test-packaging: ## packages for all machines; as root it installs the cross compilers that they take
	@test/needs machines
	@dist/pack amd64 arm64 386 arm/5 arm/7 riscv64 ppc64le s390x mipsle mips64le
	lintian --allow-root --fail-on error bin/packages/*_$$(dist/version)_*.deb

bench: build c ## compare with other buses: docs/benchmarks.md and its plot
	cd bench && $(GO) run ./compare -bin ../bin

bench-quick: build c ## the same in under two minutes, printed only
	cd bench && $(GO) run ./compare -quick -bin ../bin

bench-growth: build ## how the cost of a message grows with who else is there: a table in docs/benchmarks.md
	cd bench && $(GO) run ./compare -grow -bin ../bin

bench-taps: build ## what a tap costs those who talk: a table in docs/benchmarks.md
	cd bench && $(GO) run ./compare -taps -rounds 21 -bin ../bin

bench-upgrade: ## how long an upgrade of the daemon keeps its clients waiting: with 100 of them and 10000 queued messages
	$(GO) test -count=1 ./test/process -run TestUpgradePause -v -process.pauses 50 | grep pause

# Where things are installed, and which. What is in /etc is the administrator's: it is never overwritten nor removed.
TO := $(DESTDIR)$(PREFIX)
UNITS := $(notdir $(wildcard dist/*.service dist/*.socket))
COMPLETED := kbus kbus-limpet kbus-web
COMPLETIONS := $(foreach p,$(COMPLETED),share/bash-completion/completions/$p share/zsh/site-functions/_$p \
	share/fish/vendor_completions.d/$p.fish)
PAGES := man1/kbus.1 man1/kbus-limpet.1 man1/kbus-web.1 man8/kbusd.8

install: $(addprefix $(BIN)/,$(PROGRAMS)) man ## into PREFIX (/usr/local), below DESTDIR: programs, the old utilities as links, units, settings, completion, manual pages
	install -d $(addprefix $(TO)/,bin lib/systemd/system lib/sysusers.d share/kbus/example share/kbus/nats share/kbus/wireshark share/kbus/grafana) $(DESTDIR)/etc/kbus \
		$(sort $(dir $(addprefix $(TO)/,$(COMPLETIONS)) $(addprefix $(TO)/share/man/,$(PAGES))))
	install $(addprefix $(BIN)/,$(PROGRAMS)) $(TO)/bin
	for u in $(UTILITIES); do ln -sf kbus $(TO)/bin/$$u || exit 1; done
	put() { sed 's|/usr/bin/|$(PREFIX)/bin/|' "$$1" >"$$2" && chmod 644 "$$2"; }; set -e; \
		for u in $(UNITS); do put dist/$$u $(TO)/lib/systemd/system/$$u; done; \
		put dist/kbusd-device.conf $(TO)/share/kbus/kbusd-device.conf; \
		for u in dist/example/*; do put $$u $(TO)/share/kbus/example/$${u##*/}; done
	install -m 644 dist/kbus.sysusers $(TO)/lib/sysusers.d/kbus.conf
	install -m 644 dist/nats/* $(TO)/share/kbus/nats
	install -m 644 dist/wireshark/kbus.lua $(TO)/share/kbus/wireshark
	install -m 644 dist/grafana/kbus.json $(TO)/share/kbus/grafana
	test -z "$(WIRESHARK)" || { install -d $(DESTDIR)$(WIRESHARK) && \
		ln -sf $(PREFIX)/share/kbus/wireshark/kbus.lua $(DESTDIR)$(WIRESHARK)/kbus.lua; }
	umask 022; set -e; for p in $(COMPLETED); do \
		$(HOST)/$$p completion bash >$(TO)/share/bash-completion/completions/$$p; \
		$(HOST)/$$p completion zsh >$(TO)/share/zsh/site-functions/_$$p; \
		$(HOST)/$$p completion fish >$(TO)/share/fish/vendor_completions.d/$$p.fish; done
	set -e; for p in $(PAGES); do install -m 644 $(HOST)/man/$${p#*/} $(TO)/share/man/$$p; done
	test -e $(DESTDIR)/etc/kbus/kbusd.toml || install -m 644 dist/kbusd.toml $(DESTDIR)/etc/kbus/kbusd.toml

uninstall: ## take away what install has put into PREFIX; settings in /etc/kbus stay
	rm -f $(addprefix $(TO)/bin/,$(PROGRAMS) kbus-bench $(UTILITIES)) \
		$(addprefix $(TO)/lib/systemd/system/,$(UNITS)) $(TO)/lib/sysusers.d/kbus.conf $(addprefix $(TO)/,$(COMPLETIONS)) \
		$(addprefix $(TO)/share/man/,$(PAGES))
	rm -rf $(TO)/share/kbus
	test -z "$(WIRESHARK)" || rm -f $(DESTDIR)$(WIRESHARK)/kbus.lua
	@! test -e $(DESTDIR)/etc/kbus || echo "settings stay in $(DESTDIR)/etc/kbus"

packages: ## packages for Debian and rpm, a static tarball, bills of materials: bin/packages. MACHINES="arm64 arm/7": for others
	@dist/pack $(MACHINES)

image-root: ## the root of a container image, and an OCI archive: bin/packages. MACHINES=arm64: for another
	@dist/image $(MACHINES)

source: ## the source tarball, into bin/packages
	@dist/source

version: ## write what the file VERSION says to where Go, C, Python, JavaScript and recipes have it
	v=$$(cat VERSION); sed -i "s/^const Number = .*/const Number = \"$$v\"/" internal/version/version.go; \
		sed -i "s/^#define KBUS_VERSION .*/#define KBUS_VERSION \"$$v\"/" bindings/c/include/kbus/kbus_version.h; \
		sed -i "s/^__version__ = .*/__version__ = \"$$v\"/" bindings/python/kbus/__init__.py; \
		sed -i "s/^export const version = .*/export const version = '$$v';/" bindings/js/src/api.js; \
		sed -i "s/^  \"version\": .*/  \"version\": \"$$v\",/" bindings/js/package.json; \
		sed -i "s/^PKG_VERSION:=.*/PKG_VERSION:=$$v/; s/^KBUS_VERSION = .*/KBUS_VERSION = $$v/; s/^PV = .*/PV = \"$$v\"/" \
			dist/openwrt/Makefile dist/buildroot/kbus.mk dist/yocto/kbus.bb

module: ## another module path, for a fork: make module PATH=example.org/you/kbus
	@test -n "$(MODULE)" || { echo "say which: make module PATH=example.org/you/kbus" >&2; exit 2; }
	@case "$(MODULE)" in *[!a-zA-Z0-9./_~-]*|.*|*/|/*|*//*) echo "$(MODULE) is no module path" >&2; exit 2;; *.*/*) ;; \
		*) echo "the first part of a module path has a dot, as in example.org/you/kbus; $(MODULE) has none" >&2; exit 2;; esac
	old=$$(sed -n 's/^module //p' go.mod) && grep -rlF --exclude-dir=.git --exclude-dir=$(BIN) -e "$$old" . | \
		while read -r f; do sed -i "s#$$old#$(MODULE)#g" "$$f" || exit 1; done
	gofmt -w $$(find . -name '*.go' -not -path './$(BIN)/*')

clean: ## remove bin/
	rm -rf $(BIN)

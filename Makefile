# KBUS. `make` alone says what there is.
#
# The steps of `make test` go from cheap to dear, and each can be run alone. Whatever a step needs and does not find it
# installs (Go modules; Debian packages when root) or names.

GO ?= go
BIN := bin
FUZZTIME ?= 5s
PREFIX ?= /usr/local
UTILITIES := kmsg kspeed kbus-errno runlimpet
STATICCHECK := $(GO) tool -modfile=tools.mod staticcheck
SOURCES := $(shell find . -name '*.go' -not -path './bin/*') go.mod go.sum

.DEFAULT_GOAL := help
.PHONY: help build c play test check needs unit race fuzz process python federation test-federation test-cuse bench \
	bench-quick bench-growth conformance install clean

help: ## what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(BIN)/kbusd $(BIN)/kbus $(BIN)/kbus-limpet $(BIN)/kbus-bench ## kbusd, kbus, kbus-limpet and kbus-bench, into bin/

$(BIN)/%: $(SOURCES)
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $@ ./cmd/$*

c: ## the C library: bin/c, and bin/kbus-bench-c; needs gcc, or CC
	@$(MAKE) -s -C bindings/c OUT=$(CURDIR)/$(BIN)/c
	@cp $(BIN)/c/kbus-bench-c $(BIN)/

play: build ## see it work: the introduction, performed by real processes
	@$(BIN)/kbus play

test: needs check unit race fuzz process python federation ## everything that must hold: on two processors in 16 minutes the first time, then in less
	@echo "all tests passed"

needs: # what the tests need and may be missing
	@test/needs

check: build ## cheap checks: format, vet, staticcheck, who may import whom
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "the files above are not formatted: run gofmt -w on them"; exit 1; }
	$(GO) vet ./...
	$(STATICCHECK) ./...
	$(GO) test ./test/house
	cd bench && $(GO) vet ./... && $(GO) test ./...

unit: ## unit tests, recordings, model comparison, every interleaving of the rings
	$(GO) test $$($(GO) list ./... | grep -v -e /test/house -e /test/process -e /test/conformance -e /test/federation -e /test/units)
	$(GO) test -count=1 ./test/conformance/... ./test/units # -count: it runs programs that are built from other files
	KBUS_RINGS=off $(GO) test . # the library again, over the socket alone
	$(GO) test -tags interleave -run Interleavings ./internal/ring

race: needs ## the same under the race detector, where there is concurrency
	$(GO) test -race . ./internal/server/... ./internal/session/... ./internal/wire/...
	$(GO) test -race -short ./limpet/pair

fuzz: ## every fuzz target for FUZZTIME (5s) each
	@test/fuzz $(FUZZTIME)

process: build ## whole processes: kill -9, slow readers, exhaustion, order
	$(GO) test -count=1 -timeout 10m ./test/process/...

python: needs build ## the Python package, with every Python from 3.8 on that is here
	test/python

test-cuse: ## the device as a real character device, in a small virtual machine (needs QEMU; 2 minutes)
	@test/cuse

conformance: needs ## one table of cases through every front end: docs/conformance.md. KBUS_TRACES=DIR: other recordings
	@mkdir -p $(BIN)
	@$(GO) test -c -o $(BIN)/conformance.test ./test/conformance
	@cd test/conformance && ../../$(BIN)/conformance.test -test.run '^TestTable$$' -report ../../docs/conformance.md

federation: build ## federations over NATS in network namespaces, the short form (as root)
	$(GO) run ./test/federation -short -bin $(BIN)

test-federation: build ## the same at length: partitions, kill -9, ownership of names; SEED=n repeats a run
	$(GO) run ./test/federation -bin $(BIN)

bench: build c ## compare with other buses: docs/benchmarks.md and its plot
	cd bench && $(GO) run ./compare -bin ../bin

bench-quick: build c ## the same in under two minutes, printed only
	cd bench && $(GO) run ./compare -quick -bin ../bin

bench-growth: build ## how the cost of a message grows with who else is there: a table in docs/benchmarks.md
	cd bench && $(GO) run ./compare -grow -bin ../bin

install: build ## into PREFIX (/usr/local), below DESTDIR: programs, the old utilities as links, systemd units, settings
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/systemd/system lib/sysusers.d share/kbus) $(DESTDIR)/etc/kbus
	install $(filter-out %.test,$(wildcard $(BIN)/kbus*)) $(DESTDIR)$(PREFIX)/bin
	for u in $(UTILITIES); do ln -sf kbus $(DESTDIR)$(PREFIX)/bin/$$u || exit 1; done
	for u in dist/*.service dist/*.socket; do \
		sed 's|/usr/bin/|$(PREFIX)/bin/|' $$u >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/} || exit 1; done
	sed 's|/usr/bin/|$(PREFIX)/bin/|' dist/kbusd-device.conf >$(DESTDIR)$(PREFIX)/share/kbus/kbusd-device.conf
	install -m 644 dist/kbus.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/kbus.conf
	test -e $(DESTDIR)/etc/kbus/kbusd.toml || install -m 644 dist/kbusd.toml $(DESTDIR)/etc/kbus/kbusd.toml

clean: ## remove bin/
	rm -rf $(BIN)

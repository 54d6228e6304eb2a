# payhost: make build, demo, test, check. Tools run pinned by version and never
# stand in go.mod.

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0

PLUGINS   := rahmet yeniltoleg smartpay
EXAMPLES  := $(patsubst examples/%/wasm/,%,$(wildcard examples/*/wasm/))
WASM      := GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w'
FUZZTIME  ?= 20s
DEMO      ?=
BENCH     ?=
RUN       ?=
CONFORMANCE ?=
SOAK      ?= 5m

.PHONY: help build plugins demo run conformance test race check format lint vuln fuzz peers bench soak clean
help: ## Show what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: build/payhost plugins ## Build build/payhost and build/plugins/*.wasm

.PHONY: build/payhost
build/payhost:
	@mkdir -p build
	go build -trimpath -o $@ ./cmd/payhost

plugins: build/payhost
	@mkdir -p build/plugins
	@for p in $(PLUGINS); do \
		echo "build/plugins/$$p.wasm"; \
		$(WASM) -o build/plugins/$$p.wasm ./plugins/$$p/wasm && build/payhost plugin pack build/plugins/$$p.wasm || exit 1; \
	done
	@for p in $(EXAMPLES); do \
		echo "build/plugins/$$p.wasm"; \
		$(WASM) -o build/plugins/$$p.wasm ./examples/$$p/wasm && build/payhost plugin pack build/plugins/$$p.wasm || exit 1; \
	done

demo: build ## Take a payment through its whole life at every provider (DEMO='--fault …')
	build/payhost demo --cache build/cache $(DEMO)

run: build ## Run payhost with the simulators and stay up (RUN='--listen …')
	build/payhost dev --cache build/cache $(RUN)

conformance: build ## Hold the three plugins and the example to the contract (CONFORMANCE='--level L2 …')
	@for p in $(or $(PLUGIN),rahmet yeniltoleg smartpay aurora); do \
		build/payhost conformance build/plugins/$$p.wasm --cache build/cache $(CONFORMANCE) || exit 1; \
	done

test: ## Run every test that needs nothing but Go
	go vet ./...
	go test -timeout 10m ./payments ./internal/crash ./... # the longest first, so that nothing waits for them at the end

race: ## Run the tests of concurrent code under the race detector
	go test -race -short -timeout 15m $$(go list ./host/... | grep -v /wasm/rewrite) ./sdk/... ./conformance/sim/... ./conformance/wire ./cmd/payhost/internal/daemon ./httpapi ./payments/ledger
	go test -race -timeout 15m ./conformance -run OwnPlugins/aurora -checks 'L1.pay,L2.racing,L3.genuine'
	go test -race -timeout 15m ./payments -run 'Flow|Concurrent|Processes|SameKey|Delivery|Postlink|Parked|Batches|Guards'
	go test -race -timeout 15m ./payments/store -run SQLite

check: format lint vuln test race peers ## The pre-flight: all that CI runs, and more

format: ## Fail if a file is not formatted
	@out=$$(go run $(GOFUMPT) -l . ); if [ -n "$$out" ]; then echo "not formatted:"; echo "$$out"; exit 1; fi
	@go mod tidy -diff

lint: ## Run the linters
	go run $(GOLANGCI_LINT) run ./...

vuln: ## Look for known vulnerabilities (needs the vulnerability database)
	go run $(GOVULNCHECK) ./...

fuzz: ## Run every fuzz target for FUZZTIME
	@for pkg in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

peers: ## Hold every peer of the benchmarks to the same result
	cd bench && go vet ./... && go test -timeout 15m ./...

bench: build ## Measure every row of docs/performance.md, peers too, in a quarter of an hour (BENCH=quick, BENCH=million)
	@cd bench && go run ./cmd/bench -mode $(or $(BENCH),full)

soak: ## Soak good plugins beside a hostile one for SOAK
	go test -tags memory.counters -timeout 0 ./internal/soak -run Soak -v -soak $(SOAK)

clean: ## Remove what was built, by tests too
	rm -rf build dist "$$(go env GOCACHE)/payhost-tests"

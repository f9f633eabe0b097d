# `make demo` shows Waybill at work and needs Go alone.
# `make test` runs everything CI runs, and gets what it needs for that.

SHELL := bash
FUZZTIME ?= 1m
CRASHES ?= 2000
CHAOS ?= 200

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

.PHONY: demo
demo: ## Show made-up parcels moving live; no settings, nothing is kept
	go run ./cmd/waybill demo

.PHONY: dev
dev: packages ## Run the demo and the dev server of the pages
	scripts/dev

.PHONY: build
build: ## Build the binary into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/waybill ./cmd/waybill

.PHONY: pages
pages: packages ## Build the pages that are committed and embedded
	cd web && npm run build

.PHONY: test
test: ## Check and test everything, as CI does
	scripts/services scripts/test

.PHONY: check
check: check-go check-web ## Format, vet, lint, types, style, and whether the built pages are stale

.PHONY: check-go
check-go: ## The part of check that concerns Go
	@out=$$("$$(scripts/tool gofumpt)" -l $$(git ls-files -co --exclude-standard '*.go')); \
		if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi
	@out=$$(git ls-files -co --exclude-standard '*_test.go' | xargs grep -l 'time\.Sleep(' /dev/null | xargs -r grep -L '"testing/synctest"'); \
		if [ -n "$$out" ]; then echo "tests that sleep on the real clock:"; echo "$$out"; exit 1; fi
	go vet ./...
	"$$(scripts/tool golangci-lint)" run ./...

.PHONY: check-web
check-web: packages ## The part of check that concerns the pages
	cd web && npm run check

.PHONY: fmt
fmt: ## Format Go and web sources
	"$$(scripts/tool gofumpt)" -w $$(git ls-files -co --exclude-standard '*.go')
	cd web && npx biome check --write .

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME each (1m)
	scripts/fuzz each $(FUZZTIME)

.PHONY: fuzz-short
fuzz-short: ## Fuzz every target for a few seconds, one minute in all
	scripts/fuzz total 60

.PHONY: e2e
e2e: packages ## Run the end-to-end scripts and browser tests alone
	scripts/services go test -race -count=1 ./e2e/...

.PHONY: crash
crash: ## Crash, cut the power and simulate in large numbers: CRASHES=2000 and more
	CRASHES=$(CRASHES) ROUNDS=20 SEEDS=50 CUTS=5000 scripts/services go test -count=1 -timeout=4h -v ./e2e/durability

.PHONY: attacks
attacks: ## Attack a running server, with outages as long as real ones; prints a table
	ATTACKS=full scripts/services go test -count=1 -timeout=1h -v ./e2e/attacks

.PHONY: bench
bench: ## Measure Waybill beside its ceiling and a peer; writes bench/results
	go run ./bench/run

.PHONY: gallery
gallery: packages ## Show every state of the tracker, in every theme and language
	cd web && npm run gallery

.PHONY: replicas
replicas: ## Three replicas behind a balancer to play with; needs PostgreSQL, and uses Redis
	scripts/services go run ./e2e/replicas/run

.PHONY: chaos
chaos: ## Take away what replicas stand on, CHAOS=200 rounds on Redis and on PostgreSQL each
	CHAOS=$(CHAOS) scripts/services go test -count=1 -timeout=4h -v ./e2e/chaos

.PHONY: sdk-suites
sdk-suites: packages ## Run the acceptance tests of Pusher's SDKs for PHP=checkout and NODE=checkout
	scripts/sdk-suites "$(PHP)" "$(NODE)"

.PHONY: bench-fanout
bench-fanout: ## Measure the Pusher server beside a plain Node.js one; writes bench/results
	go run ./bench/fanout

.PHONY: screenshots
screenshots: packages build ## Make the README's pictures from a running demo
	CHROMIUM=$$(scripts/chromium) node e2e/pictures.mjs bin/waybill docs/pictures

.PHONY: packages
packages: ## Install the npm packages that are not up to date
	@scripts/packages

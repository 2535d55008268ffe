# What can be done with this repository; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
LINT := $(SWIFT) format lint --strict --parallel --recursive
SOURCES := Package.swift Sources Tests agent coordinator deploy proto

SEEDS ?= 20000

SOAK_SECONDS ?= 120
SOAK_SEEDS ?= 4

BENCH_ARGS ?=

TARGETS ?=

.PHONY: help tools build demo demo-stop test sim bench-snapshots bench-simulation bench-replay soak check format release clean

help: ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## install what the build needs, or say what is missing
	@scripts/tools

build: tools ## debug build of everything
	$(SWIFT) build

demo: build ## the main job on a demo fleet of six hosts; without a terminal it checks every claim
	@$$($(SWIFT) build --show-bin-path)/belay-demo run

demo-stop: ## stop a demo fleet that was left running
	@$$($(SWIFT) build --show-bin-path)/belay-demo stop

test: tools ## all tests, on loopback, without root; TARGETS='Tidy …' runs these test targets alone
	$(SWIFT) build --build-tests
	@scripts/test "$$($(SWIFT) build --show-bin-path)/belayPackageTests.xctest" $(TARGETS)

sim: tools ## SEEDS (20000) simulated rollouts of random plans with every kind of fault
	$(SWIFT) build -c release --product belay
	@"$$($(SWIFT) build -c release --show-bin-path)/belay" simulate --random --seeds $(SEEDS)

soak: tools ## SOAK_SEEDS (4) times SOAK_SECONDS (120) of twelve agents on a bad network, with kills
	$(SWIFT) build --build-tests
	BELAY_SOAK_SECONDS=$(SOAK_SECONDS) BELAY_SOAK_SEEDS=$(SOAK_SEEDS) \
	    $(SWIFT) test --skip-build --no-parallel --filter BadNetworkTests

bench-snapshots: tools ## rollback points against restic, borg, cp and rsync; BENCH_ARGS=--quick to try
	for product in belay-agent belay-bench; do \
	    $(SWIFT) build -c release --product $$product; \
	done
	@"$$($(SWIFT) build -c release --show-bin-path)/belay-bench" snapshots $(BENCH_ARGS)

bench-simulation: tools ## what a simulated run costs at 1,000, 10,000 and 100,000 hosts
	for product in belay belay-bench; do \
	    $(SWIFT) build -c release --product $$product; \
	done
	@"$$($(SWIFT) build -c release --show-bin-path)/belay-bench" simulation $(BENCH_ARGS)

bench-replay: tools ## starts of a coordinator over a journal of 100000 events; BENCH_ARGS=--quick to try
	for product in belay-coordinator bench-journal belay-bench; do \
	    $(SWIFT) build -c release --product $$product; \
	done
	@"$$($(SWIFT) build -c release --show-bin-path)/belay-bench" replay $(BENCH_ARGS)

check: tools ## format, tidy, build without warnings, tests
	$(LINT) $(SOURCES)
	@scripts/check-docs
	$(MAKE) test

format: ## rewrite all Swift sources in the house's format
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

release: tools ## stripped binaries with the Swift runtime inside, in .build/dist
	for product in belay belay-agent belay-coordinator; do \
	    $(SWIFT) build -c release --static-swift-stdlib -Xlinker -s --product $$product; \
	done
	mkdir -p .build/dist
	cp "$$($(SWIFT) build -c release --show-bin-path)"/{belay,belay-agent,belay-coordinator} .build/dist/
	@ls -l .build/dist

clean: ## remove everything that was built
	rm -rf .build

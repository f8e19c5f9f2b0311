# HashCluster: what can be done here. A bare `make` shows it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# npm itself runs on the machine's own Node: installing replaces the one in node_modules.
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# npm writes this file last. Older than the lock file: not installed, or no longer what is locked.
INSTALLED := node_modules/.package-lock.json
REPORTS := .cache/reports

.PHONY: help setup build run test test-long test-all e2e e2e-up lint format bench chaos clean distclean

help: ## show this
	@echo 'make <target> [ARGS="…"]'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## install what is needed; Node 24 comes along

$(INSTALLED): package-lock.json
	@echo 'Installing …'
	@PATH='$(SYSTEM_PATH)' npm ci --no-audit --no-fund --loglevel=error
	@node -e 'const [major, minor] = process.versions.node.split(".").map(Number); if (major < 22 || (major === 22 && minor < 22)) { console.error("Node 22.22 or newer is needed here; this is " + process.version); process.exit(1); }'
	@touch $@

build: $(INSTALLED) ## compile TypeScript and, where there is a C compiler, the hashing kernels
	@npm run --silent build

run: build ## start HashCluster, run a first job, stay until Ctrl-C
	@exec node services/bin/hashcluster.js demo $(ARGS)

SHARED_SERVERS_DOWN := $(if $(KEEP),:,node e2e/servers/main.ts down)

test: $(INSTALLED) ## run the tests, or some: make test ARGS=services/src/jobs; KEEP=1 keeps the servers they start
	@mkdir -p $(REPORTS)
	@trap '$(SHARED_SERVERS_DOWN)' EXIT; npm test --silent -- --json --outputFile=$(REPORTS)/jest.json $(ARGS)

test-long: $(INSTALLED) ## run what takes minutes: fault campaigns, mutants, lost events, releases of the chart
	@mkdir -p $(REPORTS)
	@trap '$(SHARED_SERVERS_DOWN)' EXIT; npm run --silent test:long -- --json --outputFile=$(REPORTS)/jest-long.json $(ARGS)

test-all: ## run both, whether or not the first fails
	@rc=0; for suite in test test-long; do $(MAKE) --no-print-directory $$suite || rc=1; done; exit $$rc

e2e: $(INSTALLED) ## stories on a Kubernetes cluster of kind; KEEP=1 keeps the cluster
	@mkdir -p $(REPORTS)
	@$(MAKE) --no-print-directory e2e-up
	@trap '$(if $(KEEP),:,node e2e/kind/main.ts down)' EXIT; npm run --silent jest -- --config tools/jest/e2e.config.js --json --outputFile=$(REPORTS)/e2e.json $(ARGS)

e2e-up: $(INSTALLED) ## make that cluster and load the images onto it, without the stories
	@node e2e/kind/main.ts up

lint: $(INSTALLED) ## check style, types, sizes and who imports whom
	@npm run --silent lint

format: $(INSTALLED) ## repair what can be repaired by itself
	@eslint --fix . ; prettier --write --log-level=warn .

bench: $(INSTALLED) ## measure: make bench ARGS=hashing, ARGS=service
	@npm run --silent bench -- $(ARGS)

chaos: $(INSTALLED) ## kill it again and again, and check that nothing is lost
	@npm run --silent chaos -- $(ARGS)

clean: ## remove what was built
	rm -rf .cache coverage services/dist operator/dist services/native/build

distclean: clean ## remove what was installed, too
	rm -rf node_modules services/node_modules operator/node_modules e2e/node_modules

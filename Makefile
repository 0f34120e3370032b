# Needs Python 3.11 or newer, git and make. Everything else comes from requirements.lock, checked by hash, into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check check-types check-fast audit bench learn-bench priors chaos docs lock clean

BIN := .venv/bin
STAMP := .venv/.ready
LOCKING := $(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --no-emit-index-url --no-header \
	--universal --python-version 3.11 --quiet

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 21

setup: $(STAMP) ## Set up .venv (hash-locked) and fetch the embedded Kafka broker

demo: $(STAMP) ## Run the whole main job on real data, in a little over two minutes, and sum it up
	@$(BIN)/tradewind demo

test: $(STAMP) ## Run all tests, those against the real broker included
	$(BIN)/pytest

check: $(STAMP) ## The fast loop: ruff, import-linter, pyright, tests without a broker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-types check-fast

check-types: $(STAMP)
	$(BIN)/pyright

check-fast: $(STAMP)
	@# Where no bytecode is to be written, each process compiles everything anew: that is most of what it does.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n auto -m 'not kafka and not browser'

audit: $(STAMP) ## Look every locked package up for known vulnerabilities (needs PyPI's advisories, so no part of check)
	@$(BIN)/pip-audit --strict --progress-spinner off --require-hashes --disable-pip --requirement requirements.lock || { \
		echo "audit: not clean. A package that is 'not found on PyPI' says nothing of the package: its advisories can't be" \
			"read here, as behind a mirror, which has none. Run it where PyPI itself answers." >&2; exit 1; }

bench: $(STAMP) ## Measure the engine against its peers, in about half an hour (ARGS="--quick", "--only quix,faust", …)
	@$(BIN)/python -m tests.benchmarks.engine $(ARGS)

learn-bench: $(STAMP) ## Measure how well the policies learn, in about an hour; writes docs/learning.md (ARGS="--quick", …)
	@$(BIN)/python -m tests.benchmarks.learning $(ARGS)

priors: $(STAMP) ## Train all priors that ship anew, each from its seed, and compare with what ships
	@scripts/priors

chaos: $(STAMP) ## All faults in full on the real broker, in about half an hour; table at the end (CHAOS_SEED=1, ARGS=…)
	CHAOS=full $(BIN)/pytest -q tests/chaos $(ARGS)

docs: $(STAMP) ## Write the reference pages anew, and build the documentation as a site into build/site
	$(BIN)/python -m infra.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: $(STAMP) ## Resolve requirements.lock and jars.lock anew (UPGRADE=1: to newer versions)
	$(LOCKING) $(if $(UPGRADE),--upgrade) --output-file requirements.lock
	$(BIN)/python -m infra.broker.relock

clean: ## Remove .venv and everything that was built
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# The parts that can fail for a reason of their own are one script, so that each says what to do.
$(STAMP): requirements.lock pyproject.toml infra/broker/jars.lock scripts/setup
	@scripts/setup
	@touch $@

# Everything a newcomer needs: `make setup` once, then the targets that `make help` lists.
# `setup` is behind a stamp, so the others reach for the network only when the lock or pyproject.toml changed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# The first of these that is there and new enough (a pyenv shim may be there and not work).
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)

BIN := .venv/bin
UV := $(BIN)/uv --quiet
SYNC := $(UV) pip sync --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
STAMP := .venv/.stamp
EXTRAS := spark fuzz oracles
# Environments with nothing of ours in them: what calls our server as a stranger does (boto3, the AWS CLI, Schemathesis),
# and what stands in for AWS, or looks at templates, policies and Dockerfiles.
STRANGERS := clients doubles
GRAFANA := .node-grafana
PEERS := evidently whylogs tfdv spark limits nannyml
# What it has wheels for; 3.1 has none for Python 3.11.
ATHERIS := atheris<3.1; sys_platform == 'linux' and platform_machine == 'x86_64' and python_version < '3.14'
# MiniStack is young and releases often, so it is pinned by hand; parliament imports what setuptools 81 has no more.
DOUBLES := ministack==1.5.33\nmoto[server]==5.2.5\ncfn-lint\nguardpycfn\nparliament\nhadolint-bin\nsetuptools<81\n
COMPILE := $(UV) pip compile --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
PROJECT := projects/resale_price
BUILD := build/demo

.PHONY: help setup demo test test-deps soak lint bench bench-deps docs up clean lock bench-lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from requirements.lock, once

# The stamp is touched last: an interrupted setup is taken up again, and a .venv that cannot run is made anew.
# uv looks into its cache first; the hashes make that as good as the network. Bytecode is made here, as every command would
# otherwise compile MLflow anew where PYTHONDONTWRITEBYTECODE is set, which images like to do.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "setup: Python 3.11 or newer is needed (make setup PYTHON=/path/to/python3.11)" >&2; exit 1; }
	@rm -f $@
	@if ! { $(BIN)/python --version && $(UV) --version; } >/dev/null 2>&1; then \
		echo "setup: making .venv with $(PYTHON)" && \
		"$(PYTHON)" -m venv --clear .venv && \
		awk '/^[a-z0-9]/ {wanted = /^uv==/} wanted' requirements.lock > .venv/uv.txt && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt; \
	fi
	@echo "setup: installing requirements.lock"
	@$(SYNC) --offline 2>/dev/null || $(SYNC)
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## rehearse the loop on the worked example, into build/demo
	$(BIN)/watchkeeper rehearse --project $(PROJECT) --until 2020-01 --out $(BUILD)

test: $(STAMP) ## run all tests
	$(BIN)/python -m pytest

# Each program a test starts and pip cannot install, with the package that brings it. The tests start what they need
# themselves, so a service that the packages bring is not started, and stopped where systemd started it all the same.
test-deps: $(EXTRAS:%=.venv-%/.stamp) $(STRANGERS:%=.venv-%/.stamp) ## install what tests start: programs, where apt is; PySpark, atheris, scikit-learn and shap, Schemathesis, doubles of AWS into environments of their own
	@packages=; \
	for pair in promtool:prometheus amtool:prometheus-alertmanager chromium:chromium wrk:wrk java:openjdk-17-jre-headless node:nodejs npm:npm vmagent:victoria-metrics; do \
		command -v "$${pair%%:*}" >/dev/null || packages="$$packages $${pair##*:}"; \
	done; \
	if test -z "$$packages"; then echo "test-deps: all programs there"; $(MAKE) --no-print-directory $(GRAFANA)/.stamp; exit; fi; \
	if ! command -v apt-get >/dev/null; then echo "test-deps: no apt here; please install$$packages"; exit 0; fi; \
	if test "$$(id -u)" = 0; then sudo=; else sudo=sudo; fi; \
	policy=/usr/sbin/policy-rc.d; \
	if ! test -e $$policy; then \
		trap '$$sudo rm -f '$$policy EXIT; \
		printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null && $$sudo chmod +x $$policy || exit 1; \
	fi; \
	echo "test-deps: installing$$packages"; \
	$$sudo apt-get update --quiet --quiet && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends $$packages >/dev/null || exit 1; \
	if command -v systemctl >/dev/null; then \
		for package in $$packages; do $$sudo systemctl disable --now "$$package" >/dev/null 2>&1 || true; done; \
	fi; \
	$(MAKE) --no-print-directory $(GRAFANA)/.stamp

# Grafana's own types, which the dashboards are held against.
$(GRAFANA)/.stamp: tests/grafana/package-lock.json
	@mkdir -p $(@D) && rm -f $@ && cp tests/grafana/package.json tests/grafana/package-lock.json $(@D)
	@echo "test-deps: installing tests/grafana/package-lock.json into $(@D)"
	@npm ci --prefix $(@D) --silent --no-audit --no-fund
	@touch $@

# PySpark is some 700 MB with what it brings, atheris has wheels for Linux on x86-64 alone, and XGBoost imports scikit-learn
# where it is, which every command would wait for: the tests that use them start a Python that has them.
.venv-%/.stamp: requirements.lock requirements-%.lock pyproject.toml | $(STAMP)
	@rm -f $@
	@$(@D)/bin/python --version >/dev/null 2>&1 || $(BIN)/python -m venv --clear --without-pip $(@D)
	@echo "test-deps: installing requirements-$*.lock into $(@D)"
	@sync="$(UV) pip sync --compile-bytecode --python $(@D)/bin/python --require-hashes requirements.lock requirements-$*.lock" && \
		{ $$sync --offline 2>/dev/null || $$sync; }
	@$(UV) pip install --python $(@D)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

$(STRANGERS:%=.venv-%/.stamp): .venv-%/.stamp: requirements-%.lock | $(STAMP)
	@rm -f $@
	@$(@D)/bin/python --version >/dev/null 2>&1 || $(BIN)/python -m venv --clear --without-pip $(@D)
	@echo "test-deps: installing requirements-$*.lock into $(@D)"
	@sync="$(UV) pip sync --compile-bytecode --python $(@D)/bin/python --require-hashes requirements-$*.lock" && \
		{ $$sync --offline 2>/dev/null || $$sync; }
	@touch $@

soak: $(STAMP) ## run the long tests at their whole length
	WATCHKEEPER_SOAK=1 $(BIN)/python -m pytest -m soak

lint: $(STAMP) ## check style, format, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## run each benchmark
	@for benchmark in benchmarks/*.py; do \
		test -e "$$benchmark" || { echo "bench: no benchmark yet"; break; }; \
		echo "== $$benchmark"; $(BIN)/python "$$benchmark" || exit 1; \
	done

# What we are measured against, each in an environment of its own, since their pins clash; 5 GB together. Compiled here,
# as an import would otherwise be timed with the compiling of what it imports. TensorFlow Data Validation wants Python 3.11.
bench-deps: $(PEERS:%=.peers/%/.stamp) ## install the tools that benchmarks compare with, into .peers

.peers/%/.stamp: benchmarks/peers/%.txt | $(STAMP)
	@rm -f $@
	@echo "bench-deps: installing benchmarks/peers/$*.txt into .peers/$*"
	@.peers/$*/bin/python --version >/dev/null 2>&1 || $(BIN)/python -m venv --clear --without-pip .peers/$*
	@$(UV) pip sync --python .peers/$*/bin/python --compile-bytecode $<
	@touch $@

docs: $(STAMP) ## write the generated pages and pictures of docs anew
	$(BIN)/python docs/reference/generate.py
	$(BIN)/python -m docs.pictures

up: $(STAMP) ## serve the endpoint and the console on what the demo made
	$(BIN)/watchkeeper up --project $(PROJECT) --workspace $(BUILD)

lock: $(STAMP) ## write the lock files anew, for Linux and macOS, from pyproject.toml
	$(COMPILE) pyproject.toml --group dev --output-file requirements.lock
	printf 'pyarrow\npyspark\n' | $(COMPILE) - --constraint requirements.lock --output-file requirements-spark.lock
	echo "$(ATHERIS)" | $(COMPILE) - --constraint requirements.lock --output-file requirements-fuzz.lock
	printf 'awscli>=1.40\nboto3\nschemathesis>=4\n' | $(COMPILE) - --output-file requirements-clients.lock
	printf '$(DOUBLES)' | $(COMPILE) - --output-file requirements-doubles.lock
	printf 'scikit-learn\nshap\nnumba>=0.61\n' | $(COMPILE) - --constraint requirements.lock --output-file requirements-oracles.lock

bench-lock: $(STAMP) ## write benchmarks/peers/*.txt anew from the .in beside each
	@for peer in $(PEERS); do \
		$(UV) pip compile --python-version 3.11 --upgrade --no-annotate --no-emit-index-url --custom-compile-command "make bench-lock" \
			benchmarks/peers/$$peer.in --output-file benchmarks/peers/$$peer.txt >/dev/null || exit 1; \
	done

clean: ## remove .venv, .peers, build and caches
	rm -rf .venv $(EXTRAS:%=.venv-%) $(STRANGERS:%=.venv-%) $(GRAFANA) .peers build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests projects benchmarks -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

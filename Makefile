# make demo    see it work            make test    run the tests
# make check   lint, types, rules     make bench   measure, by hand
# make test-previous    the SDK's tests with the clients one major back
# make test-dialects    instrumentations by others, run against the collector
# make test-tiers       behind, and in front of, a real OpenTelemetry Collector (needs Go, Java and Maven)
# make test-kafka       replicas that read from a real Kafka broker, and are killed (needs Java and Maven)
# make test-long        what takes minutes
# Each does its own set-up, in .venv, .venv-previous, .venv-dialects or .cache; nothing else on the machine is changed,
# except that `test`, as root on Debian, installs the servers that the tests run against.

ARGS ?=
PYTEST_ARGS ?=
# A file's tests stay together, as they share servers. What runs the demo or compares times has the machine for itself.
PARALLEL ?= --numprocesses auto --maxprocesses 4 --dist loadfile
ALONE := tests/demo tests/end_to_end tests/dashboards/test_on_demo_data.py
BIN := .venv/bin

.PHONY: help setup check test test-previous test-dialects test-tiers test-kafka test-long bench pictures demo constraints otelcol-modules clean

help:
	@sed -n 's/^# make/make/p' Makefile

setup: .venv/dev

WALKER := $(wildcard collector_processors/llmvitals_collector/decode/*.rs)

.venv/demo: pyproject.toml constraints.txt $(WALKER)
	@.ci/setup collector
	@touch $@

.venv/dev: pyproject.toml constraints.txt $(WALKER)
	@.ci/setup dev
	@touch $@

.venv-dialects/dialects: .ci/dialects.in constraints-dialects.txt
	@.ci/setup dialects
	@touch $@

.venv-previous/previous: pyproject.toml constraints-previous.txt
	@.ci/setup previous
	@touch $@

demo: .venv/demo
	@$(BIN)/llmvitals demo $(ARGS)

test: .venv/dev
	@.ci/setup servers
ifneq ($(PYTEST_ARGS),)
	$(BIN)/python -m pytest $(PYTEST_ARGS)
else
	$(BIN)/python -m pytest $(PARALLEL) $(ALONE:%=--ignore=%)
	$(BIN)/python -m pytest $(ALONE)
endif

test-previous: .venv-previous/previous
	.venv-previous/bin/python -m pytest tests/sdk $(PARALLEL) $(PYTEST_ARGS)

test-dialects: .venv/dev .venv-dialects/dialects
	$(BIN)/python -m pytest tests/dialects -m dialects $(PYTEST_ARGS)

test-tiers: .venv/dev
	@.ci/setup otelcol
	@.ci/setup kafka
	@.ci/setup prometheus3
	$(BIN)/python -m pytest tests/tiers -m tiers $(PARALLEL) $(PYTEST_ARGS)

test-kafka: .venv/dev
	@.ci/setup kafka
	$(BIN)/python -m pytest tests/kafka -m kafka $(PYTEST_ARGS)

test-long: .venv/dev
	$(BIN)/python -m pytest -m long $(PYTEST_ARGS)

check: .venv/dev
	@.ci/setup servers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python grafana_dashboards/generate.py --check
	@if command -v promtool >/dev/null; then promtool check rules --lint=all --lint-fatal prometheus_rules/*.rules.yml prometheus_rules/*.alerts.yml; \
	else echo "check: LEFT OUT: promtool check rules, because promtool is not installed"; fi

bench: .venv/dev
	@for bench in tests/benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

# Of the boards, on the demo's data (needs prometheus, chromium, and convert of ImageMagick).
pictures: .venv/dev
	$(BIN)/python grafana_dashboards/pictures.py $(ARGS)

# After a change of the dependencies in pyproject.toml (needs uv).
constraints:
	printf 'hatchling\neditables\n' | uv pip compile pyproject.toml - --extra dev --universal --python-version 3.11 --upgrade \
	  --no-annotate --no-header --no-emit-package llmvitals --output-file constraints.txt
	printf 'hatchling\neditables\n' | uv pip compile pyproject.toml .ci/previous.in - --extra collector --universal --python-version 3.11 --upgrade \
	  --no-annotate --no-header --no-emit-package llmvitals --output-file constraints-previous.txt
	uv pip compile .ci/dialects.in --universal --python-version 3.11 --upgrade \
	  --no-annotate --no-header --output-file constraints-dialects.txt

# After a change of .ci/otelcol/builder.yaml (needs Go).
OTELCOL_BUILDER := go.opentelemetry.io/collector/cmd/builder@v0.158.0
otelcol-modules:
	cd .ci/otelcol && rm -f go.mod go.sum \
	  && go run $(OTELCOL_BUILDER) --config builder.yaml --skip-compilation \
	  && go get -tool $(OTELCOL_BUILDER) && go mod tidy; rm -f *.go

clean:
	rm -rf .venv .venv-previous .venv-dialects .cache dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

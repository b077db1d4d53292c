# HexHub: `make up` starts everything, `make test` tests everything. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Compiled modules are kept, also where the environment says otherwise: HexHub is several processes,
# and its tests start many of them.
export PYTHONDONTWRITEBYTECODE :=

PORT ?= 8000
STATE ?= .hexhub
VENV := .venv
BIN := $(VENV)/bin
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm
PYTEST := tests/pytest.sh

# Chromium, PostgreSQL and VictoriaMetrics (it takes what InfluxDB takes) are real parts of the tests.
TEST_PROGRAMS := /usr/bin/chromium=chromium '/usr/lib/postgresql/*/bin/initdb=postgresql' \
  /usr/bin/victoria-metrics=victoria-metrics debootstrap=debootstrap \
  /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core ip=iproute2 \
  iptables=iptables setpriv=util-linux mkfs.btrfs=btrfs-progs

.PHONY: help
help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set-up -------------------------------------------------------------------------------------

$(VENV)/.run: requirements.lock setup.cfg config/setup/python.sh
	@config/setup/python.sh requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock setup.cfg config/setup/python.sh
	@config/setup/python.sh requirements-dev.lock
	@touch $@ $(VENV)/.run

# The two packages of the containers, for their tests; their tests need no built front end.
$(VENV)/.lesson: lesson_extension/setup.cfg images/hexhub_check/setup.cfg $(VENV)/.dev
	@HEXHUB_LESSON_WITHOUT_FRONTEND=1 $(BIN)/pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable lesson_extension --editable images/hexhub_check
	@touch $@

config/proxy/node_modules/.installed: config/proxy/package-lock.json | $(VENV)/.run
	@echo '[set-up] Installing the proxy'
	@cd config/proxy && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

lesson_extension/node_modules/.installed: lesson_extension/package-lock.json | $(VENV)/.run
	@echo '[set-up] Installing the packages of the front end'
	@cd lesson_extension && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

.PHONY: docker images
docker: ## Docker answers (installed and started as root on Debian)
	@config/setup/docker.sh

images: docker $(VENV)/.run lesson_extension/node_modules/.installed ## The images of the machines, where their inputs changed
	@$(BIN)/hexhub images build

# --- run ----------------------------------------------------------------------------------------

.PHONY: up down clean-all
up: $(VENV)/.run config/proxy/node_modules/.installed images ## Set everything up and start HexHub on http://127.0.0.1:8000
	@exec $(BIN)/hexhub up --port $(PORT) --state $(STATE)

down: ## Stop HexHub and the students' containers; nothing is lost
	@$(BIN)/hexhub down --state $(STATE)

clean-all: ## Remove what HexHub made here: containers, networks, images, state, packages (asks first)
	@config/setup/clean_all.sh $(STATE)

# --- check and test -----------------------------------------------------------------------------

.PHONY: check check-style check-unit check-panel format lock
check: $(VENV)/.dev $(VENV)/.lesson lesson_extension/node_modules/.installed ## Lint, types, layers, unit and contract tests: no Docker
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-unit check-panel check-style

check-style: $(VENV)/.dev $(VENV)/.lesson
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-unit: $(VENV)/.dev $(VENV)/.lesson
	$(PYTEST) -q tests/unit tests/contract

check-panel: $(VENV)/.run lesson_extension/node_modules/.installed
	cd lesson_extension && $(NPM) run --silent lint && $(NPM) run --silent typecheck && $(NPM) run --silent test

format: $(VENV)/.dev lesson_extension/node_modules/.installed ## Format Python and TypeScript
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	cd lesson_extension && $(NPM) run --silent format

# rfc3987-syntax is an optional part of jsonschema that checks a format nobody here uses (iri), and takes
# a second to import in each of our processes. Locks are complete, so that nothing brings it back.
WITHOUT := --no-emit-package rfc3987-syntax --no-emit-package lark
lock: $(VENV)/.dev ## Resolve the Python packages again
	printf 'setuptools>=77\n' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
	  --no-annotate --no-emit-index-url $(WITHOUT) --extra postgresql setup.cfg - -o requirements.lock
	printf 'setuptools>=77\n' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
	  --no-annotate --no-emit-index-url $(WITHOUT) --constraint requirements.lock --all-extras setup.cfg - \
	  -o requirements-dev.lock

.PHONY: test test-tools test-storage test-server test-containers test-cheats test-course test-hub test-isolation
.PHONY: test-browser test-faults soak bench-checks bench-load bench-start bench-memory bench-hundred bench-neighbour
.PHONY: bench-terminal screenshots

# Two suites at a time, the long ones first: most of a suite's time it waits, for containers.
# The browser's comes last and alone: Chromium takes both cores.
SUITES := test-hub test-cheats test-containers test-faults test-server test-isolation test-course \
  test-storage
test: check ## Everything
	@echo '[test] $(words $(SUITES)) suites, two at a time; what each one says is shown when it has ended'
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(SUITES)
	@$(MAKE) --no-print-directory test-browser

test-tools:
	@config/setup/debian_packages.sh $(TEST_PROGRAMS)

test-storage: $(VENV)/.dev test-tools ## SQLite, PostgreSQL, files, the event sink
	$(PYTEST) -n 2 tests/storage

test-server: $(VENV)/.dev $(VENV)/.lesson ## The web service and the server extension
	$(PYTEST) -n 2 --dist loadfile tests/server

test-containers: $(VENV)/.dev test-tools images ## Checks and harness in real containers
	$(PYTEST) -n 3 tests/container

test-cheats: $(VENV)/.dev $(VENV)/.lesson test-tools images ## The red team
	$(PYTEST) -n 2 tests/cheats

test-course: $(VENV)/.dev test-tools images ## Every answer of the shipped course
	$(BIN)/hexhub course verify courses/real-machine

test-hub: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## A real JupyterHub with the real spawner
	$(PYTEST) -n 2 --dist loadfile tests/hub

test-isolation: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## What machines cannot reach (as root)
	$(PYTEST) -n 2 --dist loadfile tests/isolation

test-browser: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## A student in real Chromium
	$(PYTEST) tests/browser

test-faults: $(VENV)/.dev $(VENV)/.lesson test-tools images config/proxy/node_modules/.installed ## Killed hubs and workers
	$(PYTEST) -n 2 --dist loadfile tests/faults

soak: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## The hub killed at random for minutes (ARGS="--minutes 5")
	$(BIN)/python -m tests.soak.killed_hub $(ARGS)

bench-checks: $(VENV)/.dev images ## What a check costs beside the tests' own time, next to docker run
	$(BIN)/python -m tests.bench.checks $(ARGS)

bench-start: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## How long a student waits, next to stock DockerSpawner (ARGS=--quick)
	$(BIN)/python -m tests.bench.start $(ARGS)

bench-memory: $(VENV)/.dev images config/proxy/node_modules/.installed ## What a student holds in memory, next to stock (as root)
	$(BIN)/python -m tests.bench.memory $(ARGS)

bench-hundred: $(VENV)/.dev images config/proxy/node_modules/.installed ## A hundred students' machines at once (as root)
	$(BIN)/python -m tests.bench.memory -n 100 --only ours --hold 120 $(ARGS)

bench-load: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## What a browser loads until a student can type, with empty and full caches
	$(BIN)/python tests/bench/load.py $(ARGS)

bench-neighbour: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## What one student's abuse (fork bomb, full disk …) costs at another's prompt (as root)
	$(BIN)/python -m tests.bench.neighbour $(ARGS)

bench-terminal: $(VENV)/.dev $(VENV)/.lesson images ## How fast `lesson` starts, and what our hooks add to a prompt
	$(BIN)/python tests/bench/terminal.py $(ARGS)

screenshots: $(VENV)/.dev test-tools images config/proxy/node_modules/.installed ## The pictures of the docs (ARGS=--all: of everything, into test-results/looks)
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

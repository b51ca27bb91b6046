# Everything a person does in this repository. `make` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
DEBIAN := python3 python3-venv libarchive13
DEBIAN_FOR_TESTS := age tesseract-ocr-eng strace libpangoft2-1.0-0 systemd man-db rclone xfsprogs # without them a few tests are skipped
DEBIAN_FOR_PACKAGE := git debhelper dpkg-dev fakeroot po-debconf
SHARE ?= .retentiond/sample-share
STATE ?= .retentiond

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.ready ## build .venv with the retentiond command in it

.PHONY: system
system: # names, or as root installs, the Debian packages that are missing
	@missing=$$(for p in $(DEBIAN); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing; \
	  else echo "These Debian packages are missing. Run:  sudo apt-get install $$missing" >&2; exit 1; fi; fi

$(VENV)/.ready: requirements-dev.lock pyproject.toml | system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: scan
scan: setup ## scan SHARE=/path/to/folder (or a small sample office share) and write a report
	@install -d -m 700 "$(STATE)"
	@if [ "$(SHARE)" = .retentiond/sample-share ] && [ ! -e "$(SHARE)" ]; then $(BIN)/python -m tests.corpus.office_share "$(SHARE)"; fi
	@$(BIN)/retentiond scan --state "$(STATE)" "$(SHARE)" || [ $$? = 3 ] # 3: all accounted for, some could not be read

.PHONY: system-for-tests
system-for-tests:
	@missing=$$(for p in $(DEBIAN_FOR_TESTS); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing || true; fi

.PHONY: test
test: setup system-for-tests ## run all tests
	$(BIN)/python -m pytest -q -n 2 $(ARGS)

.PHONY: test-fast
test-fast: setup ## run the tests that take no more than a moment
	$(BIN)/python -m pytest -q -n 2 -m 'not slow' $(ARGS)

.PHONY: test-long
test-long: setup system-for-tests ## what takes minutes: every request failing, storms, kills, two services; more examples
	RETENTIOND_TEST_LONG=1 $(BIN)/python -m pytest -q -n 2 -m long $(ARGS)
	RETENTIOND_TEST_LONG=1 $(BIN)/python -m pytest -q -n 2 -m 'not long' $$(grep -rl --include='test_*.py' RETENTIOND_TEST_LONG tests)

.PHONY: lint
lint: setup ## style, types, import contracts, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CONTRIBUTING.md CHANGELOG.md docs agent connectors config tests benchmarks training/*.py

.PHONY: fmt
fmt: setup ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: check
check: lint test ## everything CI runs

.PHONY: golden
golden: setup ## make the golden files anew and show what changed
	$(BIN)/python -m pytest -q -p no:randomly --golden-update tests/retention tests/reports tests/certificate
	git diff --stat -- tests

.PHONY: bench
bench: setup ## measure, side by side in one run (ARGS=--million for a million files)
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: soak
soak: setup ## everything at once under the running service, for ARGS="--minutes 30"
	$(BIN)/python -m tests.soak $(ARGS)

.PHONY: deb
deb: setup ## build the Debian package in dist/ (packaging/check.sh tries it in a fresh Debian)
	@missing=$$(for p in $(DEBIAN_FOR_PACKAGE); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing; fi
	packaging/build.sh

.PHONY: faults
faults: setup ## a fault at every system call of every act, on real ext4 and xfs images (root; ARGS="--every 10" for a part)
	@missing=$$(for p in strace e2fsprogs xfsprogs; do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $$missing; fi
	$(BIN)/python -m tests.faults $(ARGS)

FOREIGN := .venv-foreign
$(FOREIGN)/.ready: requirements-foreign.lock
	$(PYTHON) -m venv $(FOREIGN)
	$(FOREIGN)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-foreign.lock
	@touch $@

.PHONY: foreign
foreign: setup system-for-tests $(FOREIGN)/.ready ## the emulator of Microsoft 365, asked by rclone and by Microsoft's own SDK (half a GB)
	RETENTIOND_MSGRAPH_PYTHON=$(abspath $(FOREIGN))/bin/python $(BIN)/python -m pytest -q tests/connectors/microsoft365/test_emulator_foreign_clients.py

DATA ?=
.PHONY: model
model: setup ## train the shipped models anew from training/ and the public sets in DATA=/path/to/folder
	$(BIN)/python -m training all --data "$(DATA)"

.PHONY: lock
lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra microsoft365 --extra ocr --extra outlook-stores --extra access --extra pdf --extra training --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-dev.lock
	uv pip compile pyproject.toml --extra microsoft365 --extra ocr --extra outlook-stores --extra access --extra pdf --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -c requirements-dev.lock -o requirements.lock
	echo "msgraph-sdk>=1.60" | uv pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements-foreign.lock

.PHONY: clean
clean: ## remove what setup and scan made here
	rm -rf $(VENV) $(FOREIGN) .retentiond .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

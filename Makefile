# The two commands a newcomer needs: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
PORT   ?= 8000
BIN    := .venv/bin

.PHONY: help run test test-slow check format bench bench-desk bench-dispatch bench-feeds bench-related shots lock migration clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: .venv/run.stamp  ## Start everything on this machine (PORT=8000)
	@exec $(BIN)/publisher up --port $(PORT)

# Three at a time, for half of the time is waiting; a module's tests stay together, for they share servers.
TOGETHER := -n 3 --dist loadscope

test: .venv/dev.stamp  ## Run the tests (under 8 minutes on two cores); ARGS="tests/compose -k window" runs some
	$(BIN)/python -m pytest -m "not slow" $(if $(ARGS),$(ARGS),$(TOGETHER))

test-slow: .venv/dev.stamp  ## Run the long tests as well: random faults, many kills
	$(BIN)/python -m pytest -m slow $(if $(ARGS),$(ARGS),$(TOGETHER))

check: .venv/dev.stamp  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.stamp  ## Let ruff format and mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev.stamp  ## Run every benchmark; each prints its figures
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-dispatch: .venv/dev.stamp  ## Run the benchmark of the send, from CSV to ledger (ARGS="--readers 100000"; Debian: postfix)
	$(BIN)/python -m tests.benchmarks.bench_dispatch $(ARGS)

bench-feeds: .venv/dev.stamp  ## Run the benchmark of feeds beside nginx (Debian: wrk, nginx-light)
	$(BIN)/python -m tests.benchmarks feeds

bench-desk: .venv/dev.stamp  ## Run the benchmark of the desk's pages in a large newsroom (ARGS="100000 1000000": articles, subscribers)
	$(BIN)/python -m tests.benchmarks.bench_desk $(ARGS)

bench-related: .venv/dev.stamp  ## Run the benchmark of related links: how good, how fast (ARGS="10000 100000 1000000")
	$(BIN)/python -m tests.benchmarks.bench_related $(ARGS)

shots: .venv/dev.stamp  ## Take the pictures of the README anew (Debian: chromium, fonts-noto-cjk)
	$(BIN)/python -m tests.shots

lock: .venv/dev.stamp  ## Make the three locks again from pyproject.toml
	$(BIN)/python -m pip install -qq --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet $(ARGS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra embeddings -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet $(ARGS) -o requirements-embeddings.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra embeddings -c requirements-embeddings.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet $(ARGS) -o requirements-dev.lock

migration: .venv/dev.stamp  ## Draft a migration from the tables (MESSAGE="Add a column")
	$(BIN)/python -m publisher.migrations.draft "$(MESSAGE)"

clean:  ## Remove the environment and caches; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Publisher needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Could not make a virtual environment. On Debian: apt-get install python3-venv"; exit 1; }

.venv/run.stamp: requirements.lock | .venv/bin/python
	@echo "Installing what Publisher needs (once, about a minute) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -c 'import site, pathlib; pathlib.Path(site.getsitepackages()[0], "publisher.pth").write_text(str(pathlib.Path.cwd()) + "\n")'
	@printf '#!%s\nfrom publisher.cli.main import run\n\nrun()\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/publisher
	@chmod +x $(BIN)/publisher
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

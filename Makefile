# Two commands do all the set-up: `make run` and `make test`. The environment is .venv, built from the hashed lock files;
# uv comes into a helper environment (.uv) of its own when the machine has none.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
LOCKS  := requirements.txt requirements-dev.txt

.PHONY: run test check prove bench test-model lock clean studio

run: $(VENV)/.run
	$(BIN)/dossier serve

test: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist worksteal

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy server.py
	$(BIN)/lint-imports

prove: $(VENV)/.dev
	$(BIN)/python -m tests.proofs

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

studio: $(VENV)/.dev
	LANGGRAPH_CLI_NO_ANALYTICS=1 LANGGRAPH_NO_VERSION_CHECK=true $(BIN)/langgraph dev --no-browser

test-model: $(VENV)/.model
	$(BIN)/python -m tests.real_model

lock: .uv/bin/uv
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra build pyproject.toml -o requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra build --extra dev pyproject.toml -c requirements.txt -o requirements-dev.txt
	$(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra model pyproject.toml -c requirements-dev.txt -o requirements-model.txt

clean:
	rm -rf $(VENV) .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

$(VENV)/bin/python: | $(UV)
	$(UV) venv --quiet --python $(PYTHON) --allow-existing $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	touch $@

$(VENV)/.model: requirements-model.txt $(VENV)/.dev
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-model.txt
	touch $@

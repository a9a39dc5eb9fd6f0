# misheard: `make run` does the main job, `make test` tests it; both set up what they need in .venv, without root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup run test check bench vosk-model clean
.DEFAULT_GOAL := run

$(VENV)/.run-ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"misheard needs Python 3.11 to 3.13, this is {v[0]}.{v[1]}; choose one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --only-binary=:all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev-ready: $(VENV)/.run-ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --only-binary=:all: -r requirements-dev.lock
	touch $@

setup: $(VENV)/.run-ready

run: setup
ifdef MIC
	$(BIN)/misheard device --source mic --out runs/
else
	$(BIN)/misheard sim kitchen-unacceptable --wire mqtt --pace real --out runs/
endif

test: $(VENV)/.dev-ready
	$(BIN)/python -m pytest

check: $(VENV)/.dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layering.py

bench: $(VENV)/.dev-ready
	$(BIN)/python -m tests.bench

vosk-model: $(VENV)/.dev-ready
	$(BIN)/misheard models train-vosk

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

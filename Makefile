# misheard: `make run` does the main job, `make test` tests it; both set up what they need in .venv, without root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup run install-service test check check-wheels bench faults fuzz soak vosk-model clean
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
	$(BIN)/misheard device --source mic --out runs/mic-$$(date -u +%Y%m%d-%H%M%S)
else
	$(BIN)/misheard sim portland --wire mqtt --pace real --what-if all
endif

# As root, or with SYSTEM=1, for the whole machine; else for you alone. ARGS: what misheard service install takes.
install-service: setup
	$(if $(SYSTEM),sudo )$(abspath $(BIN))/misheard service install $(if $(SYSTEM),--system) $(ARGS)

test: $(VENV)/.dev-ready
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layering.py

# Everything a device needs has a wheel for 64-bit Arm and for each Python (srt, which is plain Python, is a source).
check-wheels: $(VENV)/.run-ready
	for target in 311:aarch64 313:aarch64 313:x86_64; do \
	  echo "wheels for Python $${target%%:*} on $${target##*:}"; \
	  folder=$$(mktemp -d); \
	  $(BIN)/python -m pip download --quiet --only-binary=:all: --no-deps -r requirements.lock --dest $$folder \
	    --python-version $${target%%:*} --platform manylinux_2_28_$${target##*:} \
	    --platform manylinux_2_17_$${target##*:} --platform manylinux2014_$${target##*:} || exit 1; \
	  rm -rf $$folder; \
	done

# make bench ONLY=uplink measures one section alone.
bench: $(VENV)/.dev-ready
	$(BIN)/python -m tests.bench $(if $(ONLY),--only "$(ONLY)")

# Everything is broken as often as promised; where nothing is lost, the table becomes docs/faults.md. Hours, one after
# the other, and mostly waiting: so four go on side by side.
faults: $(VENV)/.dev-ready
	MISHEARD_FAULTS=full MISHEARD_FAULTS_PAGE=docs/faults.md $(BIN)/python -m pytest --numprocesses 4 --dist worksteal tests/faults

# Every decoder of what comes from the network or the disk gets 100,000 inputs; what became of them is shown at the end.
fuzz: $(VENV)/.dev-ready
	MISHEARD_FUZZ=100000 $(BIN)/python -m pytest tests/fuzz

# A month of a device and its far end, as fast as it goes (a quarter of an hour of a processor): what they hold and write.
soak: $(VENV)/.dev-ready
	$(BIN)/python -m tests.soak

vosk-model: $(VENV)/.dev-ready
	$(BIN)/misheard models train-vosk

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every target brings its own .venv: only Python 3.11+ has to be there.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo lab quick test contract soak environments check bench messages clean

demo: .venv/.run
	$(BIN)/heygen-nb demo

lab: .venv/.run
	$(BIN)/heygen-nb lab

# what most changes break, in a minute
quick: .venv/.dev
	$(BIN)/pytest -n 2 --dist worksteal -m "not (browser or slow or soak)"

# three on two cores: a test waits for a third of its time
test: .venv/.dev
	bash tests/bring.sh
	$(BIN)/pytest -n 3 --dist worksteal -m "not soak"

contract: .venv/.dev
	@test -d "$$HEYGEN_SCHEMAS" || { echo "HEYGEN_SCHEMAS must name the folder of HeyGen's schemas"; exit 1; }
	$(BIN)/pytest tests/contract

soak: .venv/.dev
	bash tests/bring.sh
	$(BIN)/pytest -m soak

# the wheel on what other notebooks' homes bring: Colab, VS Code, newest versions
environments: .venv/.dev
	$(BIN)/python tests/environments/run.py

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	# as somebody else's code sees the package: from outside, with no settings of ours
	cd tests/typing && ../../$(BIN)/mypy --strict --config-file= \
		--cache-dir=../../.mypy_cache/outside api.py
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python tests/check_messages.py

bench: .venv/.bench
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

messages: .venv/.dev
	$(BIN)/python tests/check_messages.py --update

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build

.venv/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/.run: .venv/.made pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

.venv/.dev: .venv/.made pyproject.toml constraints.txt
	$(PIP) -e '.[dev,llm,dask,postgres]'
	touch $@ .venv/.run

.venv/.bench: .venv/.made pyproject.toml constraints.txt
	$(PIP) -e '.[dev,llm,dask,postgres,bench]'
	touch $@ .venv/.dev .venv/.run

# Every target sets up what it needs in .venv; everything else that is written lies under build/.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/.cache/pycache
# by content: numba sees a change of a function's own file only, not of what it calls in another
export NUMBA_CACHE_DIR := $(CURDIR)/build/.cache/numba/$(shell find analysis/kernels -name '*.py' | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1)
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/.cache/hypothesis
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# relative, because pip splits it at blanks; by the environment, so that it holds for what builds the package, too
export PIP_CONSTRAINT := constraints.txt

.PHONY: report figures docs test coverage lint lab simulate readme-figure readme-screens clean

report: .venv/package  ## the synthetic cohort's report, figures, tables and notebooks: build/report.html
	$(BIN)/python -m analysis report

figures: .venv/package  ## every figure again: build/figures
	$(BIN)/python -m analysis figures

docs: .venv/installed  ## the documentation as one offline folder: build/docs/index.html
	$(BIN)/python docs/build.py build/docs

test: .venv/installed  ## all tests
	$(BIN)/python -m pytest -n auto --dist loadgroup

coverage: .venv/installed  ## which lines the tests reach: build/coverage/index.html
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=html --cov-report=term

lint: .venv/installed  ## style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

lab: .venv/package  ## JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

simulate: .venv/package  ## the synthetic cohort again, byte for byte
	$(BIN)/python -m analysis simulate

readme-figure: figures  ## the figure that the README opens with
	cp build/figures/survival-overall-survival.svg docs/overall-survival.svg

readme-screens: report  ## the README's pictures of the report and of the explorer
	$(BIN)/python docs/screens.py build docs

.venv/package: pyproject.toml constraints.txt  # what a report needs
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[word]'
	touch $@

.venv/installed: .venv/package  # what tests and style need, too
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:  ## remove everything that was made
	rm -rf build .venv

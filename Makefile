# Two commands do everything: `make demo` and `make test`. The other verbs are for those who work on pocgeo.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo

.PHONY: demo test chaos lowest check bench sample docs format fuzz clean help

help:  ## say what each verb does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("pocgeo needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 demo") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "No venv module: install python3-venv, then run make again." >&2; exit 1; }
	@echo "Setting up pocgeo in $(VENV): one to three minutes the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@

demo: $(VENV)/.ready  ## set up, run the main job on sample_aoi, say where to look
	@$(BIN)/pocgeo demo $(DEMO)
	@echo "            (here pocgeo is $(BIN)/pocgeo)"

test: $(VENV)/.ready  ## set up and pass the tests, a file a processor, four at most
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

chaos: $(VENV)/.ready  ## kill -9 a thousand index builds at random moments: ten CPU minutes
	@$(BIN)/python scripts/chaos.py

lowest:  ## pass the tests, those of the browser aside, with the oldest dependencies we allow
	@test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	@.venv-lowest/bin/python scripts/lowest_versions.py > .venv-lowest/lowest.txt
	@.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --constraint .venv-lowest/lowest.txt --editable '.[test]'
	@.venv-lowest/bin/python -m pytest -m 'not browser'

check: $(VENV)/.ready  ## style, types, floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.ready  ## every benchmark against its peer, at small size
	@for bench in benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

fuzz: $(VENV)/.ready  ## throw 10,000 made and broken files at the readers
	@$(BIN)/python scripts/fuzz.py

sample: $(VENV)/.ready  ## rebuild sample_aoi/data from its seed
	@$(BIN)/python sample_aoi/build.py

docs: $(VENV)/.ready  ## write the generated pages of docs/
	@$(BIN)/python scripts/write_docs.py

format: $(VENV)/.ready  ## let ruff lay out the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:  ## remove what was derived, keep the environment
	@rm -rf $(DEMO) sample_aoi/.pocgeo sample_aoi/out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

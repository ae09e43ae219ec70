# make demo · make test · make serve · make check · make prove · make bench · make lock
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
TOOLS  := $(VENV)/.tools
RUN    := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r
LOCK   := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-header
# Let Python cache compiled modules, because the tests start many short processes.
unexport PYTHONDONTWRITEBYTECODE
# The program syncs everything that it writes, which is slow on a disk; tests write to memory if it has enough room.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "/dev/shm" }')
PYTEST := $(if $(MEMORY),TMPDIR=$(MEMORY)) $(RUN) -m pytest -n 3

.PHONY: demo test serve check prove bench lock format clean

demo: $(READY)         ## all of the work on synthetic data, into var/
	$(RUN) build.py demo

test: $(TOOLS)         ## the tests, eight minutes on two processors; prints by file which branches no test takes
	$(PYTEST) --dist loadscope --no-loadscope-reorder -m "not prove" --cov --cov-report=term-missing

serve: $(READY)        ## staff Datasette and public site on 127.0.0.1, with the data of `make demo`
	$(RUN) build.py serve

check: $(TOOLS)        ## style, types, boundaries
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

prove: $(TOOLS)        ## the long tests marked `prove`, when what they prove has changed
	$(PYTEST) -m prove

bench: $(TOOLS)        ## the measurements, on an idle machine; see bench/README.md
	$(RUN) -m bench issue
	$(RUN) -m bench read
	$(RUN) -m bench load
	$(RUN) -m bench vault
	$(RUN) -m bench disclosure
	$(RUN) -m bench staff
	$(RUN) -m bench documents
	$(RUN) -m bench site   # needs Pelican and Eleventy: bench/README.md

format: $(TOOLS)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock: $(TOOLS)         ## pyproject.toml → what runs, what tests, what a host of the open data needs: hashed, naming no index
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	grep -o '^datasette==[^ ]*' requirements.lock | $(LOCK) --no-annotate -c requirements.lock - -o etl/publish/datasette.lock

clean:
	rm -rf $(VENV)

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "需要 Python 3.11 至 3.13 / Python 3.11 to 3.13 is needed: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) requirements.lock
	@touch $(READY)

$(TOOLS): $(READY) requirements-dev.lock
	$(INSTALL) requirements-dev.lock
	@touch $(TOOLS)

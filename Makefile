# make demo · make test · make serve · make check · make prove · make bench · make lock
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
RUN    := $(VENV)/bin/python
# What many short processes load is compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# The program syncs whatever it writes, and a disk lets the tests wait for each: they write to memory where that has room.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "/dev/shm" }')
PYTEST := $(if $(MEMORY),TMPDIR=$(MEMORY)) $(RUN) -m pytest -n 2

.PHONY: demo test serve check prove bench lock format clean

demo: $(READY)         ## the whole main job on synthetic data, into var/
	$(RUN) build.py demo

test: $(READY)         ## the tests, under five minutes
	$(PYTEST) --dist loadscope --no-loadscope-reorder -m "not prove"

serve: $(READY)        ## staff Datasette and public site on 127.0.0.1, over what `make demo` made
	$(RUN) build.py serve

check: $(READY)        ## style, types, boundaries
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

prove: $(READY)        ## the long proofs, once per change of what they prove
	$(PYTEST) -m prove

bench: $(READY)        ## the measurements, on an idle machine; see bench/README.md
	$(RUN) -m bench issue
	$(RUN) -m bench read
	$(RUN) -m bench load
	$(RUN) -m bench vault
	$(RUN) -m bench disclosure
	$(RUN) -m bench staff
	$(RUN) -m bench site   # asks for Pelican and Eleventy: bench/README.md

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock: $(READY)         ## requirements.in → requirements.lock, hashed, naming no index
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header requirements.in -o requirements.lock
	grep '^datasette==' requirements.in | $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -c requirements.lock \
	  - -o etl/publish/datasette.lock

clean:
	rm -rf $(VENV)

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 或更新版本 / Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(READY)

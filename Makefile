# `make run` starts HIMS, `make test` tries it, `make bench` measures it. All install what they need first; see README.md.

VENV := .venv/bin
ARGS ?=

# The system's Python goes first: the same code uses a fifth less CPU on Debian's build.
PYTHON ?= $(shell for p in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do \
	if "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		command -v "$$p"; break; fi; done)

.DEFAULT_GOAL := run
.PHONY: run test test-all check clicks bench drill fuzz pictures install lock sbom clean python

run: install
	@exec $(VENV)/python -m hims.launch

# Several processes at once, each with servers of its own. In one: make test ARGS="-n 0"
PYTEST = $(VENV)/python -m pytest $(if $(findstring no:xdist,$(ARGS)),,-n auto --dist loadfile --no-loadscope-reorder) $(ARGS)

test: SET = test
test: install
	@HIMS_ENV=test exec $(PYTEST)

test-all: SET = test
test-all: install
	@HIMS_ENV=test HIMS_TEST_FULL=1 exec $(PYTEST) --timeout 3600

check: SET = test
check: install
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	HIMS_ENV=test $(VENV)/mypy hims apps benchmarks
	HIMS_ENV=test $(PYTEST)

# The jobs of the desk, by pointer and by keyboard alone, and a table of the clicks that they take; see docs/desk.md
clicks: SET = test
clicks: install
	@HIMS_ENV=test HIMS_TEST_FULL=1 exec $(VENV)/python -m pytest -n 0 -q -s hims/tests/journeys/test_click_budgets*.py $(ARGS)

# make bench ONLY=list,search ROWS=100000 ROUNDS=3; see docs/benchmarks.md
bench: install
	@exec $(VENV)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(ROWS),--rows $(ROWS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(ARGS)

# make drill ONLY=R3; see docs/drills.md
drill: install
	@exec $(VENV)/python -m benchmarks.drills $(if $(ONLY),--only $(ONLY))

# make fuzz ONLY=doctor PORT=8000 ARGS="--include-path /patients"; see docs/fuzzing.md
fuzz: install
	@exec $(VENV)/python -m benchmarks.fuzz $(if $(ONLY),--only $(ONLY)) $(if $(PORT),--port $(PORT)) -- $(ARGS)

# make pictures PORT=8000: screenshots of the running sandbox's pages, for docs/desk.md
pictures: SET = test
pictures: install
	@exec $(VENV)/python -m benchmarks.pictures $(if $(PORT),--port $(PORT)) $(ARGS)

# Resolves requirements*.in anew and writes every package with its hashes to requirements*.txt. Add ARGS=--upgrade to move pins.
lock: install
	@for set in "" -dev -embedded -install -release; do \
		$(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command "make lock" $$([ "$$set" = -dev ] && echo --constraints requirements.txt) \
			$(ARGS) requirements$$set.in --output-file requirements$$set.txt || exit 1; done

# The software bill of materials of what production runs, in CycloneDX.
sbom: install
	@$(VENV)/uv pip install --quiet --python $(VENV)/python --require-hashes -r requirements-release.txt
	@$(VENV)/cyclonedx-py requirements --output-reproducible --mc-type application --sv 1.6 --of JSON \
		--output-file docs/sbom.cdx.json requirements.txt

SET = run
install: python
	@$(PYTHON) -m hims.launch.install $(SET)

python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "HIMS needs Python 3.11 or newer with venv and pip (on Debian or Ubuntu: apt-get install python3-venv)." >&2; exit 1; fi

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hims-test staticfiles
	find . -name __pycache__ -not -path './node_modules/*' -prune -exec rm -rf {} +

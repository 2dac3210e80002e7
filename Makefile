# Commands for users and developers; `make help` lists them.

VENV := .venv
# For a stack of a cloud: make install VENV=.venv-aws LOCK=requirements-aws.lock
LOCK := requirements.lock
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
PACKAGES := accidents cli materializers pipelines serving stacks steps tracking
SOURCES := $(PACKAGES) benchmarks run.py scripts tests
# Tests start hundreds of processes: without bytecode on disk each of them would compile the project.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest
COMPILE := $(PYTHON) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --quiet
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.PHONY: install
install: $(READY) ## create or update the environment from the locked dependencies

$(READY): $(LOCK) scripts/install.sh
	@VENV=$(VENV) LOCK=$(LOCK) sh scripts/install.sh
	@touch $(READY)

.PHONY: training
training: $(READY) ## train and compare all model types on the embedded synthetic sample
	@$(PYTHON) run.py --training

.PHONY: serve
serve: $(READY) ## serve the Production model on this machine, without keys (http://127.0.0.1:8080)
	@$(PYTHON) run.py --serve --anonymous

.PHONY: mlflow
mlflow: $(READY) ## open the MLflow page: trainings, models, stages (http://127.0.0.1:5000)
	@$(PYTHON) run.py mlflow

.PHONY: test
test: $(READY) ## run the tests: about a quarter of an hour on two cores
	@$(PYTEST) -n auto --dist loadfile -m "not long" --cov --cov-report=json:.coverage.json --cov-report=
	@$(PYTHON) scripts/check_coverage.py .coverage.json 85 $(PACKAGES)

.PHONY: test-quick
test-quick: $(READY) ## run the fast tests: under a minute
	@$(PYTEST) -q -n auto --dist loadfile -m "not slow and not long and not browser"

.PHONY: test-long
test-long: $(READY) ## run every test, with soak, kill-point and scale tests, then test-mutation
	@$(PYTEST)
	@$(MAKE) --no-print-directory test-mutation

.PHONY: test-mutation
test-mutation: $(READY) ## mutation testing of the domain: under an hour
	@$(PYTHON) -m scripts.mutation

.PHONY: test-browser
test-browser: $(READY) ## run the tests that need Chromium; fail where it is missing
	@REQUIRE_CHROMIUM=1 $(PYTEST) -m browser

.PHONY: notebooks
notebooks: $(READY) ## run every notebook in a copy of the project and check its metrics: about eight minutes
	@$(PYTEST) -v --durations=0 tests/notebooks

.PHONY: lab
lab: $(READY) ## open the notebooks in JupyterLab
	@$(VENV)/bin/jupyter lab notebooks

.PHONY: dashboard
dashboard: $(READY) ## start the ZenML dashboard: pipelines, runs, artifacts, models (PORT=8237)
	@$(PYTHON) run.py dashboard start $(PORT)

.PHONY: dashboard-stop
dashboard-stop: $(READY) ## stop the dashboard of this machine
	@$(PYTHON) run.py dashboard stop

.PHONY: lint
lint: $(READY) ## check style, types and imports
	@$(PYTHON) -m ruff check $(SOURCES)
	@$(PYTHON) -m ruff format --check $(SOURCES)
	@$(PYTHON) -m mypy $(PACKAGES) run.py
	@$(VENV)/bin/lint-imports --no-cache

.PHONY: format
format: $(READY) ## format the code
	@$(PYTHON) -m ruff check --fix-only $(SOURCES)
	@$(PYTHON) -m ruff format $(SOURCES)

.PHONY: benchmark
benchmark: $(READY) ## measure the phases of a training
	@$(PYTHON) -m benchmarks.training

.PHONY: docs
docs: $(READY) ## generate the data dictionary and the table of features in docs/
	@$(PYTHON) -m scripts.generate_docs

.PHONY: lock
lock: $(READY) ## update the requirements*.lock from pyproject.toml
	@$(COMPILE) --upgrade --extra dev --extra s3 --extra kubernetes -o requirements.lock
	@for cloud in aws gcp azure; do \
		cp requirements.lock requirements-$$cloud.lock && $(COMPILE) --extra $$cloud -o requirements-$$cloud.lock || exit 1; done

.PHONY: clean
clean: ## remove the environment and tool caches; data, models and reports stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

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
COMPILE := $(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --quiet
EVERYTHING := --extra serving --extra pipelines
# What the Lambda layer asks for; its binaries need none of it.
NOT_RUN := aws-cdk-lib aws-cdk-asset-awscli-v1 aws-cdk-asset-node-proxy-agent-v6 aws-cdk-cloud-assembly-schema \
	constructs jsii publication
# SOURCE, YEARS, MODEL and FILE are set on the command line: make run-train SOURCE=datagouv YEARS=2021-2023
MODEL := xgboost
EXAMPLE := examples/classic_flat.json
RUN := $(PYTHON) run.py
FROM_SOURCE = $(if $(SOURCE),--source '$(SOURCE)') $(if $(YEARS),--years '$(YEARS)')
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z-]*:.*## /{printf "  make %-16s %s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

##@ Environment

.PHONY: install install-dev setup-venv
install: $(READY) ## create or update the environment from the locked dependencies

install-dev: install ## the same: the environment holds the tools of developers, too

setup-venv: install ## the same, under its classic name

$(READY): $(LOCK) scripts/install.sh
	@VENV=$(VENV) LOCK=$(LOCK) sh scripts/install.sh
	@touch $(READY)

.PHONY: lock
lock: $(READY) ## update the lock files from pyproject.toml and requirements-*.in
	@$(COMPILE) pyproject.toml --upgrade $(EVERYTHING) --extra dev --extra s3 --extra kubernetes \
		--extra monitoring --extra dask -o requirements.lock
	@for cloud in aws gcp azure; do cp requirements.lock requirements-$$cloud.lock && \
		$(COMPILE) pyproject.toml $(EVERYTHING) --extra dask --extra $$cloud -o requirements-$$cloud.lock || exit 1; done
	@$(MAKE) --no-print-directory lock-images
	@$(COMPILE) requirements-dvc.in --upgrade -o requirements-dvc.lock
	@$(COMPILE) requirements-deploy.in --upgrade $(addprefix --no-emit-package ,$(NOT_RUN)) -o requirements-deploy.lock

.PHONY: lock-images
lock-images: $(READY) ## take the lock files of the images from requirements.lock, in the same versions
	@$(COMPILE) pyproject.toml -c requirements.lock --extra serving --extra tracing -o requirements-serving.lock
	@$(COMPILE) pyproject.toml -c requirements.lock --extra pipelines --extra s3 --extra kubernetes --extra dask \
		-o requirements-pipelines.lock
	@$(COMPILE) requirements-mlflow.in -c requirements.lock -o requirements-mlflow.lock
	@$(COMPILE) requirements-store.in --upgrade -o requirements-store.lock

.PHONY: clean
clean: ## remove the environments and tool caches; data, models and reports stay
	@rm -rf $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov

##@ Pipelines (SOURCE=sample, datagouv, a folder or a URL; YEARS=2021-2023)

.PHONY: training
training: run-train ## train and compare all model types, by default on the embedded synthetic sample

.PHONY: run-import
run-import: $(READY) ## generate or download the raw files into data/raw
	@$(RUN) fetch $(FROM_SOURCE)

.PHONY: run-preprocess
run-preprocess: $(READY) ## validate and clean the raw files
	@$(RUN) --ingestion $(FROM_SOURCE)

.PHONY: run-features
run-features: $(READY) ## compute the features
	@$(RUN) --features $(FROM_SOURCE)

.PHONY: run-train
run-train: $(READY) ## train and compare all model types (GRID_SEARCH=1 as run-train-grid)
	@$(RUN) --training $(FROM_SOURCE) $(if $(filter 1,$(GRID_SEARCH)),--tune grid)

.PHONY: run-train-grid
run-train-grid: $(READY) ## the same with a grid search over hyperparameters
	@$(RUN) --training $(FROM_SOURCE) --tune grid

.PHONY: run-train-single
run-train-single: $(READY) ## train one model type (MODEL=xgboost)
	@$(RUN) --training $(FROM_SOURCE) --models '$(MODEL)'

.PHONY: run-predict
run-predict: $(READY) ## predict the accident of examples/classic_flat.json with the best model trained last
	@$(RUN) --predict $(EXAMPLE)

.PHONY: run-predict-file
run-predict-file: $(READY) ## predict the accident of a JSON file (FILE=accident.json)
	$(if $(FILE),,$(error name the file of the accident: make run-predict-file FILE=accident.json))
	@$(RUN) --predict '$(FILE)'

.PHONY: run-predict-best
run-predict-best: $(READY) ## predict it, or FILE, with the best Production model of the registry
	@$(RUN) --predict '$(or $(FILE),$(EXAMPLE))' --best

.PHONY: workflow-data
workflow-data: run-import ## run-import, then run-preprocess
	@$(MAKE) --no-print-directory run-preprocess

.PHONY: workflow-ml
workflow-ml: run-features ## run-features, then run-train
	@$(MAKE) --no-print-directory run-train

.PHONY: workflow-all
workflow-all: workflow-data ## all five steps: import, preprocess, features, train, predict
	@$(MAKE) --no-print-directory workflow-ml
	@$(MAKE) --no-print-directory run-predict

##@ DVC (docs/dvc.md; remote and credentials in .env)

DVC := $(PYTHON) -m scripts.dvc
DVC_READY := .venv-dvc/.ready

$(DVC_READY): requirements-dvc.lock | $(READY)
	@$(PYTHON) -m uv venv --quiet --clear --python $(PYTHON) .venv-dvc
	@$(PYTHON) -m uv pip sync --quiet --python .venv-dvc/bin/python --require-hashes requirements-dvc.lock
	@touch $(DVC_READY)

.PHONY: dvc-init
dvc-init: $(DVC_READY) ## install DVC in .venv-dvc, and create .dvc where it is missing
	@test -d .dvc || $(DVC) init
	@$(DVC) version | head -1

.PHONY: dvc-setup-remote
dvc-setup-remote: $(DVC_READY) ## set the remote that .env names: DAGSHUB_REPO or DVC_REMOTE_URL
	@$(DVC) setup-remote

.PHONY: dvc-status
dvc-status: $(DVC_READY) ## list the stages that have changed
	@$(DVC) status

.PHONY: dvc-push
dvc-push: $(DVC_READY) ## upload data, models and metrics to the remote
	@$(DVC) push

.PHONY: dvc-pull
dvc-pull: $(DVC_READY) ## download those of dvc.lock from the remote
	@$(DVC) pull

.PHONY: dvc-repro
dvc-repro: $(DVC_READY) ## pull, then run the stages that have changed
	@$(DVC) repro

##@ Containers (docs/deploy.md)

# BASE: a Debian with Python 3.11; here every file of the images has the date of the last commit.
CONTAINERS := $(shell command -v podman || command -v docker)
BASE ?= docker.io/library/python:3.11-slim-bookworm
IMAGES := serving pipelines mlflow store
IMAGE_PREFIX ?= localhost/accidents
IMAGE_TAG ?= latest
BUILD_FLAGS ?=
REVISION = $(shell git rev-parse HEAD)
EPOCH = $(shell git log -1 --format=%ct)
DEPLOY_READY := .venv-deploy/.ready

$(DEPLOY_READY): requirements-deploy.lock deploy/tools.sh | $(READY)
	@$(PYTHON) -m uv venv --quiet --clear --python $(PYTHON) .venv-deploy
	@$(PYTHON) -m uv pip sync --quiet --python .venv-deploy/bin/python --require-hashes requirements-deploy.lock
	@sh deploy/tools.sh .venv-deploy
	@touch $(DEPLOY_READY)

.PHONY: images
images: $(addprefix image-,$(IMAGES)) ## build the images serving, pipelines, mlflow and store (BASE, IMAGES, BUILD_FLAGS)

image-%:
	@$(CONTAINERS) build $(if $(findstring podman,$(CONTAINERS)),--format docker --timestamp $(EPOCH)) --target $* \
		--build-arg BASE=$(BASE) --build-arg SOURCE_DATE_EPOCH=$(EPOCH) --build-arg REVISION=$(REVISION) \
		$(BUILD_FLAGS) --tag $(IMAGE_PREFIX)-$*:$(IMAGE_TAG) .

# PROFILES=serving,monitoring,grafana
PROFILES :=
COMPOSE = $(if $(findstring podman,$(CONTAINERS)),.venv-deploy/bin/podman-compose,docker compose)

.PHONY: up
up: $(DEPLOY_READY) ## start the servers of compose.yaml, and wait until they answer (PROFILES=serving,monitoring,grafana)
	@sh deploy/compose/secrets.sh
	@COMPOSE_PROFILES=$(PROFILES) $(COMPOSE) up --detach
	@COMPOSE_PROFILES=$(PROFILES) sh deploy/compose/wait.sh

.PHONY: down
down: $(DEPLOY_READY) ## stop them; databases and files stay in their volumes
	@COMPOSE_PROFILES=serving,monitoring,grafana $(COMPOSE) down

STORE_READY := .venv-store/.ready

$(STORE_READY): requirements-store.lock | $(READY)
	@$(PYTHON) -m uv venv --quiet --clear --python $(PYTHON) .venv-store
	@$(PYTHON) -m uv pip sync --quiet --python .venv-store/bin/python --require-hashes requirements-store.lock
	@touch $(STORE_READY)

.PHONY: team
team: $(STORE_READY) | $(READY) ## run the same servers as processes, train and predict through them, and stop them (KEEP=1: at Ctrl-C)
	@$(PYTHON) -m scripts.team $(if $(filter 1,$(KEEP)),--keep)

.PHONY: sbom
sbom: $(DEPLOY_READY) ## list what is in the images, as CycloneDX in reports/sbom
	@mkdir -p reports/sbom
	@for image in $(IMAGES); do sh deploy/images/sbom.sh $(IMAGE_PREFIX)-$$image:$(IMAGE_TAG) \
		reports/sbom/$$image.cdx.json || exit 1; done

.PHONY: deploy-check
deploy-check: $(DEPLOY_READY) ## check Dockerfile, compose.yaml and manifests of Kubernetes, without a network
	@$(PYTHON) -m scripts.deploy_check

##@ Services

.PHONY: serve
serve: $(READY) ## serve the Production model on this machine, without keys (http://127.0.0.1:8080)
	@$(RUN) --serve --anonymous

.PHONY: mlflow
mlflow: $(READY) ## open the MLflow page: trainings, models, stages (http://127.0.0.1:5000)
	@$(RUN) mlflow

.PHONY: dashboard
dashboard: $(READY) ## start the ZenML dashboard: pipelines, runs, artifacts, models (PORT=8237)
	@$(RUN) dashboard start $(PORT)

.PHONY: dashboard-stop
dashboard-stop: $(READY) ## stop the dashboard of this machine
	@$(RUN) dashboard stop

.PHONY: lab
lab: $(READY) ## open the notebooks in JupyterLab
	@$(VENV)/bin/jupyter lab notebooks

##@ Development

.PHONY: format
format: $(READY) ## format the code
	@$(PYTHON) -m ruff check --fix-only $(SOURCES)
	@$(PYTHON) -m ruff format $(SOURCES)

.PHONY: lint
lint: $(READY) ## check style, types and imports
	@$(PYTHON) -m ruff check $(SOURCES)
	@$(PYTHON) -m ruff format --check $(SOURCES)
	@$(MAKE) --no-print-directory type-check
	@$(VENV)/bin/lint-imports --no-cache

.PHONY: type-check
type-check: $(READY) ## check types alone
	@$(PYTHON) -m mypy $(PACKAGES) benchmarks run.py

.PHONY: test
test: $(READY) ## run the tests: about ten minutes on two cores
	@$(PYTEST) -n auto --dist loadfile -m "not long" --cov --cov-report=json:.coverage.json --cov-report=
	@$(PYTHON) scripts/check_coverage.py .coverage.json 85 $(PACKAGES)

.PHONY: test-cov
test-cov: test ## the same, then list the lines that no test reaches in htmlcov/index.html
	@$(PYTHON) -m coverage html --quiet

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

.PHONY: benchmark
benchmark: $(READY) ## measure the phases of a training
	@$(PYTHON) -m benchmarks.training

.PHONY: docs
docs: $(READY) ## generate the data dictionary and the table of features in docs/
	@$(PYTHON) -m scripts.generate_docs

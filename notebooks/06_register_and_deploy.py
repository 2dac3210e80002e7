# %% [markdown]
# # Register and deploy
#
# A tracked training: MLflow records its metrics and registers its models, a rule decides whether a version may go into
# Production, and the model deployer of the stack serves it. By default everything stays on this machine.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE, training__models=["lightgbm"])

# %% [markdown]
# ## A stack with MLflow
# `stacks/local-mlflow.yaml` defines its components. Registering it again changes nothing. Only this kernel uses it; the
# active stack of ZenML does not change.

# %%
notebook.run_command("stack", "register", "local-mlflow")
notebook.connect("local-mlflow")

# %% [markdown]
# ## A tracked training

# %%
from pipelines.training import training

fingerprint = notebook.fingerprint(configuration)
run = notebook.run_pipeline(training, configuration=configuration, fingerprint=fingerprint)

# %%
notebook.run_command("registry", "list-versions")

# %% [markdown]
# ## May it go into Production?
# `configs/promotion.yaml` has the rule: floors, ceilings, and a comparison with the version in Production, on accidents that
# are in the training set of neither. See [docs/promotion.md](../docs/promotion.md).

# %%
notebook.run_command("registry", "auto-promote", "--model-name", "lightgbm", "--source", SOURCE)

# %% [markdown]
# ## Deployment
# The pipeline runs a smoke test of the Production version in a separate process, and waits until its service answers.

# %%
from pipelines.deployment import deployment

run = notebook.run_pipeline(deployment, configuration=configuration)
notebook.load_artifact("deployment_check")

# %% [markdown]
# ## A request
# Over HTTP. The response equals the prediction of the model in this kernel.

# %%
from pathlib import Path

from tracking.deployment import list_services, request_predictions

high_risk = Path("examples/high_risk.json").read_text()
service = list_services()[0]
response = request_predictions(service, [high_risk])
response

# %%
import json

from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request

here = predict_accident(notebook.load_artifact("lightgbm_model"), parse_request(json.loads(high_risk))).probability
here

# %% [markdown]
# ## Stop the service
# `python run.py --deployment --stop` does the same on a terminal, and `python run.py registry rollback` puts the previous
# Production version back.

# %%
from tracking.deployment import stop_services

[(stopped.name, stopped.version) for stopped in stop_services()]

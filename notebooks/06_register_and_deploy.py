# %% [markdown]
# # Register and deploy
#
# A training on record: its figures and models go to MLflow, a rule decides whether a version may go into Production, and the
# model deployer of the stack serves it. Everything stays on this machine unless you say otherwise.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE, training__models=["lightgbm"])

# %% [markdown]
# ## A stack with MLflow
# `stacks/local-mlflow.yaml` says what it is made of. Registering it again changes nothing, and the stack that you use
# otherwise stays the active one: this kernel alone is connected with it.

# %%
notebook.run_command("stack", "register", "local-mlflow")
notebook.connect("local-mlflow")

# %% [markdown]
# ## A training on record

# %%
from cli.pipeline_commands import model_version
from cli.tracking import check_tracking_server
from pipelines.training import training

fingerprint = notebook.fingerprint(configuration)
run = notebook.run_pipeline(
    training,
    configuration=configuration,
    fingerprint=fingerprint,
    version=model_version(configuration, fingerprint),
    store=check_tracking_server(configuration.tracking),
)

# %%
notebook.run_command("registry", "list-versions")

# %% [markdown]
# ## May it go into Production?
# The rule stands in `configs/promotion.yaml`: floors, ceilings, and a comparison with the version that is there now, on
# accidents that neither has learned from. See [docs/promotion.md](../docs/promotion.md).

# %%
notebook.run_command("registry", "auto-promote", "--model-name", "lightgbm", "--source", SOURCE)

# %% [markdown]
# ## Served
# The pipeline takes the Production version, tries it in a process of its own, and waits until its service answers.

# %%
from pipelines.deployment import deployment

run = notebook.run_pipeline(deployment, configuration=configuration)
notebook.load_artifact("deployment_check")

# %% [markdown]
# ## Asked
# Over HTTP, as any program would. The answer is that of the model in this kernel.

# %%
from pathlib import Path

from tracking.deployment import request_predictions, list_services

high_risk = Path("examples/high_risk.json").read_text()
service = list_services()[0]
answered = request_predictions(service, [high_risk])
answered

# %%
import json

from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request

here = predict_accident(notebook.load_artifact("lightgbm_model"), parse_request(json.loads(high_risk))).probability
here

# %% [markdown]
# ## Stopped
# `python run.py --deployment --stop` does the same from a terminal, and `python run.py registry rollback` puts the previous
# Production version back.

# %%
from tracking.deployment import stop_services

[(stopped.name, stopped.version) for stopped in stop_services()]

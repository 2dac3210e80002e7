# %% [markdown]
# # Switch stacks
#
# A ZenML stack defines where pipelines run and where they store artifacts. In this project a stack is a file; the same
# pipeline runs on every stack, with the same results. [docs/stacks.md](../docs/stacks.md) explains how to write one, and
# says what each stack needs, what its provider bills, and how far it has been proved.
#
# | stack | steps run | artifacts | runs and models |
# |---|---|---|---|
# | `local` | in this process | folder of this machine | MLflow file |
# | `local-mlflow` | in this process | folder of this machine | MLflow file or server, deployer |
# | `local-s3` | in this process | S3-compatible bucket | the same |
# | `team` | in this process | S3-compatible bucket | ZenML server, MLflow server |
# | `kubernetes`, `aws`, `gcp`, `azure` | in containers of a cluster or cloud | bucket of the provider | ZenML server, MLflow server |

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)
notebook.connect()

# %%
notebook.run_command("stack", "list")

# %% [markdown]
# ## From file to stack

# %%
from pathlib import Path

print(Path("stacks/local-mlflow.yaml").read_text())

# %%
notebook.run_command("stack", "register", "local-mlflow")

# %% [markdown]
# The second time every component is `unchanged`. `check` connects to each of them.

# %%
notebook.run_command("stack", "register", "local-mlflow")

# %%
notebook.run_command("stack", "check", "local-mlflow")

# %% [markdown]
# ## The same pipeline on two stacks

# %%
from pipelines.features import features

fingerprint = notebook.fingerprint(configuration)
here = notebook.run_pipeline(features, configuration=configuration, fingerprint=fingerprint)
there = notebook.run_pipeline(
    features, stack="local-mlflow", cache=False, configuration=configuration, fingerprint=fingerprint
)

# %%
from cli.output_files import step_output

{run.stack.name: step_output(run, "build_features", "features").content_hash[:12] for run in (here, there)}

# %% [markdown]
# ## One step as a run
# Steps are plain functions in a notebook. Inside `tracked` the same call is a ZenML run on the stack, with its artifacts.

# %%
from steps.features.build_features import build_features

tables = [notebook.load_artifact(name) for name in ("accidents", "vehicles", "people")]
with notebook.tracked(stack="local-mlflow"):
    frame = build_features(*tables)
frame.equals(notebook.load_artifact("features"))

# %% [markdown]
# ## What steps on other machines are given
# Where the orchestrator of a stack is not `local`, the pipelines add images with the locked packages and the code, resources and
# retries; the files are in `configs/zenml/orchestrators/`.

# %%
from pipelines.orchestrators import FOLDER, read_options

remote = read_options(FOLDER / "remote.yaml").steps
{name: (step.settings.get("resources"), step.retry) for name, step in remote.items()}

# %% [markdown]
# ## Again and again
# `python run.py schedule training --cron "0 3 * * 1" --timezone Europe/Paris` schedules a pipeline: in the orchestrator where
# that has schedules, elsewhere by a systemd timer, a crontab line or a GitHub workflow; `--dry-run` shows it first.

# %% [markdown]
# The active stack of ZenML has not changed: only this kernel was switched. To change the active stack:
# `python run.py stack set local-mlflow`.

# %%
notebook.connect("default")

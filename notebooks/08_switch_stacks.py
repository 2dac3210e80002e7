# %% [markdown]
# # Switch stacks
#
# A ZenML stack says where pipelines run and where they keep things. Here a stack is a file; the same pipeline runs on any,
# with the same results. [docs/stacks.md](../docs/stacks.md) tells how to write one.

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
# Again, and every line says `unchanged`. Does every component answer?

# %%
notebook.run_command("stack", "register", "local-mlflow")

# %%
notebook.run_command("stack", "check", "local-mlflow")

# %% [markdown]
# ## The same pipeline, here and there

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
# Steps are plain functions in a notebook. Inside `tracked` the same call is a run on the chosen stack, with its artifacts.

# %%
from steps.features.build_features import build_features

tables = [notebook.load_artifact(name) for name in ("accidents", "vehicles", "people")]
with notebook.tracked(stack="local-mlflow"):
    frame = build_features(*tables)
frame.equals(notebook.load_artifact("features"))

# %% [markdown]
# The stack that is active in ZenML is still the one from before: only this kernel was switched. To switch for good:
# `python run.py stack set local-mlflow`.

# %%
notebook.connect("default")

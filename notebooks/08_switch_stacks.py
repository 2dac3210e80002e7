# %% [markdown]
# # Switch stacks
#
# A ZenML stack says where pipelines run and where they keep things. Here a stack is a file; the same pipeline runs on any,
# with the same results. [docs/stacks.md](../docs/stacks.md) tells how to write one.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.ready()
configuration = notebook.configured(SOURCE)
notebook.connect()

# %%
notebook.command("stack", "list")

# %% [markdown]
# ## From file to stack

# %%
from pathlib import Path

print(Path("stacks/local-mlflow.yaml").read_text())

# %%
notebook.command("stack", "register", "local-mlflow")

# %% [markdown]
# Again, and every line says `unchanged`. Does every component answer?

# %%
notebook.command("stack", "register", "local-mlflow")

# %%
notebook.command("stack", "check", "local-mlflow")

# %% [markdown]
# ## The same pipeline, here and there

# %%
from pipelines.features import features

fingerprint = notebook.fingerprint(configuration)
here = notebook.run(features, configuration=configuration, fingerprint=fingerprint)
there = notebook.run(features, stack="local-mlflow", cache=False, configuration=configuration, fingerprint=fingerprint)

# %%
from cli.output_files import output

{run.stack.name: output(run, "build_features", "features").content_hash[:12] for run in (here, there)}

# %% [markdown]
# ## One step as a run
# Steps are plain functions in a notebook. Inside `tracked` the same call is a run on the chosen stack, with its artifacts.

# %%
from steps.features.build_features import build_features

tables = [notebook.artifact(name) for name in ("accidents", "vehicles", "people")]
with notebook.tracked(stack="local-mlflow"):
    frame = build_features(*tables)
frame.equals(notebook.artifact("features"))

# %% [markdown]
# The stack that is active in ZenML is still the one from before: only this kernel was switched. To switch for good:
# `python run.py stack set local-mlflow`.

# %%
notebook.connect("default")

# %% [markdown]
# # Quickstart: from published files to a prediction in five cells
#
# Was somebody killed or hospitalised in this accident? Nobody knows when the call comes in. This project learns to tell
# from what *is* known: where, when, which vehicles, who.
#
# Everything here runs on an embedded synthetic year. For real ones, change the one variable `SOURCE`.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %% [markdown]
# The steps of the pipelines are plain functions here. This one reads, validates and cleans the four published files.

# %%
from steps.ingestion.ingest import ingest

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
accidents[["Num_Acc", "hrmn", "lum", "dep", "catr", "vma", "priority"]].head()

# %% [markdown]
# One row of numbers an accident. No injury is among them.

# %%
from steps.features.build_features import build_features

features = build_features(accidents, vehicles, people)
features.shape

# %% [markdown]
# One model, measured on the 30 % of accidents that it did not learn from.

# %%
from steps.training.train_model import train_model

model, predictions = train_model(
    features, accidents, "lightgbm", configuration.training, configuration.features, fingerprint
)
model.metrics["test"]

# %% [markdown]
# An accident in words: a motorcycle and a car head for each other on a country road at night.

# %%
import json
from pathlib import Path

from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request

found = predict_accident(model, parse_request(json.loads(Path("examples/high_risk.json").read_text())))
print(f"{found.interpretation}: {found.probability:.0%} (threshold {found.threshold:.0%})")
print(*found.reasons, sep="\n")

# %% [markdown]
# Next: [look at the data](01_explore_the_data.ipynb), or [compare all model types](04_train_and_compare.ipynb).

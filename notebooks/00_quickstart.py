# %% [markdown]
# # Quickstart: from published files to a prediction in five cells
#
# Was somebody killed or hospitalised in this accident? This project predicts it from the facts that are available when the
# emergency call comes in: where, when, which vehicles, who.
#
# This notebook uses an embedded synthetic year. For real data, change the variable `SOURCE`.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %% [markdown]
# In a notebook the steps of the pipelines are plain functions. `ingest` reads, validates and cleans the four published
# files.

# %%
from steps.ingestion.ingest import ingest

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
accidents[["Num_Acc", "hrmn", "lum", "dep", "catr", "vma", "priority"]].head()

# %% [markdown]
# The features: one row an accident. The injuries are the label, so no feature uses them.

# %%
from steps.features.build_features import build_features

features = build_features(accidents, vehicles, people)
features.shape

# %% [markdown]
# One model, with its metrics on the test set: 30 % of the accidents.

# %%
from steps.training.train_model import train_model

model, predictions = train_model(
    features, accidents, vehicles, people, "lightgbm", configuration.training, configuration.features, fingerprint
)
model.metrics["test"]

# %% [markdown]
# A prediction for one accident: a head-on collision of a motorcycle and a car on a country road at night.

# %%
import json
from pathlib import Path

from accidents.inference.prediction import predict_accident
from accidents.requests import parse_request

prediction = predict_accident(model, parse_request(json.loads(Path("examples/high_risk.json").read_text())))
print(f"{prediction.interpretation}: {prediction.probability:.0%} (threshold {prediction.threshold:.0%})")
print(*prediction.reasons, sep="\n")

# %% [markdown]
# Next: [explore the data](01_explore_the_data.ipynb), or [compare all model types](04_train_and_compare.ipynb).

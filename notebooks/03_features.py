# %% [markdown]
# # Features
#
# One catalogue says of every feature what it is made of, in words, and when it is known. The same compiled function
# computes them for a year of accidents and for a single call.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %%
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
features = build_features(accidents, vehicles, people)
features.iloc[:5, :8]

# %% [markdown]
# ## The catalogue

# %%
import pandas as pd

from accidents.features.catalogue import CATALOGUE

catalogue = pd.DataFrame(
    [(name, each.description, each.formula, each.kind.value, each.level) for name, each in CATALOGUE.items()],
    columns=["feature", "in words", "formula", "kind", "level"],
)
catalogue.groupby(["level", "kind"]).size().unstack(fill_value=0)

# %%
catalogue.sample(8, random_state=2).set_index("feature")

# %% [markdown]
# ## What is known when
# `strict`: what a bystander tells at once. `call`: what a caller can tell when asked. `scene`: the police form. Each level
# sees what the one before sees, and more. What does knowing more bring?

# %%
from accidents.columns import LEVELS
from accidents.features import feature_names
from steps.training.train_model import train_model

levels = {}
for level in LEVELS:
    told = configuration.features.model_copy(update={"level": level})
    model, _ = train_model(features, accidents, "lightgbm", configuration.training, told, fingerprint)
    levels[level] = {"columns": len(feature_names(level)), **model.metrics["test"]}
pd.DataFrame(levels).T[["columns", "roc_auc", "pr_auc", "f1", "ece"]].round(4)

# %% [markdown]
# A caller knows no more than the level `call`, which is the default: a model that is told more would be asked without what it
# has learned from.
#
# ## Places
# Department, commune, grid cell and road are encoded by the share of priority accidents recorded there: learned on training
# accidents alone, and out of fold for those that teach it, so that no accident tells its own label. Without the places:

# %%
blind = configuration.features.model_copy(update={"geography": False})
without, _ = train_model(features, accidents, "lightgbm", configuration.training, blind, fingerprint)
places = {"with places": levels["call"]["roc_auc"], "without": without.metrics["test"]["roc_auc"]}
pd.Series(places, name="ROC-AUC").round(4).to_frame()

# %% [markdown]
# # Features
#
# A catalogue has the formula, the description and the level of every feature. The same compiled function computes them for
# a year of accidents and for a single request.

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
# ## Levels
# The level of a feature says when its facts are available. `strict`: at once, from a bystander. `call`: from a caller who is
# asked. `scene`: from the police form. Each level includes the ones before it. How much better are models of higher levels?

# %%
from accidents.columns import LEVELS
from accidents.features import feature_names
from steps.training.train_model import train_model

tables = features, accidents, vehicles, people
levels = {}
for level in LEVELS:
    settings = configuration.features.model_copy(update={"level": level})
    model, _ = train_model(*tables, "lightgbm", configuration.training, settings, fingerprint)
    levels[level] = {"columns": len(feature_names(level)), **model.metrics["test"]}
pd.DataFrame(levels).T[["columns", "roc_auc", "pr_auc", "f1", "ece"]].round(4)

# %% [markdown]
# The default level is `call`: in production the additional facts of the level `scene` would be missing.
#
# ## Places
# Department, commune, grid cell and road are target-encoded with the share of priority accidents: fitted on the training set
# alone, with out-of-fold encodings for the training rows, so that no label leaks. Without the places:

# %%
without_places = configuration.features.model_copy(update={"geography": False})
baseline, _ = train_model(*tables, "lightgbm", configuration.training, without_places, fingerprint)
places = {"with places": levels["call"]["roc_auc"], "without": baseline.metrics["test"]["roc_auc"]}
pd.Series(places, name="ROC-AUC").round(4).to_frame()

# %% [markdown]
# # Explain and evaluate
#
# One model looked at closely: where it is right, what moves it, why it says what it says of one accident, what a threshold
# costs, whether more accidents would help, and how much the way of measuring flatters.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.ready()
configuration = notebook.configured(SOURCE)

# %%
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest
from steps.training.train_model import train_model

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
features = build_features(accidents, vehicles, people)
model, predictions = train_model(
    features, accidents, "lightgbm", configuration.training, configuration.features, fingerprint
)

# %%
from accidents.plots.style import credit
from accidents.report.model_report import assess_test_part

source = credit(synthetic=notebook.is_synthetic(configuration))
assessed = assess_test_part(
    model, predictions, features, accidents, configuration.evaluation, source=configuration.ingestion.source.location
)
evaluation = assessed.evaluation
{name: round(value, 4) for name, value in evaluation.summary().items() if name in ("roc_auc", "f1", "ece", "n")}

# %% [markdown]
# ## Right and wrong

# %%
assessed.pictures["confusion"]

# %%
assessed.pictures["calibration"]

# %% [markdown]
# ## Where
# Recorded and predicted, on accidents that the model has not learned from.

# %%
from accidents.plots import places
from accidents.tables import Subset

test = predictions[predictions["part"] == Subset.TEST]
tested = accidents.set_index("Num_Acc", drop=False).loc[test["Num_Acc"]].reset_index(drop=True)
places.risk(tested, test["probability"].to_numpy(), source)

# %% [markdown]
# ## What moves it
# SHAP values, exact for trees. Columns that speak of one fact count together.

# %%
assessed.pictures["importance"]

# %%
assessed.pictures["beeswarm"]

# %% [markdown]
# ## One accident
# From what the model says on average to what it says of this one: here the accident in the middle of all that were called
# priority.

# %%
from accidents.explanation.waterfall import course
from accidents.plots.waterfall import waterfall

called = test[test["probability"] >= model.threshold].sort_values("probability")
chosen = features[features["Num_Acc"] == called["Num_Acc"].iloc[len(called) // 2]]
waterfall(course(model, model.matrix(chosen)), 10, source)

# %% [markdown]
# ## What a threshold costs
# The best F1 is one answer. Whoever knows what a missed priority accident costs, in false alarms, has another.

# %%
from accidents.plots import choices

choices.threshold_costs(evaluation, source)

# %% [markdown]
# ## Would more accidents help?

# %%
from accidents.training.learning import learning_curve

curve = learning_curve("lightgbm", features, accidents, configuration.training, level="call", shares=(0.1, 0.3, 1.0))
choices.learning(curve, "LightGBM", source)

# %% [markdown]
# ## Classic and honest
# Tutorials take one row an accident, that of the person hurt worst: the label chooses the row. In earnest nobody knows who
# that is; *random person* is what the same models are worth then.

# %%
from accidents.tables import Accidents
from benchmarks.classic_protocol import measured

protocols = measured(Accidents(accidents, vehicles, people), features, ["lightgbm"], [0])
choices.protocols(protocols, source)

# %% [markdown]
# # Explain and evaluate
#
# One model in detail: its errors, its most important features, the explanation of one prediction, the costs of thresholds,
# a learning curve, and how much a leaking evaluation protocol overestimates it.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %%
from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest
from steps.training.train_model import train_model

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
features = build_features(accidents, vehicles, people)
model, predictions = train_model(
    features, accidents, vehicles, people, "lightgbm", configuration.training, configuration.features, fingerprint
)

# %%
from accidents.plots.style import source_note
from accidents.report.model_report import report_on_test_set

source = source_note(synthetic=notebook.is_synthetic(configuration))
report = report_on_test_set(
    model, predictions, features, accidents, configuration.evaluation, source=configuration.ingestion.source.location
)
evaluation = report.evaluation
{name: round(value, 4) for name, value in evaluation.summary().items() if name in ("roc_auc", "f1", "ece", "n")}

# %% [markdown]
# ## Errors

# %%
report.figures["confusion"]

# %%
report.figures["calibration"]

# %% [markdown]
# ## Map
# Recorded and predicted shares of priority accidents, on the test set.

# %%
from accidents.plots import maps
from accidents.tables import Subset

test = predictions[predictions["subset"] == Subset.TEST]
tested = accidents.set_index("Num_Acc", drop=False).loc[test["Num_Acc"]].reset_index(drop=True)
maps.risk_map(tested, test["probability"].to_numpy(), source)

# %% [markdown]
# ## Feature importance
# SHAP values, exact for trees. Columns about the same fact are added up.

# %%
report.figures["importance"]

# %%
report.figures["beeswarm"]

# %% [markdown]
# ## One accident
# From the base value of the model to its raw score for one accident: here the median of all that are predicted priority.

# %%
from accidents.explanation.reasons import explain_prediction
from accidents.plots.explanation import waterfall

positive = test[test["probability"] >= model.threshold].sort_values("probability")
chosen = features[features["Num_Acc"] == positive["Num_Acc"].iloc[len(positive) // 2]]
waterfall(explain_prediction(model, model.matrix(chosen)), 10, source)

# %% [markdown]
# ## Threshold
# The default threshold has the best F1. A cost of a missed priority accident, in false alarms, gives another one.

# %%
from accidents.plots import model_selection

model_selection.threshold_costs(evaluation, source)

# %% [markdown]
# ## Learning curve

# %%
from benchmarks.learning_curve import learning_curve, plot_learning_curve

curve = learning_curve("lightgbm", features, accidents, configuration.training, level="call", shares=(0.1, 0.3, 1.0))
plot_learning_curve(curve, "LightGBM", source)

# %% [markdown]
# ## Classic and honest protocol
# Tutorials keep one row an accident, that of the person hurt worst: the label chooses the row. In production that person is
# not known; *random person* is the score of the same models on a random person of each accident.

# %%
from accidents.tables import Accidents
from benchmarks.classic_protocol import measure_protocols, plot_protocols

protocols = measure_protocols(Accidents(accidents, vehicles, people), features, ["lightgbm"], [0])
plot_protocols(protocols, source)

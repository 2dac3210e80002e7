# %% [markdown]
# # Train and compare
#
# First step by step, so that each result can be inspected. Then as a pipeline, which stores its artifacts and reuses cached
# steps. Both give the same metrics.

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

# %% [markdown]
# ## All model types on one split
# The validation set is for early stopping, calibration and the threshold; the test set is for the metrics alone.

# %%
from steps.training.train_model import train_model

trained = [
    train_model(
        features,
        accidents,
        vehicles,
        people,
        name,
        configuration.training.for_model_type(name),
        configuration.features,
        fingerprint=fingerprint,
    )
    for name in configuration.training.models
]
models, predictions = [list(each) for each in zip(*trained, strict=True)]

# %%
from steps.training.compare_models import compare_models

comparison, evaluations, best, *pages = compare_models(
    models, predictions, [], features, accidents, configuration.evaluation, configuration.ingestion.source.location
)
comparison.drop(columns="fit_seconds").round(4)

# %% [markdown]
# The table is sorted by F1 on the test set. The best model is chosen by its log loss on the validation set:

# %%
from accidents.models import display_name

display_name(best)

# %% [markdown]
# ## Side by side
# Bootstrap intervals over the test accidents. Overlapping intervals do not show whether models differ; the comparison report
# (`reports/comparison.html` after `make training`) has the paired differences.

# %%
from accidents.evaluation.results import Evaluation
from accidents.plots import performance
from accidents.plots.style import source_note

measured = {display_name(name): Evaluation.model_validate(values) for name, values in evaluations.items()}
source = source_note(synthetic=notebook.is_synthetic(configuration))
performance.model_comparison(measured, source)

# %%
performance.roc_curve(measured, source)

# %%
performance.precision_recall_curve(measured, source)

# %%
performance.calibration_curve(measured, source)

# %% [markdown]
# ## The same as a pipeline
# With the best model type alone, to be quick. `run_pipeline` prints the address of the run in the dashboard (`make dashboard`
# starts one). A second run takes every step from the cache.

# %%
from pipelines.training import training

chosen = notebook.load_configuration(SOURCE, training__models=[best])
run = notebook.run_pipeline(training, configuration=chosen, fingerprint=fingerprint, track=False)

# %%
again = notebook.run_pipeline(training, configuration=chosen, fingerprint=fingerprint, track=False)

# %% [markdown]
# Artifacts of runs load by name, here and in other notebooks. The metrics are those of the cells above:

# %%
stored = notebook.load_artifact("model_comparison").set_index("model_type")
(stored["roc_auc"] - comparison.set_index("model_type")["roc_auc"]).abs().max()

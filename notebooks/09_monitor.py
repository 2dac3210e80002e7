# %% [markdown]
# # Monitor
#
# A model is served, accidents arrive, and one day they are not those that it was trained on: a new kind of vehicle appears,
# and the police of some departments record more people as hospitalised. Monitoring finds both, tells inputs from label, and
# the policy of retraining says whether the model has to be trained again. It takes two minutes.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE, training__models=["lightgbm"])

# %% [markdown]
# ## A model with a reference
# A training counts its data by column, month, hours and value, and stores these counts in the model file: the reference that
# later accidents are compared with. It holds no accident.

# %%
from pipelines.training import training

fingerprint = notebook.fingerprint(configuration)
run = notebook.run_pipeline(training, configuration=configuration, fingerprint=fingerprint)
notebook.run_command("registry", "promote", "--model-name", "lightgbm")

# %%
from accidents.monitoring.reference import reference_table

model = notebook.load_artifact("lightgbm_model")
counts = reference_table(model.reference)
counts[counts["column"] == "vehicles.catv"].head()

# %% [markdown]
# ## A service
# In a separate process, with a database for its predictions and their outcomes.

# %%
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from serving.process.supervisor import model_file_resolver, running_server

resources = ExitStack()
folder = Path(resources.enter_context(TemporaryDirectory()))
model.save(folder / "lightgbm_model.zip")
os.environ["SERVING_DATABASE_URL"] = f"sqlite:///{folder}/serving.db"
settings = notebook.load_configuration(serving__port=0, serving__anonymous=True).serving
service = resources.enter_context(
    running_server(settings, model_file_resolver(folder / "lightgbm_model.zip"), log=folder / "serving.log")
)

# %% [markdown]
# ## Traffic
# The accidents of the test set, which the model has not learned from: as they are, and changed. `python run.py simulate` does the
# same on a terminal. In the ten departments with most accidents priority becomes 1.5 times as frequent, and 3 % of the vehicles
# become light quads, of which the synthetic year has none.

# %%
import numpy as np

from accidents.simulation import DRIFTS, labelled_requests
from accidents.tables import Accidents

predictions = notebook.load_artifact("lightgbm_predictions")
held_out = predictions.loc[predictions["subset"] == "test", "Num_Acc"]
frames = [notebook.load_artifact(name) for name in ("accidents", "vehicles", "people")]
unchanged = Accidents(*(frame[frame["Num_Acc"].isin(held_out)].reset_index(drop=True) for frame in frames))

rng = np.random.default_rng(0)
changed = DRIFTS["vehicle"](DRIFTS["labels"](unchanged, rng), rng)
before, after = (labelled_requests(accidents, "none", rng) for accidents in (unchanged, changed))

# %% [markdown]
# ## Six windows
# Five hundred accidents each, and a second later their outcomes (`/v1/feedback`). Then the predictions of the window are compared with
# the reference, as `python run.py --monitoring` does it. From the fourth window on the accidents are changed.

# %%
import time
from functools import partial

from serving.simulation import Plan, Simulator
from steps.monitoring.monitor_predictions import monitor_predictions

windows, began = [], []
for traffic in [before] * 3 + [after] * 3:
    began.append(time.time())
    Simulator(service.url, None).run(Plan(rate=200, seconds=2.5, outcomes_after=1), partial(next, traffic))
    own = configuration.monitoring.model_copy(update={"days": (time.time() - began[-1]) / 86_400, "pictures": 0})
    result, *_ = monitor_predictions(model, own, settings.records, configuration.ingestion)
    windows.append(result)

# %% [markdown]
# More accidents show smaller changes: all three changed windows at once. The service gets this result.

# %%
from steps.monitoring.publish_monitoring import publish_monitoring

own = configuration.monitoring.model_copy(update={"days": (time.time() - began[3]) / 86_400, "pictures": 0})
changed_windows, report, _ = monitor_predictions(model, own, settings.records, configuration.ingestion)
publish_monitoring(changed_windows, report, settings.records, configuration.tracking, None)

# %% [markdown]
# What was found, for people. `change` says whether inputs (`new codes`, `distribution`, `missing`, `unknown`), the label
# (`calibration`, `departments`) or performance (`roc_auc`) have changed.

# %%
import pandas as pd

with pd.option_context("display.max_colwidth", None):
    display(pd.DataFrame(changed_windows["findings"])[["change", "subject", "alarm", "text"]])

# %% [markdown]
# ## Over time
# The predicted share varies by chance alone, since the inputs do not tell that more people are recorded as hospitalised. The
# observed one rises. Five hundred accidents do not prove it; the new kind of vehicle is an alarm at once, though only one column
# has drifted.

# %%
from accidents.plots.drift import column_effects, department_outcomes, windows_over_time
from accidents.plots.style import source_note

note = source_note(synthetic=notebook.is_synthetic(configuration))
windows_over_time(windows, note)

# %% [markdown]
# ## Columns
# Cohen's w, without the part that chance gives. A new code need not change the distribution by much: it has a test of its own.

# %%
column_effects(windows[0], changed_windows, configuration.monitoring.effects.distribution, note)

# %% [markdown]
# ## Departments
# The probability of an accident follows from its inputs. Where more accidents are priority than predicted, like accidents have
# other outcomes than before: the label has changed, and it has changed in some departments.

# %%
department_outcomes(changed_windows, note)

# %% [markdown]
# ## The report
# One page, with every column and department. The pipeline stores it as an artifact, and beside it pictures of the columns by Evidently.

# %%
from html import escape

from IPython.display import IFrame

IFrame("about:blank", width="100%", height=600, extras=[f'srcdoc="{escape(report)}"'])

# %% [markdown]
# ## The alarm
# The service publishes the last result of its model to Prometheus, whose rule `AccidentsMonitoring` tells somebody.

# %%
import requests

time.sleep(6)  # it looks every five seconds
figures = requests.get(f"{service.url}/metrics").text
print(*[line for line in figures.splitlines() if line.startswith("accidents_drift_")], sep="\n")

# %% [markdown]
# ## Train again?
# The policy in `configs/monitoring.yaml` decides by the last monitoring, the age of the model and new months. Drift that costs
# nothing is no reason; a changed label is one. Without `--dry-run` the model would be trained on the source that is named, which
# has to hold the new accidents, compared with this one on accidents new to both, and wait for `registry approve`.

# %%
notebook.run_command("retrain", "--model-name", "lightgbm", "--source", SOURCE, "--dry-run")

# %% [markdown]
# ## Stop the service

# %%
resources.close()
# %% [markdown]
# [docs/monitoring.md](../docs/monitoring.md) has the tests, their power and false alarms, and
# [docs/operations.md](../docs/operations.md) what to do after an alarm.

# %% [markdown]
# # Serve
#
# The service that an emergency call centre would ask: an accident in, a calibrated priority with its reasons out, in about a
# millisecond. It runs in a process of its own, on this machine alone, as long as this notebook wants it.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %% [markdown]
# ## A model to serve
# From a terminal, `python run.py --serve` takes the one in Production. Here one is trained now, and served from its file, in
# a folder that is gone at the end.

# %%
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from steps.features.build_features import build_features
from steps.ingestion.ingest import ingest
from steps.training.train_model import train_model

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
features = build_features(accidents, vehicles, people)
model, predictions = train_model(
    features, accidents, "lightgbm", configuration.training, configuration.features, fingerprint
)
running_here = ExitStack()
folder = Path(running_here.enter_context(TemporaryDirectory()))
model.save(folder / "lightgbm_model.joblib")

# %% [markdown]
# ## Started

# %%
import requests

from serving.process.supervisor import model_file_resolver, running_server

settings = notebook.load_configuration(
    serving__port=0, serving__anonymous=True, serving__records__database_url=f"sqlite:///{folder}/serving.db"
).serving
service = running_here.enter_context(
    running_server(settings, model_file_resolver(folder / "lightgbm_model.joblib"), log=folder / "serving.log")
)
requests.get(f"{service.url}/ready").json()["status"]

# %% [markdown]
# ## RequestContext
# A motorcycle and a car, head-on, on a country road at night.

# %%
import json

high_risk = json.loads(Path("examples/high_risk.json").read_text())
answer = requests.post(f"{service.url}/v1/predict?reasons=3", json=high_risk).json()
{name: answer[name] for name in ("interpretation", "probability", "threshold", "missing")}

# %%
import pandas as pd

pd.DataFrame(answer["reasons"])[["text", "contribution"]].round(2)

# %% [markdown]
# The model in this kernel gives the same probability.

# %%
from accidents.inference.prediction import predict_accident as answered_here
from accidents.requests import parse_request

answer["probability"] == answered_here(model, parse_request(high_risk)).probability

# %% [markdown]
# ## Refused, in words
# Unlike a file, a request is not mended: what cannot be is told with field, value and what is allowed.

# %%
wrong = high_risk | {"accident": high_risk["accident"] | {"lum": 9, "hrmn": "25:10"}}
refused = requests.post(f"{service.url}/v1/predict", json=wrong)
pd.DataFrame(refused.json()["error"]["problems"])

# %% [markdown]
# ## A thousand at once
# The test set of the training, as callers would send it. `/v1/evaluate` measures the model on it.

# %%
from accidents.requests.serialisation import to_requests
from accidents.tables import Accidents

tested = predictions[predictions["part"] == "test"].head(1000)
cases = to_requests(Accidents(accidents, vehicles, people), tested["Num_Acc"].tolist())
batch = requests.post(f"{service.url}/v1/predict/batch", json={"accidents": cases})
results = batch.json()["results"]
max(abs(pd.Series([result["probability"] for result in results]) - tested["probability"].to_numpy()))

# %%
labels = [int(label) for label in tested["label"]]
measured = requests.post(f"{service.url}/v1/evaluate", json={"accidents": cases, "priority": labels}).json()
intervals = {name: f"{low:.3f} to {high:.3f}" for name, (low, high) in measured["intervals"].items()}
pd.DataFrame({"value": measured["metrics"], "95 % interval": intervals}).round(3)

# %% [markdown]
# ## What became of it
# An outcome that is told later goes to the record of its prediction, by its id.

# %%
outcome = {"prediction_id": answer["prediction_id"], "priority": 1}
requests.post(f"{service.url}/v1/feedback", json=outcome).json()["priority"]

# %% [markdown]
# ## Looked after
# Prometheus reads these figures.

# %%
figures = requests.get(f"{service.url}/metrics").text
print(*[line for line in figures.splitlines() if line.startswith("accidents_predictions_total")], sep="\n")

# %% [markdown]
# ## Stopped

# %%
running_here.close()
# %% [markdown]
# [docs/serving.md](../docs/serving.md) has keys, limits, reload, figures of speed, and the page for people.

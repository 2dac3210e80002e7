# %% [markdown]
# # Serve
#
# An HTTP service for an emergency call centre: the request is an accident, the response is a calibrated probability of
# priority with its reasons, after about a millisecond. Here it runs in a separate process on this machine.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %% [markdown]
# ## A model to serve
# `python run.py --serve` serves the model in Production. Here a model is trained and served from its file in a temporary
# folder.

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
    features, accidents, vehicles, people, "lightgbm", configuration.training, configuration.features, fingerprint
)
resources = ExitStack()
folder = Path(resources.enter_context(TemporaryDirectory()))
model.save(folder / "lightgbm_model.zip")

# %% [markdown]
# ## Start the service

# %%
import requests

from serving.process.supervisor import model_file_resolver, running_server

settings = notebook.load_configuration(
    serving__port=0, serving__anonymous=True, serving__records__database_url=f"sqlite:///{folder}/serving.db"
).serving
service = resources.enter_context(
    running_server(settings, model_file_resolver(folder / "lightgbm_model.zip"), log=folder / "serving.log")
)
requests.get(f"{service.url}/ready").json()["status"]

# %% [markdown]
# ## One prediction
# A head-on collision of a motorcycle and a car, on a country road at night.

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
# ## An invalid request
# Unlike files, requests are not repaired: the response has field, value and allowed values of each error.

# %%
wrong = high_risk | {"accident": high_risk["accident"] | {"lum": 9, "hrmn": "25:10"}}
refused = requests.post(f"{service.url}/v1/predict", json=wrong)
pd.DataFrame(refused.json()["error"]["problems"])

# %% [markdown]
# ## A batch of a thousand
# Accidents of the test set as requests. `/v1/evaluate` measures the model on them.

# %%
from accidents.requests.serialisation import to_requests
from accidents.tables import Accidents

tested = predictions[predictions["subset"] == "test"].head(1000)
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
# ## Feedback
# The outcome, sent later, is stored with its prediction, by the id of the prediction.

# %%
outcome = {"prediction_id": answer["prediction_id"], "priority": 1}
requests.post(f"{service.url}/v1/feedback", json=outcome).json()["priority"]

# %% [markdown]
# ## Metrics
# For Prometheus.

# %%
figures = requests.get(f"{service.url}/metrics").text
print(*[line for line in figures.splitlines() if line.startswith("accidents_predictions_total")], sep="\n")

# %% [markdown]
# ## Stop the service

# %%
resources.close()
# %% [markdown]
# [docs/serving.md](../docs/serving.md) describes API keys, limits, reload, latency, and the web page.

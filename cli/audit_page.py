"""The page of text of `python run.py audit`."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WIDTH = 110
_LABEL = 12
_VERDICTS = {
    "identical": "{probability:.9f}: the model gives the logged probability again, to 1e-9",
    "consistent": "{probability:.3f}; {low:.3f} to {high:.3f} at the places for which the log may stand, as it keeps "
    "them to about a kilometre: the logged probability lies among them. --request FILE decides",
    "undecided": "{probability:.3f}; {low:.3f} to {high:.3f} at the places for which the log may stand: the logged "
    "probability does not lie among them. The log has no street names and, of earlier versions, no derived facts: "
    "--request FILE decides",
    "different": "{probability:.9f}: the model gives ANOTHER probability than the logged one, although all that it saw "
    "is stored. Compare the versions of the libraries, and the code version",
}
_OUTCOMES = {0: "not priority", 1: "priority"}


def audit_page(audit: Mapping[str, Any]) -> str:
    """The page, for the values of an audit."""
    row = audit["prediction"]
    sections = (
        (f"Prediction {row['id']}", _prediction(audit)),
        ("Model", _model(audit["model"])),
        ("Data it was trained on", _data(audit["data"])),
        ("Training", _training(audit["training"])),
        ("Stages", _stages(audit["ledger"], row["at"], registered=audit["model"]["registered"])),
        ("Accident, as it is stored", _accident(row)),
    )
    return "\n\n".join("\n".join([title, *_lines(facts)]) for title, facts in sections)


def _lines(facts: Iterator[tuple[str, str]]) -> Iterator[str]:
    for label, text in facts:
        first = f"  {label:{_LABEL}}"
        yield textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def _prediction(audit: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    row, again, outcomes = audit["prediction"], audit["reproduction"], audit["outcomes"]
    answer = _OUTCOMES[row["prediction"]]
    yield "at", f"{_time(row['at'])}, in {row['latency_ms']:.1f} ms"
    yield "answer", f"{answer}: probability {row['probability']:.9f}, threshold {row['threshold']:.4f}"
    yield "recomputed", _VERDICTS[again["verdict"]].format(**again) if again else "no: the accident was not stored"
    yield "asked by", f"{audit['caller']} at {row['route']}, request {row['request_id']}"
    for outcome in outcomes:
        text = f"{_OUTCOMES[outcome['outcome']]}, reported at {_time(outcome['at'])} by {outcome['caller']}"
        yield "outcome", text if outcome is outcomes[-1] else f"{text}; replaced"
    if not outcomes:
        yield "outcome", "not reported"
    if shadow := audit["shadow"]:
        other = _OUTCOMES[shadow["prediction"]]
        yield "shadow", f"{other}: probability {shadow['probability']:.3f}, by {shadow['model']} {shadow['version']}"


def _model(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    stage = f"in {model['stage']} now" if model["registered"] else "a file that is not registered"
    yield "version", f"{model['name']} {model['version']}, {stage}"
    yield "file", f"SHA-256 {model['sha256']}"
    place = "with" if model["geography"] else "without"
    yield "kind", f"{model['model_type']}, level {model['level']}, {place} place, threshold {model['threshold']:.4f}"
    yield "trained", f"{_time(model['trained_at'])}, seed {model['seed']}, with {_pairs(model['versions'])}"
    if twin := model["evaluated_twin"]:
        yield "twin", f"final model; its metrics are those of the model trained at {_time(twin['trained_at'])}"


def _data(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "source", data["source"] or "not recorded with the file"
    yield "fingerprint", data["fingerprint"] or "not recorded"
    if data["editions"]:
        yield "editions", f"{', '.join(data['editions'])} (python run.py editions: are they still published?)"
    months = data["months"]
    yield "months", f"{months[0]} to {months[-1]}, {len(months)} months" if months else "not recorded"
    yield "accidents", _pairs({name: f"{count:,}" for name, count in data["rows"].items()})


def _training(training: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    zenml = training["zenml"]
    yield "tracked in", training["store"]
    for kind, run in training["mlflow"].items():
        by = f" by {run['by']}" if run["by"] else ""
        yield "MLflow run", f"{run['id']} ({kind}: {run['name']}), started {_time(run['started'])}{by}"
    if not training["mlflow"]:
        yield "MLflow run", "none is known"
    known = f"{zenml.get('zenml_run')}, {zenml.get('zenml_run_id')}" if "zenml_run" in zenml else "none is known"
    yield "ZenML run", known
    for label, name in (("", "zenml_run_url"), ("code", "code_version"), ("digest", "training_digest")):
        if name in zenml:
            yield label, zenml[name]


def _stages(ledger: Sequence[Mapping[str, Any]], at: str, *, registered: bool) -> Iterator[tuple[str, str]]:
    if not ledger:
        yield "ledger", "no entry" if registered else "a file was served, whatever stage its model has"
    for entry in ledger:
        later = ", after this prediction" if entry["when"] > at else ""
        verdict = {None: "", True: ", approved", False: ", refused"}[entry["approved"]]
        place = f" in place of {entry['previous']}" if entry["previous"] else ""
        what = f"{entry['action']} of {entry['version']} to {entry['stage']}{place}{verdict}, by {entry['who']}{later}"
        yield entry["when"][:10], f"{what}: {'; '.join(entry['reasons']) or 'no reason was given'}"


def _accident(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "detail", row["kept"]
    if row["inputs"] is not None:
        yield "sent", json.dumps(row["inputs"], ensure_ascii=False)
    if row["derived"] is None:
        yield "derived", "not recorded"
    for fact in row["derived"] or ():
        yield "derived", f"{fact['field']} {fact['value']}, from {fact['source']}"
    yield "missing", f"{row['missing']} inputs"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _time(text: str) -> str:
    return f"{text[:19].replace('T', ' ')} UTC"

"""The manifest of a model file: facts about a model, and its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from accidents.errors import ModelError

_SHOWN = 8
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """Facts about a model that stand in the manifest.

    `columns` are the names of the matrix columns in order; `threshold` is on the calibrated probability;
    `fingerprint` is that of the training data, `editions` are the digests of its editions by year
    (`accidents.sources.publication`), `months` are those that they hold, such as `2024-01`; `metrics` are by
    subset (`validation`, `test`), `by_knowledge` are those of the test set by what is known of it; `rows` counts
    accidents by subset; `trials` are those of the search named by `tuning`. Fields after `threshold` change no
    prediction.

    `evaluated_twin` is empty but for a final model, which was fitted on all labelled accidents: it names the model of
    the same recipe that was evaluated (`digest`, its `prediction_digest`, and `trained_at`), and has the `rows` by
    subset of its training and the `mean_difference` of their probabilities on its test set. The `metrics` of a final
    model are those of its twin.
    """

    model_type: str
    level: str
    geography: bool
    columns: tuple[str, ...]
    threshold: float
    rule: str = ""
    fingerprint: str = ""
    editions: dict[str, str] = field(default_factory=dict)
    months: tuple[str, ...] = ()
    seed: int = 0
    split: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    resampling: str = "none"
    tuning: str = "none"
    trials: tuple[dict[str, Any], ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    by_knowledge: dict[str, dict[str, float]] = field(default_factory=dict)
    best_cv_score: float | None = None
    fit_seconds: float = 0.0
    trained_at: str = ""
    evaluated_twin: dict[str, Any] = field(default_factory=dict)


def read_manifest_facts(manifest: dict[str, Any], name: str) -> ModelManifest:
    """The facts of a manifest; `name` is that of the file.

    Raises:
        ModelError: they cannot be used.
    """
    from pydantic import TypeAdapter, ValidationError

    from accidents.columns import LEVELS
    from accidents.models import model_types

    try:
        columns = [str(column["digest"]) and column["name"] for column in manifest["columns"]]
        known = {one.name: manifest[one.name] for one in fields(ModelManifest) if one.name in manifest}
        record = TypeAdapter(ModelManifest).validate_python(known | {"columns": columns})
        if record.model_type not in model_types():
            raise ValueError(f"model type {record.model_type!r}; there are {', '.join(model_types())}")
        if record.level not in LEVELS or not 0 <= record.threshold <= 1 or len({*columns}) < len(columns):
            raise ValueError("its level, its threshold or its columns are none")
        if not all(value.isprintable() for value in vars(record).values() if isinstance(value, str)):
            raise ValueError("a text with control characters")
        return record
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ModelError(f"{name}: its manifest cannot be used ({shortened(error)}); copy or train it again") from None


def shortened(value: object) -> str:
    """A value on one line of printable characters, for a message."""
    text = "".join(character if character.isprintable() else " " for character in str(value))
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def refuse_other_columns(columns: Sequence[Mapping[str, str]], name: str) -> None:
    """Compare columns of a manifest with those of this program.

    Raises:
        ModelError: names those that are gone or redefined.
    """
    from accidents.features.digests import column_digests

    digests = column_digests()
    gone = [column["name"] for column in columns if column["name"] not in digests]
    kept = [column for column in columns if column["name"] in digests]
    redefined = [column["name"] for column in kept if digests[column["name"]] != column["digest"]]
    faults = [
        f"{', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''} {fault}"
        for names, fault in ((gone, "no longer exist"), (redefined, "changed"))
        if names
    ]
    if faults:
        raise ModelError(
            f"{name}: columns that the model was trained on are not those of this program: {'; '.join(faults)}. "
            "Train the model again, or keep the old definition and give the new one another name"
        )

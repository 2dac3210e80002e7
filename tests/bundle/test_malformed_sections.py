"""Sections that are sound files of their kind and no sound models: refused in a sentence, before a library reads them.

LightGBM and XGBoost end the process, or walk in circles, on most of these; so does a compiled loop on a wrong index.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from accidents.bundle import Bundle
from accidents.bundle.archive import Section
from accidents.errors import ModelError
from accidents.models import _npz
from accidents.models._npz import pack_arrays, unpack_arrays
from accidents.training import train
from tests.bundle.test_model_file import rewritten
from tests.training.conftest import Frames, quick

pytestmark = pytest.mark.slow

Arrays = dict[str, npt.NDArray[Any]]


@pytest.fixture(scope="session")
def contents(frames: Frames) -> dict[str, bytes]:
    """Model files by the type of model."""
    names = ("lightgbm", "xgboost", "random_forest", "logistic_regression")
    return {name: train(name, *frames, quick(), level="call").bundle.to_bytes() for name in names}


def refuse(content: bytes, section: str, change: Callable[[bytes], bytes]) -> str:
    """The message of the refusal of a file with one section changed."""

    def rewrite(_: dict[str, Any], sections: dict[str, Section]) -> None:
        sections[section] = Section(change(sections[section].content))

    with pytest.raises(ModelError) as refusal:
        Bundle.from_bytes(rewritten(content, rewrite))
    message = str(refusal.value)
    assert len(message) < 1000
    assert message.isprintable()
    return message


def first(name: str, value: str) -> Callable[[str], str]:
    """Replace the first entry of the first list of this name in LightGBM's text, and adapt the size of the tree."""

    def change(text: str) -> str:
        new = re.sub(rf"(?m)^({name}=)[^\s]+", rf"\g<1>{value}", text, count=1)
        sizes = re.search(r"(?m)^tree_sizes=(\d+)", new)
        assert sizes
        return new.replace(sizes[0], f"tree_sizes={int(sizes[1]) + len(new) - len(text)}", 1)

    return change


TEXTS: dict[str, Callable[[str], str]] = {
    "a split that leads to itself": first("left_child", "0"),
    "a child that there is not": first("right_child", "9999"),
    "a leaf that there is not": first("left_child", "-9999"),
    "a column that there is not": first("split_feature", "9999"),
    "a negative column": first("split_feature", "-3"),
    "a threshold that is none": first("threshold", "nan"),
    "a leaf that is none": first("leaf_value", "inf"),
    "more leaves than listed": first("num_leaves", "999999999"),
    "no leaf": first("num_leaves", "-1"),
    "categories": first("num_cat", "1"),
    "linear leaves": first("is_linear", "1"),
    "an unknown decision": first("decision_type", "77"),
    "several classes": lambda text: text.replace("num_class=1", "num_class=3", 1),
    "several trees a round": lambda text: text.replace("num_tree_per_iteration=1", "num_tree_per_iteration=7", 1),
    "another objective": lambda text: text.replace("objective=binary sigmoid:1", "objective=regression", 1),
    "wrong sizes": lambda text: re.sub(r"(?m)^tree_sizes=\d+", "tree_sizes=7", text),
    "huge sizes": lambda text: re.sub(r"(?m)^tree_sizes=\d+", "tree_sizes=999999999", text),
    "a field twice": lambda text: text.replace("num_class=1", "num_class=1\nnum_class=1", 1),
    "half of it": lambda text: text[: len(text) // 2],
    "nothing": lambda _: "",
    "no model": lambda _: "tree\nversion=v4\n",
}


@pytest.mark.parametrize("change", TEXTS.values(), ids=TEXTS)
def test_a_malformed_lightgbm_text_is_refused(contents: dict[str, bytes], change: Callable[[str], str]) -> None:
    refuse(contents["lightgbm"], "model/booster.txt", lambda content: change(content.decode()).encode())


def model_of(content: dict[str, Any]) -> dict[str, Any]:
    return content["learner"]["gradient_booster"]["model"]


JSONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a split that leads to itself": lambda c: model_of(c)["trees"][0]["left_children"].__setitem__(0, 0),
    "a child that there is not": lambda c: model_of(c)["trees"][0]["right_children"].__setitem__(0, 9999),
    "a column that there is not": lambda c: model_of(c)["trees"][0]["split_indices"].__setitem__(0, 9999),
    "a threshold that is none": lambda c: model_of(c)["trees"][0]["split_conditions"].__setitem__(0, float("nan")),
    "a short array": lambda c: model_of(c)["trees"][0]["sum_hessian"].pop(),
    "another parent": lambda c: model_of(c)["trees"][0]["parents"].__setitem__(1, 7),
    "more nodes than listed": lambda c: model_of(c)["trees"][0]["tree_param"].update(num_nodes="999999"),
    "categories": lambda c: model_of(c)["trees"][0]["split_type"].__setitem__(0, 1),
    "no tree": lambda c: model_of(c).update(trees=[]),
    "trees of another class": lambda c: model_of(c)["tree_info"].__setitem__(0, 3),
    "other rounds": lambda c: model_of(c)["iteration_indptr"].__setitem__(1, 9999),
    "another objective": lambda c: c["learner"]["objective"].update(name="reg:squarederror"),
    "another booster": lambda c: c["learner"]["gradient_booster"].update(name="dart"),
    "several classes": lambda c: c["learner"]["learner_model_param"].update(num_class="3"),
    "other columns": lambda c: c["learner"]["learner_model_param"].update(num_feature="3"),
    "a base score that is none": lambda c: c["learner"]["learner_model_param"].update(base_score="[7E0]"),
    "no learner": lambda c: c.pop("learner"),
}


@pytest.mark.parametrize("change", JSONS.values(), ids=JSONS)
def test_a_malformed_xgboost_json_is_refused(
    contents: dict[str, bytes], change: Callable[[dict[str, Any]], Any]
) -> None:
    def rewrite(content: bytes) -> bytes:
        change(parsed := json.loads(content))
        return json.dumps(parsed).encode()

    refuse(contents["xgboost"], "model/booster.json", rewrite)
    refuse(contents["xgboost"], "model/booster.json", lambda content: content[: len(content) // 2])


def altered(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name].copy())}


def with_first(value: float) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[0] = value
        return array

    return change


ARRAYS: dict[str, tuple[str, str, Callable[[Arrays], Arrays]]] = {
    "forest in a circle": ("random_forest", "forest", altered("right", with_first(0))),
    "forest beyond its end": ("random_forest", "forest", altered("right", with_first(10**9))),
    "forest on a column that there is not": ("random_forest", "forest", altered("feature", with_first(30_000))),
    "forest of other numbers": ("random_forest", "forest", altered("right", lambda a: a.astype(float))),
    "forest too short": ("random_forest", "forest", altered("value", lambda a: a[:-1])),
    "forest with a share above 1": ("random_forest", "forest", altered("value", with_first(7))),
    "forest with a share that is none": ("random_forest", "forest", altered("value", with_first(np.nan))),
    "forest without roots": ("random_forest", "forest", altered("roots", lambda a: a[:0])),
    "forest of two dimensions": ("random_forest", "forest", altered("medians", lambda a: a[:, None])),
    "regression on a column that there is not": ("logistic_regression", "design", altered("coded", with_first(10**6))),
    "regression on a negative column": ("logistic_regression", "design", altered("numbers", with_first(-1))),
    "regression with a weight that is none": (
        "logistic_regression",
        "regression",
        altered("weights", with_first(np.nan)),
    ),
    "regression too short": ("logistic_regression", "regression", altered("averages", lambda a: a[:-1])),
    "regression of texts": ("logistic_regression", "regression", altered("weights", lambda a: a.astype(str))),
    "regression with more": ("logistic_regression", "regression", lambda arrays: arrays | {"more": np.zeros(1)}),
}


@pytest.mark.parametrize(("name", "section", "change"), ARRAYS.values(), ids=ARRAYS)
def test_malformed_arrays_of_a_model_are_refused(
    contents: dict[str, bytes], name: str, section: str, change: Callable[[Arrays], Arrays]
) -> None:
    refuse(contents[name], f"model/{section}.npz", lambda content: pack_arrays(**change(unpack_arrays(content))))


ENCODERS: dict[str, Callable[[Arrays], Arrays]] = {
    "not sorted": altered("cell_commune.values", lambda a: a[::-1].copy()),
    "shares too short": altered("cell_commune.shares", lambda a: a[:-1]),
    "a share that is none": altered("cell_commune.shares", with_first(np.nan)),
    "a share above 1": altered("cell_commune.shares", with_first(2)),
    "a short centre": altered("centre", lambda a: a[:1]),
    "several means": altered("mean", lambda _: np.zeros(3, np.float32)),
    "complex numbers": altered("cell_commune.shares", lambda a: a.astype(complex)),
    "centres of other cells": altered("cell_department.centres", lambda a: a[:-1]),
    "no mean": lambda arrays: {name: array for name, array in arrays.items() if name != "mean"},
}


@pytest.mark.parametrize("change", ENCODERS.values(), ids=ENCODERS)
def test_a_malformed_place_encoder_is_refused(contents: dict[str, bytes], change: Callable[[Arrays], Arrays]) -> None:
    refuse(
        contents["logistic_regression"],
        "encoder.npz",
        lambda content: pack_arrays(**change(unpack_arrays(content, finite=False))),
    )


@pytest.mark.parametrize(
    "calibration",
    [
        "{}",
        "[1, 2, 3]",
        '{"low": "1", "high": 1, "intercept": 0}',
        '{"low": -1, "high": -1, "intercept": 0}',
        '{"low": NaN, "high": 1, "intercept": 0}',
        '{"low": 1, "high": 1, "intercept": null}',
    ],
)
def test_a_malformed_calibration_is_refused(contents: dict[str, bytes], calibration: str) -> None:
    refuse(contents["logistic_regression"], "calibration.json", lambda _: calibration.encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": float("nan")},
        {"threshold": float("inf")},
        {"threshold": -3},
        {"level": "banana"},
        {"geography": False},
        {"trained_at": "\x1b[31mred"},
        {"model_type": "xgboost", "versions": [1]},
        {"model_type": "xgboost", "versions": None},
        {"columns": [{"name": number, "digest": "x"} for number in range(100_000)]},
    ],
)
def test_a_manifest_of_nonsense_is_refused_in_a_sentence(contents: dict[str, bytes], changes: dict[str, Any]) -> None:
    content = rewritten(contents["logistic_regression"], lambda manifest, _: manifest.update(changes))
    with pytest.raises(ModelError) as refusal:
        Bundle.from_bytes(content)
    assert len(str(refusal.value)) < 1000
    assert str(refusal.value).isprintable()


def test_columns_that_stand_twice_are_refused(contents: dict[str, bytes]) -> None:
    def twice(manifest: dict[str, Any], _: dict[str, Section]) -> None:
        manifest["columns"][1] = manifest["columns"][0]

    with pytest.raises(ModelError, match="columns"):
        Bundle.from_bytes(rewritten(contents["logistic_regression"], twice))


def test_more_sections_than_a_model_has_are_refused(contents: dict[str, bytes]) -> None:
    def many(_: dict[str, Any], sections: dict[str, Section]) -> None:
        sections.update({f"part{number}": Section(b"", optional=True) for number in range(100)})

    with pytest.raises(ModelError, match="more or larger sections than a model has"):
        Bundle.from_bytes(rewritten(contents["logistic_regression"], many))


def test_arrays_that_unpack_to_more_than_a_model_has_are_refused(
    contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_npz, "_MAX_BYTES", 1000)
    with pytest.raises(ModelError, match="larger than those of a model"):
        Bundle.from_bytes(contents["logistic_regression"])

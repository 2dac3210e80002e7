"""Which accidents a trained model has not learned from, found out from what its bundle records.

Of the months that its data hold, only the test part counts: the part of an accident follows from its number, or its
date, so that the parts are drawn again on the accidents at hand. Accidents of other months count as they are. A bundle
that records no months is taken to know them all: some accidents are left out then that could have counted, and none
counts that must not.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from accidents.bundle import Bundle
from accidents.configuration.training import SplitSettings
from accidents.errors import DataError, ModelError
from accidents.tables import LABEL, Subset
from accidents.training.split import labelled, months_of, parts_of


def unseen(
    bundles: Mapping[str, Bundle], features: pd.DataFrame, accidents: pd.DataFrame, at_least: int = 1
) -> npt.NDArray[np.int64]:
    """Rows of the labelled accidents that none of the models has learned from, by `Num_Acc`, int64 (n).

    Args:
        bundles: models by name.
        features: what `accidents.features.build` gives.
        accidents: `Accidents.accidents` of the same accidents in the same order.
        at_least: how many are enough.

    Raises:
        DataError: there are fewer, the frames do not fit, or a temporal split cannot be drawn again.
        ModelError: a model does not record its split.
    """
    frame = labelled(features, accidents)
    free = (frame[LABEL] >= 0).to_numpy()
    of_all = int(free.sum())
    if not of_all:
        raise DataError("no accident has a label; figures need the column grav of usagers")
    for name, bundle in bundles.items():
        free = free & _new_to(name, bundle, frame)
    rows = np.flatnonzero(free)
    if len(rows) < max(at_least, 1):
        raise DataError(
            f"of {of_all:,} labelled accidents {len(rows):,} are new to every model ({', '.join(bundles)}), too few to "
            f"measure on; {max(at_least, 1):,} are needed: use more accidents, such as those of another year, or train "
            "with the same split and seed"
        )
    return rows[np.argsort(frame["Num_Acc"].to_numpy()[rows], kind="stable")]


def _new_to(name: str, bundle: Bundle, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each accident is in no month of the model's data, or in its test part, bool (n)."""
    split = _split(name, bundle)
    months = months_of(frame)
    new = np.array(months.notna() & ~months.isin(bundle.months) & bool(bundle.months))
    met = frame[~new]
    if len(met):
        parts = parts_of(met, split, bundle.seed)
        if split.kind == "temporal" and split.test_from is None:
            _refuse_other_accidents(name, bundle, parts)
        new[~new] = parts == Subset.TEST
    return new


def _split(name: str, bundle: Bundle) -> SplitSettings:
    try:
        if bundle.split:
            return SplitSettings.model_validate(bundle.split)
    except ValidationError:
        pass
    raise ModelError(f"{name}: does not record how its data were split: train it again")


def _refuse_other_accidents(name: str, bundle: Bundle, parts: npt.NDArray[np.object_]) -> None:
    """The latest share of other accidents begins on another day, before which the model may have learned."""
    found = {part: int((parts == part).sum()) for part in (Subset.TRAINING, Subset.VALIDATION, Subset.TEST)}
    if any(bundle.rows.get(part) != count for part, count in found.items()):
        raise DataError(
            f"{name}: was trained on all but the latest {bundle.split['test_share']:.0%} of other accidents than "
            "these, and does not record from which day on: train it again with training.split.test_from"
        )

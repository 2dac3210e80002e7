"""Held-out accidents of trained models, from the split that their bundles record.

The set of an accident follows from its id or date, so the split is computed again on the accidents at hand. Of the
months of a model's data, the test set is held out; accidents of other months are held out as a whole. A final model was
fitted on the test set, too, so that only other months are held out. A bundle that records no months is treated as if
its data had every month: some held-out accidents are then left out, and no training accident is used.
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
from accidents.training.split import accident_months, assign_subsets, join_labels


def held_out_rows(
    bundles: Mapping[str, Bundle], features: pd.DataFrame, accidents: pd.DataFrame, minimum: int = 1
) -> npt.NDArray[np.int64]:
    """Labelled accidents that are in the training or validation set of no model.

    Args:
        bundles: models by name.
        features: a feature frame (`accidents.features.feature_frame`).
        accidents: `Accidents.accidents` of the same accidents in the same order.
        minimum: least number of accidents.

    Returns:
        Positions of the rows, sorted by `Num_Acc`, int64 (n).

    Raises:
        DataError: there are fewer than `minimum`, the frames do not fit, or a temporal split cannot be computed again.
        ModelError: a model does not record its split.
    """
    frame = join_labels(features, accidents)
    held_out = (frame[LABEL] >= 0).to_numpy()
    total = int(held_out.sum())
    if not total:
        raise DataError("no accident has a label; figures need the column grav of usagers")
    for name, bundle in bundles.items():
        held_out = held_out & _is_held_out(name, bundle, frame)
    rows = np.flatnonzero(held_out)
    minimum = max(minimum, 1)
    if len(rows) < minimum:
        raise DataError(
            f"of {total:,} labelled accidents {len(rows):,} are new to every model ({', '.join(bundles)}), too few to "
            f"measure on; {minimum:,} are needed: use more accidents, such as those of another year, or train "
            f"with the same split and seed{_about_final_models(bundles)}"
        )
    return rows[np.argsort(frame["Num_Acc"].to_numpy()[rows], kind="stable")]


def _is_held_out(name: str, bundle: Bundle, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each accident is of a month without training data, or in the test set of the model, bool (n)."""
    split = _split(name, bundle)
    months = accident_months(frame)
    held_out = np.array(months.notna() & ~months.isin(bundle.months) & bool(bundle.months))
    same_months = frame[~held_out]
    if len(same_months) and not bundle.evaluated_twin:
        subsets = assign_subsets(same_months, split, bundle.seed)
        if split.kind == "temporal" and split.test_from is None:
            _refuse_other_accidents(name, bundle, subsets)
        held_out[~held_out] = subsets == Subset.TEST
    return held_out


def _about_final_models(bundles: Mapping[str, Bundle]) -> str:
    final = [name for name, bundle in bundles.items() if bundle.evaluated_twin]
    return f"; {', '.join(final)} is a final model, fitted on its test set: measure its evaluated twin" if final else ""


def _split(name: str, bundle: Bundle) -> SplitSettings:
    try:
        if bundle.split:
            return SplitSettings.model_validate(bundle.split)
    except ValidationError:
        pass
    raise ModelError(f"{name}: does not record how its data were split: train it again")


def _refuse_other_accidents(name: str, bundle: Bundle, subsets: npt.NDArray[np.object_]) -> None:
    """A temporal split by share starts on another day on other accidents, so that training accidents would be used."""
    used = (Subset.TRAINING, Subset.VALIDATION, Subset.TEST)
    if any(bundle.rows.get(subset) != (subsets == subset).sum() for subset in used):
        raise DataError(
            f"{name}: was trained on all but the latest {bundle.split['test_share']:.0%} of other accidents than "
            "these, and does not record from which day on: train it again with training.split.test_from"
        )

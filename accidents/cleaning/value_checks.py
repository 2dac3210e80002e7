"""Checks of values that involve several columns: dates, coordinates and years of birth."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from accidents.cleaning.coordinates import correct_coordinates
from accidents.columns import MISSING
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.issues import Action, DataIssue
from accidents.reading.typed_table import ParsedFile

_REMEDY = "Use the official file, or correct these rows"


def check_future_dates(main: ParsedFile, today: date) -> list[DataIssue]:
    """Accidents after `today`; a single one stops the run."""
    dates = accident_dates(main.frame)
    future = dates > np.datetime64(today)
    if not future.any():
        return []
    check = f"date in the future: after {today:%d.%m.%Y}"
    remedy = "Correct the date, or wait until it has passed"
    return [main.issue(check, future, Action.STOPPED, column="an, mois, jour", values=dates, remedy=remedy)]


def check_dates(main: ParsedFile, year: int) -> tuple[ParsedFile, list[DataIssue]]:
    """Set days that do not exist, and years other than that of the edition, to missing.

    Returns:
        The corrected file, and the issues.
    """
    frame = main.frame.copy()
    complete = (frame[["an", "mois", "jour"]] != MISSING).to_numpy().all(axis=1)
    years = frame["an"].to_numpy()
    issues = []
    for name, check, mask in (
        ("jour", "day that does not exist in its month", complete & np.isnat(accident_dates(frame))),
        ("an", f"year of the accident is not the {year} of its key", (years != MISSING) & (years != year)),
    ):
        if mask.any():
            issues.append(main.issue(check, mask, Action.MISSING, column=name, values=frame[name], remedy=_REMEDY))
            frame.loc[mask, name] = MISSING
    return replace(main, frame=frame), issues


def accident_dates(frame: pd.DataFrame) -> np.ndarray:
    """Date of each accident.

    Args:
        frame: n rows with the columns `an`, `mois` and `jour`, -1 where missing.

    Returns:
        datetime64[D] (n); NaT where a part is missing or the day does not exist.

    Example:
        >>> frame = pd.DataFrame({"an": [2024, 2023], "mois": [2, 2], "jour": [29, 29]})
        >>> accident_dates(frame).astype(str).tolist()
        ['2024-02-29', 'NaT']
    """
    year, month, day = (frame[name].to_numpy().astype(np.int64) for name in ("an", "mois", "jour"))
    complete = (year != MISSING) & (month != MISSING) & (day != MISSING)
    months = (np.where(complete, year - 1970, 0) * 12 + np.where(complete, month - 1, 0)).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(complete, day - 1, 0)
    dates[~complete | (dates.astype("datetime64[M]") != months)] = np.datetime64("NaT")
    return dates


def check_coordinates(main: ParsedFile, limits: DataQualityLimits) -> tuple[ParsedFile, list[DataIssue]]:
    """Correct coordinates by `correct_coordinates`.

    Returns:
        The corrected file, and the issues.
    """
    latitude, longitude = main.frame["lat"].to_numpy(), main.frame["long"].to_numpy()
    result = correct_coordinates(main.frame["dep"], latitude, longitude)
    pairs = list(zip(latitude.tolist(), longitude.tolist(), strict=True))
    correction = Action.STOPPED if result.corrected.sum() >= limits.bad_cells * len(pairs) else Action.CORRECTED
    issues = [
        main.issue(check, mask, action, column="lat, long", values=pairs, remedy=_REMEDY)
        for check, mask, action in (
            ("coordinates swapped or of the wrong sign", result.corrected, correction),
            ("coordinates far from the department", result.outside, Action.MISSING),
            ("one coordinate without the other", result.incomplete, Action.MISSING),
        )
        if mask.any()
    ]
    return replace(main, frame=main.frame.assign(lat=result.latitude, long=result.longitude)), issues


def check_birth_years(people: ParsedFile, year: int) -> tuple[ParsedFile, list[DataIssue]]:
    """Set years of birth after the year of the accident to missing.

    Returns:
        The corrected file, and the issues.
    """
    births = people.frame["an_nais"]
    mask = (births > year).to_numpy()
    if not mask.any():
        return people, []
    check = f"born after {year}, the year of the accident"
    issue = people.issue(check, mask, Action.MISSING, column="an_nais", values=births, remedy=_REMEDY)
    return replace(people, frame=people.frame.assign(an_nais=births.mask(mask, MISSING))), [issue]

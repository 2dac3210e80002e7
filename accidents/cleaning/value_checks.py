"""Rules on values that take several columns: dates, coordinates and births."""

from dataclasses import replace
from datetime import date

from accidents.cleaning import coordinates, dates
from accidents.columns import MISSING
from accidents.configuration.data_quality import DataQualityLimits
from accidents.reading.issues import Action, DataIssue, exceeds_limit
from accidents.reading.typed_table import ParsedFile


def check_future_dates(main: ParsedFile, today: date) -> list[DataIssue]:
    """Accidents after `today`: a single one stops the run."""
    late = dates.after(main.frame, today)
    if not late.any():
        return []
    check = f"date in the future: after {today:%d.%m.%Y}"
    remedy = "Correct the date, or wait until it has passed"
    days = dates.accident_dates(main.frame)
    return [main.finding(check, late, Action.STOPPED, column="an, mois, jour", values=days, remedy=remedy)]


def check_dates(main: ParsedFile, year: int, limits: DataQualityLimits) -> tuple[ParsedFile, list[DataIssue]]:
    """The table with impossible days and years of other editions missing, and what was found."""
    frame = main.frame.copy()
    findings = []
    for name, check, mask in (
        ("jour", "day that does not exist in its month", dates.nonexistent_days(frame)),
        ("an", f"year of the accident is not the {year} of its key", dates.in_another_year(frame, year)),
    ):
        if mask.any():
            findings.append(
                _counted(main.finding(check, mask, Action.MISSING, column=name, values=frame[name]), limits)
            )
            frame.loc[mask, name] = MISSING
    return replace(main, frame=frame), findings


def check_coordinates(main: ParsedFile, limits: DataQualityLimits) -> tuple[ParsedFile, list[DataIssue]]:
    """The table with coordinates mended or missing as `coordinates.mend` says, and what was found."""
    latitude, longitude = main.frame["lat"].to_numpy(), main.frame["long"].to_numpy()
    result = coordinates.correct_coordinates(main.frame["dep"], latitude, longitude)
    shown = list(zip(latitude.tolist(), longitude.tolist(), strict=True))
    findings = [
        _counted(main.finding(check, mask, action, column="lat, long", values=shown), limits)
        for check, mask, action in (
            ("coordinates swapped or of the wrong sign", result.mended, Action.MENDED),
            ("coordinates far from the department", result.outside, Action.MISSING),
            ("one coordinate without the other", result.half, Action.MISSING),
        )
        if mask.any()
    ]
    return replace(main, frame=main.frame.assign(lat=result.latitude, long=result.longitude)), findings


def check_birth_years(people: ParsedFile, year: int) -> list[DataIssue]:
    """People born after the year of their accident; features take their age for not recorded."""
    births = people.frame["an_nais"]
    late = (births > year).to_numpy()
    if not late.any():
        return []
    check = f"born after {year}, the year of the accident: the age counts as not recorded"
    return [people.finding(check, late, Action.IGNORED, column="an_nais", values=births)]


def _counted(finding: DataIssue, limits: DataQualityLimits) -> DataIssue:
    """The finding itself, or that it stops the run where it concerns too many rows."""
    if exceeds_limit(finding.share, limits):
        return replace(finding, action=Action.STOPPED, remedy="Use the official file, or correct these rows")
    return finding

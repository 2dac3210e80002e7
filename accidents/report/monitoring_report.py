"""HTML report of a monitoring: what has changed, columns by effect, outcomes, departments."""

from dataclasses import dataclass

from accidents.bundle import Bundle
from accidents.geography.departments import department_codes
from accidents.monitoring.columns import monitored_columns
from accidents.monitoring.drift import ColumnComparison
from accidents.monitoring.monitor import MonitoringResult
from accidents.plots.style import source_note
from accidents.report.rendering import render

_SHOWN_DEPARTMENTS = 20


@dataclass(frozen=True)
class _Row:
    """A column in the table."""

    comparison: ColumnComparison
    description: str
    values: str
    drifted: bool


def monitoring_report(result: MonitoringResult, bundle: Bundle, source: str, *, synthetic: bool) -> str:
    """Write the report as one HTML page.

    Args:
        result: of the window.
        bundle: the model.
        source: where the accidents come from, as typed.
        synthetic: whether they are synthetic.
    """
    columns = {column.name: column for column in monitored_columns(bundle.level)}
    rows = [
        _Row(
            one,
            columns[one.column].description,
            "; ".join(
                f"{columns[one.column].describe(value.value)} {value.window:.1%} after {value.reference:.1%}"
                for value in one.values
            ),
            result.inputs.is_drift(one),
        )
        for one in sorted(result.inputs.columns, key=lambda one: (not one.changes, -one.effect))
    ]
    departments = sorted(result.outcomes.departments, key=lambda one: one.p_value) if result.outcomes else []
    return render(
        "monitoring.html.j2",
        result=result,
        bundle=bundle,
        source=source,
        source_note=source_note(synthetic=synthetic),
        rows=rows,
        departments=departments[:_SHOWN_DEPARTMENTS],
        codes=department_codes(),
    )

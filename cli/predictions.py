"""`python run.py predictions ...`: the prediction log of the service. The work is done in `serving.records`.

Imports nothing heavy: `--help` must answer at once.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cli.decorators import RecordDatabase, with_record_database
from cli.options import Days, Group
from cli.output import print_result


def _parse_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: write a day, 2026-01-31, or a time, 2026-01-31T08:00") from None
    return time.replace(tzinfo=time.tzinfo or UTC)


@click.group(cls=Group)
def predictions() -> None:
    """Count, export and delete the predictions that the service has logged.

    Predictions hold personal data, and so do exported files, which are readable by their owner alone.
    """


@predictions.command()
@with_record_database
def count(database: RecordDatabase, *, as_json: bool) -> None:
    """Count logged predictions, with the times of the first and the last."""
    from serving.records.retention import summarise_predictions

    result = summarise_predictions(database.engine)
    values = {
        "predictions": result.predictions,
        "first": result.first.isoformat() if result.first else None,
        "last": result.last.isoformat() if result.last else None,
        "outcomes": result.outcomes,
    }
    times = f", {result.first:%Y-%m-%d %H:%M} to {result.last:%Y-%m-%d %H:%M} UTC" if result.first else ""
    text = f"{result.predictions:,} predictions{times}; the outcome of {result.outcomes:,} is known"
    print_result(values, text, as_json=as_json)


@predictions.command()
@click.option("--days", type=Days(zero=True), metavar="N", help="older than this; without it, as configured")
@click.option("--dry-run", is_flag=True, help="only print how many would be deleted")
@with_record_database
def prune(database: RecordDatabase, *, days: float | None, dry_run: bool, as_json: bool) -> None:
    """Delete predictions older than --days."""
    from serving.records import retention

    before = datetime.now(UTC) - timedelta(days=database.settings.keep_days if days is None else days)
    number = (retention.count_before if dry_run else retention.prune)(database.engine, before)
    values = {"predictions": number, "before": before.isoformat(), "deleted": not dry_run}
    verb = "would delete" if dry_run else "deleted"
    print_result(values, f"{verb} {number:,} predictions made before {before:%Y-%m-%d %H:%M} UTC", as_json=as_json)


@predictions.command()
@click.option("--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help=".jsonl or .parquet")
@click.option("--since", type=_parse_time, metavar="TIME", help="2026-01-31 or 2026-01-31T08:00, in UTC")
@with_record_database
def export(database: RecordDatabase, *, output: Path, since: datetime | None, as_json: bool) -> None:
    """Write logged predictions to a file."""
    from serving.records import export as exporter

    number = exporter.export_predictions(database.engine, output, since)
    print_result({"predictions": number, "file": str(output)}, f"{output}: {number:,} predictions", as_json=as_json)

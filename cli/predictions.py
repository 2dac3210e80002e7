"""`python run.py predictions ...`: the prediction log of the service. The work is done in `serving.records`.

Imports nothing heavy: `--help` must answer at once.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cli.records import run, say, shared

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from accidents.configuration.records import RecordSettings

_EPILOG = """Predictions hold personal data, and so do exported files, which are readable by their owner alone.

exit codes: 0 done, 1 something is missing or failed, 2 the command line or the configuration is wrong"""


def parser() -> argparse.ArgumentParser:
    """The command line after `python run.py predictions`."""
    result = argparse.ArgumentParser(
        prog="run.py predictions",
        description="Count, export and delete the predictions that the service has logged.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parents = [shared()]
    commands.add_parser("count", parents=parents, allow_abbrev=False, help="how many there are, of when")
    prune = commands.add_parser("prune", parents=parents, allow_abbrev=False, help="delete old ones, for ever")
    prune.add_argument("--days", type=_days, metavar="N", help="older than this; without it, as configured")
    prune.add_argument("--dry-run", action="store_true", help="only say how many would be deleted")
    export = commands.add_parser("export", parents=parents, allow_abbrev=False, help="write them to a file")
    export.add_argument("--output", required=True, type=Path, metavar="FILE", help="ends in .jsonl or .parquet")
    export.add_argument("--since", type=_moment, metavar="TIME", help="2026-01-31 or 2026-01-31T08:00, in UTC")
    return result


def main(arguments: Sequence[str]) -> int:
    """Do what was typed after `python run.py predictions`; returns the exit code: 0 done, 1 failed, 2 refused."""
    return run(parser(), {"count": _count, "prune": _prune, "export": _export}, arguments)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a number from 0 to 36500")
    return days


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write a day, 2026-01-31, or a time, 2026-01-31T08:00") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _count(given: argparse.Namespace, engine: "Engine", _: "RecordSettings") -> None:
    from serving.records.retention import summarise_predictions

    found = summarise_predictions(engine)
    values = {
        "predictions": found.predictions,
        "first": found.first.isoformat() if found.first else None,
        "last": found.last.isoformat() if found.last else None,
        "outcomes": found.outcomes,
    }
    of_when = f", {found.first:%Y-%m-%d %H:%M} to {found.last:%Y-%m-%d %H:%M} UTC" if found.first else ""
    say(given, values, f"{found.predictions:,} predictions{of_when}; the outcome of {found.outcomes:,} is known")


def _prune(given: argparse.Namespace, engine: "Engine", settings: "RecordSettings") -> None:
    from serving.records.retention import count_before, prune

    days = settings.keep_days if given.days is None else given.days
    before = datetime.now(UTC) - timedelta(days=days)
    number = count_before(engine, before) if given.dry_run else prune(engine, before)
    done = "would delete" if given.dry_run else "deleted"
    values = {"predictions": number, "before": before.isoformat(), "deleted": not given.dry_run}
    say(given, values, f"{done} {number:,} predictions made before {before:%Y-%m-%d %H:%M} UTC")


def _export(given: argparse.Namespace, engine: "Engine", _: "RecordSettings") -> None:
    from serving.records.export import export_predictions

    number = export_predictions(engine, given.output, given.since)
    say(given, {"predictions": number, "file": str(given.output)}, f"{given.output}: {number:,} predictions")

"""`python run.py simulate`: replay accidents against a running service. The work is done in `serving.simulation`.

Imports nothing heavy: `--help` must answer at once.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.exit_codes import DONE, FAILED
from cli.options import config_option, debug_option, json_option
from cli.output import print_result

if TYPE_CHECKING:
    from accidents.tables import Accidents
    from serving.simulation import Summary

_DRIFTS = ("none", "season", "vehicle", "labels", "callers")
_POSITIVE = click.FloatRange(0, min_open=True)


@click.command(epilog="Exit codes: 0 predictions were received, 1 none was, 2 wrong command line or configuration")
@click.option(
    "--rate",
    type=click.FloatRange(0, 2000, min_open=True),
    default=20,
    metavar="N",
    help="accidents a second, by default 20",
)
@click.option("--seconds", type=_POSITIVE, default=60, metavar="N", help="for how long, by default 60")
@click.option("--source", metavar="SOURCE", help="labelled accidents: sample (default), datagouv, a folder, or a URL")
@click.option("--years", metavar="YEARS", help="2021, 2019-2024 or 2019,2021")
@click.option(
    "--drift", type=click.Choice(_DRIFTS), default="none", help="how the accidents change; docs/monitoring.md"
)
@click.option(
    "--drift-after",
    type=click.FloatRange(0),
    default=0,
    metavar="N",
    help="seconds before the drift begins, by default 0",
)
@click.option(
    "--outcomes-after",
    type=click.FloatRange(0),
    default=5,
    metavar="N",
    help="seconds from prediction to outcome, by default 5",
)
@click.option("--seed", type=click.IntRange(0), default=0, metavar="N", help="seed of order and drift, by default 0")
@click.option(
    "--url", envvar="SERVING_URL", metavar="URL", default="http://127.0.0.1:8080",
    help="the service, or SERVING_URL; by default http://127.0.0.1:8080",
)  # fmt: skip
@click.option(
    "--key", envvar="SERVING_API_KEY", metavar="KEY",
    help="an API key, or SERVING_API_KEY, which other users of the machine cannot read",
)  # fmt: skip
@json_option
@config_option
@debug_option
def simulate(
    *,
    rate: float,
    seconds: float,
    source: str | None,
    years: str | None,
    drift: str,
    drift_after: float,
    outcomes_after: float,
    seed: int,
    url: str,
    key: str | None,
    as_json: bool,
    config: tuple[str, ...],
) -> int:
    """Send labelled accidents to a running service at an even rate, and their outcomes some seconds later.

    Ctrl-C ends it with the summary. The prediction log of the service then holds simulated accidents: use one whose
    log you can delete.
    """
    from cli.zenml_session import load_environment

    load_environment()
    import numpy as np

    from accidents.simulation import labelled_requests
    from serving.simulation import Plan, Simulator

    simulator = Simulator(url, key)
    print(f"{url} uses {simulator.describe_model()}", file=sys.stderr, flush=True)
    accidents = _read(source, years, config)
    before, after = (labelled_requests(accidents, name, np.random.default_rng(seed)) for name in ("none", drift))
    print(f"{rate:g} accidents a second for {seconds:g} s, drift {drift} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    summary = simulator.run(
        Plan(rate, seconds, outcomes_after),
        lambda passed: next(after if passed >= drift_after else before),
        lambda passed, so_far: print(f"{passed:4.0f} s: {_describe(so_far)}", file=sys.stderr, flush=True),
    )
    print_result(summary.as_dict(), _describe(summary), as_json=as_json)
    return DONE if summary.answered else FAILED


def _read(source: str | None, years: str | None, config: tuple[str, ...]) -> "Accidents":
    from accidents.configuration.loading import load_configuration
    from accidents.ingestion import ingest
    from accidents.sources.resolve import resolve_editions

    overrides = {"ingestion.source.location": source, "ingestion.source.years": years}
    names = {"ingestion.source.location": "--source", "ingestion.source.years": "--years"}
    settings = load_configuration(map(Path, config), overrides, names).ingestion
    print(f"reading {settings.source.location}", file=sys.stderr, flush=True)
    return ingest(resolve_editions(settings.source, progress=True), settings).accidents


def _describe(summary: "Summary") -> str:
    """The summary in one line."""
    parts = [f"{summary.sent:,} sent", f"{summary.answered:,} answered"]
    parts += [f"{count:,} refused with {status}" for status, count in sorted(summary.refused.items())]
    parts += [f"{summary.unanswered:,} without a response"] * bool(summary.unanswered)
    if summary.milliseconds:
        parts.append(f"p50 {summary.percentile(50):.1f} ms, p99 {summary.percentile(99):.1f} ms")
    parts.append(f"{summary.outcomes:,} outcomes stored")
    parts += [f"{count:,} outcomes refused with {status}" for status, count in sorted(summary.outcomes_refused.items())]
    parts += [f"{summary.outcomes_unsent:,} outcomes not sent"] * bool(summary.outcomes_unsent)
    return "; ".join(parts)

"""What can be typed after `python run.py`. Imports nothing heavy: `--help` must answer at once."""

import argparse
from itertools import chain
from typing import Any

from accidents.columns.specification import LEVELS
from accidents.configuration.stages import STAGES
from accidents.models import model_types

RESAMPLING = ("none", "smote", "class_weight", "undersample")
TUNING = ("none", "grid", "optuna")
SUBCOMMANDS = {
    "stack": "cli.stack",
    "registry": "cli.registry",
    "keys": "cli.keys",
    "predictions": "cli.predictions",
}
"""By the first word of the command line: the module whose `main(arguments)` answers and returns the exit code."""

PIPELINES = ("ingestion", "features", "training", "evaluation", "inference", "deployment")
ON_REQUEST = ("inference", "deployment")
"""Pipelines that `--all` leaves out."""

_EPILOG = """commands of their own (each has a --help):
  python run.py stack ...                                     register, choose, describe and check ZenML stacks
  python run.py registry ...                                  list, compare, promote and roll back registered models
  python run.py keys ...                                      API keys of the service
  python run.py predictions ...                               count, export and prune what the service has answered

examples:
  python run.py --training                                    train on the embedded synthetic sample
  python run.py --training --source FOLDER                    train on real files
  python run.py --training --source datagouv --years 2021-2023
  python run.py --evaluation --source FOLDER                  score the latest model on other data
  python run.py --predict examples/low_risk.json              one accident
  python run.py --inference --input FOLDER --output scores.parquet
  python run.py --serve                                       answer over HTTP with the Production model

exit codes: 0 done, 1 a pipeline failed, 2 the command line or the configuration is wrong"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    result = argparse.ArgumentParser(
        prog="run.py",
        description="Predict which French road accidents are priority: somebody killed or hospitalised.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_pipelines(result)
    _add_choices(result)
    _add_model(result)
    _add_service(result)
    _add_files(result)
    return result


def _add_pipelines(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("pipelines (one or more, run in this order)")
    group.add_argument("--ingestion", action="store_true", help="read, validate and clean the data")
    group.add_argument("--features", action="store_true", help="turn accidents into features")
    group.add_argument("--training", action="store_true", help="train, evaluate and compare the models")
    group.add_argument("--evaluation", action="store_true", help="score a trained model on labelled data")
    group.add_argument("--inference", action="store_true", help="score many accidents: --input to --output")
    group.add_argument("--deployment", action="store_true", help="serve a registered model; with --status or --stop")
    group.add_argument("--all", action="store_true", help="ingestion, features, training and evaluation")
    group.add_argument("--serve", action="store_true", help="answer over HTTP until Ctrl-C")
    group.add_argument(
        "--predict",
        nargs="?",
        const="",
        metavar="FILE",
        help="predict one accident from a JSON file, - for standard input; asks for the facts without a file",
    )


def _add_choices(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("choices (they override the configuration)")
    group.add_argument("--source", metavar="SOURCE", help="sample (default), datagouv, a folder, or a URL like s3://…")
    group.add_argument("--years", metavar="YEARS", help="2021, 2019-2024 or 2019,2021")
    group.add_argument(
        "--models",
        nargs="+",
        action=_Together,
        type=_models,
        metavar="MODEL",
        help=f"all, or some of {','.join(model_types())}",
    )
    group.add_argument("--level", choices=LEVELS, help="what is known when the model is asked")
    group.add_argument("--resampling", choices=RESAMPLING, help="how training folds are balanced")
    group.add_argument("--tune", choices=TUNING, help="search for hyperparameters")
    group.add_argument("--no-geography", action="store_true", help="train without the place as well, and compare")


def _add_model(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("model (the best one of the latest training, if nothing is said)")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--model-path", metavar="FILE", help="a trained bundle")
    which.add_argument("--model-name", metavar="NAME", help="a registered model, in any letter case")
    which.add_argument("--best", action="store_true", help="the best Production model of all registered ones")
    held = group.add_mutually_exclusive_group()
    held.add_argument("--stage", choices=STAGES, help="of --model-name: who holds the stage (Production)")
    held.add_argument("--alias", metavar="ALIAS", help="of --model-name: who bears the alias")
    held.add_argument("--version", metavar="N", help="of --model-name: the version of this number")


def _add_service(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("service (--serve)")
    group.add_argument("--host", metavar="HOST", help="address to listen on (127.0.0.1); another one needs keys")
    group.add_argument("--port", type=int, metavar="PORT", help="port to listen on (8080); 0: any free one")
    group.add_argument("--workers", type=int, metavar="N", help="processes that answer (1)")
    group.add_argument("--anonymous", action="store_true", help="answer without a key, on this machine alone")


def _add_files(result: argparse.ArgumentParser) -> None:
    group = result.add_argument_group("files and behaviour")
    group.add_argument(
        "--config", action="append", metavar="FILE", default=[], help="a YAML file in place of the one in configs/"
    )
    group.add_argument("--stack", metavar="NAME", help="ZenML stack for this run alone")
    group.add_argument("--no-cache", action="store_true", help="run every step, whatever is cached")
    group.add_argument("--input", metavar="PATH", help="what --inference scores: a folder of BAAC files, or one file")
    group.add_argument("--output", metavar="PATH", help="where --inference writes: .csv, .parquet or .jsonl")
    group.add_argument("--allow-untracked", action="store_true", help="train on where MLflow does not answer")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="of --deployment: what is served, and where")
    what.add_argument("--stop", action="store_true", help="of --deployment: stop serving")
    group.add_argument("--csv", action="store_true", help="write the tables under data/ as CSV, too")
    group.add_argument("--debug", action="store_true", help="show tracebacks and all messages")


class _Together(argparse.Action):
    """All values of an option in one tuple, each of them once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  # the signature is argparse's
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,  # noqa: ARG002
    ) -> None:
        """Put the values of one use of the option together."""
        setattr(namespace, self.dest, tuple(dict.fromkeys(chain(*values))))


def _models(text: str) -> tuple[str, ...]:
    known = model_types()
    chosen = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if chosen == ("all",):
        return known
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        raise argparse.ArgumentTypeError(f"{text!r}: choose all, or some of {', '.join(known)}, separated by commas")
    return tuple(dict.fromkeys(chosen))

"""What can be typed after `python run.py registry`. Imports nothing heavy."""

import argparse
from collections.abc import Callable

from accidents.configuration.stages import EXCLUSIVE_STAGES, PRODUCTION, STAGES


def parser() -> argparse.ArgumentParser:
    """The command line of the registry."""
    result = argparse.ArgumentParser(
        prog="run.py registry",
        description="Registered models: their versions, stages, promotion and rollback.",
        allow_abbrev=False,
    )
    result.add_argument("--debug", action="store_true", help="show tracebacks and all messages")
    result.add_argument("--stack", metavar="NAME", help="ZenML stack for this command alone")
    result.add_argument("--config", action="append", metavar="FILE", default=[], help="a YAML file in place of one")
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_reading(commands)
    _add_changing(commands)
    _add_judging(commands)
    return result


def _command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str) -> "_Command":
    made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    return _Command(made)


class _Command:
    """A subcommand to which the shared options are added by name."""

    def __init__(self, made: argparse.ArgumentParser) -> None:
        self.parser = made

    def model(self, *, required: bool = True) -> "_Command":
        text = "registered name or model type, in any letter case"
        self.parser.add_argument(
            "--model-name", required=required, metavar="NAME", help=text if required else f"{text}; all if not given"
        )
        return self

    def version(self, *, required: bool = True) -> "_Command":
        text = "number of the version" if required else "number of the version; the latest if not given"
        self.parser.add_argument("--version", required=required, metavar="N", help=text)
        return self

    def stage(self, stages: tuple[str, ...], default: str | None = None) -> "_Command":
        told = f"{', '.join(stages)}{f'; {default} if not given' if default else ''}"
        self.parser.add_argument(
            "--stage", type=_stage(stages), required=default is None, default=default, metavar="STAGE", help=told
        )
        return self

    def data(self) -> "_Command":
        self.parser.add_argument("--source", metavar="SOURCE", help="labelled accidents to measure on")
        self.parser.add_argument("--years", metavar="YEARS", help="2021, 2019-2024 or 2019,2021")
        return self

    def json(self) -> "_Command":
        self.parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
        return self

    def flag(self, name: str, text: str) -> "_Command":
        self.parser.add_argument(name, action="store_true", help=text)
        return self


def _stage(stages: tuple[str, ...]) -> Callable[[str], str]:
    by_name = {stage.lower(): stage for stage in stages}

    def convert(text: str) -> str:
        if text.lower() not in by_name:
            raise argparse.ArgumentTypeError(f"{text!r}: choose one of {', '.join(stages)}")
        return by_name[text.lower()]

    return convert


def _add_reading(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _command(commands, "list-models", "registered models and who holds their stages").json()
    _command(commands, "list-versions", "versions with stages and figures").model(required=False).json()
    _command(commands, "get-model", "one version and everything known of it").model().stage(STAGES, PRODUCTION).version(
        required=False
    ).json()
    _command(commands, "history", "the ledger: who changed and decided what, when and why").model(required=False).json()


def _add_changing(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _command(commands, "transition", "give a version a stage").model().version().stage(STAGES).json()
    _command(commands, "promote", "give a version, the latest if not given, Production or Staging").model().version(
        required=False
    ).stage(EXCLUSIVE_STAGES, PRODUCTION).json()
    _command(commands, "archive", "archive a version").model().version().json()
    _command(commands, "rollback", "put the previous Production version back").model().flag(
        "--dry-run", "only say what would happen"
    ).json()
    _command(commands, "delete-version", "delete a version").model().version().flag("--yes", "do not ask")
    _command(commands, "delete-model", "delete a model with all its versions").model().flag("--yes", "do not ask")
    _command(commands, "prune", "delete old versions without a stage, by the rule of configs/tracking.yaml").model(
        required=False
    ).flag("--dry-run", "only say what would be deleted").flag("--yes", "do not ask")
    _command(commands, "check", "find what does not fit between MLflow and ZenML, and mend it").flag(
        "--dry-run", "only say what does not fit"
    )


def _add_judging(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    compare = _command(commands, "compare", "measure versions on the same accidents, with a recommendation")
    compare.model().data()
    compare.parser.add_argument("--versions", nargs="+", metavar="N", help="numbers; the latest and those with a stage")
    compare.parser.add_argument("--format", choices=("table", "html", "csv", "json"), default="table")
    compare.parser.add_argument("--output", metavar="FILE", help="file for --format, in place of reports/registry/…")
    _command(commands, "evaluate-promotion", "ask the rule whether a version may take a stage").model().version(
        required=False
    ).stage(EXCLUSIVE_STAGES, PRODUCTION).data().json()
    _command(commands, "auto-promote", "promote latest versions that the rule approves of").model(required=False).stage(
        EXCLUSIVE_STAGES, PRODUCTION
    ).data().json()

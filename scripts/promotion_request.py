"""Promotion by pull request: propose the model of the latest training, and carry out a proposal that was merged.

python -m scripts.promotion_request propose [--source S --years Y]  evaluate it; where the rule approves, propose it
python -m scripts.promotion_request apply                           promote the version that the proposal names

The proposal is promotions/production.json; reports/promotion_request.md is the text of the pull request. Options of
`propose` go to `run.py registry evaluate-promotion` and `compare`. Where the rule refuses, nothing is written.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accidents.atomic_write import write_text

PROJECT = Path(__file__).resolve().parents[1]
PROPOSAL = PROJECT / "promotions" / "production.json"
_REPORTS = PROJECT / "reports"
_METRICS = ("roc_auc", "pr_auc", "f1", "precision", "recall", "brier", "ece")


class Proposal(BaseModel):
    """The version that is to be in Production."""

    model_config = ConfigDict(extra="forbid")
    model: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    version: str = Field(pattern=r"^[0-9]+$")


class FailedCommandError(Exception):
    """A command of the project has failed."""


def main(arguments: list[str]) -> int:
    """Run the script; returns the exit code: 0 also where the rule refuses, 1 where a command failed."""
    try:
        match arguments:
            case ["propose", *options]:
                _propose(options)
            case ["apply"]:
                _apply(Proposal.model_validate_json(PROPOSAL.read_bytes()))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (FailedCommandError, OSError, ValidationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _propose(options: list[str]) -> None:
    model_type = json.loads((PROJECT / "models" / "best_model.json").read_bytes())["model_type"]
    (decision,) = json.loads(_registry("evaluate-promotion", "--model-name", model_type, "--json", *options, refusal=1))
    title = f"{decision['model']} {decision['version']}"
    if not decision["approved"]:
        print("\n".join([f"{title} is refused:", *decision["reasons"]]))
        return
    file = _REPORTS / "registry" / "promotion_request.json"
    _registry("compare", "--model-name", model_type, "--format", "json", "--output", str(file), *options)
    comparison = json.loads(file.read_bytes())
    write_text(_REPORTS / "promotion_request.md", _text(title, decision["reasons"], comparison))
    proposal = Proposal(model=decision["model"], version=decision["version"])
    write_text(PROPOSAL, proposal.model_dump_json(indent=2) + "\n")
    print(f"{title} is approved: {PROPOSAL.relative_to(PROJECT)}")


def _apply(proposal: Proposal) -> None:
    named = ("--model-name", proposal.model, "--version", proposal.version)
    if json.loads(_registry("get-model", *named, "--json"))["stage"] == "Production":
        print(f"{proposal.model} {proposal.version} is in Production already")
    else:
        print(_registry("promote", *named), end="")


def _registry(*arguments: str, refusal: int = 0) -> str:
    """Output of a command of the registry; `refusal` is an exit code that is no failure where there is output.

    Raises:
        FailedCommandError: it has failed.
    """
    command = [sys.executable, str(PROJECT / "run.py"), "registry", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode and not (done.returncode == refusal and done.stdout):
        raise FailedCommandError(f"registry {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def _text(title: str, reasons: list[str], comparison: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {' | '.join(f'{figures[metric]:.4f}' for metric in _METRICS)} |"
        for name, figures in comparison["versions"].items()
    ]
    return "\n".join(
        [
            f"The promotion rule approves {title} for Production. Merging this promotes it.",
            "",
            f"| version | {' | '.join(_METRICS)} |",
            f"|---{'|---' * len(_METRICS)}|",
            *rows,
            "",
            comparison["recommendation"],
            "",
            *(f"- {reason}" for reason in reasons),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Provenance tags of tracked trainings; apart from `steps.metadata`, so that other steps do not depend on tracking."""

import os
import subprocess

from zenml import get_step_context
from zenml.utils.dashboard_utils import get_run_url

from accidents.configuration.paths import PROJECT_ROOT
from steps.metadata import inside_pipeline

TRAINING_DIGEST = "training_digest"
"""Tag, and key in the extra configuration of a run: digest of data, configuration and code of a training."""

CODE_VERSION = "code_version"
"""The same: hash of the commit. The client records it, as steps on other machines have no checkout."""

_TIMEOUT_SECONDS = 10


def run_provenance() -> dict[str, str]:
    """Code version and, inside a pipeline, name, id, URL and digest of the ZenML run and name of its stack."""
    if not inside_pipeline():
        return {CODE_VERSION: code_version()}
    run = get_step_context().pipeline_run
    recorded = run.config.extra or {}
    return {
        CODE_VERSION: str(recorded.get(CODE_VERSION) or code_version()),
        TRAINING_DIGEST: str(recorded.get(TRAINING_DIGEST, "")),
        "zenml_run": run.name,
        "zenml_run_id": str(run.id),
        "zenml_run_url": get_run_url(run) or "",
        "zenml_stack": run.stack.name if run.stack else "",
    }


def code_version() -> str:
    """Hash of the git commit, with `-changed` where tracked files are modified.

    Outside a git checkout `CODE_VERSION`, which images of the project set; empty without it.
    """
    commit = _git("rev-parse", "HEAD") or os.environ.get("CODE_VERSION", "")
    return f"{commit}-changed" if commit and _git("status", "--porcelain", "--untracked-files=no") else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PROJECT_ROOT), *arguments]
    # A git hook sets GIT_DIR to another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        process = subprocess.run(  # noqa: S603  # fixed arguments, the user's own git
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return process.stdout.strip()

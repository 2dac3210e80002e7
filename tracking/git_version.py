"""Git commit of the code."""

import subprocess

from accidents.configuration.paths import PROJECT_ROOT

_TIMEOUT_SECONDS = 10


def code_version() -> str:
    """The commit hash, with `-changed` where tracked files are modified; empty outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit}-changed" if commit and _git("status", "--porcelain", "--untracked-files=no") else commit


def _git(*arguments: str) -> str:
    try:
        process = subprocess.run(  # noqa: S603  # fixed arguments
            ["git", "-C", str(PROJECT_ROOT), *arguments],  # noqa: S607  # the user's own git
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""

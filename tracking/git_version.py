"""Which code a run was made with."""

import subprocess

from accidents.configuration.paths import PROJECT_ROOT

_PATIENCE = 10


def code_version() -> str:
    """The commit, followed by `-changed` where files differ from it; empty where this is no git checkout."""
    commit = _git("rev-parse", "HEAD")
    return f"{commit}-changed" if commit and _git("status", "--porcelain", "--untracked-files=no") else commit


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments
            ["git", "-C", str(PROJECT_ROOT), *arguments],  # noqa: S607  # the user's own git
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

"""Compare the pinned actions of the workflows with GitHub, and pin those that only name a version.

python -m scripts.pin_actions           replace `uses: NAME@v1.2.3` by the commit of that tag, and check the pinned ones
python -m scripts.pin_actions --list    only list actions, versions and commits

Commits come from `git ls-remote`, so it needs access to github.com.
"""

import re
import subprocess
import sys
from pathlib import Path

from accidents.atomic_write import write_text

FOLDER = Path(__file__).resolve().parents[1] / ".github"
_USES = re.compile(r"(uses: )([\w.-]+/[\w./-]+)@(?:([0-9a-f]{40}) # )?(v[\w.]+)$", re.MULTILINE)


def used_actions(folder: Path = FOLDER) -> set[tuple[str, str, str | None]]:
    """Name, version and pinned commit of the actions of other repositories; the commit is None without one."""
    return {
        (name, version, commit or None)
        for file in _files(folder)
        for _, name, commit, version in _USES.findall(file.read_text(encoding="utf-8"))
    }


def commit_of_tag(name: str, version: str, server: str = "https://github.com") -> str:
    """The commit of a version of an action.

    Raises:
        LookupError: the server does not answer, or has no such tag.
    """
    repository = "/".join(name.split("/")[:2])
    command = ["git", "ls-remote", f"{server}/{repository}", f"refs/tags/{version}", f"refs/tags/{version}^{{}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise LookupError(f"{name}: {done.stderr.strip()}")
    lines = dict(reversed(line.split("\t")) for line in done.stdout.splitlines())
    commit = lines.get(f"refs/tags/{version}^{{}}") or lines.get(f"refs/tags/{version}")  # an annotated tag, or none
    if not commit:
        raise LookupError(f"{name}: there is no tag {version}")
    return commit


def pin(folder: Path = FOLDER, server: str = "https://github.com") -> list[str]:
    """Pin every action by the commit of its version.

    Returns:
        A sentence for each pinned commit that is not that of its version; those are left as they are.
    """
    commits = {(name, version): commit_of_tag(name, version, server) for name, version, _ in used_actions(folder)}
    differences = [
        f"{name} {version} is pinned as {pinned}, and the tag is {commits[name, version]}"
        for name, version, pinned in sorted(used_actions(folder), key=str)
        if pinned not in {None, commits[name, version]}
    ]
    for file in _files(folder):
        text = file.read_text(encoding="utf-8")
        pinned = _USES.sub(
            lambda match: f"{match[1]}{match[2]}@{match[3] or commits[match[2], match[4]]} # {match[4]}", text
        )
        if pinned != text:
            write_text(file, pinned)
    return differences


def main(arguments: list[str]) -> int:
    """Run the script; returns the exit code, 1 where a commit differs or cannot be looked up."""
    if arguments == ["--list"]:
        for name, version, commit in sorted(used_actions(), key=str):
            print(f"{name} {version} {commit or 'not pinned'}")
        return 0
    try:
        differences = pin()
    except LookupError as error:
        differences = [str(error)]
    for difference in differences:
        print(f"error: {difference}", file=sys.stderr)
    return bool(differences)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.yml"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

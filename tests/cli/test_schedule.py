"""Schedules: files that systemd, cron and GitHub understand, and that mean what the cron expression says."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from click.testing import CliRunner
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.errors import ConfigurationError
from cli.schedule import orchestrator_expression, schedule
from cli.schedule_files import (
    Schedule,
    aws_expression,
    calendar_lines,
    crontab_files,
    github_files,
    systemd_files,
    utc_expressions,
)

MONDAYS = Schedule("training", "0 3 * * 1", "Europe/Paris", ["--training", "--source", "a b/100%"])


def field(first: int, last: int) -> st.SearchStrategy[str]:
    number = st.integers(first, last)
    several = st.lists(number, min_size=1, max_size=3, unique=True).map(lambda values: ",".join(map(str, values)))
    ranges = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    return st.one_of(st.just("*"), several, ranges, st.integers(2, 9).map(lambda step: f"*/{step}"))


def systemd_analyze(*arguments: str) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


@settings(deadline=None, max_examples=25)
@given(st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(" ".join))
def test_systemd_elapses_when_cron_runs(cron: str) -> None:
    planned = Schedule("training", cron, "UTC", ())
    lines = [f"{line} UTC" for line in calendar_lines(planned)]
    base = datetime(2026, 5, 17, 12, 30, tzinfo=UTC)
    answers = systemd_analyze("calendar", f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", *lines)
    found = re.findall(r"Next elapse: \w+ (\S+ \S+) UTC", answers)
    assert len(found) == len(lines)
    times = [datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for text in found]
    assert min(times) == planned.next_runs(1, base)[0]


@settings(deadline=None, max_examples=25)
@given(st.tuples(*map(field, (0, 0, 1, 1, 0), (59, 23, 28, 12, 7))), st.sampled_from([2, 4]))
def test_eventbridge_runs_when_cron_does(fields: tuple[str, ...], left_out: int) -> None:
    planned = Schedule("training", " ".join("*" if i == left_out else text for i, text in enumerate(fields)), "UTC", ())
    *same, year = aws_expression(planned).split()
    assert (year, same.count("?")) == ("*", 1)
    base = datetime(2026, 5, 17, 12, 30, tzinfo=UTC)
    in_aws = croniter(" ".join(same), base)
    assert [in_aws.get_next(datetime) for _ in range(3)] == planned.next_runs(3, base)


def test_each_orchestrator_gets_its_form() -> None:
    in_utc = Schedule("training", "0 3 * * 1", "UTC", ())
    assert orchestrator_expression(MONDAYS, "vertex") == "TZ=Europe/Paris 0 3 * * 1"
    assert orchestrator_expression(in_utc, "sagemaker") == "0 3 ? * MON *"
    assert orchestrator_expression(in_utc, "azureml") == in_utc.cron
    with pytest.raises(ConfigurationError, match="counts in UTC"):
        orchestrator_expression(MONDAYS, "kubernetes")
    with pytest.raises(ConfigurationError, match="not both"):
        orchestrator_expression(Schedule("training", "0 3 1 * 1", "UTC", ()), "sagemaker")


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    files = systemd_files(MONDAYS)
    for path, content in files.items():
        (tmp_path / path.name).write_text(content)
    systemd_analyze("verify", *(str(tmp_path / path.name) for path in files))
    service, timer = files.values()
    assert "ExecStart=" + sys.executable in service
    assert '--source "a b/100%%"' in service
    assert "OnCalendar=Mon *-*-* 3:0:00 Europe/Paris\n" in timer


def test_a_line_of_a_crontab_keeps_its_arguments() -> None:
    (text,) = crontab_files(MONDAYS).values()
    assert "CRON_TZ=Europe/Paris\n0 3 * * 1 cd " in text
    assert text.endswith(r"run.py --training --source 'a b/100\%'" + "\n")


@pytest.mark.parametrize("month", [1, 7])
@pytest.mark.parametrize("cron", ["0 3 * * 1", "30 0,1,2 * * *", "0 23 * * 5", "15 1 * * 0,6", "5 * * * *"])
def test_github_runs_at_the_same_moments(cron: str, month: int) -> None:
    zone = ZoneInfo("America/New_York")
    base = datetime(2026, month, 10, tzinfo=zone)
    planned = Schedule("training", cron, zone.key, ())
    in_utc = croniter(utc_expressions(planned)[f"{base:%z}"], base.astimezone(UTC))
    for expected in planned.next_runs(5, base):
        assert in_utc.get_next(datetime) == expected


def test_a_workflow_asks_which_half_of_the_year_it_is() -> None:
    ((path, text),) = github_files(MONDAYS).items()
    assert path.name == "scheduled-training.yml"
    workflow = yaml.safe_load(text)
    assert workflow[True]["schedule"] == [{"cron": "0 1 * * 1"}, {"cron": "0 2 * * 1"}]
    gate, *others = workflow["jobs"]["training"]["steps"]
    assert '+0200) now="0 1 * * 1" ;;' in gate["run"]
    assert {step["if"] for step in others} == {"steps.due.outputs.now"}
    assert all(subprocess.run(["bash", "-n", "-c", step["run"]]).returncode == 0 for step in (gate, others[-1]))
    plain = yaml.safe_load(next(iter(github_files(Schedule("training", "0 3 * * 1", "UTC", ())).values())))
    assert [step for step in plain["jobs"]["training"]["steps"] if "if" in step or "id" in step] == []


@pytest.mark.parametrize(
    ("cron", "zone", "message"),
    [
        ("0 3 * *", "UTC", "give minute, hour"),
        ("0 25 * * *", "UTC", "give minute, hour"),
        ("@daily", "UTC", "give minute, hour"),
        ("0 3 l * *", "UTC", "give minute, hour"),
        ("0 3 * * 1", "Europe/Lyon", "no time zone"),
    ],
)
def test_what_no_scheduler_runs_is_refused(cron: str, zone: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Schedule("training", cron, zone, ())


@pytest.mark.parametrize(
    ("cron", "zone"), [("0 0 1 * *", "Europe/Paris"), ("0 0,12 * * 1", "Europe/Paris"), ("0 3 * * *", "Asia/Kolkata")]
)
def test_what_utc_cannot_say_is_refused(cron: str, zone: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be said in UTC"):
        github_files(Schedule("training", cron, zone, ()))


def test_a_command_shows_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["training", "--cron", "0 3 * * 1", "--as", "crontab"]
    shown = CliRunner().invoke(schedule, [*line, "--dry-run", "--", "--models", "lightgbm"])
    assert "run.py --training --models lightgbm" in shown.output
    assert "next runs Mon " in shown.output
    assert list(tmp_path.iterdir()) == []
    written = CliRunner().invoke(schedule, line)
    assert written.exit_code == 0, written.output
    assert (tmp_path / "accidents-training.crontab").is_file()
    refused = CliRunner().invoke(schedule, [*line, "--", "--port", "3"])
    assert "--port goes with --serve" in refused.output
    assert timedelta(0) < MONDAYS.next_runs(1)[0] - datetime.now(UTC) <= timedelta(days=8)


def test_retraining_is_scheduled_with_its_own_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["retrain", "--cron", "0 5 * * *", "--as"]
    own = ["--", "--model-name", "lightgbm", "--source", "datagouv"]
    for kind in ("crontab", "systemd", "github"):
        shown = CliRunner().invoke(schedule, [*line, kind, "--dry-run", *own])
        assert shown.exit_code == 0, shown.output
        assert "run.py retrain --model-name lightgbm --source datagouv" in shown.output
    assert "SERVING_DATABASE_URL: ${{ secrets.SERVING_DATABASE_URL }}" in shown.output
    for wrong, message in ((["--"], "Missing option '--model-name'"), ([*own, "--port", "3"], "No such option")):
        refused = CliRunner().invoke(schedule, [*line, "crontab", *wrong])
        assert refused.exit_code == 2
        assert message in refused.output
    monkeypatch.setenv("HOME", str(tmp_path))
    written = CliRunner().invoke(schedule, [*line[:-1], *own])  # whatever the orchestrator of the stack can do
    assert written.exit_code == 0, written.output
    assert {path.name for path in tmp_path.rglob("*.*")} >= {"accidents-retrain.service", "accidents-retrain.timer"}

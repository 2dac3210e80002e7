"""Files that run a command on a schedule: systemd timer, crontab line, GitHub workflow."""

import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from croniter import CroniterError, croniter

from accidents.configuration.paths import PROJECT_ROOT
from accidents.errors import ConfigurationError

_ANY = ["*"]
_SECRETS = (
    *("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
    *("ZENML_STORE_URL", "ZENML_STORE_API_KEY", "NOTIFY_URLS", "SERVING_DATABASE_URL"),
)
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_WORKFLOWS = PROJECT_ROOT / ".github" / "workflows"


@dataclass(frozen=True)
class Schedule:
    """When a pipeline runs.

    Attributes:
        pipeline: its name, or that of the command.
        cron: the five fields of a cron expression.
        timezone: name of the time zone in which they count.
        arguments: command line of the run, after `run.py`.
    """

    pipeline: str
    cron: str
    timezone: str
    arguments: Sequence[str]

    def __post_init__(self) -> None:
        """Refuse what no scheduler would run.

        Raises:
            ConfigurationError: the expression or the time zone is not valid.
        """
        try:
            if len(self.cron.split()) != 5 or not all(isinstance(x, int) for f in self.fields if f != _ANY for x in f):
                raise CroniterError
        except (CroniterError, ValueError, KeyError):
            raise ConfigurationError(
                f'--cron "{self.cron}": give minute, hour, day of the month, month and day of the week, such as '
                '"0 3 * * 1" for Mondays at three'
            ) from None
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError(f"--timezone {self.timezone}: no time zone; such as Europe/Paris or UTC") from None

    @property
    def name(self) -> str:
        """Name of units and jobs."""
        return f"accidents-{self.pipeline}"

    @property
    def fields(self) -> list[list[int]]:
        """The values of each field; `["*"]` where all count."""
        return croniter.expand(self.cron)[0]

    def next_runs(self, number: int, after: datetime | None = None) -> list[datetime]:
        """The next times, in the time zone."""
        times = croniter(self.cron, (after or datetime.now(UTC)).astimezone(ZoneInfo(self.timezone)))
        return [times.get_next(datetime) for _ in range(number)]


def systemd_files(schedule: Schedule) -> dict[Path, str]:
    """A service and its timer, for the user's own systemd; relative paths count from the current folder."""
    folder = Path("~/.config/systemd/user").expanduser()
    command = [sys.executable, str(PROJECT_ROOT / "run.py"), *schedule.arguments]
    calendar = "\n".join(f"OnCalendar={line} {schedule.timezone}" for line in calendar_lines(schedule))
    service = f"""[Unit]
Description=French road accidents: {schedule.pipeline}

[Service]
Type=oneshot
WorkingDirectory={_escaped(str(Path.cwd()))}
ExecStart={" ".join(map(_quoted, command))}
"""
    timer = f"""[Unit]
Description=French road accidents: {schedule.pipeline}, cron {schedule.cron} in {schedule.timezone}

[Timer]
{calendar}
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {folder / f"{schedule.name}.service": service, folder / f"{schedule.name}.timer": timer}


def calendar_lines(schedule: Schedule) -> list[str]:
    """The calendar events of systemd; two where day of the month and of the week are given, as one of them suffices.

    >>> calendar_lines(Schedule("training", "0 3 * * 1", "UTC", ()))
    ['Mon *-*-* 3:0:00']
    """
    minute, hour, day, month, weekday = schedule.fields
    days, time = ",".join(_DAYS[number % 7] for number in weekday if number != "*"), f"{_list(hour)}:{_list(minute)}:00"
    by_date = f"*-{_list(month)}-{_list(day)} {time}"
    if not days:
        return [by_date]
    by_weekday = f"{days} *-{_list(month)}-* {time}"
    return [by_weekday] if day == _ANY else [by_date, by_weekday]


def aws_expression(schedule: Schedule) -> str:
    """The six fields of Amazon EventBridge, in UTC: one of the two days is a question mark, and a year follows.

    Raises:
        ConfigurationError: day of the month and of the week are given; EventBridge has no rule for both.

    >>> aws_expression(Schedule("training", "0 3 * * 1", "UTC", ()))
    '0 3 ? * MON *'
    """
    minute, hour, day, month, weekday = schedule.fields
    if _ANY not in (day, weekday):
        raise ConfigurationError(
            f'--cron "{schedule.cron}": SageMaker takes the day of the month or of the week, not both; give * for one'
        )
    days = _ANY if weekday == _ANY else [_DAYS[number % 7].upper() for number in weekday if number != "*"]
    first, last = (day, ["?"]) if days == _ANY else (["?"], days)
    return " ".join(map(_list, (minute, hour, first, month, last, _ANY)))


def crontab_files(schedule: Schedule) -> dict[Path, str]:
    """A line of a crontab, in a file of the current folder."""
    command = [sys.executable, str(PROJECT_ROOT / "run.py"), *schedule.arguments]
    text = f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join(command)}".replace("%", r"\%")
    line = f"{schedule.cron} {text}\n"
    zone = f"# cronie counts in this time zone; Debian's cron in that of the machine.\nCRON_TZ={schedule.timezone}\n"
    return {Path(f"{schedule.name}.crontab").absolute(): f"# {schedule.name}\n{zone}{line}"}


def github_files(schedule: Schedule) -> dict[Path, str]:
    """A workflow; GitHub counts in UTC, so that a time zone with summer time needs one expression for each half.

    Raises:
        ConfigurationError: the expression cannot be said in UTC.
    """
    by_offset = utc_expressions(schedule)
    crons = sorted(set(by_offset.values()))
    cases = "".join(f'  {offset}) now="{cron}" ;;\n' for offset, cron in sorted(by_offset.items()))
    due = (
        f'case "$(TZ={schedule.timezone} date +%z)" in\n{cases}esac\n'
        'if [ -z "$SCHEDULE" ] || [ "$SCHEDULE" = "$now" ]; then echo "now=true" >> "$GITHUB_OUTPUT"; fi\n'
    )
    condition = {"if": "steps.due.outputs.now"} if len(crons) > 1 else {}
    checkout = {"uses": _pinned("actions/checkout"), "with": {"persist-credentials": False}}
    gate = {"id": "due", "run": due, "env": {"SCHEDULE": "${{ github.event.schedule }}"}}
    command = shlex.join([".venv/bin/python", "run.py", *schedule.arguments])
    run = {
        "run": f'for name in {" ".join(_SECRETS)}; do [ -n "${{!name}}" ] || unset "$name"; done\n{command}\n',
        "env": {name: f"${{{{ secrets.{name} }}}}" for name in _SECRETS},
    }
    steps = [checkout | condition, {"uses": "./.github/actions/setup"} | condition, run | condition]
    job = {
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 180,
        "permissions": {"contents": "read"},
        "steps": [*([gate] if condition else []), *steps],
    }
    workflow = {
        "name": f"Scheduled {schedule.pipeline}",
        "on": {"schedule": [{"cron": cron} for cron in crons], "workflow_dispatch": None},
        "permissions": {},
        "concurrency": {"group": schedule.name},
        "jobs": {schedule.pipeline: job},
    }
    text = yaml.dump(workflow, Dumper=_WorkflowDumper, sort_keys=False, width=1000).replace("'on':", "on:")
    head = f"# Runs at cron {schedule.cron} in {schedule.timezone}.\n"
    return {_WORKFLOWS / f"scheduled-{schedule.pipeline}.yml": head + text.replace(": null\n", ":\n")}


class _WorkflowDumper(yaml.SafeDumper):
    """Writes scripts as blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_WorkflowDumper.add_representer(str, _represent_text)


def utc_expressions(schedule: Schedule) -> dict[str, str]:
    """The expression in UTC, by offset of the time zone in the year to come, such as `+0100`.

    Raises:
        ConfigurationError: the day changes with the offset in a way that no expression says.
    """
    now = datetime.now(ZoneInfo(schedule.timezone))
    days = [now + timedelta(days=day) for day in range(366)]
    return {f"{day:%z}": _in_utc(schedule, day.utcoffset() or timedelta()) for day in days}


def _in_utc(schedule: Schedule, offset: timedelta) -> str:
    minute, hour, day, month, weekday = schedule.fields
    every_day = day == month == weekday == _ANY
    if not offset or (every_day and hour == _ANY and not offset % timedelta(hours=1)):
        return schedule.cron
    hours = offset // timedelta(hours=1)
    shifted = [divmod(number - hours, 24) for number in hour if number != "*"]
    days = {day for day, _ in shifted}
    moved = days - {0}
    if offset % timedelta(hours=1) or hour == _ANY or (
        not every_day and (len(days) > 1 or (moved and not day == month == _ANY))
    ):  # fmt: skip
        raise ConfigurationError(
            f'--cron "{schedule.cron}" in {schedule.timezone} cannot be said in UTC, in which GitHub counts; choose '
            "hours at which the day is the same there, or --timezone UTC"
        )
    (first, *_) = days
    weekdays = weekday if weekday == _ANY else sorted((number + first) % 7 for number in weekday)
    return " ".join(_list(field) for field in (minute, sorted(hour for _, hour in shifted), day, month, weekdays))


def _list(field: Sequence[object]) -> str:
    return ",".join(map(str, field))


def _pinned(action: str) -> str:
    """An action with its commit, as the other workflows have it."""
    found = re.search(rf"{action}@\w+", (_WORKFLOWS / "ci.yml").read_text(encoding="utf-8"))
    if found is None:
        raise ConfigurationError(f"{_WORKFLOWS / 'ci.yml'} does not use {action}")
    return found.group()


def _quoted(word: str) -> str:
    """A word of a command line of systemd."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"' if re.search(r"[^\w/.:=,@+%-]", word) else text


def _escaped(text: str) -> str:
    return text.replace("%", "%%")

"""Rules and routes of `monitoring/`, checked with promtool and amtool, and against the handbook."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.monitoring.prometheus_server import MONITORING, program, read_yaml

RULES = MONITORING / "rules"
ALERTS = {rule["alert"]: rule for group in read_yaml(RULES / "alerts.yml")["groups"] for rule in group["rules"]}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_configuration_is_valid(tmp_path: Path) -> None:
    promtool = program("promtool")
    run(promtool, "check", "config", "--syntax-only", str(MONITORING / "prometheus.yml"))
    run(promtool, "check", "rules", *map(str, RULES.glob("*.yml")))


@pytest.mark.slow
def test_rules_pass_their_unit_tests() -> None:
    run(program("promtool"), "test", "rules", str(RULES / "tests" / "alerts.yml"))


def test_unit_tests_have_every_alert_fire_and_stay_silent() -> None:
    cases = [
        case for test in read_yaml(RULES / "tests" / "alerts.yml")["tests"] for case in test.get("alert_rule_test", ())
    ]
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fired == silent == {*ALERTS}


def test_handbook_has_a_section_for_every_alert(project: Path) -> None:
    handbook = (project / "docs" / "operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (Accidents\w+)$", handbook, re.MULTILINE) == list(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_alerts_reach_who_can_act(alert: str) -> None:
    severity = ALERTS[alert]["labels"]["severity"]
    file = MONITORING / "alertmanager.yml"
    labels = (f"alertname={alert}", "job=accidents", f"severity={severity}")
    receiver = run(program("amtool"), "config", "routes", "test", f"--config.file={file}", *labels).strip()
    assert receiver == {"critical": "on-call", "warning": "team"}[severity]


def test_routes_are_valid() -> None:
    run(program("amtool"), "check-config", str(MONITORING / "alertmanager.yml"))

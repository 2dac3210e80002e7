"""Schemathesis: generated requests against the OpenAPI schema of the running service."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from serving.auth.roles import Role
from tests.serving.in_process import ApiClient, in_process_service
from tests.serving.service_process import save_small_model

LENIENT = "negative_data_rejection"
"""Numbers may come as texts, as in the published files, which the description need not say."""

BETWEEN_FIELDS = "positive_data_acceptance"
"""Dates that do not exist, people in no vehicle and the like are beyond a description of single fields."""

RULES = re.compile(
    r"((accidents|reference)\[\d+\]\.)?"
    r"(jour, mois, an|(people\[\d+\]\.)?an_nais|(vehicles|people)\[\d+\]\.(num_veh|id_vehicule)|year_acc|victim_age|"
    r"hour|hrmn|priority)"
)
"""Fields that a rule on several fields may refuse."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("schemathesis")
    patient = {"failures_per_minute": 1_000_000, "requests_per_second": 1_000_000}
    with in_process_service(folder, save_small_model(folder), caller=patient) as client:
        yield client


def cases(api: ApiClient, folder: Path, examples: int, *options: str) -> int:
    """Let schemathesis ask everything with the key that may do all; returns how many cases passed."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json"]
    command += ["-H", f"Authorization: Bearer {api.keys[Role.ADMIN]}", "--max-examples", str(examples)]
    command += ["--exclude-checks", f"{LENIENT},{BETWEEN_FIELDS}", "--suppress-health-check", "all", *options]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
    return int(re.findall(r"(\d+) passed", ended.stdout)[-1])


def test_generated_requests_conform_to_the_schema(api: ApiClient, tmp_path: Path) -> None:
    assert cases(api, tmp_path, 10, "--phases", "examples,fuzzing,stateful") > 100  # how many differs by hundreds
    assert api.get("/health", None).status_code == 200


@pytest.mark.long
def test_ten_thousand_generated_requests_conform_to_the_schema(api: ApiClient, tmp_path: Path) -> None:
    """Of every kind, with those that cover each keyword of the description one by one."""
    passed = cases(api, tmp_path, 500)
    print(f"\n{passed:,} generated requests, all answered as described")
    assert passed > 10_000
    assert api.get("/health", None).status_code == 200


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/predict/batch", "/v1/evaluate", "/v1/feedback"])
def test_valid_requests_are_accepted_except_for_rules_between_fields(api: ApiClient, path: str) -> None:
    operation = schemathesis.openapi.from_url(f"{api.url}/openapi.json")[path]["POST"]
    key = {"X-API-Key": api.keys[Role.ADMIN], "Authorization": f"Bearer {api.keys[Role.ADMIN]}"}
    answers: Counter[int] = Counter()

    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def call(case: Any) -> None:
        response = case.call(headers=key, session=api.session)
        answers[response.status_code] += 1
        content = response.json()
        for refusal in [content, *content.get("results", [])]:
            for problem in refusal.get("error", {}).get("problems", []):
                assert RULES.fullmatch(problem["field"]), problem
        assert response.status_code in {200, 422, 404 if path == "/v1/feedback" else 200}, response.text

    call()
    assert answers[404 if path == "/v1/feedback" else 200] >= (0 if path == "/v1/evaluate" else 5)

"""`run.py simulate` against the real service, and what each drift changes."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from accidents.errors import DataError
from accidents.requests import parse_request
from accidents.simulation import DRIFTING_DEPARTMENTS, DRIFTS, NEW_KIND, SUMMER, LabelledRequest, labelled_requests
from accidents.tables import LABEL, Accidents
from cli.simulate import simulate
from serving import simulation
from serving.auth.roles import Role
from serving.simulation import Plan, ServiceError, Simulator
from tests.serving.in_process import ApiClient, in_process_service
from tests.serving.service_process import free_port, save_small_model
from tests.trained import small_year

pytestmark = [pytest.mark.slow, pytest.mark.traced]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    folder = tmp_path_factory.mktemp("simulated")
    with in_process_service(folder, save_small_model(folder)) as client:
        yield client


def requests_with(drift: str, count: int = 1500) -> list[LabelledRequest]:
    accidents, _ = small_year()
    return [*islice(labelled_requests(accidents, drift, np.random.default_rng(0)), count)]


def by_id(requests: list[LabelledRequest]) -> dict[int, LabelledRequest]:
    return {one.content["accident"]["Num_Acc"]: one for one in requests}


def test_without_drift_every_labelled_accident_occurs_once_before_any_occurs_again() -> None:
    accidents, _ = small_year()
    labels = accidents.accidents.set_index("Num_Acc")[LABEL]
    labelled = labels[labels >= 0]
    sent = requests_with("none", len(labelled) + 1)
    assert {number: one.priority for number, one in by_id(sent[:-1]).items()} == labelled.to_dict()
    assert [*by_id(sent[:-1])] != labelled.index.tolist()  # in another order
    assert sent[-1] in sent[:-1]


@pytest.mark.parametrize("drift", DRIFTS)
def test_requests_of_every_drift_are_valid(drift: str) -> None:
    for one in requests_with(drift, 300):
        parse_request(one.content)


def test_season_sends_summer_alone() -> None:
    assert {one.content["accident"]["mois"] for one in requests_with("season")} == {*SUMMER}
    year, _ = small_year()
    winter = Accidents(year.accidents[year.accidents["mois"] == 1], year.vehicles, year.people)
    with pytest.raises(DataError, match="July to September"):
        labelled_requests(winter, "season", np.random.default_rng(0))


def test_vehicle_changes_the_kind_of_three_percent_and_nothing_else() -> None:
    before, after = by_id(requests_with("none", 1400)), by_id(requests_with("vehicle", 1400))
    vehicles = [vehicle for one in after.values() for vehicle in one.content["vehicles"]]
    assert 0.02 < np.mean([vehicle.get("catv") == NEW_KIND for vehicle in vehicles]) < 0.04
    for number in before.keys() & after.keys():
        old, new = before[number], after[number]
        assert new.priority == old.priority
        assert new.content | {"vehicles": []} == old.content | {"vehicles": []}


def test_labels_raises_the_rate_of_ten_departments_by_half_and_changes_no_input() -> None:
    accidents, _ = small_year()
    largest = {*accidents.accidents["dep"].value_counts().index[:DRIFTING_DEPARTMENTS]}
    count = int((accidents.accidents[LABEL] >= 0).sum())
    before, after = by_id(requests_with("none", count)), by_id(requests_with("labels", count))
    rows = pd.DataFrame(
        {
            "inside": one.content["accident"]["dep"] in largest,
            "before": one.priority,
            "after": after[number].priority,
            "same": one.content == after[number].content,
        }
        for number, one in before.items()
    )
    assert rows["same"].all()
    rates = rows.groupby("inside")[["before", "after"]].mean()
    assert rates.loc[False, "before"] == rates.loc[False, "after"]
    assert rates.loc[True, "after"] / rates.loc[True, "before"] == pytest.approx(1.5, abs=0.2)


def test_callers_know_half_as_much() -> None:
    def recorded(drift: str) -> int:
        parts: list[dict[str, Any]] = []
        for one in requests_with(drift, 1400):
            content = one.content
            parts += [content["accident"], content["road"], *content["vehicles"], *content["people"]]
        return sum(len(part.keys() - {"Num_Acc", "id_vehicule", "id_usager", "num_veh"}) for part in parts)

    assert recorded("callers") / recorded("none") == pytest.approx(0.5, abs=0.02)


@pytest.mark.usefixtures("small_source")
def test_command_sends_at_the_rate_and_stores_every_outcome(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = api.metrics()
    monkeypatch.setenv("SERVING_API_KEY", api.keys[Role.PREDICT])
    started = time.monotonic()
    arguments = ["--url", api.url, "--rate", "40", "--seconds", "2", "--outcomes-after", "0.5", "--json"]
    assert simulate.main([*arguments, "--drift", "labels"], standalone_mode=False) == 0
    assert time.monotonic() - started >= 2
    summary = json.loads(capsys.readouterr().out)
    assert 20 <= summary["sent"] <= 80  # all of them where the machine keeps up
    assert summary["answered"] == summary["outcomes"] == summary["sent"]
    assert summary["refused"] == summary["outcomes_refused"] == {}
    assert 0 < summary["p50_ms"] <= summary["p99_ms"]
    after = api.metrics()
    outcomes = [f'accidents_outcome_probability_count{{outcome="{outcome}"}}' for outcome in (0, 1)]
    assert sum(after[name] - before[name] for name in outcomes) == summary["outcomes"]


@pytest.mark.usefixtures("small_source")
def test_drift_begins_after_the_given_seconds(api: ApiClient, capsys: pytest.CaptureFixture[str]) -> None:
    def missing_inputs(drift_after: str) -> float:
        before = sum(value for name, value in api.metrics().items() if "missing_inputs_total" in name)
        arguments = ["--url", api.url, "--key", api.keys[Role.PREDICT], "--seconds", "1", "--outcomes-after", "0"]
        drift = ["--drift", "callers", "--drift-after", drift_after, "--json"]
        assert simulate.main([*arguments, *drift], standalone_mode=False) == 0
        missing = sum(value for name, value in api.metrics().items() if "missing_inputs_total" in name) - before
        return missing / float(json.loads(capsys.readouterr().out)["answered"])

    assert missing_inputs("0") > missing_inputs("60") + 3


@pytest.fixture
def small_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reads the small year."""
    accidents, _ = small_year()
    monkeypatch.setattr("cli.simulate._read", lambda *_: accidents)


def test_rate_limit_is_obeyed_and_counted(tmp_path: Path) -> None:
    model, source = save_small_model(tmp_path), iter(requests_with("none", 1400))
    with in_process_service(tmp_path, model, caller={"requests_per_second": 5}) as client:
        simulator = Simulator(client.url, client.keys[Role.PREDICT])
        summary = simulator.run(Plan(rate=50, seconds=3, outcomes_after=0.1), lambda _: next(source))
    # Without a pause 150 would be sent.
    assert summary.sent < 80
    assert summary.refused.keys() == {429}
    assert summary.answered + summary.refused[429] == summary.sent
    assert summary.outcomes + summary.outcomes_refused.total() == summary.answered


def test_accidents_are_sent_at_even_times(api: ApiClient) -> None:
    times: list[float] = []
    source = iter(requests_with("none", 500))

    def next_accident(passed: float) -> LabelledRequest:
        times.append(passed)
        return next(source)

    Simulator(api.url, api.keys[Role.PREDICT]).run(Plan(20, 1, 0), next_accident)
    assert times == sorted(times)
    assert len(times) <= 20
    if len(times) == 20:  # the machine keeps up
        assert np.diff(times).mean() == pytest.approx(1 / 20, rel=0.3)


@pytest.mark.parametrize("key", [None, "acc_00000000_wrong"])
def test_wrong_key_is_an_error_with_its_reason(api: ApiClient, key: str | None) -> None:
    with pytest.raises(ServiceError, match="status 401"):
        Simulator(api.url, key).describe_model()


def test_service_that_is_not_there_is_an_error_before_anything_is_read() -> None:
    command = [sys.executable, "run.py", "simulate", "--url", f"http://127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "run.py --serve" in done.stderr
    assert "reading" not in done.stderr


def test_service_that_goes_away_leaves_a_summary_and_exit_code_1() -> None:
    source = iter(requests_with("none", 50))
    summary = Simulator(f"http://127.0.0.1:{free_port()}", None).run(Plan(20, 0.5, 0), lambda _: next(source))
    assert summary.unanswered == summary.sent > 5
    assert summary.answered == summary.outcomes == 0
    assert summary.as_dict()["p50_ms"] is None


def test_ctrl_c_ends_with_the_summary(api: ApiClient) -> None:
    command = [sys.executable, "run.py", "simulate", "--url", api.url, "--seconds", "600", "--outcomes-after", "300"]
    environment = os.environ | {"SERVING_API_KEY": api.keys[Role.PREDICT]}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    assert process.stdout
    while "Ctrl-C" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    text = process.stdout.read()
    assert "answered" in text
    assert "outcomes not sent" in text


def test_no_request_is_lost_where_the_service_closes_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(BaseHTTPRequestHandler):
        """Closes a connection that was idle without an answer, as if the request had crossed the closing of it."""

        protocol_version = "HTTP/1.1"
        idle_since = math.inf

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if time.monotonic() - self.idle_since > 0.3:
                self.close_connection = True
                return
            body = b'{"prediction_id": "1"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.idle_since = time.monotonic()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(simulation, "_MAX_IDLE", 0.2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Impatient)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        accident = LabelledRequest({"accident": {"lum": 1}}, 1)
        summary = Simulator(f"http://127.0.0.1:{server.server_port}", None).run(Plan(2, 3, 0), lambda _: accident)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (summary.sent, summary.answered, summary.outcomes) == (6, 6, 6)

"""The prediction log: records are stored unchanged, and no database error reaches the caller."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text

from accidents.configuration.serving import RecordSettings
from serving.records.database import write_transaction
from serving.records.prediction_log import LogCounts, PredictionLog
from serving.records.prediction_record import created_at, new_prediction_id
from tests.serving.conftest import DatabaseAway
from tests.serving.records.databases import migrated_database
from tests.serving.records.prediction_records import ACCIDENT, count, prediction_record, prediction_records, stored
from tests.serving.records.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.slow, pytest.mark.traced]

ADD_SCRIPT = """
import sys
from tests.serving.records.databases import migrated_database
from tests.serving.records.prediction_records import prediction_records
from serving.records.prediction_log import PredictionLog
engine, settings = migrated_database(sys.argv[1], flush_seconds=0.05)
log = PredictionLog(engine, settings)
for start in range(0, 2000, 10):
    log.add(prediction_records(range(start, start + 10)))
sys.exit(0 if log.close(60) else 1)
"""

CreateLog = Callable[..., PredictionLog]


@pytest.fixture
def create_log(engine: Engine) -> Iterator[CreateLog]:
    """Makes prediction logs that are closed in the end; they write when asked to, unless a test says otherwise."""
    made: list[PredictionLog] = []

    def make(**settings: Any) -> PredictionLog:
        made.append(PredictionLog(engine, RecordSettings.model_validate({"flush_seconds": 60, **settings})))
        return made[-1]

    yield make
    for log in made:
        log.close(5)


def test_record_is_stored_unchanged(engine: Engine, create_log: CreateLog) -> None:
    log = create_log(inputs="full")
    paris = timezone(timedelta(hours=2))
    record = prediction_record(
        7, at=datetime(2024, 5, 14, 8, 45, 0, 1, tzinfo=paris), request_id="très “odd”\n\\'\"%s :x ?"
    )
    log.add([record])
    assert log.flush(PATIENCE)
    (row,) = stored(engine)
    values = row._asdict()
    assert values.pop("at") == datetime(2024, 5, 14, 6, 45, 0, 1, tzinfo=UTC)
    assert values.pop("inputs").startswith('{"accident":{"jour":20')
    assert values.pop("kept") == "full"
    assert values.pop("derived") == "[]"
    assert values == {name: getattr(record, name) for name in values}
    assert len(values) == 14


def test_times_sort_as_text(engine: Engine, create_log: CreateLog) -> None:
    times = [datetime(2024, 5, 14, 8, 45, 0, micro, tzinfo=UTC) for micro in (999_999, 0, 100_000, 1)]
    log = create_log()
    log.add([prediction_record(at=at) for at in times])
    assert log.flush(PATIENCE)
    assert [row.at for row in stored(engine)] == sorted(times)


def test_records_are_written_within_the_interval(engine: Engine, create_log: CreateLog) -> None:
    log = create_log(flush_seconds=0.1)
    log.add(prediction_records(range(100)))
    assert eventually(lambda: count(engine) == log.counts().written == 100)
    assert log.counts() == LogCounts(written=100, dropped=0, failed=0, waiting=0, errors=0)


def test_full_queue_drops_and_counts_records(engine: Engine, create_log: CreateLog) -> None:
    log = create_log(queue=10)
    log.add(prediction_records(range(7)))
    log.add(prediction_records(range(7, 14)))
    log.add(prediction_records(range(14, 16)))
    assert log.counts() == LogCounts(written=0, dropped=6, failed=0, waiting=10, errors=0)
    assert log.flush(PATIENCE)
    assert [row.request_id for row in stored(engine)] == [str(number) for number in range(10)]
    log.add([prediction_record(16)])
    assert log.flush(PATIENCE)
    assert log.counts() == LogCounts(written=11, dropped=6, failed=0, waiting=0, errors=0)


def test_rows_have_bounded_memory(engine: Engine, create_log: CreateLog, unreachable: DatabaseAway) -> None:
    log = create_log(queue_megabytes=1, inputs="full")
    with unreachable():
        log.add([prediction_record(number, content={"adr": "x" * 90_000}) for number in range(50)])
        assert not log.flush(0.5)
        assert eventually(lambda: log.counts().dropped == 40)
    assert log.flush(PATIENCE)
    assert count(engine) == 10
    log.add([prediction_record(content={"adr": "x" * 90_000}) for _ in range(10)])
    assert log.flush(PATIENCE)
    assert log.counts() == LogCounts(written=20, dropped=40, failed=0, waiting=0, errors=log.counts().errors)


def test_queued_records_have_bounded_memory(engine: Engine, create_log: CreateLog) -> None:
    log = create_log(queue_megabytes=1, flush_seconds=60)
    for number in range(5):
        log.add([prediction_record(number)], 100_000)  # half of the limit and a little, as objects of Python
    assert log.counts() == LogCounts(written=0, dropped=4, failed=0, waiting=1, errors=0)
    assert log.flush(PATIENCE)
    log.add([prediction_record(5)], 100_000)
    assert log.flush(PATIENCE)
    assert count(engine) == 2
    log.add(prediction_records(range(6, 26)), 2_000_000)
    assert log.counts().waiting == 1


def test_more_than_one_transaction_is_written(engine: Engine, create_log: CreateLog) -> None:
    log = create_log()
    log.add(prediction_records(range(12_000)))
    assert log.flush(PATIENCE)
    assert {int(row.request_id) for row in stored(engine)} == set(range(12_000))


def test_unreachable_database_loses_nothing(engine: Engine, create_log: CreateLog, unreachable: DatabaseAway) -> None:
    log = create_log(flush_seconds=0.1)
    log.add(prediction_records(range(5)))
    assert log.flush(PATIENCE)
    with unreachable():
        log.add(prediction_records(range(5, 10)))
        assert eventually(lambda: log.counts().errors >= 2)
        assert log.counts().waiting == 5
        log.add(prediction_records(range(10, 12)))
    assert log.flush(PATIENCE)
    assert [row.request_id for row in stored(engine)] == [str(number) for number in range(12)]
    assert (log.counts().written, log.counts().dropped, log.counts().failed) == (12, 0, 0)


def test_attempts_back_off_while_the_database_is_away(create_log: CreateLog, unreachable: DatabaseAway) -> None:
    log = create_log(flush_seconds=0.05)
    with unreachable():
        log.add(prediction_records(range(5)))
        assert eventually(lambda: log.counts().errors >= 1)
        time.sleep(2)
        assert log.counts().errors <= 8  # without back-off there would be about 40


def test_lost_commit_response_writes_no_duplicates(engine: Engine, create_log: CreateLog) -> None:
    log = create_log(flush_seconds=0.1)
    broken = [True]

    @event.listens_for(engine, "commit")
    def commit_and_break(connection: Any) -> None:
        if broken.pop() if broken else False:
            connection.connection.driver_connection.commit()
            connection.exec_driver_sql("SELECT nothing FROM nowhere")

    log.add(prediction_records(range(20)))
    assert log.flush(PATIENCE)
    assert log.counts() == LogCounts(written=20, dropped=0, failed=0, waiting=0, errors=1)
    assert [row.request_id for row in stored(engine)] == [str(number) for number in range(20)]


def test_rejected_row_does_not_affect_others(engine: Engine, create_log: CreateLog) -> None:
    log = create_log()
    many = prediction_records(range(500))
    many[3].caller = None  # type: ignore[assignment]
    many[250].request_id = "half a pair: \ud800"
    many[499].missing = 2**70
    many[100].probability = "high"  # type: ignore[assignment]
    many[101].at = "today"  # type: ignore[assignment]
    log.add(many)
    assert log.flush(PATIENCE)
    assert log.counts() == LogCounts(written=495, dropped=0, failed=5, waiting=0, errors=0)
    refused = {3, 250, 499, 100, 101}
    assert [row.request_id for row in stored(engine)] == [str(n) for n in range(500) if n not in refused]


def test_unserialisable_content_is_left_out_of_the_row(engine: Engine, create_log: CreateLog) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for kept in ("full", "reduced"):
        log = create_log(inputs=kept)
        log.add(
            [
                prediction_record(content={"people": deep}),
                prediction_record(content={"accident": {1j}}),
                prediction_record(content=None),
            ]
        )
        assert log.flush(PATIENCE)
        assert log.counts().written == 3
    assert {row.inputs for row in stored(engine)} <= {None, "null"}


def test_close_writes_the_queue_and_accepts_no_more(engine: Engine, create_log: CreateLog) -> None:
    log = create_log()
    log.add(prediction_records(range(300)))
    assert log.close(PATIENCE)
    log.add(prediction_records(range(2)))
    assert log.close(PATIENCE)
    assert log.counts() == LogCounts(written=300, dropped=2, failed=0, waiting=0, errors=0)
    assert count(engine) == 300


def test_close_without_a_database_drops_and_counts(create_log: CreateLog, unreachable: DatabaseAway) -> None:
    log = create_log()
    with unreachable():
        log.add(prediction_records(range(30)))
        assert not log.close(1)
    assert eventually(lambda: log.counts().dropped == 30)
    assert log.counts().waiting == 0


def test_concurrent_adds_are_all_accounted_for(engine: Engine, create_log: CreateLog) -> None:
    log = create_log(queue=3000, flush_seconds=0.02)

    def add() -> None:
        for start in range(0, 2000, 4):
            log.add(prediction_records(range(start, start + 4)))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.close(PATIENCE)
    counts = log.counts()
    assert counts.written + counts.dropped == 8000
    assert count(engine) == counts.written > 0


def test_processes_write_concurrently(database_url: str, project: Path) -> None:
    command = [sys.executable, "-c", ADD_SCRIPT, database_url]
    processes = [subprocess.Popen(command, cwd=project) for _ in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    assert count(migrated_database(database_url)[0]) == 8000


def test_lock_of_another_process_is_waited_for(engine: Engine, create_log: CreateLog) -> None:
    log = create_log()
    with write_transaction(engine) as connection:
        connection.execute(text("DELETE FROM predictions WHERE id = 'held'"))
        log.add(prediction_records(range(10)))
        log.flush(0.3)
        log.add(prediction_records(range(10, 20)))
    assert log.flush(PATIENCE)
    assert count(engine) == 20


def test_ids_are_uuids_in_order_of_time() -> None:
    made = []
    for _ in range(5):
        made.append(new_prediction_id())
        time.sleep(0.002)
    assert made == sorted(made)
    assert {(UUID(text).version, UUID(text).variant, len(text)) for text in made} == {(7, UUID(made[0]).variant, 36)}
    assert len({new_prediction_id() for _ in range(10_000)}) == 10_000
    times = [created_at(text) for text in made]
    assert times == sorted(times, key=lambda when: when or 0)
    assert abs((times[0] or 0) - time.time()) < 60
    assert created_at("") is created_at(made[0].upper()) is created_at(f"{made[0]}\n") is created_at("f" * 36) is None


def test_content_is_not_modified(create_log: CreateLog) -> None:
    before = repr(ACCIDENT)
    log = create_log()
    log.add([prediction_record()])
    assert log.flush(PATIENCE)
    assert repr(ACCIDENT) == before

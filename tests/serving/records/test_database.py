"""The database: URL, migration by concurrent processes, and error messages."""

import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    DateTime,
    Double,
    Engine,
    Integer,
    MetaData,
    Table,
    column,
    create_engine,
    insert,
    inspect,
    select,
    table,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from accidents.configuration.serving import RecordSettings
from accidents.errors import ConfigurationError
from serving.environment import DATABASE_URL_ENV
from serving.records.database import (
    DEFAULT_FILE,
    RecordsError,
    database_errors,
    migrate,
    open_database,
    redacted_url,
    resolve_database_url,
    write_transaction,
)
from serving.records.migrations.settings import VERSION_TABLE, context_options
from serving.records.tables import api_keys, feedback
from tests.serving.records.databases import migrated_database

pytestmark = [pytest.mark.slow, pytest.mark.traced]

MIGRATIONS = Path(__file__).resolve().parents[3] / "serving" / "records" / "migrations"
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))]
DATABASE_PASSWORD = "correct-horse-battery"  # noqa: S105
MIGRATE_SCRIPT = """
import sys
from accidents.configuration.serving import RecordSettings
from serving.records.database import migrate, open_database
settings = RecordSettings(database_url=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(open_database(settings, {}))
"""

MODES_SCRIPT = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from serving.records.database import write_transaction
from serving.records.export import export_predictions
from tests.serving.records.databases import migrated_database
os.umask(0)
folder = Path(sys.argv[1])
def show():
    for path in folder.rglob("*"):
        name = "export.jsonl" if path.name.startswith(".export.jsonl") else path.name
        print(name, oct(path.stat().st_mode & 0o777))
sys.addaudithook(lambda event, _: show() if event in {"os.chmod", "sqlite3.connect", "os.rename"} else None)
engine, _ = migrated_database(f"sqlite:///{folder}/records/serving.db")
with write_transaction(engine) as connection:
    connection.execute(text("INSERT INTO log_writers VALUES ('x', 1, 0, '2024-01-01')"))
    show()
export_predictions(engine, folder / "export.jsonl")
show()
"""


def differences(engine: Engine) -> list[Any]:
    chosen = context_options()
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=chosen), chosen["target_metadata"])


def test_default_database_is_a_file_of_the_project() -> None:
    assert resolve_database_url(RecordSettings(), {}).database == str(DEFAULT_FILE)
    assert DEFAULT_FILE.parts[-2:] == ("records", "serving.db")


def test_environment_takes_precedence_over_settings() -> None:
    settings = RecordSettings(database_url="postgresql://settings/one")
    assert resolve_database_url(settings, {}).host == "settings"
    assert resolve_database_url(settings, {DATABASE_URL_ENV: ""}).host == "settings"
    assert resolve_database_url(settings, {DATABASE_URL_ENV: "postgres://environment/two"}).host == "environment"


def test_relative_file_is_resolved_in_the_project(project: Path) -> None:
    assert resolve_database_url(RecordSettings(database_url="sqlite:///here/x.db"), {}).database == str(
        project / "here" / "x.db"
    )


def test_file_and_folder_are_private(tmp_path: Path) -> None:
    engine, _ = migrated_database(f"sqlite:///{tmp_path / 'records' / 'serving.db'}")
    with write_transaction(engine) as connection:
        connection.execute(text("SELECT 1"))
        files = sorted((tmp_path / "records").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "records").stat().st_mode) == 0o700


def test_existing_file_becomes_private_and_a_folder_of_the_user_stays(tmp_path: Path) -> None:
    file = tmp_path / "serving.db"
    file.touch()
    file.chmod(0o666)
    tmp_path.chmod(0o755)
    engine, _ = migrated_database(f"sqlite:///{file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    file.chmod(0o644)  # as a file that replaces it under a running service may be
    with engine.connect():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_existing_folder_of_the_project_becomes_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "records" / "serving.db"
    monkeypatch.setattr("serving.records.database.DEFAULT_FILE", file)
    file.parent.mkdir(0o777)
    open_database(RecordSettings(), {})
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_files_are_private_at_every_moment_whatever_the_umask_is(tmp_path: Path, project: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-c", MODES_SCRIPT, str(tmp_path)], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    modes = {tuple(line.split()) for line in output.splitlines()}
    assert {name for name, _ in modes} == {"serving.db", "serving.db-journal", "records", "export.jsonl"}
    assert {mode for name, mode in modes if name != "records"} == {"0o600"}
    assert ("records", "0o700") in modes


def test_sqlite_is_configured_for_several_processes(tmp_path: Path) -> None:
    engine, _ = migrated_database(f"sqlite:///{tmp_path / 'serving.db'}")
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas]
        assert values == ["delete", 2, 1, 1]
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() > 0


def test_file_with_a_write_ahead_log_is_converted_and_keeps_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'serving.db'}"
    migrated_database(url)
    script = "import os, sqlite3; c = sqlite3.connect('serving.db'); c.execute('PRAGMA journal_mode = WAL');"
    script += "c.execute(\"INSERT INTO log_writers VALUES ('old', 1, 0, '2024-01-01')\"); c.commit(); os._exit(0)"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert (tmp_path / "serving.db-wal").stat().st_size > 0
    engine, _ = migrated_database(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM log_writers")).scalar_one() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["serving.db"]


def test_migrations_create_the_tables_of_the_code(engine: Engine) -> None:
    assert differences(engine) == []


def test_changed_table_is_detected(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(text("ALTER TABLE predictions ADD COLUMN colour TEXT"))
        connection.execute(text("DROP INDEX ix_predictions_at"))
    assert {difference[0] for difference in differences(engine)} == {"remove_column", "add_index"}


def test_migration_is_idempotent(engine: Engine) -> None:
    migrate(engine)
    assert differences(engine) == []


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_migration_keeps_rows(database_url: str, revision: str) -> None:
    engine = open_database(RecordSettings(database_url=database_url), {})
    migrate(engine, revision)
    before = {rows.name: filled(engine, rows) for rows in tables_of(engine)}
    assert before
    migrate(engine)
    assert differences(engine) == []
    for name, rows in before.items():
        table = Table(name, MetaData(), autoload_with=engine)
        with engine.connect() as connection:
            stored = [row._asdict() for row in connection.execute(select(table))]
        assert [{key: row[key] for key in rows[0]} for row in stored] == rows


def tables_of(engine: Engine) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(engine)
    return [table for table in metadata.sorted_tables if table.name != VERSION_TABLE]


def filled(engine: Engine, target: Table) -> list[dict[str, Any]]:
    """The rows of a table after three were put into it."""
    with engine.begin() as connection:
        for number in range(3):
            row = {one.name: value_for(one.name, one.type, number) for one in target.columns}
            connection.execute(insert(target), row)
        return [row._asdict() for row in connection.execute(select(target))]


def value_for(name: str, kind: Any, number: int) -> Any:
    allowed = {"role": "admin", "outcome": 1, "prediction_id": f"id {number}"}
    if name in allowed:
        return allowed[name]
    if isinstance(kind, DateTime):
        return datetime(2024, 5, 14, 8, 45, number, tzinfo=UTC)
    return number + 0.5 if isinstance(kind, Double) else number if isinstance(kind, Integer) else f"{name} {number}"


def test_concurrent_migrations_all_succeed(database_url: str, project: Path) -> None:
    command = [sys.executable, "-c", MIGRATE_SCRIPT, database_url]
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(command, cwd=project, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(6)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [(process.wait(120), process.stderr.read() if process.stderr else "") for process in started]
    assert [code for code, _ in answers] == [0] * 6, answers
    assert differences(open_database(RecordSettings(database_url=database_url), {})) == []


def test_database_of_a_later_version_is_refused(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(update(table(VERSION_TABLE, column("version_num"))), {"version_num": "9999"})
    with pytest.raises(RecordsError, match=r"a later version of the project wrote it; update the project"):
        migrate(engine)
    assert {"predictions", "feedback", "api_keys"} <= set(inspect(engine).get_table_names())


def test_failing_migration_is_rolled_back(database_url: str) -> None:
    engine = open_database(RecordSettings(database_url=database_url), {})
    with write_transaction(engine) as connection:
        connection.execute(text("CREATE TABLE api_keys (id TEXT)"))  # the first migration fails half way
    with pytest.raises(RecordsError, match="api_keys"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["api_keys"]
    with write_transaction(engine) as connection:
        connection.execute(text("DROP TABLE api_keys"))
    migrate(engine)
    assert differences(engine) == []


def test_other_alembic_versions_are_untouched(engine: Engine) -> None:
    with write_transaction(engine) as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('of mlflow')"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "of mlflow"


def test_database_checks_outcomes_and_roles(engine: Engine) -> None:
    now = datetime.now(UTC)
    key = {"id": "1", "name": "x", "role": "owner", "secret_sha256": "", "created_at": now}
    outcome = {"prediction_id": "1", "outcome": 2, "at": now, "caller": "x"}
    for target, row in ((api_keys, key), (feedback, outcome), (feedback, outcome | {"outcome": 1})):
        with pytest.raises(IntegrityError), write_transaction(engine) as connection:
            connection.execute(insert(target), row)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{DATABASE_PASSWORD}@127.0.0.1:1/db",
        f"postgresql://127.0.0.1:1/db?user=me&password={DATABASE_PASSWORD}",
        f"postgresql://user:at@{DATABASE_PASSWORD}@host/db",
        f"postgresql://user:a@b:{DATABASE_PASSWORD}@host/db",
        f"mysql://user:{DATABASE_PASSWORD}@host/db",
        f"user:{DATABASE_PASSWORD}@host/db",
    ],
)
def test_no_message_contains_a_password(url: str) -> None:
    settings = RecordSettings(database_url=url)
    assert DATABASE_PASSWORD not in f"{settings!r} {settings.model_dump_json()}"
    for chosen, environment in ((settings, {}), (RecordSettings(), {DATABASE_URL_ENV: url})):
        with pytest.raises((ConfigurationError, RecordsError)) as failure:
            open_database(chosen, environment)
        assert DATABASE_PASSWORD not in f"{failure.value!r} {failure.value}"
        assert DATABASE_URL_ENV in str(failure.value) or "database_url" in str(failure.value)


def test_unreachable_server_is_named() -> None:
    with pytest.raises(RecordsError, match=r"postgresql://127\.0\.0\.1:1/db: .*refused.*SERVING_DATABASE_URL"):
        open_database(RecordSettings(database_url=f"postgresql://user:{DATABASE_PASSWORD}@127.0.0.1:1/db"), {})


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_in_memory_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must name a plain file"):
        open_database(RecordSettings(database_url=url), {})


def test_file_that_is_not_a_database_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and long enough to be looked at by anybody who wants to know" * 20)
    before = file.read_bytes()
    with pytest.raises(RecordsError, match=r"notes\.txt: file is not a database; check the database"):
        open_database(RecordSettings(database_url=f"sqlite:///{file}"), {})
    assert file.read_bytes() == before


def test_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordsError, match=r"cannot be opened: .*make it writable, or name another database"):
        open_database(RecordSettings(database_url=f"sqlite:///{tmp_path}/file/serving.db"), {})


def test_errors_contain_no_values() -> None:
    engine = create_engine("sqlite://", hide_parameters=True)
    with pytest.raises(RecordsError) as failure, database_errors(engine), engine.connect() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": DATABASE_PASSWORD})
    assert DATABASE_PASSWORD not in str(failure.value)
    assert "no such table" in str(failure.value)


def test_redacted_url_has_no_user_and_options() -> None:
    url = resolve_database_url(
        RecordSettings(database_url=f"postgres://user:{DATABASE_PASSWORD}@host:5433/db?sslmode=require"), {}
    )
    assert redacted_url(url) == "postgresql://host:5433/db"

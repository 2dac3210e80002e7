"""API keys: create, verify, expire and revoke; secrets are never stored."""

import string
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text, update

from accidents.errors import ConfigurationError
from serving.auth import api_keys
from serving.auth.key_cache import KeyCache
from serving.auth.roles import Caller, KeyRejection, Role
from serving.records.database import RecordsError, write_transaction
from serving.records.tables import api_keys as api_keys_table
from tests.serving.conftest import DatabaseAway
from tests.serving.records.databases import migrated_database
from tests.serving.records.waiting import eventually

pytestmark = pytest.mark.slow

VERIFY_SCRIPT = """
import sys
from tests.serving.records.databases import migrated_database
from serving.auth.key_cache import KeyCache
engine, _ = migrated_database(sys.argv[1])
key_cache = KeyCache(engine, 0.2)
for line in sys.stdin:
    print(key_cache.verify(line.strip()), flush=True)
"""


@pytest.fixture
def key_cache(engine: Engine) -> Iterator[KeyCache]:
    """Reads the keys when told to."""
    cache = KeyCache(engine, 600)
    yield cache
    cache.close()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KeyCache, api_keys.NewApiKey]]:
    """A key_cache with a few keys, and one of them."""
    engine, _ = migrated_database(f"sqlite:///{tmp_path_factory.mktemp('keys')}/serving.db")
    created = [api_keys.create_key(engine, f"key {number}", Role.EVALUATE) for number in range(3)]
    key_cache = KeyCache(engine, 600)
    yield key_cache, created[1]
    key_cache.close()
    engine.dispose()


@pytest.mark.parametrize("role", list(Role))
def test_valid_key_returns_its_caller(engine: Engine, key_cache: KeyCache, role: Role) -> None:
    key = api_keys.create_key(engine, "control room", role)
    assert key_cache.verify(key.text) == KeyRejection.WRONG
    assert key_cache.refresh()
    assert key_cache.verify(key.text) == Caller(key.id, "control room", role)
    assert key_cache.active_count == 1


def test_roles_include_lower_roles() -> None:
    assert {role: {other for other in Role if role.includes(other)} for role in Role} == {
        Role.PREDICT: {Role.PREDICT},
        Role.EVALUATE: {Role.PREDICT, Role.EVALUATE},
        Role.ADMIN: {Role.PREDICT, Role.EVALUATE, Role.ADMIN},
    }


@settings(max_examples=25, deadline=None)
@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=100))
def test_keys_of_any_name_are_distinguished(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    engine, _ = migrated_database(f"sqlite:///{tmp_path_factory.mktemp('names')}/serving.db")
    key, other = (
        api_keys.create_key(engine, name, Role.ADMIN),
        api_keys.create_key(engine, f"{name[:98]} 2", Role.PREDICT),
    )
    key_cache = KeyCache(engine, 600)
    assert key_cache.verify(key.text) == Caller(key.id, name, Role.ADMIN)
    assert key_cache.verify(other.text) == Caller(other.id, other.name, Role.PREDICT)
    assert [key.name for key in api_keys.list_keys(engine)] == [name, other.name]
    key_cache.close()
    engine.dispose()


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_changed_character_anywhere_is_rejected(one: tuple[KeyCache, api_keys.NewApiKey], data: st.DataObject) -> None:
    key_cache, key = one
    place = data.draw(st.integers(0, len(key.text) - 1))
    alphabet = st.sampled_from(string.ascii_letters + string.digits + "_-") | st.characters()
    other = data.draw(alphabet.filter(lambda character: character != key.text[place]))
    assert key_cache.verify(key.text[:place] + other + key.text[place + 1 :]) == KeyRejection.WRONG


@settings(max_examples=300, deadline=None)
@given(st.text() | st.integers(0, 60).map(lambda length: "acc_" + "0" * length))
def test_arbitrary_text_is_rejected(one: tuple[KeyCache, api_keys.NewApiKey], sent: str) -> None:
    key_cache, _ = one
    assert key_cache.verify(sent) == KeyRejection.WRONG if sent else KeyRejection.MISSING
    assert key_cache.verify(None) == KeyRejection.MISSING


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=3), st.text(max_size=3), st.integers(0, 55))
def test_key_with_prefix_suffix_or_truncated_is_rejected(
    one: tuple[KeyCache, api_keys.NewApiKey], before: str, after: str, length: int
) -> None:
    key_cache, key = one
    assert key_cache.verify(key.text[:length]) in {KeyRejection.WRONG, KeyRejection.MISSING}
    assert isinstance(key_cache.verify(before + key.text + after), Caller) is (not before and not after)
    assert key_cache.verify(f"{key.text}\n") == KeyRejection.WRONG


def test_secret_of_another_key_is_rejected(engine: Engine, key_cache: KeyCache) -> None:
    one, other = (api_keys.create_key(engine, name, Role.PREDICT) for name in "xy")
    key_cache.refresh()
    assert key_cache.verify(f"acc_{one.id}_{other.text[13:]}") == KeyRejection.WRONG


def test_keys_have_the_documented_format(engine: Engine) -> None:
    created = [api_keys.create_key(engine, f"key {number}", Role.PREDICT) for number in range(20)]
    for key in created:
        prefix, identifier, secret = key.text.split("_", 2)
        assert (prefix, identifier, len(identifier), len(secret)) == ("acc", key.id, 8, 43)
    assert len({key.text[13:] for key in created}) == 20


def test_secret_is_neither_stored_nor_shown(engine: Engine) -> None:
    key = api_keys.create_key(engine, "x", Role.ADMIN)
    with engine.connect() as connection:
        row = connection.execute(select(api_keys_table)).one()
    secret = key.text[13:]
    assert secret not in repr(row)
    assert secret not in repr(key) + repr(api_keys.list_keys(engine))
    assert row.secret_sha256 == api_keys.digest(secret).hex()


def test_expired_key_is_rejected_without_refresh(engine: Engine, key_cache: KeyCache) -> None:
    key = api_keys.create_key(engine, "x", Role.PREDICT, datetime.now(UTC) + timedelta(seconds=1))
    key_cache.refresh()
    assert isinstance(key_cache.verify(key.text), Caller)
    time.sleep(1.1)
    assert key_cache.verify(key.text) == KeyRejection.EXPIRED
    assert key_cache.active_count == 0
    assert [key.status(datetime.now(UTC)) for key in api_keys.list_keys(engine)] == ["expired"]


def test_revoked_key_is_rejected_and_stays_listed(engine: Engine, key_cache: KeyCache) -> None:
    key, other = (api_keys.create_key(engine, name, Role.PREDICT) for name in "xy")
    revoked = api_keys.revoke_key(engine, key.id)
    key_cache.refresh()
    assert key_cache.verify(key.text) == KeyRejection.REVOKED
    assert isinstance(key_cache.verify(other.text), Caller)
    assert api_keys.revoke_key(engine, key.id) == revoked
    states = {key.id: key.status(datetime.now(UTC)) for key in api_keys.list_keys(engine)}
    assert states == {key.id: "revoked", other.id: "active"}


def test_wrong_secret_reveals_no_key_status(engine: Engine, key_cache: KeyCache) -> None:
    key = api_keys.create_key(engine, "x", Role.PREDICT)
    api_keys.revoke_key(engine, key.id)
    key_cache.refresh()
    assert key_cache.verify(key.text[:-1] + ("A" if key.text[-1] != "A" else "B")) == KeyRejection.WRONG


@pytest.mark.parametrize("name", ["", " x", "x\x1b[2J", "x" * 101, "two\nlines"])
def test_unprintable_names_are_refused(engine: Engine, name: str) -> None:
    with pytest.raises(ConfigurationError, match="1 to 100 printable characters"):
        api_keys.create_key(engine, name, Role.PREDICT)


def test_name_of_an_active_key_is_refused(engine: Engine) -> None:
    first = api_keys.create_key(engine, "dispatch", Role.PREDICT)
    prepared = api_keys.new_key(engine, "other", Role.PREDICT)
    with pytest.raises(ConfigurationError, match=f"the active key {first.id} has the name 'dispatch' already"):
        api_keys.new_key(engine, "dispatch", Role.ADMIN)
    api_keys.create_key(engine, "other", Role.PREDICT)
    with pytest.raises(ConfigurationError, match="has the name 'other' already"):
        api_keys.store_key(engine, prepared)  # the name was free when the key was made
    api_keys.revoke_key(engine, first.id)
    api_keys.create_key(engine, "dispatch", Role.PREDICT, datetime.now(UTC) + timedelta(seconds=0.3))
    assert eventually(lambda: api_keys.list_keys(engine)[-1].status(datetime.now(UTC)) == "expired")
    api_keys.create_key(engine, "dispatch", Role.PREDICT)
    assert [key.name for key in api_keys.list_keys(engine)] == ["dispatch", "other", "dispatch", "dispatch"]


def test_expiry_in_the_past_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="is in the past"):
        api_keys.create_key(engine, "x", Role.PREDICT, datetime.now(UTC) - timedelta(seconds=1))


def test_invalid_and_unknown_ids_have_different_errors(engine: Engine) -> None:
    with pytest.raises(api_keys.UnknownKeyError, match="no API key has the id 0123abcd"):
        api_keys.revoke_key(engine, "0123abcd")
    for wrong in ("", "x", "0123ABCD", "acc_0123abcd", "0123abcd\n", "\udc80", "\x00"):
        with pytest.raises(ConfigurationError, match="8 hexadecimal digits"):
            api_keys.revoke_key(engine, wrong)


def test_existing_id_is_not_reused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = ["00000001", "00000001", "00000002"]
    monkeypatch.setattr(api_keys.secrets, "token_hex", lambda _: ids.pop(0))
    assert [api_keys.create_key(engine, name, Role.PREDICT).id for name in "xy"] == ["00000001", "00000002"]


def test_unreachable_database_leaves_the_snapshot_in_use(engine: Engine, unreachable: DatabaseAway) -> None:
    key = api_keys.create_key(engine, "x", Role.PREDICT)
    key_cache = KeyCache(engine, 0.05)
    with unreachable():
        assert key_cache.refresh() is False
        assert isinstance(key_cache.verify(key.text), Caller)
    api_keys.revoke_key(engine, key.id)
    assert eventually(lambda: key_cache.verify(key.text) == KeyRejection.REVOKED)
    key_cache.close()


def test_key_cache_requires_a_database_at_start(engine: Engine, unreachable: DatabaseAway) -> None:
    with unreachable(), pytest.raises(RecordsError):
        KeyCache(engine, 1)


def test_corrupt_row_does_not_keep_another_key_valid(
    engine: Engine, key_cache: KeyCache, caplog: pytest.LogCaptureFixture
) -> None:
    key, corrupt = (api_keys.create_key(engine, name, Role.PREDICT) for name in "xy")
    with write_transaction(engine) as connection:
        change = update(api_keys_table).where(api_keys_table.c.id == corrupt.id)
        connection.execute(change, {"secret_sha256": "no digits"})
    api_keys.revoke_key(engine, key.id)
    assert key_cache.refresh()
    assert key_cache.refresh()
    assert key_cache.verify(key.text) == KeyRejection.REVOKED
    assert key_cache.verify(corrupt.text) == KeyRejection.WRONG
    assert [line for line in caplog.messages if corrupt.id in line] == [
        f"API keys that cannot be read are refused: {corrupt.id}"
    ]


def test_keys_expire_while_the_database_is_away(engine: Engine, unreachable: DatabaseAway) -> None:
    key_cache = KeyCache(engine, 0.05, grace_seconds=0.2)
    with unreachable():
        assert eventually(lambda: key_cache.expired)
        assert not key_cache.available
    assert eventually(lambda: key_cache.available and not key_cache.expired)
    key_cache.close()


def test_key_that_was_revoked_stays_so_in_an_older_database(engine: Engine, key_cache: KeyCache) -> None:
    key, other = (api_keys.create_key(engine, name, Role.PREDICT) for name in "xy")
    api_keys.revoke_key(engine, key.id)
    assert key_cache.refresh()
    with write_transaction(engine) as connection:  # as in a backup that was made before
        connection.execute(update(api_keys_table), {"revoked_at": None})
    for _ in range(2):
        assert key_cache.refresh()
        assert key_cache.verify(key.text) == KeyRejection.REVOKED
        assert isinstance(key_cache.verify(other.text), Caller)
    states = {key.id: key.status(datetime.now(UTC)) for key in api_keys.list_keys(engine)}
    assert states == {key.id: "revoked", other.id: "active"}


def test_running_process_sees_new_and_revoked_keys(database_url: str, project: Path) -> None:
    engine, _ = migrated_database(database_url)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", VERIFY_SCRIPT, database_url]
    with subprocess.Popen(command, cwd=project, stdin=pipe, stdout=pipe, text=True) as process:

        def answer(text: str) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            return process.stdout.readline()

        assert "wrong" in answer("acc_x")
        key = api_keys.create_key(engine, "late", Role.PREDICT)
        assert eventually(lambda: "name='late'" in answer(key.text))
        api_keys.revoke_key(engine, key.id)
        assert eventually(lambda: "revoked" in answer(key.text))
        assert process.stdin is not None
        process.stdin.close()


def test_list_keys_equals_created_keys(engine: Engine) -> None:
    expires = datetime.now(UTC).replace(microsecond=5) + timedelta(days=2)
    created = api_keys.create_key(engine, "x", Role.PREDICT, expires)
    (key,) = api_keys.list_keys(engine)
    assert key == api_keys.ApiKey(
        *(getattr(created, name) for name in ("id", "name", "role", "created", "expires", "revoked"))
    )
    assert replace(created, text="").expires == expires
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_keys")).scalar_one() == 1

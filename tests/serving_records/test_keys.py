"""API keys: made, verified, expired and revoked, and never stored."""

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
from sqlalchemy import Engine, insert, select, text, update

from accidents.errors import ConfigurationError
from serving.auth.key_cache import KeyRing
from serving.auth.roles import Caller, Reason, Refusal, Role
from serving.records import api_keys
from serving.records.database import writing
from serving.records.errors import RecordsError, UnknownKeyError
from serving.records.tables import api_keys as api_keys_table
from tests.serving_records.conftest import Away
from tests.serving_records.databases import ready
from tests.serving_records.waiting import eventually

VERIFYING = """
import sys
from tests.serving_records.databases import ready
from serving.auth.key_cache import KeyRing
engine, _ = ready(sys.argv[1])
ring = KeyRing(engine, 0.2)
for line in sys.stdin:
    print(ring.verify(line.strip()), flush=True)
"""


@pytest.fixture
def ring(engine: Engine) -> Iterator[KeyRing]:
    """Reads the keys when told to."""
    found = KeyRing(engine, 600)
    yield found
    found.close()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KeyRing, api_keys.NewKey]]:
    """A ring with a few keys, and one of them."""
    engine, _ = ready(f"sqlite:///{tmp_path_factory.mktemp('keys')}/serving.db")
    made = [api_keys.create(engine, f"key {number}", Role.EVALUATE) for number in range(3)]
    ring = KeyRing(engine, 600)
    yield ring, made[1]
    ring.close()
    engine.dispose()


@pytest.mark.parametrize("role", list(Role))
def test_a_key_is_that_of_its_caller(engine: Engine, ring: KeyRing, role: Role) -> None:
    key = api_keys.create(engine, "control room", role)
    assert ring.verify(key.text) == Refusal(Reason.WRONG)
    assert ring.refresh()
    assert ring.verify(key.text) == Caller(key.id, "control room", role)
    assert ring.usable == 1


def test_each_role_may_do_what_those_before_it_may() -> None:
    may = {role: {other for other in Role if Caller("", "", role).may(other)} for role in Role}
    assert may == {
        Role.PREDICT: {Role.PREDICT},
        Role.EVALUATE: {Role.PREDICT, Role.EVALUATE},
        Role.ADMIN: {Role.PREDICT, Role.EVALUATE, Role.ADMIN},
    }


@settings(max_examples=25, deadline=None)
@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=100))
def test_keys_of_any_name_are_told_apart(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    engine, _ = ready(f"sqlite:///{tmp_path_factory.mktemp('names')}/serving.db")
    made = [api_keys.create(engine, name, role) for role in Role]
    ring = KeyRing(engine, 600)
    assert [ring.verify(key.text) for key in made] == [Caller(key.id, name, key.role) for key in made]
    assert [found.name for found in api_keys.listed(engine)] == [name] * 3
    ring.close()
    engine.dispose()


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_wrong_character_anywhere_is_refused(one: tuple[KeyRing, api_keys.NewKey], data: st.DataObject) -> None:
    ring, key = one
    place = data.draw(st.integers(0, len(key.text) - 1))
    alphabet = st.sampled_from(string.ascii_letters + string.digits + "_-") | st.characters()
    other = data.draw(alphabet.filter(lambda character: character != key.text[place]))
    assert ring.verify(key.text[:place] + other + key.text[place + 1 :]) == Refusal(Reason.WRONG)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.integers(0, 60).map(lambda length: "acc_" + "0" * length))
def test_whatever_is_sent_is_refused(one: tuple[KeyRing, api_keys.NewKey], sent: str) -> None:
    ring, _ = one
    assert ring.verify(sent) == Refusal(Reason.WRONG if sent else Reason.MISSING)
    assert ring.verify(None) == Refusal(Reason.MISSING)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=3), st.text(max_size=3), st.integers(0, 55))
def test_a_key_with_more_or_less_around_it_is_refused(
    one: tuple[KeyRing, api_keys.NewKey], before: str, after: str, length: int
) -> None:
    ring, key = one
    assert ring.verify(key.text[:length]) in {Refusal(Reason.WRONG), Refusal(Reason.MISSING)}
    assert isinstance(ring.verify(before + key.text + after), Caller) is (not before and not after)
    assert ring.verify(f"{key.text}\n") == Refusal(Reason.WRONG)


def test_the_secret_of_one_key_does_not_open_another(engine: Engine, ring: KeyRing) -> None:
    one, other = (api_keys.create(engine, "x", Role.PREDICT) for _ in range(2))
    ring.refresh()
    assert ring.verify(f"acc_{one.id}_{other.text[13:]}") == Refusal(Reason.WRONG)


def test_keys_have_the_form_that_they_are_said_to_have(engine: Engine) -> None:
    made = [api_keys.create(engine, "x", Role.PREDICT) for _ in range(20)]
    for key in made:
        prefix, identifier, secret = key.text.split("_", 2)
        assert (prefix, identifier, len(identifier), len(secret)) == ("acc", key.id, 8, 43)
    assert len({key.text[13:] for key in made}) == 20


def test_no_secret_is_stored_or_shown(engine: Engine) -> None:
    key = api_keys.create(engine, "x", Role.ADMIN)
    with engine.connect() as connection:
        row = connection.execute(select(api_keys_table)).one()
    secret = key.text[13:]
    assert secret not in repr(row)
    assert secret not in repr(key) + repr(api_keys.listed(engine))
    assert row.secret_sha256 == api_keys.digest(secret).hex()


@pytest.mark.slow
def test_an_expired_key_is_refused_without_reading_again(engine: Engine, ring: KeyRing) -> None:
    key = api_keys.create(engine, "x", Role.PREDICT, datetime.now(UTC) + timedelta(seconds=1))
    ring.refresh()
    assert isinstance(ring.verify(key.text), Caller)
    time.sleep(1.1)
    assert ring.verify(key.text) == Refusal(Reason.EXPIRED)
    assert ring.usable == 0
    assert [found.state(datetime.now(UTC)) for found in api_keys.listed(engine)] == ["expired"]


def test_a_revoked_key_is_refused_and_stays_in_the_list(engine: Engine, ring: KeyRing) -> None:
    key, other = (api_keys.create(engine, "x", Role.PREDICT) for _ in range(2))
    revoked = api_keys.revoke(engine, key.id)
    ring.refresh()
    assert ring.verify(key.text) == Refusal(Reason.REVOKED)
    assert isinstance(ring.verify(other.text), Caller)
    assert api_keys.revoke(engine, key.id) == revoked
    states = {found.id: found.state(datetime.now(UTC)) for found in api_keys.listed(engine)}
    assert states == {key.id: "revoked", other.id: "active"}


def test_a_wrong_secret_says_nothing_of_the_key(engine: Engine, ring: KeyRing) -> None:
    key = api_keys.create(engine, "x", Role.PREDICT)
    api_keys.revoke(engine, key.id)
    ring.refresh()
    assert ring.verify(key.text[:-1] + ("A" if key.text[-1] != "A" else "B")) == Refusal(Reason.WRONG)


@pytest.mark.parametrize("name", ["", " x", "x\x1b[2J", "x" * 101, "two\nlines"])
def test_names_that_would_spoil_a_list_are_refused(engine: Engine, name: str) -> None:
    with pytest.raises(ConfigurationError, match="1 to 100 printable characters"):
        api_keys.create(engine, name, Role.PREDICT)


def test_a_key_that_would_have_expired_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="could not be used"):
        api_keys.create(engine, "x", Role.PREDICT, datetime.now(UTC) - timedelta(seconds=1))


def test_ids_that_are_none_and_ids_of_nobody_are_told_apart(engine: Engine) -> None:
    with pytest.raises(UnknownKeyError, match="no API key has the id 0123abcd"):
        api_keys.revoke(engine, "0123abcd")
    for wrong in ("", "x", "0123ABCD", "acc_0123abcd", "0123abcd\n", "\udc80", "\x00"):
        with pytest.raises(ConfigurationError, match="8 hexadecimal digits"):
            api_keys.revoke(engine, wrong)


def test_an_id_that_is_taken_is_not_given_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = ["00000001", "00000001", "00000002"]
    monkeypatch.setattr(api_keys.secrets, "token_hex", lambda _: ids.pop(0))
    assert [api_keys.create(engine, "x", Role.PREDICT).id for _ in range(2)] == ["00000001", "00000002"]


def test_a_database_that_is_away_leaves_the_keys_that_are_known(engine: Engine, unreachable: Away) -> None:
    key = api_keys.create(engine, "x", Role.PREDICT)
    ring = KeyRing(engine, 0.05)
    with unreachable():
        assert ring.refresh() is False
        assert isinstance(ring.verify(key.text), Caller)
    api_keys.revoke(engine, key.id)
    assert eventually(lambda: ring.verify(key.text) == Refusal(Reason.REVOKED))
    ring.close()


def test_without_a_database_there_is_no_ring(engine: Engine, unreachable: Away) -> None:
    with unreachable(), pytest.raises(RecordsError):
        KeyRing(engine, 1)


def test_a_row_that_is_spoilt_does_not_end_the_ring(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    key = api_keys.create(engine, "x", Role.PREDICT)
    ring = KeyRing(engine, 0.05)
    with writing(engine) as connection:
        row = {"id": "spoilt", "name": "", "role": "admin", "secret_sha256": "no digits", "created_at": key.created}
        connection.execute(insert(api_keys_table), row)
    assert eventually(lambda: len([line for line in caplog.messages if "cannot be read again" in line]) >= 2)
    assert isinstance(ring.verify(key.text), Caller)
    with writing(engine) as connection:
        connection.execute(update(api_keys_table).where(api_keys_table.c.id == "spoilt"), {"secret_sha256": "00" * 32})
    api_keys.revoke(engine, key.id)
    assert eventually(lambda: ring.verify(key.text) == Refusal(Reason.REVOKED))
    ring.close()


@pytest.mark.slow
def test_a_running_process_takes_notice(address: str, project: Path) -> None:
    engine, _ = ready(address)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", VERIFYING, address]
    with subprocess.Popen(command, cwd=project, stdin=pipe, stdout=pipe, text=True) as process:

        def answer(text: str) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            return process.stdout.readline()

        assert "wrong" in answer("acc_x")
        key = api_keys.create(engine, "late", Role.PREDICT)
        assert eventually(lambda: "name='late'" in answer(key.text))
        api_keys.revoke(engine, key.id)
        assert eventually(lambda: "revoked" in answer(key.text))
        assert process.stdin is not None
        process.stdin.close()


def test_both_kinds_of_key_are_the_same_to_those_who_list_them(engine: Engine) -> None:
    expires = datetime.now(UTC).replace(microsecond=5) + timedelta(days=2)
    made = api_keys.create(engine, "x", Role.PREDICT, expires)
    (found,) = api_keys.listed(engine)
    assert found == api_keys.Key(
        *(getattr(made, name) for name in ("id", "name", "role", "created", "expires", "revoked"))
    )
    assert replace(made, text="").expires == expires
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_keys")).scalar_one() == 1

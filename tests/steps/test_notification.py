"""A run that has ended is announced once: by Apprise to a webhook and by e-mail, or by the alerter of the stack."""

import json
from collections.abc import Iterator

import pytest
from zenml import step
from zenml.alerter import BaseAlerter
from zenml.alerter.base_alerter import BaseAlerterConfig, BaseAlerterFlavor
from zenml.client import Client
from zenml.enums import ExecutionMode, StackComponentType

from pipelines.definition import pipeline
from steps.notification import SECRET, URLS
from tests.http_receiver import Receiver, http_receiver
from tests.mail_receiver import mail_receiver

pytestmark = pytest.mark.slow

POSTED: list[str] = []


class MemoryAlerter(BaseAlerter):
    """Keeps what it is given."""

    def post(self, message: str, params: object = None) -> bool:
        """Keep a message."""
        del params
        POSTED.append(message)
        return True


class MemoryAlerterFlavor(BaseAlerterFlavor):
    """Its flavor."""

    @property
    def name(self) -> str:
        """Name in ZenML."""
        return "memory"

    @property
    def config_class(self) -> type[BaseAlerterConfig]:
        """Its configuration."""
        return BaseAlerterConfig

    @property
    def implementation_class(self) -> type[MemoryAlerter]:
        """Its implementation."""
        return MemoryAlerter


@step(enable_cache=False)
def number() -> int:
    return 1


@step(enable_cache=False)
def add(value: int) -> int:
    return value + 1


@step(enable_cache=False)
def fail(value: int) -> int:
    raise ValueError(f"{value} of https://ann:hush@example.org is wrong")


@pipeline("announced")
def announced(fails: bool = False) -> None:
    value = add(number())
    if fails:
        fail(value, id="one")
        fail(value, id="two")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as started:
        monkeypatch.setenv(URLS, started.url.replace("http://", "json://") + "/hook")
        yield started


def sent(receiver: Receiver) -> list[tuple[str, str]]:
    messages = [json.loads(body) for path, body in receiver.bodies if path == "/hook"]
    return [(message["title"], message["message"]) for message in messages]


def test_success_is_announced_once_to_a_webhook_and_by_mail(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_receiver() as mails:
        address = f"mailto://127.0.0.1:{mails.port}?mode=insecure&from=runs@example.org&to=ann@example.org"
        monkeypatch.setenv(URLS, f"{receiver.url.replace('http://', 'json://')}/hook, {address}")
        run = announced()
    ((title, text),) = sent(receiver)
    assert title == "announced succeeded"
    assert run.name in text
    (mail,) = mails.messages
    assert (mail["To"], mail["Subject"]) == ("ann@example.org", "announced succeeded")


def test_a_run_with_several_failed_steps_is_announced_once_without_credentials(receiver: Receiver) -> None:
    failing = announced.with_options(execution_mode=ExecutionMode.CONTINUE_ON_FAILURE)
    with pytest.raises(RuntimeError):
        failing(fails=True)
    ((title, text),) = sent(receiver)
    assert title == "announced failed"
    assert text.startswith("the step one failed\nValueError: 2 of https://")
    assert "hush" not in text


def test_a_receiver_that_is_away_fails_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URLS, "json://127.0.0.1:9/hook, nonsense://x")
    assert announced().status.is_successful


def test_the_secret_holds_the_addresses_for_steps_elsewhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URLS)
    Client().create_secret(SECRET, {URLS: receiver.url.replace("http://", "json://") + "/hook"})
    try:
        announced()
    finally:
        Client().delete_secret(SECRET)
    assert [title for title, _ in sent(receiver)] == ["announced succeeded"]


def test_the_alerter_of_the_stack_goes_before(receiver: Receiver) -> None:
    client, alerter = Client(), StackComponentType.ALERTER
    client.create_flavor(f"{__name__}.MemoryAlerterFlavor", alerter)
    client.create_stack_component("memory", "memory", alerter, {})
    before = client.active_stack_model
    kept = {kind: [one.id for one in components] for kind, components in before.components.items()}
    client.create_stack("alerted", {**kept, alerter: "memory"})
    client.activate_stack("alerted")
    try:
        run = announced()
    finally:
        client.activate_stack(before.id)
    (message,) = POSTED
    assert message == f"announced succeeded\nall steps have ended\nrun {run.name}"
    assert receiver.bodies == []

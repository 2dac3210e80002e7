"""Hooks of the pipelines: tell people that a run has ended, by the alerter of the stack, or without one by Apprise.

Apprise takes the addresses of `NOTIFY_URLS`, or of the ZenML secret `notifications`, which steps on other machines see
as well. Each run is announced once for each outcome, however many of its steps fail. A hook never fails its run.
"""

import os
import re
from collections.abc import Callable

from zenml import get_step_context, log_metadata
from zenml.client import Client
from zenml.logger import get_logger
from zenml.utils.dashboard_utils import get_run_url

from accidents.configuration.redaction import redact_credentials

URLS = "NOTIFY_URLS"
"""Variable, and key of the secret, with the addresses of Apprise, separated by spaces or commas."""

SECRET = "notifications"  # noqa: S105  # its name
_MAX_CHARACTERS = 1000

logger = get_logger(__name__)


def notify_failure(exception: BaseException) -> None:
    """Announce that a run has failed: step, error, address of the run."""
    error = redact_credentials(f"{type(exception).__name__}: {exception}")[:_MAX_CHARACTERS]
    _announce("failed", f"the step {get_step_context().step_run.name} failed\n{error}")


def notify_success() -> None:
    """Announce that a run has ended well; ZenML calls the hook after each step, and only the last one counts."""
    _announce("succeeded", "all steps have ended", last_step_only=True)


def _announce(outcome: str, text: str, *, last_step_only: bool = False) -> None:
    """Send a message, unless nobody is configured, or one about this run and outcome has been sent."""
    send = _channel()
    if send is None:
        return
    context = get_step_context()
    run = Client().get_pipeline_run(context.pipeline_run.id)
    steps = run.snapshot.pipeline_spec.steps if run.snapshot and run.snapshot.pipeline_spec else []
    followed = {name for step in steps for name in step.upstream_steps}
    key = f"notified_{outcome}"
    if key in run.run_metadata or (last_step_only and context.step_run.name in followed):
        return
    lines = (text, f"run {run.name}", get_run_url(run))
    if send(f"{context.pipeline.name} {outcome}", "\n".join(line for line in lines if line)):
        log_metadata({key: True}, run_id_name_or_prefix=run.id)
    else:
        logger.warning("The notification that the run has %s was not delivered to everybody.", outcome)


def _channel() -> Callable[[str, str], bool] | None:
    """What sends a message of title and text and says whether it was delivered; None where nobody is configured."""
    if alerter := Client().active_stack.alerter:
        return lambda title, body: bool(alerter.post(f"{title}\n{body}"))
    urls = notification_urls()
    if not urls:
        return None
    from apprise import Apprise

    notifier = Apprise()
    if not notifier.add(urls):
        logger.warning("%s holds an address that Apprise does not know; docs/stacks.md has examples.", URLS)
    return lambda title, body: bool(notifier.notify(title=title, body=body))


def notification_urls() -> list[str]:
    """Addresses of Apprise: of the environment, else of the secret."""
    text = os.environ.get(URLS)
    if not text:
        try:
            secret = Client().get_secret(SECRET, allow_partial_name_match=False, allow_partial_id_match=False)
        except (KeyError, NotImplementedError):  # the store of secrets may be turned off
            return []
        text = secret.secret_values.get(URLS, "")
    return [url for url in re.split(r"[\s,]+(?=[\w+]+://)", text.strip()) if url]

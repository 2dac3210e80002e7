"""Which MLflow records this run: the environment, then the active stack, then the configuration, else the embedded one.

Imports neither mlflow nor zenml at the top: the answer is needed before either.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import ConfigurationError

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
SQLITE = "sqlite:///"

_DATABASES = ("postgresql", "mysql", "mssql")
_CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")

_LOGIN = re.compile(r"://[^/?#\s]*@")
_PASSWORD = re.compile(r"([?&]password=)[^&\s]*", re.IGNORECASE)

_NO_SECRET = (None, "", "none")
"""ZenML asks for a token even for a server that wants none."""


@dataclass(frozen=True)
class Destination:
    """An MLflow, and why it is this one.

    `environment` holds what MLflow reads from environment variables to get in; `artifacts` is where a new experiment
    keeps its files, None where the server decides.
    """

    uri: str
    origin: str
    artifacts: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{without_credentials(self.uri)} ({self.origin})"


@dataclass(frozen=True)
class StackTracker:
    """The MLflow experiment tracker of a ZenML stack."""

    stack: str
    uri: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def destination(
    settings: TrackingSettings, tracker: StackTracker | None, environment: Mapping[str, str]
) -> Destination:
    """The MLflow to use: `MLFLOW_TRACKING_URI`, `DAGSHUB_REPO`, the stack, the configuration, the embedded store.

    Args:
        settings: the configuration.
        tracker: the experiment tracker of the active stack, if it has one.
        environment: the environment variables of the process, `.env` included.

    Raises:
        ConfigurationError: the environment and the stack name different servers, or `DAGSHUB_REPO` is no `user/repo`.
    """
    told = _of_environment(environment)
    if told and tracker and not _same(told.uri, tracker.uri):
        raise ConfigurationError(
            f"two MLflow servers: {told} and {without_credentials(tracker.uri)} (experiment tracker of the stack "
            f"{tracker.stack}); unset {told.origin}, or choose a stack that uses it"
        )
    if told:
        return _with_artifacts(settings, told)
    if tracker:
        return _with_artifacts(settings, Destination(tracker.uri, f"stack {tracker.stack}", None, tracker.environment))
    if settings.mlflow.tracking_uri:
        return _with_artifacts(settings, Destination(settings.mlflow.tracking_uri, "configs/tracking.yaml"))
    return embedded(settings)


def embedded(settings: TrackingSettings) -> Destination:
    """The store inside the project: a SQLite file and a folder of artifacts."""
    folder = (PROJECT_ROOT / settings.folder).resolve()
    return Destination(f"sqlite:///{folder / DATABASE}", "embedded", (folder / ARTIFACTS).as_uri())


def stack_tracker() -> StackTracker | None:
    """The MLflow experiment tracker of the active ZenML stack; None where it has none, or one of another kind."""
    from zenml.client import Client

    stack = Client().active_stack
    tracker = stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        return None
    secrets = (tracker.config.tracking_username, tracker.config.tracking_password, tracker.config.tracking_token)
    environment = {name: value for name, value in zip(_CREDENTIALS, secrets, strict=True) if value not in _NO_SECRET}
    if tracker.config.tracking_insecure_tls:
        environment["MLFLOW_TRACKING_INSECURE_TLS"] = "true"
    return StackTracker(stack.name, tracker.get_tracking_uri(), environment)


def without_credentials(text: str) -> str:
    """A URI, or a text with URIs in it, as it may be shown: without user names and passwords."""
    return _PASSWORD.sub(r"\1…", _LOGIN.sub("://", text))


def _of_environment(environment: Mapping[str, str]) -> Destination | None:
    if uri := environment.get("MLFLOW_TRACKING_URI"):
        return Destination(uri, "MLFLOW_TRACKING_URI")
    repository = environment.get("DAGSHUB_REPO")
    if not repository:
        return None
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name or any(character.isspace() for character in repository):
        raise ConfigurationError(f"DAGSHUB_REPO={repository!r}: must be user/repo, as in the address of the repository")
    token = environment.get("DAGSHUB_TOKEN", "")
    login = {
        "MLFLOW_TRACKING_USERNAME": environment.get("MLFLOW_TRACKING_USERNAME") or token,
        "MLFLOW_TRACKING_PASSWORD": environment.get("MLFLOW_TRACKING_PASSWORD") or token,
    }
    given = {name: value for name, value in login.items() if value}
    return Destination(f"https://dagshub.com/{owner}/{name}.mlflow", "DAGSHUB_REPO", None, given)


def _with_artifacts(settings: TrackingSettings, found: Destination) -> Destination:
    """With a folder for artifacts where no server decides: beside a SQLite file, else that of the embedded store."""
    if found.uri.startswith(SQLITE):
        artifacts: str | None = (Path(found.uri.removeprefix(SQLITE)).absolute().parent / ARTIFACTS).as_uri()
    elif found.uri.startswith(_DATABASES):
        artifacts = embedded(settings).artifacts
    else:
        artifacts = None
    return Destination(found.uri, found.origin, artifacts, found.environment)


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")

"""Tracking URI and credentials: from environment variables, active stack, configuration, or the embedded store.

Imports neither mlflow nor zenml at module level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from accidents.configuration.paths import PROJECT_ROOT
from accidents.configuration.redaction import redact_credentials
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import ConfigurationError

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
SQLITE = "sqlite:///"

EMBEDDED = "embedded"
"""Origin of the tracking target where nothing else is set."""

_DATABASES = ("postgresql", "mysql", "mssql")
CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
"""Variables with the credentials of an MLflow server."""

_NO_SECRET = (None, "", "none")
"""ZenML requires a token in the configuration of a tracker, also for a server without authentication."""


@dataclass(frozen=True)
class TrackingTarget:
    """Where to track.

    Attributes:
        uri: tracking URI.
        origin: where the URI comes from, such as `MLFLOW_TRACKING_URI` or `embedded`.
        artifacts: artifact location of a new experiment; None where the server decides.
        environment: environment variables with the credentials.
    """

    uri: str
    origin: str
    artifacts: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{redact_credentials(self.uri)} ({self.origin})"


def resolve_target(
    settings: TrackingSettings, tracker: TrackingTarget | None, environment: Mapping[str, str]
) -> TrackingTarget:
    """The tracking target: `MLFLOW_TRACKING_URI`, `DAGSHUB_REPO`, stack, configuration, embedded store, in this order.

    Args:
        settings: the configuration.
        tracker: the experiment tracker of the active stack, if it has one.
        environment: the environment variables of the process, `.env` included.

    Raises:
        ConfigurationError: environment and stack name different servers, or `DAGSHUB_REPO` is not `user/repo`.
    """
    target = _target_from_environment(environment)
    if target and tracker and target.uri.rstrip("/") != tracker.uri.rstrip("/"):
        raise ConfigurationError(
            f"two MLflow servers: {target} and {redact_credentials(tracker.uri)} (experiment tracker of the "
            f"{tracker.origin}); unset {target.origin}, or choose a stack that uses it"
        )
    target = target or tracker
    if target is None and settings.mlflow.tracking_uri:
        target = TrackingTarget(_absolute_uri(settings.mlflow.tracking_uri, PROJECT_ROOT), "configs/tracking.yaml")
    return _with_artifact_location(settings, target) if target else embedded_target(settings)


def embedded_target(settings: TrackingSettings) -> TrackingTarget:
    """The embedded store: a SQLite file and an artifact folder inside the project.

    Raises:
        ConfigurationError: the path of the folder contains a question mark.
    """
    folder = (PROJECT_ROOT / settings.folder).resolve()
    if "?" in str(folder):
        raise ConfigurationError(
            f"{folder}: MLflow cannot keep its database in a path with a question mark; set 'folder' in "
            "configs/tracking.yaml, or move the project"
        )
    return TrackingTarget(f"sqlite:///{folder / DATABASE}", EMBEDDED, (folder / ARTIFACTS).as_uri())


def active_stack_tracker() -> TrackingTarget | None:
    """The MLflow experiment tracker of the active ZenML stack; None without one."""
    from zenml.client import Client

    stack = Client().active_stack
    tracker = stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        return None
    secrets = (tracker.config.tracking_username, tracker.config.tracking_password, tracker.config.tracking_token)
    environment = {name: value for name, value in zip(CREDENTIALS, secrets, strict=True) if value not in _NO_SECRET}
    if tracker.config.tracking_insecure_tls:
        environment["MLFLOW_TRACKING_INSECURE_TLS"] = "true"
    return TrackingTarget(tracker.get_tracking_uri(), f"stack {stack.name}", None, environment)


def _target_from_environment(environment: Mapping[str, str]) -> TrackingTarget | None:
    if uri := environment.get("MLFLOW_TRACKING_URI"):
        return TrackingTarget(_absolute_uri(uri, Path.cwd()), "MLFLOW_TRACKING_URI")
    repository = dagshub_repository(environment)
    if not repository:
        return None
    token = environment.get("DAGSHUB_TOKEN")
    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
    credentials = {name: value for name in names if (value := environment.get(name) or token)}
    return TrackingTarget(f"https://dagshub.com/{repository}.mlflow", "DAGSHUB_REPO", None, credentials)


def dagshub_repository(environment: Mapping[str, str]) -> str | None:
    """`DAGSHUB_REPO` of the environment; None where it is not set.

    Raises:
        ConfigurationError: it is not `user/repo`.
    """
    repository = environment.get("DAGSHUB_REPO")
    if not repository:
        return None
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name or any(character.isspace() for character in repository):
        raise ConfigurationError(f"DAGSHUB_REPO={repository!r}: must be user/repo, as in the URL of the repository")
    return repository


def _absolute_uri(uri: str, base: Path) -> str:
    """The URI of a SQLite file with an absolute path; processes that load models run in other folders."""
    path = uri.removeprefix(SQLITE)
    return uri if path == uri or path.startswith(("/", ":")) else f"{SQLITE}{base / path}"


def _with_artifact_location(settings: TrackingSettings, target: TrackingTarget) -> TrackingTarget:
    """Add the artifact location for databases: beside a SQLite file, else the folder of the embedded store."""
    if target.uri.startswith(SQLITE):
        folder = Path(target.uri.removeprefix(SQLITE).partition("?")[0]).absolute().parent
        return replace(target, artifacts=(folder / ARTIFACTS).as_uri())
    if target.uri.startswith(_DATABASES):
        return replace(target, artifacts=embedded_target(settings).artifacts)
    return target
